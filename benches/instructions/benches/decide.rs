//! Instructions of 256 decisions at each size, against the committed baseline.
//!
//! A count that is more than 3 % above its baseline fails; whoever means it changes the
//! baseline here in the same commit. One far below should lower it. `cargo bench` needs
//! valgrind and `gungraun-runner` of the version in `Cargo.toml`. What every processor has is counted, so
//! that the counts are the same on all x86-64; with AVX2 decisions take some 4 % fewer.

use std::hint::black_box;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use portcullis_instructions::Case;

/// The limit for a baseline of so many instructions.
fn baseline(instructions: u64) -> LibraryBenchmarkConfig {
    let limit = instructions + instructions * 3 / 100;
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, limit)]));
    config
}

#[library_benchmark]
#[bench::statements_10(args = (Case::statements(10),), config = baseline(83_204))]
#[bench::statements_100(args = (Case::statements(100),), config = baseline(84_763))]
#[bench::statements_1000(args = (Case::statements(1_000),), config = baseline(86_703))]
#[bench::statements_10000(args = (Case::statements(10_000),), config = baseline(94_313))]
#[bench::block_list_1000(args = (Case::block_list(1_000),), config = baseline(78_003))]
#[bench::block_list_100000(args = (Case::block_list(100_000),), config = baseline(77_343))]
#[bench::block_list_1000000(args = (Case::block_list(1_000_000),), config = baseline(77_592))]
#[bench::block_list_v6_200000(args = (Case::block_list_v6(200_000),), config = baseline(92_286))]
#[bench::all_open_10000(args = (Case::all_open(10_000),), config = baseline(74_291))]
fn decide(case: Case) -> (usize, Case) {
    // The case goes back, so that freeing it is not counted.
    (black_box(case.decide()), case)
}

library_benchmark_group!(name = decisions, benchmarks = decide);
main!(library_benchmark_groups = decisions);
