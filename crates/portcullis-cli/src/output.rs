//! The only place that prints.
//!
//! Styles are part of the text and stripped here where they do not belong. A closed pipe
//! is not an error: whoever closed it has read enough, and the exit code stays what the
//! answer makes it.

use std::io::{self, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};

use crate::args::{Color, Format};
use crate::diagnostics;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::reply::Reply;

/// How and where to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    color: ColorChoice,
    format: Format,
}

impl Output {
    /// Returns the output that the arguments ask for.
    pub(crate) const fn new(color: Color, format: Format) -> Self {
        let color = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { color, format }
    }

    /// Prints an answer, or why there is none, and returns the exit code.
    pub(crate) fn finish(&self, reply: Result<Reply, Failure>) -> Exit {
        let printed = reply.and_then(|reply| {
            for warning in &reply.warnings {
                self.warn(warning);
            }
            let mut stdout = AutoStream::new(io::stdout().lock(), self.color);
            match stdout
                .write_all(reply.text.as_bytes())
                .and_then(|()| stdout.flush())
            {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
                Ok(()) | Err(_) => Ok(reply.exit),
            }
        });
        printed.unwrap_or_else(|failure| {
            self.fail(&failure);
            Exit::NoAnswer
        })
    }

    /// Prints an answer that is no text.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Says on stderr what the user may have meant otherwise.
    pub(crate) fn warn(&self, message: &str) {
        self.say(&match self.format {
            Format::Human => diagnostics::warning(message),
            Format::Json => diagnostics::warning_json(message),
        });
    }

    /// Says on stderr what is neither answer nor trouble.
    pub(crate) fn note(&self, message: &str) {
        self.say(&format!("{message}\n"));
    }

    fn fail(&self, failure: &Failure) {
        self.say(&match self.format {
            Format::Human => diagnostics::failure(failure),
            Format::Json => diagnostics::failure_json(failure),
        });
    }

    fn say(&self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.color);
        // Nobody is left to be told that stderr is closed.
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    }
}
