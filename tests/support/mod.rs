//! What the suites share: questions as data, and the ways to ask them.

pub(crate) mod ask;
pub(crate) mod case;
pub(crate) mod evaluator;
pub(crate) mod request;
pub(crate) mod vector;
