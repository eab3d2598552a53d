//! Sets of states of `aws:SourceIp`: addresses on one line, and the states without an address.
//!
//! ```text
//! 0 ─── IPv6 ─── ::ffff:0.0.0.0 ═══ IPv4 ═══ ::ffff:255.255.255.255 ─── IPv6 ─── 2^128 - 1
//! ```
//!
//! A request never holds an IPv4-mapped address (it is the IPv4 address then), so the block
//! of these is free for IPv4 and one sweep serves both families.
//!
//! # Invariants
//!
//! Ranges are sorted, disjoint and not adjacent, so that equal sets are equal values.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::HashMap;

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};

use crate::policy::{Located, Values};
use crate::prefix::set::Range;

/// The first and the last place of IPv4 on the line.
const V4_FIRST: u128 = 0xffff_0000_0000;
const V4_LAST: u128 = 0xffff_ffff_ffff;

/// The states of `aws:SourceIp` that are no address, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct States(u8);

impl States {
    pub(super) const NONE: Self = Self(0);
    /// The key is not in the request.
    pub(super) const ABSENT: Self = Self(1);
    /// It has a value that is no address.
    pub(super) const UNREADABLE: Self = Self(2);
    /// It has several addresses.
    pub(super) const SEVERAL: Self = Self(4);
    pub(super) const EACH: [Self; 3] = [Self::ABSENT, Self::UNREADABLE, Self::SEVERAL];
    pub(super) const ALL: Self = Self(7);

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A set of addresses and other states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct AddressSet {
    ranges: Vec<Range<u128>>,
    pub(super) states: States,
}

impl AddressSet {
    /// Returns every address, without other states.
    pub(super) fn all() -> Self {
        Self {
            ranges: vec![Range {
                first: 0,
                last: u128::MAX,
            }],
            states: States::NONE,
        }
    }

    /// Returns every address and every other state.
    pub(super) fn everything() -> Self {
        Self::all().with_states(States::ALL)
    }

    pub(super) const fn of_states(states: States) -> Self {
        Self {
            ranges: Vec::new(),
            states,
        }
    }

    /// Returns the addresses of `prefixes`.
    pub(super) fn of_prefixes(prefixes: impl IntoIterator<Item = IpNet>) -> Self {
        let mut ranges = Vec::new();
        for prefix in prefixes {
            match prefix {
                IpNet::V4(net) => ranges.push(Range {
                    first: place(net.network()),
                    last: place(net.broadcast()),
                }),
                IpNet::V6(net) => {
                    let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                    // What lies in front of the block of IPv4, and what behind it.
                    if first < V4_FIRST {
                        ranges.push(Range {
                            first,
                            last: last.min(V4_FIRST - 1),
                        });
                    }
                    if last > V4_LAST {
                        ranges.push(Range {
                            first: first.max(V4_LAST + 1),
                            last,
                        });
                    }
                }
            }
        }
        Self::of_ranges(ranges, States::NONE)
    }

    /// Returns the addresses of the list of a condition.
    pub(super) fn of_list(list: &[Located<IpNet>]) -> Self {
        Self::of_prefixes(list.iter().map(|prefix| prefix.value))
    }

    /// Returns the set of these ranges, in any order.
    pub(super) fn of_ranges(mut ranges: Vec<Range<u128>>, states: States) -> Self {
        if !ranges.is_sorted() {
            ranges.sort_unstable();
        }
        ranges.dedup_by(|later, earlier| {
            let touches = (earlier.last.checked_add(1)).is_none_or(|behind| later.first <= behind);
            if touches {
                earlier.last = earlier.last.max(later.last);
            }
            touches
        });
        Self { ranges, states }
    }

    pub(super) const fn with_states(mut self, states: States) -> Self {
        self.states = states;
        self
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.ranges.is_empty() && self.states.is_none()
    }

    /// Returns the ranges, sorted and disjoint.
    pub(super) fn ranges(&self) -> &[Range<u128>] {
        &self.ranges
    }

    /// Returns whether the address is in the set.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let place = match address.to_canonical() {
            IpAddr::V4(v4) => place(v4),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        crate::prefix::ranges::contains(&self.ranges, place)
    }

    /// Returns an address of the set, of IPv4 if there is one.
    pub(super) fn any_address(&self) -> Option<IpAddr> {
        let is_v4 = |range: &&Range<u128>| range.last >= V4_FIRST && range.first <= V4_LAST;
        match self.ranges.iter().find(is_v4) {
            Some(range) => Some(v4_at(range.first.max(V4_FIRST)).into()),
            None => (self.ranges.first()).map(|range| Ipv6Addr::from(range.first).into()),
        }
    }

    /// Returns whether the set has an address of IPv4, of IPv6.
    pub(super) fn families(&self) -> (bool, bool) {
        let mut ranges = self.ranges.iter();
        let v4 = (ranges.clone()).any(|range| range.last >= V4_FIRST && range.first <= V4_LAST);
        let v6 = ranges.any(|range| range.first < V4_FIRST || range.last > V4_LAST);
        (v4, v6)
    }

    /// Returns whether the set has every address of IPv4, of IPv6.
    pub(super) fn whole_families(&self) -> (bool, bool) {
        let (v4, v6) = self.complement(States::NONE).families();
        (!v4, !v6)
    }

    /// Returns whether every member is one of `other`.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let mut from = 0;
        other.states.contains(self.states)
            && self.ranges.iter().all(|range| {
                // Ranges of a set do not touch one another, so one of them holds all of it.
                from = reach(&other.ranges, from, range.first);
                (other.ranges.get(from))
                    .is_some_and(|other| other.first <= range.first && range.last <= other.last)
            })
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        let mut ranges = Vec::with_capacity(self.ranges.len() + other.ranges.len());
        let (mut left, mut right) = (
            self.ranges.iter().peekable(),
            other.ranges.iter().peekable(),
        );
        while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
            let next = if l <= r { left.next() } else { right.next() };
            ranges.extend(next.copied());
        }
        ranges.extend(left.copied());
        ranges.extend(right.copied());
        Self::of_ranges(ranges, self.states.with(other.states))
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        // The shorter is walked and the longer searched: a change of ten prefixes in a million.
        let (short, long) = if self.ranges.len() <= other.ranges.len() {
            (&self.ranges, &other.ranges)
        } else {
            (&other.ranges, &self.ranges)
        };
        let mut ranges = Vec::new();
        let mut from = 0;
        for range in short {
            from = reach(long, from, range.first);
            for other in long.get(from..).unwrap_or_default() {
                if other.first > range.last {
                    break;
                }
                ranges.push(Range {
                    first: other.first.max(range.first),
                    last: other.last.min(range.last),
                });
            }
        }
        Self {
            ranges,
            states: self.states.only(other.states),
        }
    }

    /// Returns whether the sets have a member in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        if !self.states.only(other.states).is_none() {
            return true;
        }
        let (short, long) = if self.ranges.len() <= other.ranges.len() {
            (&self.ranges, &other.ranges)
        } else {
            (&other.ranges, &self.ranges)
        };
        let mut from = 0;
        short.iter().any(|range| {
            from = reach(long, from, range.first);
            long.get(from)
                .is_some_and(|other| other.first <= range.last)
        })
    }

    /// Returns the addresses that are not in the set, and of the states those of `of`.
    pub(super) fn complement(&self, of: States) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = Some(0_u128);
        for range in &self.ranges {
            if let Some(first) = next
                && let Some(last) = range.first.checked_sub(1)
                && first <= last
            {
                ranges.push(Range { first, last });
            }
            next = range.last.checked_add(1);
        }
        ranges.extend(next.map(|first| Range {
            first,
            last: u128::MAX,
        }));
        Self {
            ranges,
            states: of.without(self.states),
        }
    }

    pub(super) fn difference(&self, other: &Self) -> Self {
        // Both sides of a million-prefix pair are mostly equal: what is, is passed over.
        let mut ranges = Vec::new();
        let mut from = 0;
        for range in &self.ranges {
            from = reach(&other.ranges, from, range.first);
            let mut at = from;
            let mut first = Some(range.first);
            while let Some(start) = first {
                match other
                    .ranges
                    .get(at)
                    .filter(|other| other.first <= range.last)
                {
                    Some(hole) => {
                        if start < hole.first {
                            ranges.push(Range {
                                first: start,
                                last: hole.first.saturating_sub(1),
                            });
                        }
                        first = (hole.last.checked_add(1)).filter(|&next| next <= range.last);
                        at += 1;
                    }
                    None => {
                        ranges.push(Range {
                            first: start,
                            last: range.last,
                        });
                        first = None;
                    }
                }
            }
        }
        Self {
            ranges,
            states: self.states.without(other.states),
        }
    }

    /// Returns the IPv4 addresses as the fewest prefixes.
    pub(super) fn v4(&self) -> Vec<Ipv4Net> {
        let inside = self.ranges.iter().filter_map(|range| {
            let (first, last) = (range.first.max(V4_FIRST), range.last.min(V4_LAST));
            (first <= last).then(|| (v4_at(first), v4_at(last)))
        });
        inside
            .flat_map(|(first, last)| Ipv4Subnets::new(first, last, 0))
            .collect()
    }

    /// Returns the IPv6 addresses as the fewest prefixes.
    ///
    /// No request has an address of the IPv4-mapped block, so it is in where that makes fewer.
    pub(super) fn v6(&self) -> Vec<Ipv6Net> {
        let block = Self::of_ranges(
            vec![Range {
                first: V4_FIRST,
                last: V4_LAST,
            }],
            States::NONE,
        );
        let without = self.difference(&block);
        let prefixes = |set: &Self| -> Vec<Ipv6Net> {
            let ends = (set.ranges.iter())
                .map(|range| (Ipv6Addr::from(range.first), Ipv6Addr::from(range.last)));
            ends.flat_map(|(first, last)| Ipv6Subnets::new(first, last, 0))
                .collect()
        };
        let plain = prefixes(&without);
        let touches = without
            .ranges
            .iter()
            .any(|range| range.last == V4_FIRST - 1 || range.first == V4_LAST + 1);
        if !touches {
            return plain;
        }
        let filled = prefixes(&without.union(&block));
        if filled.len() <= plain.len() {
            filled
        } else {
            plain
        }
    }
}

/// Returns whether two lists of a condition have the same addresses, or the same texts in one order.
pub(super) fn same_values(one: &Values, other: &Values) -> bool {
    match (one, other) {
        (Values::Prefixes(a), Values::Prefixes(b)) => {
            a == b || AddressSet::of_list(a) == AddressSet::of_list(b)
        }
        _ => one == other,
    }
}

/// Returns the index, at or behind `from`, of the first range that does not end before `place`.
fn reach(ranges: &[Range<u128>], from: usize, place: u128) -> usize {
    let rest = ranges.get(from..).unwrap_or_default();
    // Neighbours in one list are mostly neighbours in the other.
    let near = rest.iter().take(4).position(|range| range.last >= place);
    from + near.unwrap_or_else(|| rest.partition_point(|range| range.last < place))
}

/// Returns the place of an IPv4 address on the line.
fn place(address: Ipv4Addr) -> u128 {
    V4_FIRST | u128::from(address.to_bits())
}

/// Returns the IPv4 address at a place inside its block.
fn v4_at(place: u128) -> Ipv4Addr {
    Ipv4Addr::from_bits(crate::util::int::low32(crate::util::int::low64(place)))
}

/// A part of the line that no set of an overlay tells apart, and which of them it is in.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) addresses: AddressSet,
    /// A bit for each set, 64 to a word.
    pub(super) members: Vec<u64>,
}

impl Class {
    pub(super) fn is_in(&self, set: usize) -> bool {
        self.members
            .get(set / 64)
            .is_some_and(|word| word >> (set % 64) & 1 == 1)
    }
}

/// Cuts `domain` into the parts that `sets` tell apart; `None` past the budget.
pub(super) fn overlay(
    domain: &AddressSet,
    sets: &[&AddressSet],
    budget: &mut usize,
) -> Option<Vec<Class>> {
    let words = sets.len().div_ceil(64);
    // (where, which set begins or ends there); the domain itself comes last.
    let mut ends: Vec<(u128, usize)> = Vec::new();
    let mut states: Vec<States> = Vec::with_capacity(sets.len());
    for (index, set) in sets.iter().enumerate() {
        states.push(set.states);
        if **set == *domain {
            push_ends(&mut ends, domain.ranges(), index);
        } else {
            push_ends(&mut ends, set.intersection(domain).ranges(), index);
        }
    }
    push_ends(&mut ends, domain.ranges(), sets.len());
    ends.sort_unstable();
    let mut classes: HashMap<Vec<u64>, (Vec<Range<u128>>, States)> = HashMap::new();
    let mut members = vec![0_u64; words];
    let mut inside = false;
    let mut start = 0_u128;
    for chunk in ends.chunk_by(|a, b| a.0 == b.0) {
        let at = chunk.first().map_or(0, |end| end.0);
        *budget = budget.checked_sub(words + chunk.len())?;
        if inside && let Some(last) = at.checked_sub(1) {
            let range = Range { first: start, last };
            push(&mut classes, &members, range);
        }
        for &(_, set) in chunk {
            match members.get_mut(set / 64).filter(|_| set < sets.len()) {
                Some(word) => *word ^= 1 << (set % 64),
                None => inside = !inside,
            }
        }
        start = at;
    }
    if inside {
        let last = u128::MAX;
        push(&mut classes, &members, Range { first: start, last });
    }
    for state in States::EACH {
        if !domain.states.contains(state) {
            continue;
        }
        let mut members = vec![0_u64; words];
        for (index, states) in states.iter().enumerate() {
            if states.contains(state)
                && let Some(word) = members.get_mut(index / 64)
            {
                *word |= 1 << (index % 64);
            }
        }
        let class = classes.entry(members).or_default();
        class.1 = class.1.with(state);
    }
    let mut classes: Vec<Class> = classes
        .into_iter()
        .map(|(members, (ranges, states))| Class {
            addresses: AddressSet::of_ranges(ranges, states),
            members,
        })
        .collect();
    // A stable order for whoever prints.
    classes.sort_unstable_by_key(|class| {
        class
            .addresses
            .ranges
            .first()
            .map_or(u128::MAX, |r| r.first)
    });
    Some(classes)
}

fn push(
    classes: &mut HashMap<Vec<u64>, (Vec<Range<u128>>, States)>,
    members: &[u64],
    range: Range<u128>,
) {
    match classes.get_mut(members) {
        Some((ranges, _)) => ranges.push(range),
        None => _ = classes.insert(members.to_vec(), (vec![range], States::NONE)),
    }
}

fn push_ends(ends: &mut Vec<(u128, usize)>, ranges: &[Range<u128>], set: usize) {
    for range in ranges {
        ends.push((range.first, set));
        ends.extend(range.last.checked_add(1).map(|behind| (behind, set)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(prefixes: &[&str]) -> AddressSet {
        AddressSet::of_prefixes(prefixes.iter().map(|p| p.parse().unwrap()))
    }

    #[test]
    fn inside_and_apart() {
        for (a, b, inside, meets) in [
            ("", "", true, false),
            ("10.0.0.0/8", "", false, false),
            ("10.1.0.0/16 10.2.0.0/16", "10.0.0.0/8", true, true),
            ("10.0.0.0/8", "10.0.0.0/9 10.128.0.0/9", true, true),
            (
                "10.0.0.0/8 12.0.0.0/8",
                "10.0.0.0/8 13.0.0.0/8",
                false,
                true,
            ),
            ("10.0.0.0/9", "10.128.0.0/9", false, false),
            ("::/0", "2001:db8::/32", false, true),
            ("2001:db8::/32", "10.0.0.0/8", false, false),
            ("10.0.0.0/8", "::/0", false, false),
        ] {
            let of = |list: &str| set(&list.split_whitespace().collect::<Vec<_>>());
            let (a, b) = (of(a), of(b));
            assert_eq!(a.is_within(&b), inside, "{a:?} in {b:?}");
            assert_eq!(a.difference(&b).is_empty(), inside, "{a:?} without {b:?}");
            assert_eq!(a.meets(&b), meets, "{a:?} and {b:?}");
            assert_eq!(!a.intersection(&b).is_empty(), meets, "{a:?} and {b:?}");
        }
        let absent = AddressSet::of_states(States::ABSENT);
        assert!(absent.is_within(&AddressSet::everything()));
        assert!(!absent.is_within(&AddressSet::all()));
    }

    #[test]
    fn families_are_told_apart() {
        for (list, any, whole, address) in [
            (&[][..], (false, false), (false, false), None),
            (
                &["10.0.0.0/8"],
                (true, false),
                (false, false),
                Some("10.0.0.0"),
            ),
            (&["::/0"], (false, true), (false, true), Some("::")),
            (
                &["::/0", "0.0.0.0/0"],
                (true, true),
                (true, true),
                Some("0.0.0.0"),
            ),
            (
                &["::/1", "0.0.0.0/1", "128.0.0.0/1"],
                (true, true),
                (true, false),
                Some("0.0.0.0"),
            ),
            (
                &["2001:db8::/32", "10.0.0.9/32"],
                (true, true),
                (false, false),
                Some("10.0.0.9"),
            ),
        ] {
            let set = set(list);
            assert_eq!(set.families(), any, "{list:?}");
            assert_eq!(set.whole_families(), whole, "{list:?}");
            let address: Option<IpAddr> = address.map(|text| text.parse().unwrap());
            assert_eq!(set.any_address(), address, "{list:?}");
        }
    }

    fn shown(set: &AddressSet) -> (String, String) {
        let v4: Vec<String> = set.v4().iter().map(ToString::to_string).collect();
        let v6: Vec<String> = set.v6().iter().map(ToString::to_string).collect();
        (v4.join(" "), v6.join(" "))
    }

    fn pair(v4: &str, v6: &str) -> (String, String) {
        (v4.to_owned(), v6.to_owned())
    }

    #[test]
    fn prefixes_come_back_as_the_fewest() {
        assert_eq!(shown(&AddressSet::all()), pair("0.0.0.0/0", "::/0"));
        assert_eq!(shown(&set(&["::/0"])), pair("", "::/0"));
        assert_eq!(shown(&set(&["0.0.0.0/0"])), pair("0.0.0.0/0", ""));
        assert_eq!(shown(&set(&["::/80"])), pair("", "::/80"));
        assert_eq!(
            shown(&set(&[
                "10.0.0.0/25",
                "10.0.0.128/25",
                "2001:db8::/33",
                "2001:db8:8000::/33"
            ])),
            pair("10.0.0.0/24", "2001:db8::/32")
        );
        assert_eq!(
            shown(&set(&["0.0.0.0/0"]).complement(States::NONE)),
            pair("", "::/0")
        );
        assert_eq!(
            shown(&set(&["128.0.0.0/1", "::/0"]).complement(States::NONE)),
            pair("0.0.0.0/1", "")
        );
    }

    #[test]
    fn the_families_do_not_mix() {
        let all_v6 = set(&["::/0"]);
        assert!(!all_v6.contains("10.0.0.1".parse().unwrap()));
        assert!(!all_v6.contains("::ffff:10.0.0.1".parse().unwrap()));
        assert!(all_v6.contains("::1".parse().unwrap()));
        assert!(set(&["10.0.0.0/8"]).contains("::ffff:10.0.0.1".parse().unwrap()));
    }

    fn some_set() -> impl Strategy<Value = AddressSet> {
        let v4 = (0_u32..64, 26_u8..=32).prop_map(|(low, length)| {
            IpNet::new(Ipv4Addr::from_bits(low * 3).into(), length)
                .unwrap()
                .trunc()
        });
        let v6 = (0_u128..64, 120_u8..=128).prop_map(|(low, length)| {
            IpNet::new(Ipv6Addr::from_bits(low * 3).into(), length)
                .unwrap()
                .trunc()
        });
        let net = prop_oneof![
            8 => v4,
            8 => v6,
            1 => Just("0.0.0.0/0".parse().unwrap()),
            1 => Just("::/0".parse().unwrap()),
        ];
        (prop::collection::vec(net, 0..8), 0_u8..8)
            .prop_map(|(nets, states)| AddressSet::of_prefixes(nets).with_states(States(states)))
    }

    fn probes() -> Vec<IpAddr> {
        let v4 = (0..256)
            .chain([u32::MAX])
            .map(|bits| Ipv4Addr::from_bits(bits).into());
        let v6 = (0..512)
            .chain([u128::MAX])
            .map(|bits| Ipv6Addr::from_bits(bits).into());
        v4.chain(v6).collect()
    }

    proptest! {
        #[test]
        fn set_operations_are_those_of_the_members(a in some_set(), b in some_set()) {
            let (union, both, less, not) = (
                a.union(&b), a.intersection(&b), a.difference(&b), a.complement(States(7)),
            );
            for ip in probes() {
                let (in_a, in_b) = (a.contains(ip), b.contains(ip));
                prop_assert_eq!(union.contains(ip), in_a || in_b);
                prop_assert_eq!(both.contains(ip), in_a && in_b);
                prop_assert_eq!(less.contains(ip), in_a && !in_b);
                prop_assert_eq!(not.contains(ip), !in_a);
                let written = a.v4().iter().map(|&n| IpNet::V4(n)).chain(a.v6().iter().map(|&n| IpNet::V6(n)))
                    .any(|net| net.contains(&ip));
                prop_assert_eq!(written, in_a);
            }
            for set in [union, both, less, not] {
                prop_assert_eq!(AddressSet::of_ranges(set.ranges.clone(), set.states), set);
            }
        }

        #[test]
        fn an_overlay_cuts_the_domain(domain in some_set(), sets in prop::collection::vec(some_set(), 0..5)) {
            let sets: Vec<&AddressSet> = sets.iter().collect();
            let classes = overlay(&domain, &sets, &mut 1_000_000).unwrap();
            for ip in probes() {
                let at: Vec<&Class> = classes.iter().filter(|class| class.addresses.contains(ip)).collect();
                prop_assert_eq!(at.len(), usize::from(domain.contains(ip)));
                for class in at {
                    for (index, set) in sets.iter().enumerate() {
                        prop_assert_eq!(class.is_in(index), set.contains(ip));
                    }
                }
            }
            for state in States::EACH {
                let at: Vec<&Class> = classes.iter().filter(|class| class.addresses.states.contains(state)).collect();
                prop_assert_eq!(at.len(), usize::from(domain.states.contains(state)));
                for class in at {
                    for (index, set) in sets.iter().enumerate() {
                        prop_assert_eq!(class.is_in(index), set.states.contains(state));
                    }
                }
            }
        }
    }
}
