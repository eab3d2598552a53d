//! The benches of the library: `cargo bench`, or `cargo bench -- decide/statements`.
//!
//! - [`decide`]: decisions, beside the reference;
//! - [`compile`]: text to engine;
//! - [`image`]: loading saved engines;
//! - [`workload`]: what they are asked about.
#![expect(
    clippy::as_conversions,
    reason = "sizes of workloads fit every integer type"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "indices are taken modulo the length"
)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench that cannot be set up must stop"
)]

mod compile;
mod decide;
mod image;
mod workload;

criterion::criterion_group!(
    benches,
    decide::statements,
    decide::prefixes,
    decide::worst,
    decide::shapes,
    decide::scope,
    compile::compile,
    image::load
);
criterion::criterion_main!(benches);
