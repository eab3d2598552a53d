//! Why a command could not answer.

use std::io;

use portcullis::Position;

/// Why there is no answer; always exit code 2.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments contradict one another, or one of them cannot be read.
    Usage {
        /// What is wrong.
        message: String,
        /// What to do instead.
        help: Option<String>,
    },
    /// A file cannot be read or written.
    File {
        /// Its name.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// Policies with faults, all of them.
    Policies(Vec<BrokenPolicy>),
    /// The policies are valid, and the engine does not build.
    Build {
        /// What is wrong.
        message: String,
        /// The policy at fault.
        policy: Option<String>,
        /// Where the statement at fault stands.
        position: Option<Position>,
    },
    /// Stdout cannot be written to.
    Output(io::Error),
}

impl Failure {
    /// Returns a usage error with its remedy.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: Some(help.into()),
        }
    }
}

/// A policy that does not load.
#[derive(Debug)]
pub(crate) struct BrokenPolicy {
    /// The file's name.
    pub(crate) file: String,
    /// Its text, to draw on.
    pub(crate) text: String,
    /// What is wrong with it, in the order of the text; never empty.
    pub(crate) faults: Vec<PolicyFault>,
}

/// One fault of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyFault {
    /// What is wrong, and what would be right.
    pub(crate) message: String,
    /// Where in the text.
    pub(crate) position: Position,
    /// Which element, such as `Statement[2].Condition.IpAddress`.
    pub(crate) path: String,
    /// The bytes at fault.
    pub(crate) range: core::ops::Range<usize>,
}
