//! How far the reader is, on a terminal.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Instant;

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use super::format::LogFormat;
use super::pipeline::Progress;
use crate::failure::Failure;
use crate::output::Output;
use crate::terminal::visible;

/// A line on a terminal's stderr that is drawn again and again; elsewhere nothing.
pub(crate) struct Bar<'a> {
    output: &'a Output,
    /// Bytes read, as they are stored.
    read: Arc<AtomicU64>,
    /// Bytes in all; `None` where that is not known.
    total: Option<u64>,
    lines: u64,
    started: Instant,
    drawn: Option<Instant>,
    is_shown: bool,
    /// Whether a stage is needed that only some forms have.
    needs_stage: bool,
    /// How many logs were found to have which form, and the first of them.
    forms: HashMap<&'static str, u64>,
}

impl<'a> Bar<'a> {
    /// Starts at nothing.
    pub(crate) fn new(
        output: &'a Output,
        read: Arc<AtomicU64>,
        total: Option<u64>,
        needs_stage: bool,
    ) -> Self {
        Self {
            output,
            read,
            total,
            lines: 0,
            started: Instant::now(),
            drawn: None,
            is_shown: io::stderr().is_terminal(),
            needs_stage,
            forms: HashMap::new(),
        }
    }

    /// Removes the line.
    pub(crate) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            say("\r\x1b[K");
        }
    }

    fn draw(&mut self) {
        let now = Instant::now();
        let last = self.drawn.unwrap_or(self.started);
        if !self.is_shown || now.duration_since(last) < PAUSE {
            return;
        }
        self.drawn = Some(now);
        let read = self.read.load(Ordering::Relaxed);
        let millis = now.duration_since(self.started).as_millis().max(1);
        let speed = u128::from(self.lines) * 1_000 / millis;
        let done = match self.total {
            Some(total) if total > 0 => {
                let percent = u128::from(read) * 100 / u128::from(total);
                let full = usize::try_from(percent / 5).unwrap_or(0).min(WIDTH);
                format!(
                    "[{}{}] {percent:>3} % of {}",
                    "#".repeat(full),
                    ".".repeat(WIDTH - full),
                    size(total)
                )
            }
            _ => size(read),
        };
        say(&format!(
            "\r\x1b[K{done}, {} lines, {speed} lines/s",
            self.lines
        ));
    }
}

impl Progress for Bar<'_> {
    fn form(&mut self, file: &str, format: LogFormat, is_told: bool) -> Result<(), Failure> {
        if self.needs_stage && !format.may_have_stage() {
            return Err(Failure::usage(
                format!(
                    "{}: a log of the form `{}` does not say which stage was called, and a resource of \
                     the policies names it, or has a wildcard that may reach into it",
                    visible(file),
                    format.name()
                ),
                "give --stage NAME",
            ));
        }
        let count = self.forms.entry(format.name()).or_default();
        *count += 1;
        // Of a thousand logs alike the first says enough.
        if is_told && *count == 1 {
            let drawn = self.drawn.is_some();
            if drawn {
                say("\r\x1b[K");
            }
            self.output.note(&format!(
                "{}: read as {} (--log-format {})",
                visible(file),
                format.description(),
                format.name()
            ));
        }
        Ok(())
    }

    fn lines(&mut self, lines: u64) {
        self.lines += lines;
        self.draw();
    }
}

fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    // Nobody is left to be told that stderr is closed.
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

/// Returns a number of bytes, for reading.
fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=9_999_999 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// Time between two drawings.
const PAUSE: Duration = Duration::from_millis(200);
/// Characters of the bar.
const WIDTH: usize = 20;
