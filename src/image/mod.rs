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
//! What decides: `tables` has the types, `file` and `loaded` take them from what `bytes` owns
//! (the heap or huge `pages`, the program, a `map`),
//! `validate` checks them, `keys` and `caller` say what records are found by.
//!
//! What builds, under the feature `build` and in its order: `conditions` (lists, conditions),
//! `lanes`, `statements` (what explanations tell), `address_set` (what of a rule the classes
//! answer), `resources` (automaton, hits, complements) over `rows` over `programs`; `writer`
//! appends to the tables; `ahead` works out what most requests are answered by.
//!
//! See also: `crate::ir`, which it is built from, and `crate::engine`, which reads it.

pub(crate) mod bytes;
pub(crate) mod caller;
mod error;
pub(crate) mod file;
pub(crate) mod keys;
mod loaded;
#[cfg(feature = "mmap")]
pub(crate) mod map;
#[cfg(all(feature = "huge-pages", target_os = "linux"))]
mod pages;
mod tables;
mod validate;

// The build, and what it is made of.
#[cfg(feature = "build")]
mod address_set;
#[cfg(feature = "build")]
mod ahead;
#[cfg(feature = "build")]
mod build;
#[cfg(feature = "build")]
mod conditions;
#[cfg(feature = "build")]
mod config;
#[cfg(feature = "build")]
mod lanes;
#[cfg(feature = "build")]
mod programs;
#[cfg(feature = "build")]
mod resources;
#[cfg(feature = "build")]
mod rows;
#[cfg(feature = "build")]
mod statements;
#[cfg(feature = "build")]
mod writer;

#[cfg(feature = "build")]
pub(crate) use self::build::build;
#[cfg(feature = "build")]
pub use self::config::{Config, Strategy};
pub use self::error::ImageError;
#[cfg(feature = "std")]
pub(crate) use self::error::ImageErrorKind;
pub(crate) use self::loaded::Loaded;
pub(crate) use self::tables::*;
