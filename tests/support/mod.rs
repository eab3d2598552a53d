//! What the suites share: questions as data, and the ways to ask them.

pub(crate) mod ask;
pub(crate) mod case;
pub(crate) mod evaluator;
pub(crate) mod request;
pub(crate) mod vector;

use portcullis::policy::ParseOptions;
use portcullis::{ParseError, Policy, PolicyKind};

/// Reads a document that must be of the given kind, or of any.
pub(crate) fn read(text: &str, kind: Option<PolicyKind>) -> Result<Policy, ParseError> {
    Policy::from_json_with(text, &ParseOptions::default().with_kind(kind))
}
