//! Why a command could not answer.

use std::io;

use core::ops::Range;

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
        /// The statement at fault, where one is.
        place: Option<Place>,
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

/// A place in a policy that loaded.
#[derive(Debug)]
pub(crate) struct Place {
    /// The file's name.
    pub(crate) file: String,
    /// Its text.
    pub(crate) text: String,
    /// Where in the text.
    pub(crate) position: Position,
    /// The bytes.
    pub(crate) range: Range<usize>,
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
    /// How many more there are that the parser did not tell.
    pub(crate) suppressed: usize,
}

/// One fault of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyFault {
    /// What is wrong.
    pub(crate) message: String,
    /// What would be right, where that can be told.
    pub(crate) help: Option<String>,
    /// Where in the text.
    pub(crate) position: Position,
    /// Which element, such as `Statement[2].Condition.IpAddress`.
    pub(crate) path: String,
    /// The bytes at fault.
    pub(crate) range: Range<usize>,
}
