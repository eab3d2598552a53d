//! Text → policy → engine: parsing and building, apart and together.

use super::workload::{self, Workload};
use criterion::{BenchmarkId, Criterion, Throughput};
use portcullis::{Engine, Policy};

fn bench(c: &mut Criterion, name: &str, size: u64, workload: &Workload, values: usize) {
    let policy = Policy::from_json(&workload.json).expect("generated policies parse");
    let conditions = policy
        .statements()
        .iter()
        .flat_map(|statement| &statement.conditions);
    assert_eq!(
        conditions
            .map(|condition| condition.values.len())
            .sum::<usize>(),
        values
    );

    let mut group = c.benchmark_group(name);
    group.sample_size(10);
    group.throughput(Throughput::Bytes(workload.json.len() as u64));
    group.bench_function(BenchmarkId::new("parse", size), |b| {
        b.iter(|| Policy::from_json(&workload.json).map(|policy| policy.statements().len()));
    });
    group.bench_function(BenchmarkId::new("build", size), |b| {
        b.iter_batched(
            || policy.clone(),
            |policy| {
                Engine::builder()
                    .policy(policy)
                    .build()
                    .map(|engine| engine.inspect())
            },
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
}

pub(crate) fn compile(c: &mut Criterion) {
    for size in [10, 100, 1_000, 10_000] {
        let values = usize::try_from(size * 10).expect("small");
        bench(
            c,
            "compile/statements",
            size,
            &workload::statements(size, 1),
            values,
        );
    }
    for size in [1_000, 100_000, 1_000_000] {
        let values = usize::try_from(size).expect("small");
        bench(
            c,
            "compile/block_list_v4",
            size,
            &workload::block_list(size, false, 1),
            values,
        );
    }
}
