//! What the exit code says.

use std::process::{ExitCode, Termination};

/// The exit code of a run, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: the request is allowed, or the command did what it was asked.
    Ok,
    /// 1: the request is denied.
    Denied,
    /// 1: the command found what it looks for: a case that failed, a file that would change.
    Findings,
    /// 2: no answer: wrong usage, an unreadable file, an invalid policy, a failed line.
    NoAnswer,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Denied | Self::Findings => 1,
            // What clap exits with on a usage error, so that all of them are one.
            Self::NoAnswer => 2,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
