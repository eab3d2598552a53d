//! What policies do, told without asking request by request.
//!
//! Everything here is exact, off the hot path, and for whoever looks at policies before they
//! are live: an answer that would have to be guessed is an error instead.
//!
//! - [`mod@partition`]: the address space cut into the stretches that share a decision.

pub mod partition;

pub use self::partition::{Partition, partition};
