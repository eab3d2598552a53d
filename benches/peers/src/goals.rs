//! The goals of speed, beside what was measured.

use core::fmt;

use portcullis::{Engine, Policy};

use crate::contender::{ALONE, BATCH, Column, ENGINE, LOOP, Measured, PATTERNS, built};
use crate::measure::median;
use crate::report::{Report, figure, thousands};
use crate::workload;

/// Statements, the goal in nanoseconds, and how often as fast as the loop by hand.
const DECISIONS: [(u64, f64, f64); 4] = [
    (10, 30.0, 5.0),
    (100, 35.0, 20.0),
    (1_000, 45.0, 150.0),
    (10_000, 70.0, 2_000.0),
];

/// Table, and the goals of latency and throughput.
const LOOKUPS: [(&str, f64, f64); 4] = [
    ("1 k", 7.0, 2.0),
    ("100 k", 15.0, 3.0),
    ("1 M", 22.0, 4.0),
    ("200 k IPv6", 20.0, 8.0),
];

/// Patterns, and the goal in nanoseconds.
const MATCHING: [(&str, f64); 2] = [("1 k", 35.0), ("10 k", 50.0)];

/// Returns the milliseconds from text to engine at 10 000 statements.
pub(crate) fn compile_times() -> f64 {
    let text = workload::statements(10_000, 1).json;
    let build = || {
        let policy = Policy::from_json(&text).expect("generated policies parse");
        Engine::builder()
            .policy(policy)
            .build()
            .expect("generated policies build")
    };
    median((0..5).map(|_| built(build).1.milliseconds).collect())
}

/// Returns the milliseconds to map the saved image of a million CIDRs, checked and ready.
pub(crate) fn load_time() -> std::io::Result<f64> {
    let policy = Policy::from_json(&workload::block_list(1_000_000, false, 1).json);
    let engine = Engine::builder()
        .policy(policy.expect("generated policies parse"))
        .build()
        .expect("generated policies build");
    let file = std::env::temp_dir().join(format!("peers-{}.image", std::process::id()));
    std::fs::write(&file, engine.image())?;
    // SAFETY: nobody else knows the file, and it is removed when no engine is left.
    let load = || unsafe { Engine::map_image(&file) }.expect("a saved image loads");
    let times = (0..9).map(|_| built(load).1.milliseconds).collect();
    std::fs::remove_file(&file)?;
    Ok(median(times))
}

/// Writes the table of goals; what was not measured has no row.
pub(crate) fn write(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "| measure | goal | got | | loop by hand ÷ got | best rival ÷ got |"
    )?;
    writeln!(f, "|---|--:|--:|---|--:|--:|")?;
    for (label, latency, throughput) in LOOKUPS {
        let Some(column) = report.tables.iter().find(|column| column.label == label) else {
            continue;
        };
        lookup(f, column, "latency", latency, |m| m.latency)?;
        lookup(f, column, "throughput", throughput, |m| m.throughput)?;
    }
    for ((label, goal), column) in MATCHING.iter().zip(&report.patterns) {
        let of = |m: &Measured| m.latency;
        let Some(got) = column.of(PATTERNS).and_then(of) else {
            continue;
        };
        let by_hand = column.of(LOOP).and_then(of);
        let by_hand = by_hand.map_or(String::new(), |time| format!("{} ×", figure(time / got)));
        let name = format!("all patterns of an ARN, {label}, ns");
        row(
            f,
            &name,
            Goal::AtMost(*goal),
            got,
            &by_hand,
            &best(column, got, of),
        )?;
    }
    for (size, goal, ratio) in DECISIONS {
        let Some(column) = report.decisions.iter().find(|column| column.size == size) else {
            continue;
        };
        let Some(got) = column.of(ENGINE).and_then(|m| m.latency) else {
            continue;
        };
        let by_hand = column
            .of(LOOP)
            .and_then(|m| m.latency)
            .map(|time| time / got);
        let met = by_hand.is_some_and(|r| r >= ratio);
        let by_hand = by_hand.map_or(String::new(), |r| {
            format!("{} × (goal {}, {})", figure(r), figure(ratio), verdict(met))
        });
        row(
            f,
            &format!("decision, {} statements, ns", thousands(size)),
            Goal::AtMost(goal),
            got,
            &by_hand,
            &best(column, got, |m| m.latency),
        )?;
    }
    let engine =
        |column: Option<&Column>| column.and_then(|c| c.of(ENGINE)).and_then(|m| m.latency);
    let alone = |column: Option<&Column>| column.and_then(|c| c.of(ALONE)).and_then(|m| m.latency);
    let table = |label: &str| report.tables.iter().find(|column| column.label == label);
    let statements = |size: u64| report.decisions.iter().find(|column| column.size == size);
    if let (Some(few), Some(many)) = (engine(statements(10)), engine(statements(10_000))) {
        row(
            f,
            "growth, 10 to 10 000 statements",
            Goal::AtMost(2.5),
            many / few,
            "",
            "",
        )?;
    }
    if let (Some(few), Some(many)) = (alone(table("1 k")), alone(table("1 M"))) {
        row(
            f,
            "growth of the look-up, 1 k to 1 M prefixes",
            Goal::AtMost(3.5),
            many / few,
            "",
            "",
        )?;
    }
    if let Some(time) = statements(10_000)
        .and_then(|c| c.of(BATCH))
        .and_then(|m| m.throughput)
    {
        row(
            f,
            "batch, 10 000 statements, M/s",
            Goal::AtLeast(30.0),
            1e3 / time,
            "",
            "",
        )?;
    }
    if let Some(got) = engine(report.worst.as_ref()) {
        let worst = report
            .worst
            .as_ref()
            .and_then(|c| c.of(LOOP))
            .and_then(|m| m.latency);
        let by_hand = worst.map_or(String::new(), |time| format!("{} ×", figure(time / got)));
        row(
            f,
            "worst case, 10 000 statements, all open, ns",
            Goal::AtMost(100.0),
            got,
            &by_hand,
            "",
        )?;
    }
    if let Some(got) = report.compile {
        row(
            f,
            "text to engine, 10 000 statements, ms",
            Goal::AtMost(50.0),
            got,
            "",
            "",
        )?;
    }
    if let Some(built) = table("1 M")
        .and_then(|c| c.of(ENGINE))
        .and_then(|m| m.built)
    {
        row(
            f,
            "text to engine, 1 M CIDRs, ms",
            Goal::AtMost(400.0),
            built.milliseconds,
            "",
            "",
        )?;
    }
    if let Some(got) = report.load {
        row(
            f,
            "load of a saved image, 1 M CIDRs, ms",
            Goal::AtMost(5.0),
            got,
            "",
            "",
        )?;
    }
    for (label, goal) in [("1 M", 5.0), ("200 k IPv6", 20.0)] {
        let Some(column) = table(label) else { continue };
        let size = column.size as f64;
        let per_prefix = |m: &Measured| m.built.map(|built| built.bytes as f64 / size);
        if let Some(bytes) = column.class_bytes {
            let (name, got) = (format!("bytes a prefix, {label}"), bytes as f64 / size);
            row(
                f,
                &name,
                Goal::AtMost(goal),
                got,
                "",
                &best(column, got, per_prefix),
            )?;
        }
    }
    Ok(())
}

fn lookup(
    f: &mut fmt::Formatter<'_>,
    column: &Column,
    what: &str,
    goal: f64,
    of: impl Fn(&Measured) -> Option<f64>,
) -> fmt::Result {
    let Some(got) = column.of(ALONE).and_then(&of) else {
        return Ok(());
    };
    let by_hand = column.of(LOOP).and_then(&of);
    let by_hand = by_hand.map_or(String::new(), |time| format!("{} ×", figure(time / got)));
    let label = format!("look-up {what}, {}, ns", column.label);
    row(
        f,
        &label,
        Goal::AtMost(goal),
        got,
        &by_hand,
        &best(column, got, of),
    )
}

/// The best contender but ours and the loop, as a ratio.
fn best(column: &Column, got: f64, of: impl Fn(&Measured) -> Option<f64>) -> String {
    column
        .measured
        .iter()
        .filter(|m| ![ENGINE, BATCH, ALONE, PATTERNS, LOOP].contains(&m.name))
        .filter_map(|m| of(m).map(|figure| (figure, m.name)))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(String::new(), |(time, name)| {
            format!("{} × ({name})", figure(time / got))
        })
}

enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

fn row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    goal: Goal,
    got: f64,
    by_hand: &str,
    best: &str,
) -> fmt::Result {
    let (sign, limit, met) = match goal {
        Goal::AtMost(limit) => ('≤', limit, got <= limit),
        Goal::AtLeast(limit) => ('≥', limit, got >= limit),
    };
    let (limit, got, verdict) = (figure(limit), figure(got), verdict(met));
    writeln!(
        f,
        "| {name} | {sign} {limit} | {got} | {verdict} | {by_hand} | {best} |"
    )
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}
