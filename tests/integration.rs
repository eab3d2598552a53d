//! The integration tests, one binary: data cases, other evaluators' vectors, properties, floors.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod property;
mod suite;
mod support;
