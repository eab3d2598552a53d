//! All shapes against a scan of the stretches.

use proptest::prelude::*;

use super::*;
use crate::prefix::classes::{overlay_v4, overlay_v6};
use crate::prefix::ranges::contains;
use crate::prefix::set::PrefixSet;
use crate::util::table::{Store, Tables};

/// Returns a random index of a table of `len`.
pub(super) fn below(mut random: impl FnMut() -> u64, len: usize) -> usize {
    usize::try_from(random() % u64::try_from(len.max(1)).unwrap()).unwrap()
}

/// A fixed sequence.
fn random(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The bytes of tables.
struct Size(usize);

impl Store for Size {
    fn table(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

/// An address family.
trait Bits: Copy + Ord + fmt::LowerHex + TryFrom<u128> + Into<u128> {
    type Lookup: Tables;

    fn bits(number: u128) -> Self;

    fn lookup(classes: &Classes<Self>) -> Option<Self::Lookup>;

    fn class(self, lookup: &Self::Lookup) -> ClassId;

    /// Returns the shape and the number of stretches.
    fn shape(lookup: &Self::Lookup) -> (Shape, u32);

    fn is_sound(lookup: &Self::Lookup) -> bool;
}

macro_rules! define_bits {
    ($type:ident, $Lookup:ident, $bits:expr) => {
        impl Bits for $type {
            type Lookup = $Lookup;

            fn bits(number: u128) -> Self {
                $bits(number)
            }

            fn lookup(classes: &Classes<Self>) -> Option<$Lookup> {
                $Lookup::new(classes)
            }

            fn class(self, lookup: &$Lookup) -> ClassId {
                lookup.view().class(self)
            }

            fn shape(lookup: &$Lookup) -> (Shape, u32) {
                (lookup.view().shape(), lookup.stretches)
            }

            fn is_sound(lookup: &$Lookup) -> bool {
                lookup.view().is_sound()
            }
        }
    };
}

define_bits!(u32, LookupV4, |number| low32(low64(number)));
define_bits!(u128, LookupV6, core::convert::identity);

/// Stretches that start at 0 and at the distinct `starts`, with neighbours that differ.
fn classes<T: Bits>(starts: Vec<T>, count: u32, mut random: impl FnMut() -> u64) -> Classes<T> {
    let mut starts = starts;
    starts.push(T::bits(0));
    starts.sort_unstable();
    starts.dedup();
    let mut last = 0;
    let stretches = starts.into_iter().map(|start| {
        let step = 1 + random() % u64::from(count - 1).max(1);
        last = (last + low32(step)) % count;
        (start, ClassId::from_u32(last))
    });
    Classes {
        stretches: stretches.collect(),
        count,
    }
}

/// Compares the first, the last and an inner address of every stretch with the stretch.
fn assert_agrees<T: Bits>(classes: &Classes<T>) -> T::Lookup {
    let lookup = T::lookup(classes).unwrap();
    assert!(T::is_sound(&lookup));
    let stretches = &classes.stretches;
    let ends = stretches[1..].iter().map(|stretch| stretch.0.into());
    let top = T::bits(u128::MAX).into();
    let ends = ends.map(|start: u128| start - 1).chain([top]);
    for (&(start, class), end) in stretches.iter().zip(ends) {
        let first: u128 = start.into();
        for address in [
            first,
            end,
            first + (end - first) / 2,
            first + (end - first).min(1),
        ] {
            let address = T::bits(address);
            assert_eq!(
                address.class(&lookup),
                class,
                "{address:#x} {:?}",
                T::shape(&lookup)
            );
        }
    }
    lookup
}

/// Starts spread over the whole space, in a few clusters, or side by side.
fn starts<T: Bits>(len: usize, spread: usize, mut random: impl FnMut() -> u64) -> Vec<T> {
    let start = |_| {
        let wide = u128::from(random()) << 64 | u128::from(random());
        let narrow = match spread {
            0 => wide,
            1 => (wide & (0xff << 120)) | (0x0a0b_u128 << 96) | (wide & 0x0fff),
            2 => wide % 0x1_0000,
            3 => wide << (wide % 100),
            _ => (wide & 0x07ff) << 85 | 0x2001_u128 << 112,
        };
        // For IPv4 the same in the upper bits.
        T::bits(if size_of::<T>() == 4 && spread != 2 {
            narrow >> 96 | narrow & 0x0fff
        } else {
            narrow
        })
    };
    (0..len).map(start).collect()
}

fn sizes_agree<T: Bits>() {
    let sizes = (1..100).chain((100..3000).step_by(139)).chain([3000]);
    for (round, len) in sizes.enumerate() {
        for spread in 0..5 {
            let count = [2, 3, 4, 200, 70_000][(round + spread) % 5];
            let seed = u64::try_from(len * 31 + spread).unwrap();
            let starts = starts::<T>(len, spread, random(seed));
            let lookup = assert_agrees(&classes(starts, count, random(seed + 1)));
            let (shape, stretches) = T::shape(&lookup);
            let mut size = Size(0);
            lookup.store(&mut size);
            let is_small = stretches <= to_u32(small::LIMIT).unwrap();
            let is_v6 = size_of::<T>() == size_of::<u128>();
            assert_eq!(shape == Shape::Small, is_small && is_v6);
            // Quads are half a line each, and four for each step at most; a stretch of more than half
            // of all keys is two.
            let most = if is_v6 {
                2048
            } else {
                4 * 32 * (stretches.as_usize() + 1)
            };
            assert!(!is_small || size.0 <= most, "{shape}: {}", size.0);
        }
    }
}

#[test]
fn every_size_agrees_v4() {
    sizes_agree::<u32>();
}

#[test]
fn every_size_agrees_v6() {
    sizes_agree::<u128>();
}

#[test]
fn large_tables_agree() {
    for spread in 0..5 {
        for count in [2, 300] {
            assert_agrees(&classes(
                starts::<u32>(200_000, spread, random(5)),
                count,
                random(6),
            ));
            assert_agrees(&classes(
                starts::<u128>(200_000, spread, random(7)),
                count,
                random(8),
            ));
        }
    }
}

#[test]
fn shapes_follow_numbers() {
    let shape_of = |starts, count| {
        let lookup = LookupV4::new(&classes(starts, count, random(2))).unwrap();
        lookup.view().shape().to_string()
    };
    let shape = |len, count| shape_of(starts::<u32>(len, 0, random(1)), count);
    let clustered = |len, count| shape_of((0..len).map(|at| 0x0a00_0000 + at * 3).collect(), count);
    assert_eq!(shape(0, 1), "quads by block");
    assert_eq!(shape(20, 2), "quads by block");
    assert_eq!(shape(500, 2), "quads by block");
    assert_eq!(shape(2000, 10), "quads by block");
    assert_eq!(shape(100_000, 2), "runs by block");
    assert_eq!(shape(100_000, 70_000), "quads by block");
    assert_eq!(clustered(2000, 10), "steps by block");
    assert_eq!(shape(300_000, 70_000), "runs by block");
    let cells = assert_agrees(&cells(5000));
    assert_eq!(cells.view().shape(), Shape::Codes);
}

/// Stretches of two classes that cells are for.
fn cells(len: u32) -> Classes<u32> {
    classes((0..len).map(|at| at << 12).collect(), 2, random(3))
}

/// Somebody puts all into one block.
#[test]
fn clusters_agree_and_stay_small() {
    for count in [2, 3, 60_000] {
        for (first, step) in [(0x0a00_0000, 1), (0x0a00_0001, 3), (u32::MAX - 39_999, 1)] {
            let starts = (0..40_000).map(|at| first + at * step).collect();
            let lookup = assert_agrees(&classes::<u32>(starts, count, random(8)));
            let mut size = Size(0);
            lookup.store(&mut size);
            assert!(size.0 < 1 << 20, "{count} {first:x}");
        }
        for (first, shift) in [(0x2001_u128 << 112, 80), (0x2001_u128 << 112, 79), (0, 40)] {
            let near = (0..30_000).map(|at| first | at << shift);
            let far = (0..10_000).map(|at| 0x2a00_u128 << 112 | ((at * 429_497) << 80));
            let top = [u128::MAX, u128::MAX << 79, u128::MAX << 80, u128::MAX << 81];
            let starts = near.chain(far).chain(top).collect();
            let lookup = assert_agrees(&classes::<u128>(starts, count, random(9)));
            let mut size = Size(0);
            lookup.store(&mut size);
            assert!(size.0 < 4 << 20, "{count} {first:x} {shift}");
        }
    }
}

/// A prefix of each length, alone in its block of /16, at its start or its end.
#[test]
fn every_length_agrees() {
    for dense in [0_u128, 4096] {
        for at_end in [false, true] {
            let ends = (0..128_u32).flat_map(|length| {
                let size = 1_u128 << length;
                let block = (0x3000_u128 + u128::from(length)) << 112;
                let last = block | u128::MAX >> 16;
                let first = if at_end {
                    last & !(size - 1)
                } else {
                    block & !(size - 1)
                };
                [first, first.saturating_add(size)]
            });
            let many = (0..dense).map(|at| 0x2001_u128 << 112 | ((at * 997_141) << 80));
            let mut starts: Vec<u128> = ends.chain(many).collect();
            assert_agrees(&classes(starts.clone(), 2, random(4)));
            starts.truncate(2 * 97);
            let starts = starts.iter().map(|&start| low32(low64(start >> 96)));
            assert_agrees(&classes::<u32>(starts.collect(), 2, random(4)));
        }
    }
}

/// A block in each half, and few beside it: no step is longer than half of all keys.
#[test]
fn halves_agree() {
    for first in [1_u32 << 31, (1 << 31) + 1, (1 << 31) - 1, u32::MAX, 1] {
        let near = (0..100).map(|at| first.wrapping_add(at << 8));
        assert_agrees(&classes::<u32>(near.collect(), 300, random(2)));
        // The same within one of 2^7 parts of a block of /16.
        let block = 0x2001_u128 << 112;
        let part = |part: u32| block | u128::from((part << 25) | (first >> 7)) << 80;
        let starts = (0..128).flat_map(|at| [part(at), part(at) + (3 << 80)]);
        let many = (0..2000).map(|at| block | ((at * 1_997_141) << 80));
        for starts in [starts.clone().collect(), starts.chain(many).collect()] {
            assert_agrees(&classes::<u128>(starts, 2, random(2)));
        }
    }
}

#[test]
fn lists_become_classes_v4() {
    for count in [1, 3, 20, 300, 3000] {
        let mut random = random(7);
        let mut prefix = || {
            let length = u8::try_from(1 + random() % 32).unwrap();
            let address = core::net::Ipv4Addr::from_bits(low32(random()) & 0x0fff_ffff);
            ipnet::Ipv4Net::new(address, length).unwrap().trunc().into()
        };
        let prefixes: Vec<ipnet::IpNet> = (0..count).map(|_| prefix()).collect();
        let lists = prefixes
            .chunks(7)
            .map(|chunk| PrefixSet::new(chunk.iter().copied()));
        let lists: Vec<PrefixSet> = lists.collect();
        let (classes, members) =
            overlay_v4(&lists.iter().collect::<Vec<_>>(), &mut 10_000_000).unwrap();
        let lookup = assert_agrees(&classes);
        let edges = lists.iter().flat_map(PrefixSet::v4).flat_map(|range| {
            let (before, after) = (range.first.wrapping_sub(1), range.last.wrapping_add(1));
            [range.first, range.last, before, after]
        });
        for address in edges.chain([0, 1, u32::MAX, 0x0fff_ffff, 0x1000_0000]) {
            let class = lookup.view().class(address);
            for (list, member) in lists.iter().zip(&members) {
                let in_class = member.whole || member.classes.contains(&class);
                assert_eq!(
                    in_class,
                    contains(list.v4(), address),
                    "{count} {address:#x}"
                );
            }
        }
    }
}

#[test]
fn lists_become_classes_v6() {
    let nets = (0..200_u128).map(|i| {
        let bits = (0x2001_u128 << 112) | (i << 90) | (0x0db8 << 96);
        let net = ipnet::Ipv6Net::new(core::net::Ipv6Addr::from_bits(bits), 44).unwrap();
        net.trunc().into()
    });
    let lists = [PrefixSet::new(nets)];
    let (classes, members) = overlay_v6(&lists.iter().collect::<Vec<_>>(), &mut 10_000).unwrap();
    let lookup = assert_agrees(&classes);
    assert_eq!(lookup.view().shape(), Shape::Steps);
    for range in lists[0].v6() {
        for address in [range.first, range.last, range.first - 1, range.last + 1] {
            let in_class = members[0].classes.contains(&lookup.view().class(address));
            assert_eq!(in_class, contains(lists[0].v6(), address));
        }
    }
}

#[test]
fn no_lists_is_one_class() {
    let (classes, _) = overlay_v4(&[], &mut 0).unwrap();
    let lookup = LookupV4::new(&classes).unwrap();
    assert_eq!(lookup.view().class(u32::MAX), ClassId::default());
    assert_eq!(lookup.view().shape(), Shape::Quads);
    let (classes, _) = overlay_v6(&[], &mut 0).unwrap();
    let lookup = LookupV6::new(&classes).unwrap();
    assert_eq!(lookup.view().class(u128::MAX), ClassId::default());
    assert_eq!(lookup.view().shape(), Shape::Small);
    assert_eq!(LookupV4::default().view().class(7), ClassId::default());
    assert_eq!(LookupV6::default().view().class(7), ClassId::default());
}

#[test]
fn any_content_is_looked_up_without_a_panic() {
    let mut random = random(11);
    for round in 0..60 {
        let (len, count) = ([30, 500, 5000][round % 3], [2, 400][round / 3 % 2]);
        let v4 = classes(
            starts::<u32>(len, round % 5, &mut random),
            count,
            &mut random,
        );
        let v6 = classes(
            starts::<u128>(len, round % 5, &mut random),
            count,
            &mut random,
        );
        let (mut table_v4, mut table_v6) = (assert_agrees(&v4), assert_agrees(&v6));
        table_v4.quads.corrupt(&mut random);
        table_v4.steps.corrupt(&mut random);
        table_v4.codes.corrupt(&mut random);
        table_v4.runs.corrupt(&mut random);
        table_v6.small.corrupt(&mut random);
        table_v6.upper.corrupt(&mut random);
        table_v6.deep.corrupt(&mut random);
        let (table_v4, table_v6) = (table_v4.view(), table_v6.view());
        let any_v4 = (0..2000).map(|_| low32(random()));
        let any_v4: Vec<u32> = any_v4.chain(v4.stretches.iter().map(|s| s.0)).collect();
        for address in any_v4 {
            core::hint::black_box(table_v4.class(address));
        }
        let any_v6 = (0..2000).map(|_| u128::from(random()) << 64);
        let any_v6: Vec<u128> = any_v6.chain(v6.stretches.iter().map(|s| s.0)).collect();
        for address in any_v6 {
            core::hint::black_box(table_v6.class(address));
            core::hint::black_box(table_v6.deep.class(address));
        }
    }
}

/// Few blocks have so many steps that they are divided, and the parts of these again.
#[test]
fn divided_blocks_agree() {
    for (first, step) in [
        (0x0a0b_0c00_u32, 1),
        (0x0a0b_0c01, 3),
        (u32::MAX - 59, 1),
        (0, 2),
    ] {
        for count in [2, 300] {
            let spread = (0..1900).map(|at| at << 21 | at << 3);
            let near = (0..60).map(|at| first.saturating_add(at * step));
            let beside = near.clone().map(|at| at ^ 1 << 18);
            let starts = spread.chain(near).chain(beside).collect();
            let lookup = assert_agrees(&classes(starts, count, random(5)));
            assert_eq!(lookup.view().shape(), Shape::Quads);
            let ways = lookup.quads.ways();
            let (highest, lowest) = (ways.iter().max().unwrap(), ways.iter().min().unwrap());
            assert!(lowest < highest, "{first:#x}: no part is divided: {ways:?}");
        }
    }
}

/// Hosts of one network, and networks of a company: what they have in common is left out.
#[test]
fn near_prefixes_are_found_by_few_divisions() {
    let hosts = (0..60).map(|at| (0xcb00_7100 | (at * 4), 32_u8));
    let odd = (0..60).map(|at| (0xcb00_7101 | (at * 4), 32));
    let networks = (0..60_u32).map(|at| (0x0a01_0000 | at << 10, 22 + at.to_le_bytes()[0] % 8));
    let ends = [(0, 32), (u32::MAX, 32), (1 << 31, 30), ((1 << 31) - 4, 30)];
    let few = hosts.clone().step_by(12);
    let all = hosts.clone().chain(networks.clone()).chain(ends);
    for (prefixes, ways) in [
        (few.collect(), 1),
        (hosts.collect::<Vec<_>>(), 1),
        (odd.collect(), 1),
        (networks.collect(), 1),
        (all.collect(), 2),
    ] {
        let net = |&(first, length): &(u32, u8)| ipnet::Ipv4Net::new_assert(first.into(), length);
        let nets: Vec<ipnet::IpNet> = prefixes.iter().map(|prefix| net(prefix).into()).collect();
        let lists = nets.chunks(7);
        let lists: Vec<PrefixSet> = lists
            .map(|nets| PrefixSet::new(nets.iter().copied()))
            .collect();
        let lists: Vec<&PrefixSet> = lists.iter().collect();
        let (classes, _) = overlay_v4(&lists, &mut { usize::MAX }).unwrap();
        let lookup = assert_agrees(&classes);
        assert_eq!(lookup.view().shape(), Shape::Quads, "{prefixes:x?}");
        let found = lookup.quads.ways();
        assert!(found.len() <= ways, "{prefixes:x?}: {found:?}");
        // What differs from something listed in any one bit, also in those that are left out.
        for &(first, _) in &prefixes {
            for bit in 0..u32::BITS {
                let address = first ^ 1 << bit;
                let at = classes
                    .stretches
                    .partition_point(|stretch| stretch.0 <= address);
                assert_eq!(lookup.view().class(address), classes.stretches[at - 1].1);
            }
        }
    }
}

/// Neighbours far from all others would take many divisions.
#[test]
fn neighbours_are_divided_a_few_times_or_not_at_all() {
    for (near, shape) in [
        ([8, 72, 136, 200, 232], Shape::Quads),
        ([8, 9, 10, 11, 12], Shape::Steps),
    ] {
        let spread = (0..1000).map(|at: u32| at.wrapping_mul(0x9e37_79b9) & !0xff);
        let near = near.map(|at| 0x0a0b_0c00 | at);
        let lookup = assert_agrees(&classes(spread.chain(near).collect(), 300, random(5)));
        assert_eq!(lookup.view().shape(), shape);
        assert!(lookup.quads.ways().len() <= 5);
    }
}

fn assert_faulty<T: Bits>(classes: &Classes<T>, break_it: fn(&mut T::Lookup)) {
    let mut lookup = T::lookup(classes).unwrap();
    assert!(T::is_sound(&lookup));
    break_it(&mut lookup);
    assert!(!T::is_sound(&lookup), "{:?}", T::shape(&lookup));
}

#[test]
fn tables_that_lie_are_not_sound_v4() {
    let spread = |len| classes::<u32>(starts(len, 0, random(1)), 2, random(2));
    let of_quads = |break_it| assert_faulty(&spread(500), break_it);
    of_quads(|t: &mut LookupV4| t.quads.quads.truncate(7));
    of_quads(|t| t.quads.shift = 0);
    of_quads(|t| t.quads.shift = 32);
    of_quads(|t| t.quads.shift -= 1);
    // Ways of no parts, to too many, and to parts larger than the block.
    of_quads(|t| t.quads.set_way(7, (0, 0, 5)));
    of_quads(|t| t.quads.set_way(7, (u32::MAX, 1, 5)));
    of_quads(|t| t.quads.set_way(7, (0, 12, 31)));
    // Ways are the last things that are laid out.
    assert_faulty(&spread(2000), |t| {
        t.quads.quads.pop();
    });
    let of_runs = |break_it| assert_faulty(&spread(70_000), break_it);
    of_runs(|t: &mut LookupV4| t.runs.root.truncate(7));
    of_runs(|t| t.runs.root[7] = u32::MAX);
    of_runs(|t| t.runs.log = 6);
    of_runs(|t| t.bits = 17);
    of_runs(|t| t.bits = 32);
    let near = (0..500).map(|at| 0x0a00_0000 + at * 3).collect();
    let near = classes::<u32>(near, 2, random(2));
    let of_steps = |break_it| assert_faulty(&near, break_it);
    of_steps(|t: &mut LookupV4| t.steps.root.truncate(7));
    of_steps(|t| t.steps.root[7] = u32::MAX);
    of_steps(|t| {
        t.steps.root.pop();
    });
    of_steps(|t| {
        t.steps.steps.pop();
    });
    of_steps(|t| t.bits = 17);
    of_steps(|t| t.bits = 32);
    let of_cells = |break_it| assert_faulty(&cells(5000), break_it);
    of_cells(|t: &mut LookupV4| t.codes.root.truncate(7));
    of_cells(|t| t.codes.escapes.probes = 65);
    of_cells(|t| t.codes.bits = 17);
    of_cells(|t| t.codes.bits = 32);
    of_cells(|t| t.codes.root[7] = u16::MAX);
    of_cells(|t| t.codes.cells.log = 6);
}

#[test]
fn tables_that_lie_are_not_sound_v6() {
    let some = |len| classes::<u128>(starts(len, 3, random(1)), 10, random(2));
    let of_small = |break_it| assert_faulty(&some(20), break_it);
    of_small(|t: &mut LookupV6| t.small.classes.truncate(7));
    of_small(|t| {
        t.small.starts.truncate(48);
        t.small.classes.truncate(48);
    });
    let of_steps = |break_it| assert_faulty(&some(500), break_it);
    of_steps(|t: &mut LookupV6| t.upper.root.truncate(7));
    of_steps(|t| t.upper.root[7] = u32::MAX);
    of_steps(|t| t.upper.root[7] |= 63);
    of_steps(|t| t.upper.steps.root[7] = u32::MAX);
    of_steps(|t| t.upper.steps.steps.truncate(17));
    of_steps(|t| t.deep.starts.truncate(3));
    let near = (0..4000).map(|at| 0x2001_u128 << 112 | at << 80);
    let near = classes::<u128>(near.collect(), 2, random(2));
    let lookup = LookupV6::new(&near).unwrap();
    assert!(!lookup.upper.fine.more.is_empty(), "no block is too full");
    let of_lines = |break_it| assert_faulty(&near, break_it);
    of_lines(|t: &mut LookupV6| t.upper.root.truncate(7));
    of_lines(|t| t.upper.root[7] = u32::MAX);
    of_lines(|t| t.upper.root[7] |= 63);
    of_lines(|t| {
        t.upper.fine.lines.pop();
    });
    of_lines(|t| {
        t.upper.fine.more.pop();
    });
}

proptest! {
    /// Prefixes of all lengths near one another, and any address near them.
    #[test]
    fn any_prefixes_agree(
        prefixes in prop::collection::vec((any::<u128>(), 0..128_u32, any::<bool>()), 1..400),
        mask in prop::sample::select(vec![u128::MAX, 0xffff_u128 << 112 | 0xff << 40, 0xffff << 80]),
        count in prop::sample::select(vec![2_u32, 3, 17, 1000]),
    ) {
        let ends = prefixes.iter().flat_map(|&(bits, length, is_near)| {
            let size = u128::MAX >> length;
            let first = if is_near { bits & mask } else { bits } & !size;
            [first, (first | size).wrapping_add(1)]
        });
        let ends: Vec<u128> = ends.collect();
        let v4 = ends.iter().map(|&end| low32(low64(end >> 96))).collect();
        assert_agrees(&classes::<u32>(v4, count, random(3)));
        assert_agrees(&classes::<u128>(ends, count, random(3)));
    }
}
