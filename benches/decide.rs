//! Decisions a second: the engine beside the reference, over statements and prefixes.
//!
//! Before anything is timed the engine's answers are compared with the reference's, all of
//! them where the reference can be waited for, and there must be more than one outcome.

use super::workload::{self, Shape, Workload};
use criterion::{BenchmarkId, Criterion, Throughput};
use portcullis::{Decision, Engine, Policy, reference};

/// How many reference steps (statements × requests) a check may take.
const REFERENCE_STEPS: usize = 2_000_000;

fn bench(c: &mut Criterion, group: &str, size: u64, workload: &Workload, outcomes: usize) {
    let policy = Policy::from_json(&workload.json).expect("generated policies parse");
    let engine = Engine::builder()
        .policy(policy.clone())
        .build()
        .expect("generated policies build");
    let policies = [policy];
    let requests: Vec<_> = workload
        .questions
        .iter()
        .map(|question| question.request())
        .collect();
    let steps = policies[0]
        .statements()
        .iter()
        .map(|s| 1 + s.conditions.iter().map(|c| c.values.len()).sum::<usize>())
        .sum::<usize>();
    let checked = &requests[..requests.len().min(1 + REFERENCE_STEPS / steps)];
    for request in checked {
        assert_eq!(
            engine.decide(request),
            reference::decide(&policies, request),
            "{request:?}"
        );
    }
    let counts = workload::count(requests.iter().map(|request| engine.decide(request)));
    assert!(
        counts.iter().filter(|&&count| count > 0).count() >= outcomes,
        "{group}/{size}: {counts:?}"
    );

    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(1));
    let mut at = 0;
    let mut next = || {
        at = (at + 1) % requests.len();
        &requests[at]
    };
    group.bench_function(BenchmarkId::new("engine", size), |b| {
        b.iter(|| engine.decide(next()))
    });
    let mut decisions = vec![Decision::Allow; 1024.min(requests.len())];
    let batch = &requests[..decisions.len()];
    assert_eq!(engine.decide_batch(batch, &mut decisions), batch.len());
    for (request, decision) in batch.iter().zip(&decisions) {
        assert_eq!(engine.decide(request), *decision);
    }
    group.throughput(Throughput::Elements(batch.len() as u64));
    group.bench_function(BenchmarkId::new("batch", size), |b| {
        b.iter(|| engine.decide_batch(batch, &mut decisions));
    });
    group.throughput(Throughput::Elements(1));
    if steps <= 100_000 {
        group.sample_size(10);
        group.bench_function(BenchmarkId::new("reference", size), |b| {
            b.iter(|| reference::decide(&policies, next()));
        });
    }
    group.finish();
}

/// The block list alone in `iprange`: what asking a tree of CIDRs costs, without any policy.
fn bench_iprange(c: &mut Criterion, size: u64, workload: &Workload) {
    let policy = Policy::from_json(&workload.json).expect("generated policies parse");
    let lists = policy
        .statements()
        .iter()
        .flat_map(|statement| &statement.conditions);
    let mut tree = iprange::IpRange::<ipnet::Ipv4Net>::new();
    for condition in lists {
        if let portcullis::policy::Values::Prefixes(prefixes) = &condition.values {
            for prefix in prefixes {
                if let ipnet::IpNet::V4(net) = prefix.value {
                    tree.add(net);
                }
            }
        }
    }
    tree.simplify();
    let engine = Engine::builder()
        .policy(policy)
        .build()
        .expect("generated policies build");
    let addresses: Vec<core::net::Ipv4Addr> = workload
        .questions
        .iter()
        .filter_map(|question| match question.source_ip {
            core::net::IpAddr::V4(ip) => Some(ip),
            core::net::IpAddr::V6(_) => None,
        })
        .collect();
    for question in &workload.questions {
        let denied = !engine.decide(&question.request()).is_allow();
        assert_eq!(addresses.len(), workload.questions.len());
        let core::net::IpAddr::V4(ip) = question.source_ip else {
            continue;
        };
        assert_eq!(tree.contains(&ip), denied, "{ip}");
    }
    let mut at = 0;
    c.benchmark_group("decide/block_list_v4").bench_function(
        BenchmarkId::new("iprange", size),
        |b| {
            b.iter(|| {
                at = (at + 1) % addresses.len();
                tree.contains(&addresses[at])
            });
        },
    );
}

pub(crate) fn statements(c: &mut Criterion) {
    for size in [10, 100, 1_000, 10_000] {
        bench(
            c,
            "decide/statements",
            size,
            &workload::statements(size, 4_096),
            2,
        );
    }
}

pub(crate) fn prefixes(c: &mut Criterion) {
    for size in [1_000, 100_000, 1_000_000] {
        bench_iprange(c, size, &workload::block_list(size, false, 65_536));
        bench(
            c,
            "decide/block_list_v4",
            size,
            &workload::block_list(size, false, 65_536),
            2,
        );
    }
    bench(
        c,
        "decide/block_list_v6",
        200_000,
        &workload::block_list(200_000, true, 65_536),
        2,
    );
}

pub(crate) fn worst(c: &mut Criterion) {
    bench(
        c,
        "decide/all_open",
        10_000,
        &workload::all_open(10_000, 4_096),
        1,
    );
}

pub(crate) fn shapes(c: &mut Criterion) {
    for shape in Shape::ALL {
        let group = format!("decide/differ_by_{}", shape.name());
        for size in [100, 10_000] {
            bench(c, &group, size, &workload::shape(shape, size, 4_096), 2);
        }
    }
}

/// A gateway that knows its API and stage, beside the engine that reads both each time.
pub(crate) fn scope(c: &mut Criterion) {
    let statements = 10_000;
    let mut workload = workload::statements(statements, 4_096);
    let start = workload::stage(7);
    for question in &mut workload.questions {
        let rest = &question.resource[start.len()..];
        question.resource = format!("{start}{rest}");
    }
    let policy = Policy::from_json(&workload.json).expect("generated policies parse");
    let engine = Engine::builder().policy(policy).build();
    let engine = engine.expect("generated policies build");
    let scope = engine.scope(&start).expect("what is left is less");
    let whole: Vec<_> = workload.questions.iter().map(|q| q.request()).collect();
    let parts: Vec<_> = workload
        .questions
        .iter()
        .map(|question| {
            let rest = &question.resource[start.len()..];
            let (method, path) = rest.split_once('/').expect("a method and a path");
            (rest, method, question.request().with_resource(path))
        })
        .collect();
    for (request, (rest, method, path)) in whole.iter().zip(&parts) {
        let expected = engine.decide(request);
        assert_eq!(scope.decide(&request.with_resource(rest)), expected);
        assert_eq!(scope.decide_method(method, path), expected);
    }
    let mut group = c.benchmark_group("decide/scope");
    let mut at = 0;
    let mut next = || {
        at = (at + 1) % parts.len();
        at
    };
    group.bench_function("engine", |b| b.iter(|| engine.decide(&whole[next()])));
    group.bench_function("rest", |b| {
        b.iter(|| {
            let at = next();
            scope.decide(&whole[at].with_resource(parts[at].0))
        });
    });
    group.bench_function("method and path", |b| {
        b.iter(|| {
            let (_, method, path) = &parts[next()];
            scope.decide_method(method, path)
        });
    });
    group.finish();
}
