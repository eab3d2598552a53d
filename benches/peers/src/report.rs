//! The report in Markdown, and its place in the README.

use core::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::contender::{BATCH, Column, LOOP, Measured};
use crate::goals;

const START: &str = "<!-- the bench writes from here -->";
const END: &str = "<!-- to here -->";

/// All that was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) tables: Vec<Column>,
    /// By patterns alone.
    pub(crate) patterns: Vec<Column>,
    pub(crate) decisions: Vec<Column>,
    pub(crate) worst: Option<Column>,
    /// Milliseconds from text to engine at 10 000 statements.
    pub(crate) compile: Option<f64>,
    /// Milliseconds to map the saved image of a million CIDRs.
    pub(crate) load: Option<f64>,
    /// What was left out, and why.
    pub(crate) notes: Vec<String>,
    pub(crate) seconds: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = machine();
        writeln!(f, "Measured on {machine}, in {} s.\n", self.seconds)?;
        self.spread(f)?;
        for note in &self.notes {
            writeln!(f, "{note}\n")?;
        }

        writeln!(f, "### Whole decisions\n")?;
        writeln!(f, "Nanoseconds a decision, by statements in the policy.\n")?;
        let columns: Vec<&Column> = self.decisions.iter().chain(&self.worst).collect();
        grid(f, &columns, |m| {
            if m.name == BATCH {
                m.throughput
            } else {
                m.latency
            }
            .map(figure)
        })?;
        about(f, &columns)?;

        writeln!(f, "\n### Addresses\n")?;
        writeln!(
            f,
            "Nanoseconds a look-up, latency / throughput, by prefixes in the table. The whole decision reads the request's ARN, too.\n"
        )?;
        let columns: Vec<&Column> = self.tables.iter().collect();
        grid(f, &columns, |m| match (m.latency, m.throughput) {
            (Some(latency), Some(throughput)) => {
                Some(format!("{} / {}", figure(latency), figure(throughput)))
            }
            (None, Some(throughput)) => Some(format!("– / {}", figure(throughput))),
            _ => None,
        })?;
        about(f, &columns)?;

        writeln!(
            f,
            "\nBytes a prefix / milliseconds to build. The engine is built from the policy's text, and holds what explanations need; the others, its look-up among them, from parsed prefixes.\n"
        )?;
        let sized: Vec<(&Column, f64)> = columns.iter().map(|c| (*c, c.size as f64)).collect();
        grid_of(f, &sized, |m, size| {
            let built = m.built?;
            Some(format!(
                "{} / {}",
                figure(built.bytes as f64 / size),
                figure(built.milliseconds)
            ))
        })?;

        writeln!(f, "\n### Patterns\n")?;
        writeln!(
            f,
            "Nanoseconds for all patterns that match an ARN of 84 bytes, each ARN waiting for the one before, by patterns; two of each API.\n"
        )?;
        let columns: Vec<&Column> = self.patterns.iter().collect();
        grid(f, &columns, |m| m.latency.map(figure))?;
        about(f, &columns)?;
        writeln!(f, "\nMilliseconds to build / kilobytes held.\n")?;
        grid(f, &columns, |m| {
            let built = m.built?;
            let kilobytes = built.bytes as f64 / 1e3;
            Some(format!(
                "{} / {}",
                figure(built.milliseconds),
                figure(kilobytes)
            ))
        })?;

        writeln!(f, "\n### Goals\n")?;
        goals::write(self, f)
    }
}

impl Report {
    /// How far the rounds of one contender are apart: what a difference has to pass to mean anything.
    fn spread(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.tables.iter().chain(&self.patterns);
        let columns = columns.chain(&self.decisions).chain(&self.worst);
        let measured = columns.flat_map(|column| &column.measured);
        let mut spreads: Vec<f64> = measured.map(|m| m.spread).filter(|&s| s > 0.0).collect();
        if spreads.is_empty() {
            return Ok(());
        }
        spreads.sort_by(f64::total_cmp);
        let percent = |part: usize| spreads[(spreads.len() - 1) * part / 10] * 100.0;
        writeln!(
            f,
            "The middle half of a contender's rounds lies within {:.0} % of its median (median of all), {:.0} % for nine tenths of them.\n",
            percent(5),
            percent(9)
        )
    }
}

fn grid(
    f: &mut fmt::Formatter<'_>,
    columns: &[&Column],
    cell: impl Fn(&Measured) -> Option<String>,
) -> fmt::Result {
    let columns: Vec<(&Column, f64)> = columns.iter().map(|c| (*c, 0.0)).collect();
    grid_of(f, &columns, |measured, _| cell(measured))
}

/// A row for each contender of the first column; refusals are told below.
fn grid_of(
    f: &mut fmt::Formatter<'_>,
    columns: &[(&Column, f64)],
    cell: impl Fn(&Measured, f64) -> Option<String>,
) -> fmt::Result {
    let Some((first, _)) = columns.first() else {
        return Ok(());
    };
    write!(f, "| |")?;
    for (column, _) in columns {
        write!(f, " {} |", column.label)?;
    }
    writeln!(f, "\n|---|{}", "--:|".repeat(columns.len()))?;
    for name in first.measured.iter().map(|m| m.name) {
        let cells: Vec<Option<String>> = columns
            .iter()
            .map(|(column, size)| cell(column.of(name)?, *size))
            .collect();
        if cells.iter().all(Option::is_none) && name == BATCH {
            continue;
        }
        write!(f, "| {name} |")?;
        for cell in cells {
            write!(f, " {} |", cell.as_deref().unwrap_or("–"))?;
        }
        writeln!(f)?;
    }
    Ok(())
}

fn about(f: &mut fmt::Formatter<'_>, columns: &[&Column]) -> fmt::Result {
    writeln!(f)?;
    for column in columns {
        writeln!(f, "- {}: {}.", column.label, column.about)?;
        for measured in &column.measured {
            if let Some(reason) = &measured.refused {
                writeln!(
                    f,
                    "- {}: {} was not timed: {reason}.",
                    column.label, measured.name
                )?;
            }
        }
    }
    debug_assert!(columns.iter().all(|column| column.of(LOOP).is_some()));
    Ok(())
}

/// Three significant digits, thousands apart.
pub(crate) fn figure(value: f64) -> String {
    if value < 9.95 {
        return format!("{value:.1}");
    }
    let digits = 10_f64.powf((value.log10().floor() - 2.0).max(0.0));
    let text = format!("{:.0}", (value / digits).round() * digits);
    spaced(&text)
}

/// The number with its thousands apart.
pub(crate) fn thousands(value: u64) -> String {
    spaced(&value.to_string())
}

fn spaced(digits: &str) -> String {
    let mut spaced = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            spaced.push('\u{202f}');
        }
        spaced.push(digit);
    }
    spaced
}

/// CPU, cores, kernel, compiler and commit.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1))
            .unwrap_or("unknown")
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let output = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output();
        output.map_or_else(
            |_| String::new(),
            |o| String::from_utf8_lossy(&o.stdout).trim().to_owned(),
        )
    };
    let commit = output("git", &["rev-parse", "--short=10", "HEAD"]);
    let changed = match output("git", &["status", "--porcelain", "--", "../../src"]).as_str() {
        "" => "",
        _ => " with changes",
    };
    format!(
        "{} (family {}, model {}, {} cache, {cores} cores), Linux {}, {}, at commit `{commit}`{changed}",
        field("model name"),
        field("cpu family"),
        field("model\t"),
        field("cache size"),
        output("uname", &["-r"])
            .split('-')
            .next()
            .unwrap_or_default(),
        output("rustc", &["--version"])
            .split(" (")
            .next()
            .unwrap_or_default(),
    )
}

/// Puts `text` between the README's marks.
pub(crate) fn replace_in(readme: &Path, text: &str) -> io::Result<()> {
    let old = fs::read_to_string(readme)?;
    let (Some(start), Some(end)) = (old.find(START), old.find(END)) else {
        let message = format!("`{}` has no marks `{START}` and `{END}`", readme.display());
        return Err(io::Error::other(message));
    };
    let before = &old[..start + START.len()];
    fs::write(readme, format!("{before}\n\n{text}\n{}", &old[end..]))
}
