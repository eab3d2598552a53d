//! What policies mean beside what one request gets: exact answers about all requests at once.
//!
//! ```text
//! &[Policy] ──guards──▶ Table: guard × addresses, for OLD and NEW in one
//!                         │ every guard whose addresses differ
//!                         ▼
//!                       solve: overlay with its neighbours, transition by transition
//!                         │ scope ∧ not exceptions, on a set of addresses
//!                         ├─ proven empty ──▶ dropped         (globs, search)
//!                         └─ else ──▶ diff::Region, with an example that a request is in it, or unproven
//!
//! diff ──▶ Difference      fit ──▶ the smallest text with an empty Difference
//! ```
//!
//! A statement is taken apart: what it asks of `aws:SourceIp` becomes a set of addresses
//! (`line`), all the rest a *guard* (`guard`), one for each resource pattern. Two sets
//! of policies then differ only where a guard's addresses differ, so that statements in
//! another order, lists cut otherwise or merged statements cost nothing, and a million
//! CIDRs are one set of ranges.
//!
//! # Invariants
//!
//! Nothing is dropped that is not proven empty: what the search for a request cannot decide
//! within its budget is kept, and marked as unproven.

pub mod diff;
mod error;
pub mod fit;
mod globs;
mod guard;
mod line;
mod search;

pub use self::diff::{Difference, dead_statements, diff};
pub use self::error::AnalysisError;
pub use self::fit::{Fit, fit};
