//! The compiled artefact: flat tables of plain old data, built once and only read after.
//!
//! ```text
//! source address ──lookup──▶ class ──────────────┐
//! resource ──automaton──▶ patterns ──hits──▶ rows ┼──▶ cells: decision, or a program to run
//! action, principal ──lanes──▶ which hits count ──┘
//! ```
//!
//! - A **lane** is a distinct pair of action element and principal element. Few policies
//!   have more than one; a request is in a lane or not.
//! - A **row** is a set of rules that one pattern brings in one lane, over all classes of
//!   addresses. A rule matches if any of its patterns does, so the decision is the
//!   strongest of the rows of all patterns that match: the rows need not be combined
//!   beforehand, however many sets of patterns there could be.
//! - A **complement** is a distinct `NotResource` list. Its rows count unless one of its
//!   patterns matches.
//! - A **cell** is a decision, or a **program**: the residual conditions to be tested, deny
//!   first. Two address keys have classes (a row is by those of one); conditions on them
//!   are residual only beside one on the other, or with a set qualifier.
//!
//! Rows that would pass the budget of cells are kept as lists of rules instead, each
//! tested by itself against the sorted ranges of its prefix lists; a build without
//! classes keeps all of them so. Both forms are always exact.
//!
//! The parts, in the order of the build: `conditions` (lists, conditions), `lanes` with
//! `caller`, `statements` (what explanations tell), `address_set` (what of a rule the
//! classes answer), `resources` (automaton, hits, complements) over `rows` over `programs`;
//! `tables` has the types, `writer` appends to them.
//!
//! See also: `crate::ir`, which it is built from, and `crate::engine`, which reads it.

mod address_set;
mod build;
pub(crate) mod bytes;
pub(crate) mod caller;
pub(crate) mod conditions;
mod config;
mod error;
pub(crate) mod file;
mod lanes;
mod loaded;
#[cfg(feature = "mmap")]
pub(crate) mod map;
pub(crate) mod programs;
mod resources;
mod rows;
pub(crate) mod statements;
mod tables;
mod validate;
mod writer;

pub(crate) use self::build::build;
pub use self::config::{Config, Strategy};
pub use self::error::ImageError;
pub(crate) use self::error::ImageErrorKind;
pub(crate) use self::loaded::Loaded;
pub(crate) use self::tables::*;
