//! The goals of speed, beside what was measured: in nanoseconds, and as ratios to a rival in the same
//! run, as nanoseconds of one machine say little of another.

use core::fmt;

use portcullis::{Engine, Policy};

use crate::contender::{ALONE, BATCH, Column, ENGINE, LOOP, Measured, PATTERNS, TRIE, built};
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
const LOOKUPS: [(&str, Asked, Asked); 4] = [
    ("1 k", Asked::new(7.0, 18.7), Asked::new(2.0, 18.2)),
    ("100 k", Asked::new(15.0, 37.6), Asked::new(3.0, 30.4)),
    ("1 M", Asked::new(22.0, 65.0), Asked::new(4.0, 52.5)),
    ("200 k IPv6", Asked::new(20.0, 88.0), Asked::new(8.0, 84.0)),
];

/// The rival that goals of look-ups are compared with: of the crates that were timed on tables of this
/// kind where the goals were set (an EPYC Milan VM), the fastest.
const THERE: &str = TRIE;

/// A goal, and what [`THERE`] took where it was set, in nanoseconds.
#[derive(Clone, Copy)]
struct Asked {
    goal: f64,
    there: f64,
}

impl Asked {
    const fn new(goal: f64, there: f64) -> Self {
        Self { goal, there }
    }

    /// How often as fast as that rival the goal is.
    fn ratio(self) -> f64 {
        self.there / self.goal
    }
}

/// Patterns, the goal in nanoseconds, and what the loop by hand took where it was set.
const MATCHING: [(&str, f64, Option<f64>); 2] =
    [("1 k", 35.0, Some(53_000.0)), ("10 k", 50.0, None)];

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
        "| measure | goal | got | | as a ratio | loop by hand ÷ got | best rival ÷ got |"
    )?;
    writeln!(f, "|---|--:|--:|---|---|--:|--:|")?;
    lookups(report, f)?;
    patterns(report, f)?;
    decisions(report, f)?;
    growths(report, f)?;
    loads(report, f)?;
    memory(report, f)
}

fn lookups(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (label, latency, throughput) in LOOKUPS {
        let Some(column) = table(report, label) else {
            continue;
        };
        lookup(f, column, "latency", latency, |m| m.latency)?;
        lookup(f, column, "throughput", throughput, |m| m.throughput)?;
    }
    Ok(())
}

fn lookup(
    f: &mut fmt::Formatter<'_>,
    column: &Column,
    what: &str,
    asked: Asked,
    of: impl Fn(&Measured) -> Option<f64>,
) -> fmt::Result {
    let Some(got) = column.of(ALONE).and_then(&of) else {
        return Ok(());
    };
    let label = format!("look-up {what}, {}, ns", column.label);
    Row::new(&label, Goal::AtMost(asked.goal), got)
        .ratio(column, THERE, asked.ratio(), &of)
        .rivals(column, &of)
        .write(f)
}

fn patterns(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for ((label, goal, by_hand), column) in MATCHING.iter().zip(&report.patterns) {
        let of = |m: &Measured| m.latency;
        let Some(got) = column.of(PATTERNS).and_then(of) else {
            continue;
        };
        let name = format!("all patterns of an ARN, {label}, ns");
        let mut row = Row::new(&name, Goal::AtMost(*goal), got).rivals(column, of);
        if let Some(by_hand) = by_hand {
            row = row.ratio(column, LOOP, by_hand / goal, of);
        }
        row.write(f)?;
    }
    Ok(())
}

fn decisions(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (size, goal, ratio) in DECISIONS {
        let of = |m: &Measured| m.latency;
        let Some(column) = statements(report, size) else {
            continue;
        };
        let Some(got) = column.of(ENGINE).and_then(of) else {
            continue;
        };
        let name = format!("decision, {} statements, ns", thousands(size));
        Row::new(&name, Goal::AtMost(goal), got)
            .ratio(column, LOOP, ratio, of)
            .rivals(column, of)
            .write(f)?;
    }
    let batch = statements(report, 10_000).and_then(|column| column.of(BATCH));
    if let Some(time) = batch.and_then(|m| m.throughput) {
        Row::new(
            "batch, 10 000 statements, M/s",
            Goal::AtLeast(30.0),
            1e3 / time,
        )
        .write(f)?;
    }
    if let Some(column) = &report.worst
        && let Some(got) = column.of(ENGINE).and_then(|m| m.latency)
    {
        let name = "worst case, 10 000 statements, all open, ns";
        Row::new(name, Goal::AtMost(100.0), got)
            .rivals(column, |m| m.latency)
            .write(f)?;
    }
    Ok(())
}

fn growths(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let latency = |column: Option<&Column>, name| column?.of(name)?.latency;
    let engine = |size| latency(statements(report, size), ENGINE);
    if let (Some(few), Some(many)) = (engine(10), engine(10_000)) {
        let name = "growth, 10 to 10 000 statements";
        Row::new(name, Goal::AtMost(2.5), many / few).write(f)?;
    }
    let alone = |label| latency(table(report, label), ALONE);
    if let (Some(few), Some(many)) = (alone("1 k"), alone("1 M")) {
        let name = "growth of the look-up, 1 k to 1 M prefixes";
        Row::new(name, Goal::AtMost(3.5), many / few).write(f)?;
    }
    Ok(())
}

fn loads(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let million = table(report, "1 M").and_then(|c| c.of(ENGINE)?.built);
    let measures = [
        (
            "text to engine, 10 000 statements, ms",
            50.0,
            report.compile,
        ),
        (
            "text to engine, 1 M CIDRs, ms",
            400.0,
            million.map(|built| built.milliseconds),
        ),
        ("load of a saved image, 1 M CIDRs, ms", 5.0, report.load),
    ];
    for (name, goal, got) in measures {
        if let Some(got) = got {
            Row::new(name, Goal::AtMost(goal), got).write(f)?;
        }
    }
    Ok(())
}

fn memory(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (label, goal) in [("1 M", 5.0), ("200 k IPv6", 20.0)] {
        let Some(column) = table(report, label) else {
            continue;
        };
        let size = column.size as f64;
        if let Some(bytes) = column.class_bytes {
            let name = format!("bytes a prefix, {label}");
            let mut row = Row::new(&name, Goal::AtMost(goal), bytes as f64 / size);
            row.best = best(column, row.got, |m| {
                m.built.map(|built| built.bytes as f64 / size)
            });
            row.write(f)?;
        }
    }
    Ok(())
}

fn table<'a>(report: &'a Report, label: &str) -> Option<&'a Column> {
    report.tables.iter().find(|column| column.label == label)
}

fn statements(report: &Report, size: u64) -> Option<&Column> {
    report.decisions.iter().find(|column| column.size == size)
}

enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// A line of the table.
struct Row<'a> {
    name: &'a str,
    goal: Goal,
    got: f64,
    ratio: String,
    by_hand: String,
    best: String,
}

impl<'a> Row<'a> {
    fn new(name: &'a str, goal: Goal, got: f64) -> Self {
        let (ratio, by_hand, best) = Default::default();
        Self {
            name,
            goal,
            got,
            ratio,
            by_hand,
            best,
        }
    }

    /// Adds how often as fast as `rival` the goal asks for, and the answer.
    fn ratio(
        mut self,
        column: &Column,
        rival: &str,
        goal: f64,
        of: impl Fn(&Measured) -> Option<f64>,
    ) -> Self {
        if let Some(time) = column.of(rival).and_then(of) {
            let (ratio, asked) = (time / self.got, figure(goal));
            let (got, verdict) = (figure(ratio), verdict(ratio >= goal));
            self.ratio = format!("{got} × {rival} (goal {asked}, {verdict})");
        }
        self
    }

    /// Adds the ratios to the loop and to the best rival.
    fn rivals(mut self, column: &Column, of: impl Fn(&Measured) -> Option<f64>) -> Self {
        if let Some(time) = column.of(LOOP).and_then(&of) {
            self.by_hand = format!("{} ×", figure(time / self.got));
        }
        self.best = best(column, self.got, of);
        self
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, limit, met) = match self.goal {
            Goal::AtMost(limit) => ('≤', limit, self.got <= limit),
            Goal::AtLeast(limit) => ('≥', limit, self.got >= limit),
        };
        let (limit, got, verdict) = (figure(limit), figure(self.got), verdict(met));
        writeln!(
            f,
            "| {} | {sign} {limit} | {got} | {verdict} | {} | {} | {} |",
            self.name, self.ratio, self.by_hand, self.best
        )
    }
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

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}
