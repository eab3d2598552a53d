//! The engine beside its rivals: policies and tables → contenders → one report.
//!
//! ```text
//! workload, tables ──▶ contenders ──check──▶ measure, interleaved ──▶ report (Markdown), plot (SVG)
//! ```
//!
//! Every contender is driven through its public interface, gets its questions in its own
//! form before the clock starts, and is asked for answers before it is timed: one that
//! answers otherwise than the reference, or cannot express the question, is not timed and
//! the report says why.
//!
//! - `tables`: lists of prefixes, generated and real, with addresses to ask about;
//! - `addresses`: structures that look an address up; `alone`: ours, without the engine;
//! - `patterns`: all patterns that match, likewise;
//! - `policies`: engines that decide, one file each;
//! - `measure`: the clock;
//! - `report`, `plot`: what is told.

mod addresses;
mod alone;
mod contender;
mod goals;
mod measure;
#[path = "../../../src/pattern/mod.rs"]
#[expect(dead_code, unused_imports, reason = "taken in whole")]
mod pattern;
mod patterns;
mod plot;
mod policies;
#[path = "../../../src/prefix/mod.rs"]
#[expect(dead_code, reason = "taken in whole")]
mod prefix;
mod report;
mod tables;
#[path = "../../../src/util/mod.rs"]
#[expect(dead_code, reason = "taken in whole")]
mod util;
#[path = "../../workload.rs"]
#[expect(dead_code, reason = "other benches use the rest")]
mod workload;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How many addresses a table is asked about: enough that no predictor learns them.
const ADDRESSES: usize = 1 << 16;

/// Measures everything, prints the report, draws the plots; with `--readme` the report also
/// replaces the last one in `benches/README.md`.
///
/// `--quick` takes the smallest sizes only, to try the harness out.
///
/// # Errors
///
/// The report or a plot cannot be written.
pub fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let quick = has("--quick");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let started = Instant::now();
    let mut report = report::Report::default();

    let mut tables: Vec<Box<dyn Fn() -> Result<tables::Table, String>>> =
        vec![Box::new(|| Ok(tables::generated("1 k", 1_000, false)))];
    if !quick {
        tables.push(Box::new(|| Ok(tables::generated("100 k", 100_000, false))));
        tables.push(Box::new(|| Ok(tables::generated("1 M", 1_000_000, false))));
        tables.push(Box::new(|| {
            Ok(tables::generated("200 k IPv6", 200_000, true))
        }));
        for v6 in [false, true] {
            tables.push(Box::new(move || tables::countries(geoip_directory(), v6)));
        }
    }
    for table in tables {
        match table() {
            Ok(table) => report.tables.push(addresses::measure(&table)),
            Err(note) => report.notes.push(note),
        }
        eprintln!("{:>4} s", started.elapsed().as_secs());
    }

    let sizes: &[(&str, u64)] = if quick {
        &[("1 k", 1_000)]
    } else {
        &[("1 k", 1_000), ("10 k", 10_000)]
    };
    for &(label, count) in sizes {
        report.patterns.push(patterns::measure(label, count));
    }
    let sizes: &[u64] = if quick {
        &[10]
    } else {
        &[10, 100, 1_000, 10_000]
    };
    for &size in sizes {
        let workload = workload::statements(size, 4_096);
        report.decisions.push(policies::measure(size, &workload));
        eprintln!("{:>4} s", started.elapsed().as_secs());
    }
    if !quick {
        let workload = workload::all_open(10_000, 4_096);
        report.worst = Some(policies::measure_worst(&workload));
        report.compile = Some(goals::compile_times());
        report.load = Some(goals::load_time()?);
    }
    report.seconds = started.elapsed().as_secs();

    let text = report.to_string();
    println!("{text}");
    if quick {
        return Ok(());
    }
    let plots = repository.join("docs/plots");
    std::fs::create_dir_all(&plots)?;
    plot::prefixes(&plots.join("latency-by-prefixes.svg"), &report.tables)?;
    plot::statements(&plots.join("latency-by-statements.svg"), &report.decisions)?;
    if has("--readme") {
        report::replace_in(&repository.join("benches/README.md"), &text)?;
    }
    Ok(())
}

/// Where `geoip` and `geoip6` of Debian's package `tor-geoipdb` are; see the script `run`.
fn geoip_directory() -> PathBuf {
    std::env::var_os("PEERS_GEOIP").map_or_else(|| "/usr/share/tor".into(), PathBuf::from)
}
