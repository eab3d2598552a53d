//! What policies do, told before they are live.
//!
//! ```text
//! &[Policy] ──lint──▶ findings, each with its place, its reason and often its fix
//! ```
//!
//! Off the hot path: these modules read the documents as written and answer exactly, or
//! say that they do not know.

pub mod lint;
