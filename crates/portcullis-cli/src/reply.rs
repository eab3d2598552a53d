//! What a command answers: text for stdout, warnings for stderr, an exit code.

use crate::exit::Exit;

/// The answer of a command that could answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// For stdout, whole lines; may hold ANSI styles, which the output strips where they do not belong.
    pub(crate) text: String,
    /// For stderr: what the user may have meant otherwise.
    pub(crate) warnings: Vec<String>,
    /// The exit code.
    pub(crate) exit: Exit,
}

impl Reply {
    /// Returns an answer without warnings.
    pub(crate) const fn new(text: String, exit: Exit) -> Self {
        Self {
            text,
            warnings: Vec::new(),
            exit,
        }
    }

    /// Returns the answer with these warnings.
    pub(crate) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }
}
