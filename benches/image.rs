//! Image → engine: read into a buffer, copied from memory, and mapped.

use super::workload::{self, Workload};
use criterion::{BenchmarkId, Criterion, Throughput};
use portcullis::{Engine, Policy};

fn bench(c: &mut Criterion, name: &str, size: u64, workload: &Workload) {
    let policy = Policy::from_json(&workload.json).expect("generated policies parse");
    let engine = Engine::builder().policy(policy).build();
    let engine = engine.expect("generated policies build");
    let path = std::env::temp_dir().join(format!("portcullis-bench-{}", std::process::id()));
    std::fs::write(&path, engine.image()).expect("there is room for a temporary file");

    let mut group = c.benchmark_group(name);
    group.sample_size(20);
    group.throughput(Throughput::Bytes(engine.image().len() as u64));
    group.bench_function(BenchmarkId::new("copy", size), |b| {
        b.iter(|| Engine::from_image(engine.image()).expect("the image is whole"));
    });
    group.bench_function(BenchmarkId::new("read", size), |b| {
        b.iter(|| Engine::read_image(&path).expect("the image is whole"));
    });
    #[cfg(feature = "mmap")]
    group.bench_function(BenchmarkId::new("map", size), |b| {
        #[expect(unsafe_code, reason = "the file is this bench's own")]
        // SAFETY: nobody else knows the file.
        b.iter(|| unsafe { Engine::map_image(&path) }.expect("the image is whole"));
    });
    group.finish();
    std::fs::remove_file(&path).expect("the file is this bench's own");
}

pub(crate) fn load(c: &mut Criterion) {
    let statements = workload::statements(10_000, 1);
    bench(c, "image/statements", 10_000, &statements);
    let prefixes = workload::block_list(1_000_000, false, 1);
    bench(c, "image/block_list_v4", 1_000_000, &prefixes);
}
