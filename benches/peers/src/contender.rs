//! What was measured of one contender on one table or policy.

use std::time::Instant;

/// The one all others are compared with.
pub(crate) const ENGINE: &str = "**portcullis**, whole decision";
/// The engine, many requests in flight.
pub(crate) const BATCH: &str = "**portcullis**, `decide_batch` of 256";
/// The engine's look-up of addresses, without the rest.
pub(crate) const ALONE: &str = "**portcullis**, look-up alone";
/// The engine's automaton, without the rest.
pub(crate) const PATTERNS: &str = "**portcullis**, patterns alone";
/// What one would write oneself.
pub(crate) const LOOP: &str = "loop by hand";
/// A tree of prefixes, and the rival that goals of look-ups are compared with.
pub(crate) const TRIE: &str = "prefix-trie 0.10";

/// One row's part in one column of the report.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// Nanoseconds from question to answer, each question waiting for the answer before.
    pub(crate) latency: Option<f64>,
    /// Nanoseconds a question, the questions independent.
    pub(crate) throughput: Option<f64>,
    /// How far the middle half of the rounds is spread, as a part of the median; the wider of the two.
    pub(crate) spread: f64,
    /// How long building took and how many bytes it holds.
    pub(crate) built: Option<Built>,
    /// Why there are no figures.
    pub(crate) refused: Option<String>,
}

/// All contenders on one table or policy.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) label: String,
    /// The number of prefixes, statements or patterns.
    pub(crate) size: u64,
    /// What the questions are like.
    pub(crate) about: String,
    /// The size of the engine's tables from address to class.
    pub(crate) class_bytes: Option<u64>,
    pub(crate) measured: Vec<Measured>,
}

impl Column {
    pub(crate) fn of(&self, name: &str) -> Option<&Measured> {
        self.measured.iter().find(|m| m.name == name)
    }
}

/// What a structure costs before it is asked anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Built {
    pub(crate) milliseconds: f64,
    pub(crate) bytes: usize,
}

/// Builds, and returns what that cost.
pub(crate) fn built<T>(build: impl FnOnce() -> T) -> (T, Built) {
    let mut made = None;
    let start = Instant::now();
    let info = allocation_counter::measure(|| made = Some(build()));
    let built = Built {
        milliseconds: start.elapsed().as_secs_f64() * 1e3,
        bytes: usize::try_from(info.bytes_current).unwrap_or_default(),
    };
    let value = made.expect("what is measured is run");
    (value, built)
}
