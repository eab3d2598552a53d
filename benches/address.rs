//! Address → class alone, beside a root over a sorted run: `cargo bench --bench address`.
//!
//! The look-up is no part of the API, so its sources are taken in here by path.
//!
//! - Prefixes follow the global routing tables: IPv4 mostly /24, spread over the unicast
//!   space; IPv6 /32 to /48 under `2000::/3`. Half of the addresses asked for are in one.
//! - `block_list`: one list, two classes. `many`: a thousand lists. `hosts`: addresses alone.
//! - `latency`: an address waits for the class before. `throughput`: it does not.
//!
//! Answers are compared with a scan of the stretches before anything is timed. Sizes are
//! printed, and the time of the build.
#![expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench: sizes fit, and what cannot be set up must stop it"
)]
#![expect(
    dead_code,
    unused_imports,
    reason = "the floors below are taken in whole"
)]

#[path = "../src/prefix/mod.rs"]
mod prefix;
#[path = "../src/util/mod.rs"]
mod util;
mod workload;

use core::hint::black_box;
use core::net::IpAddr;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput};

use self::prefix::classes::{Classes, overlay_v4, overlay_v6};
use self::prefix::{LookupV4, LookupV4View, LookupV6, LookupV6View, PrefixSet};
use self::util::ids::{ClassId, Id};
use self::util::table::{Store, Tables};
use self::workload::Rng;

/// The number of addresses asked for, in turn.
const ADDRESSES: usize = 1 << 16;

/// How many IPv4 prefixes of each length, of a hundred, from /16 on.
const LENGTHS: [u64; 9] = [3, 2, 2, 3, 5, 6, 10, 9, 60];

/// The number of lists of `many`.
const LISTS: usize = 250;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    BlockList,
    Hosts,
    Many,
}

trait Family: Copy + Ord + core::fmt::Debug {
    type Lookup: Tables + 'static;
    fn lookup(classes: &Classes<Self>) -> Self::Lookup;
    fn class(self, lookup: &<Self::Lookup as Tables>::View<'_>) -> ClassId;
    fn shape(lookup: &<Self::Lookup as Tables>::View<'_>) -> String;
    fn bits(ip: IpAddr) -> Self;
    fn random(rng: &mut Rng) -> Self;
    fn top(self) -> usize;
    /// The block whose prefixes are in one list.
    fn block(self) -> u32;
    fn xor(self, zero: u32) -> Self;
    fn overlay(lists: &[PrefixSet]) -> Classes<Self>;
    fn prefix(rng: &mut Rng, kind: Kind) -> workload::Prefix;
}

impl Family for u32 {
    type Lookup = LookupV4;

    fn lookup(classes: &Classes<Self>) -> LookupV4 {
        LookupV4::new(classes).unwrap()
    }

    #[inline]
    fn class(self, lookup: &LookupV4View<'_>) -> ClassId {
        lookup.class(self)
    }

    fn shape(lookup: &LookupV4View<'_>) -> String {
        lookup.shape().to_string()
    }

    fn bits(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => ip.to_bits(),
            IpAddr::V6(_) => 0,
        }
    }

    fn random(rng: &mut Rng) -> Self {
        (1 + rng.below(223) as Self) << 24 | rng.next() as Self >> 8
    }

    fn top(self) -> usize {
        (self >> 16) as usize
    }

    fn block(self) -> u32 {
        self >> 12
    }

    fn xor(self, zero: u32) -> Self {
        self ^ zero
    }

    fn overlay(lists: &[PrefixSet]) -> Classes<Self> {
        overlay_v4(&lists.iter().collect::<Vec<_>>(), &mut { usize::MAX })
            .unwrap()
            .0
    }

    fn prefix(rng: &mut Rng, kind: Kind) -> workload::Prefix {
        let mut number = rng.below(100);
        let mut over = |&share: &u64| {
            let is_over = number >= share;
            number = number.saturating_sub(share);
            is_over
        };
        let length = 16 + LENGTHS.iter().take_while(|&share| over(share)).count() as u8;
        let length = match kind {
            Kind::BlockList => length,
            Kind::Hosts => 32,
            Kind::Many => length.max(20),
        };
        let bits = Self::random(rng) >> (32 - length) << (32 - length);
        workload::Prefix {
            address: core::net::Ipv4Addr::from_bits(bits).into(),
            length,
        }
    }
}

impl Family for u128 {
    type Lookup = LookupV6;

    fn lookup(classes: &Classes<Self>) -> LookupV6 {
        LookupV6::new(classes).unwrap()
    }

    #[inline]
    fn class(self, lookup: &LookupV6View<'_>) -> ClassId {
        lookup.class(self)
    }

    fn shape(lookup: &LookupV6View<'_>) -> String {
        lookup.shape().to_string()
    }

    fn bits(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => 0,
            IpAddr::V6(ip) => ip.to_bits(),
        }
    }

    fn random(rng: &mut Rng) -> Self {
        Self::from(0x2000 + rng.below(0x2000)) << 112 | Self::from(rng.next()) << 48
    }

    fn top(self) -> usize {
        (self >> 112) as usize
    }

    fn block(self) -> u32 {
        (self >> 96) as u32
    }

    fn xor(self, zero: u32) -> Self {
        self ^ (Self::from(zero) << 96 | Self::from(zero))
    }

    fn overlay(lists: &[PrefixSet]) -> Classes<Self> {
        overlay_v6(&lists.iter().collect::<Vec<_>>(), &mut { usize::MAX })
            .unwrap()
            .0
    }

    fn prefix(rng: &mut Rng, kind: Kind) -> workload::Prefix {
        // `Hosts` is the other generator's mixture: few blocks of /16, and a few /64 and /128.
        if kind == Kind::Hosts {
            return workload::Prefix::random(rng, true);
        }
        let length = [48, 48, 48, 48, 48, 32, 32, 44, 40, 36][rng.below(10) as usize];
        let bits = Self::random(rng) >> (128 - length) << (128 - length);
        workload::Prefix {
            address: core::net::Ipv6Addr::from_bits(bits).into(),
            length: length as u8,
        }
    }
}

/// The bytes of tables.
struct Size(usize);

impl Store for Size {
    fn table(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

/// The rival: a root over the upper 16 bits from 64 stretches on, then a binary search.
struct Sorted<T> {
    root: Vec<u32>,
    starts: Vec<T>,
    classes: Vec<u32>,
}

impl<T: Family> Sorted<T> {
    fn new(classes: &Classes<T>) -> Self {
        let starts: Vec<T> = classes.stretches.iter().map(|s| s.0).collect();
        let blocks = if starts.len() < 64 { 0 } else { (1 << 16) + 1 };
        let root = (0..blocks).map(|block| starts.partition_point(|s| s.top() < block) as u32);
        Self {
            root: root.collect(),
            classes: classes.stretches.iter().map(|s| s.1.as_u32()).collect(),
            starts,
        }
    }

    #[inline]
    fn class(&self, address: T) -> u32 {
        let block = address.top();
        let (from, to) = match (self.root.get(block), self.root.get(block + 1)) {
            (Some(&from), Some(&to)) => (from as usize, to as usize),
            _ => (0, self.starts.len()),
        };
        let after = self.starts[from..to].partition_point(|&start| start <= address);
        self.classes[from + after - 1]
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.root) + size_of_val(&*self.starts) + size_of_val(&*self.classes)
    }
}

fn family<T: Family>(c: &mut Criterion, name: &str, kind: Kind, size: usize) {
    let mut rng = Rng::new(size as u64);
    let prefixes: Vec<_> = (0..size).map(|_| T::prefix(&mut rng, kind)).collect();
    let mut lists = vec![Vec::new(); if kind == Kind::Many { LISTS } else { 1 }];
    for prefix in &prefixes {
        let block = T::bits(prefix.address).block() as usize;
        let list = block.wrapping_mul(0x9e37_79b9) >> 8;
        let net = ipnet::IpNet::new(prefix.address, prefix.length).unwrap();
        let at = list % lists.len();
        lists[at].push(net);
    }
    let sets = lists.into_iter().map(PrefixSet::new);
    let sets: Vec<PrefixSet> = sets.collect();
    let classes = T::overlay(&sets);
    let addresses = (0..ADDRESSES).map(|i| match i % 2 {
        0 => T::bits(prefixes[rng.below(size as u64) as usize].host(&mut rng)),
        _ => T::random(&mut rng),
    });
    let mut addresses: Vec<T> = addresses.collect();
    for at in (1..ADDRESSES).rev() {
        addresses.swap(at, rng.below(at as u64 + 1) as usize);
    }

    let mut times: Vec<f64> = Vec::new();
    for _ in 0..7 {
        let start = Instant::now();
        black_box(T::lookup(black_box(&classes)));
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let tables = T::lookup(&classes);
    let lookup = tables.view();
    let mut bytes = Size(0);
    T::lookup(&classes).store(&mut bytes);
    let sorted = Sorted::new(&classes);
    let mut hits = 0;
    for &address in &addresses {
        let at = classes.stretches.partition_point(|s| s.0 <= address);
        let class = classes.stretches[at - 1].1;
        assert_eq!(
            (address.class(&lookup), sorted.class(address)),
            (class, class.as_u32())
        );
        hits += usize::from(class != ClassId::default());
    }
    println!(
        "{name}/{size}: {} stretches, {} classes, {} % hits; {}: {:.2} B a prefix, built in {:.2} ms; sorted: {:.2} B",
        classes.stretches.len(),
        classes.count,
        hits * 100 / ADDRESSES,
        T::shape(&lookup),
        bytes.0 as f64 / size as f64,
        times[times.len() / 2],
        sorted.bytes() as f64 / size as f64,
    );
    let mut group = c.benchmark_group(name);
    time(&mut group, "lookup", size, &addresses, |a| {
        a.class(&lookup).as_u32()
    });
    time(&mut group, "sorted", size, &addresses, |a| sorted.class(a));
    group.finish();
}

fn time<T: Family>(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    size: usize,
    addresses: &[T],
    class: impl Fn(T) -> u32,
) {
    group.throughput(Throughput::Elements(ADDRESSES as u64));
    let zero = black_box(0_u32);
    group.bench_function(BenchmarkId::new(format!("{name}/latency"), size), |b| {
        b.iter(|| {
            let chain = |last: u32, &address: &T| class(address.xor(last & zero));
            addresses.iter().fold(0, chain)
        });
    });
    group.bench_function(BenchmarkId::new(format!("{name}/throughput"), size), |b| {
        b.iter(|| {
            addresses
                .iter()
                .fold(0_u32, |sum, &address| sum.wrapping_add(class(address)))
        });
    });
}

fn address(c: &mut Criterion) {
    for size in [20, 1_000, 100_000, 1_000_000] {
        family::<u32>(c, "address/v4/block_list", Kind::BlockList, size);
        family::<u32>(c, "address/v4/many", Kind::Many, size);
    }
    family::<u32>(c, "address/v4/hosts", Kind::Hosts, 100_000);
    for size in [20, 1_000, 200_000] {
        family::<u128>(c, "address/v6/block_list", Kind::BlockList, size);
    }
    family::<u128>(c, "address/v6/many", Kind::Many, 200_000);
    family::<u128>(c, "address/v6/hosts", Kind::Hosts, 200_000);
}

criterion::criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(core::time::Duration::from_millis(200))
        .measurement_time(core::time::Duration::from_millis(800));
    targets = address
}
criterion::criterion_main!(benches);
