//! All prefix lists overlaid: which addresses no list tells apart.
//!
//! One sweep over the sorted ends of all ranges of a family, holding the set of lists
//! that are open. Each stretch between two ends gets the class of its set. Interning is
//! by the set itself, so classes are exact: as few as there can be.
//!
//! The work is the ends, and at each of them the size of the open set; lists that overlap much (ten
//! thousand lists, each holding the same thousand prefixes and one of its own) make it
//! large, so it has a budget, and past it the build does without classes.

use super::set::{PrefixSet, Range};
use crate::util::extent::Extent;
use crate::util::ids::{ClassId, Id, ListId};
use crate::util::int::{AsUsize, to_u32};
use crate::util::keyed::Numbers;

/// The classes of one address family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes<T> {
    /// Where a stretch starts and its class; the first starts at the lowest address, no
    /// two neighbours have one class.
    pub(crate) stretches: Vec<(T, ClassId)>,
    /// The number of classes, "in no list" included.
    pub(crate) count: u32,
}

/// In which classes a list's addresses are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The list is the whole family; it takes no part in the classes.
    pub(crate) whole: bool,
    /// The classes whose addresses are in the list, ascending.
    pub(crate) classes: Vec<ClassId>,
}

/// The sum of set sizes passed the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverBudget;

/// Overlays the IPv4 side of `lists`.
pub(crate) fn overlay_v4(
    lists: &[&PrefixSet],
    budget: &mut usize,
) -> Result<(Classes<u32>, Vec<Membership>), OverBudget> {
    let ranges = lists.iter().map(|set| (set.whole().0, set.v4()));
    let next = |last: u32| last.checked_add(1);
    overlay(ranges, u32::MIN, next, sort_by_digits, budget)
}

/// Overlays the IPv6 side of `lists`.
pub(crate) fn overlay_v6(
    lists: &[&PrefixSet],
    budget: &mut usize,
) -> Result<(Classes<u128>, Vec<Membership>), OverBudget> {
    let ranges = lists.iter().map(|set| (set.whole().1, set.v6()));
    let next = |last: u128| last.checked_add(1);
    overlay(ranges, u128::MIN, next, <[_]>::sort_unstable, budget)
}

/// `sort` sorts by address, then by list; the lists ascend before.
fn overlay<'a, T: Copy + Ord + 'a>(
    lists: impl Iterator<Item = (bool, &'a [Range<T>])> + Clone,
    lowest: T,
    next: impl Fn(T) -> Option<T>,
    sort: impl Fn(&mut [(T, ListId)]),
    budget: &mut usize,
) -> Result<(Classes<T>, Vec<Membership>), OverBudget> {
    let mut members = Vec::new();
    // (where, which list opens or closes there); a list's ranges are not adjacent, so no
    // list both closes and opens at one point.
    let count = lists.clone().map(|(_, ranges)| 2 * ranges.len()).sum();
    let mut ends: Vec<(T, ListId)> = Vec::with_capacity(count);
    for (index, (whole, ranges)) in lists.enumerate() {
        let list = ListId::new(index).ok_or(OverBudget)?;
        members.push(Membership {
            whole,
            // Of a long list of addresses that no other has there is one class.
            classes: Vec::with_capacity(if whole { 0 } else { ranges.len().min(16) }),
        });
        if whole {
            continue;
        }
        for range in ranges {
            ends.push((range.first, list));
            ends.extend(next(range.last).map(|after| (after, list)));
        }
    }
    sort(&mut ends);

    let mut classes = Interner::new(members.len());
    let mut stretches = Vec::with_capacity(ends.len() + 1);
    stretches.push((lowest, ClassId::default()));
    let mut open: Vec<ListId> = Vec::new();
    let mut before: Vec<ListId> = Vec::new();
    for chunk in ends.chunk_by(|a, b| a.0 == b.0) {
        *budget = budget
            .checked_sub(open.len() + chunk.len())
            .ok_or(OverBudget)?;
        if let [(_, list)] = chunk {
            match open.binary_search(list) {
                Ok(at) => drop(open.remove(at)),
                Err(at) => open.insert(at, *list),
            }
        } else {
            core::mem::swap(&mut open, &mut before);
            open.clear();
            toggle(&before, chunk.iter().map(|&(_, list)| list), &mut open);
        }
        let class = classes.intern(&open, &mut members)?;
        let Some(&(start, _)) = chunk.first() else {
            continue;
        };
        match stretches.last_mut() {
            Some(last) if last.0 == start => last.1 = class,
            Some(last) if last.1 == class => {}
            _ => stretches.push((start, class)),
        }
    }
    stretches.dedup_by_key(|stretch| stretch.1);
    Ok((
        Classes {
            stretches,
            count: classes.count,
        },
        members,
    ))
}

/// Sorts by address, and leaves those of one address in their order.
///
/// PERF: three rounds by eleven bits, where comparing 200 000 ends takes seventeen.
fn sort_by_digits(ends: &mut [(u32, ListId)]) {
    const BITS: u32 = 11;
    /// Below this the room for the counts costs more than comparing.
    const MANY: usize = 1 << BITS;
    if ends.len() < MANY || ends.is_sorted() {
        // In one list they are sorted already.
        return ends.sort_unstable();
    }
    let mut room = vec![(0, ListId::default()); ends.len()];
    let (mut from, mut to) = (ends, room.as_mut_slice());
    for shift in [0, BITS, 2 * BITS] {
        let digit = |end: &(u32, ListId)| (end.0 >> shift).as_usize() & ((1 << BITS) - 1);
        let mut next = [0_usize; 1 << BITS];
        for end in &*from {
            if let Some(count) = next.get_mut(digit(end)) {
                *count += 1;
            }
        }
        // From how many there are to where the first of them goes.
        let mut before = 0;
        for count in &mut next {
            before += core::mem::replace(count, before);
        }
        for end in &*from {
            if let Some(at) = next.get_mut(digit(end))
                && let Some(slot) = to.get_mut(*at)
            {
                (*slot, *at) = (*end, *at + 1);
            }
        }
        core::mem::swap(&mut from, &mut to);
    }
    // Three rounds end in the room.
    to.copy_from_slice(from);
}

/// Appends the lists that are either in `before` or in `ends`; both are ascending.
fn toggle(before: &[ListId], ends: impl Iterator<Item = ListId>, after: &mut Vec<ListId>) {
    let mut kept = before.iter().copied().peekable();
    for list in ends {
        while let Some(open) = kept.next_if(|&open| open < list) {
            after.push(open);
        }
        if kept.next_if_eq(&list).is_none() {
            after.push(list);
        }
    }
    after.extend(kept);
}

/// Sets of lists by content; the empty set is class 0.
struct Interner {
    /// The classes of sets of one list, by list, and class 0 where there is none: most sets hold
    /// one list only.
    single: Vec<ClassId>,
    /// The sets of several lists, by their numbers, with the classes of each.
    several: Vec<(ClassId, Extent)>,
    numbers: Numbers,
    lists: Vec<ListId>,
    count: u32,
}

impl Interner {
    fn new(lists: usize) -> Self {
        Self {
            single: vec![ClassId::default(); lists],
            several: Vec::new(),
            numbers: Numbers::default(),
            lists: Vec::new(),
            count: 1,
        }
    }

    fn intern(
        &mut self,
        set: &[ListId],
        members: &mut [Membership],
    ) -> Result<ClassId, OverBudget> {
        let next = ClassId::from_u32(self.count);
        let class = match set {
            [] => return Ok(ClassId::default()),
            [list] => match self.single.get_mut(list.as_usize()) {
                Some(class) if *class == ClassId::default() => {
                    *class = next;
                    next
                }
                known => known.copied().unwrap_or_default(),
            },
            _ => self.intern_several(set, next)?,
        };
        if class == next {
            self.count = self.count.checked_add(1).ok_or(OverBudget)?;
            for list in set {
                if let Some(member) = members.get_mut(list.as_usize()) {
                    member.classes.push(class);
                }
            }
        }
        Ok(class)
    }

    fn intern_several(&mut self, set: &[ListId], next: ClassId) -> Result<ClassId, OverBudget> {
        let known = |number: u32| self.several.get(number.as_usize());
        let is_it = |number| known(number).is_some_and(|known| known.1.of(&self.lists) == set);
        let number = to_u32(self.several.len()).ok_or(OverBudget)?;
        let number = self.numbers.of(set, number, is_it);
        if let Some(&(class, _)) = known(number) {
            return Ok(class);
        }
        let stored = Extent::append(&mut self.lists, set.iter().copied()).ok_or(OverBudget)?;
        self.several.push((next, stored));
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn sets(lists: &[&[&str]]) -> Vec<PrefixSet> {
        let parse = |list: &&[&str]| PrefixSet::new(list.iter().map(|p| p.parse().unwrap()));
        lists.iter().map(parse).collect()
    }

    fn refs(sets: &[PrefixSet]) -> Vec<&PrefixSet> {
        sets.iter().collect()
    }

    fn class_of(classes: &Classes<u32>, address: &str) -> ClassId {
        let bits = address.parse::<core::net::Ipv4Addr>().unwrap().to_bits();
        let at = classes.stretches.partition_point(|s| s.0 <= bits);
        classes.stretches[at - 1].1
    }

    #[test]
    fn the_example_of_the_header() {
        let lists = sets(&[&["10.0.0.0/8"], &["10.1.0.0/16", "192.0.2.0/24"]]);
        let (classes, members) = overlay_v4(&refs(&lists), &mut 100).unwrap();
        let of = |address| class_of(&classes, address).as_u32();
        assert_eq!(classes.count, 4);
        assert_eq!(
            [
                of("9.9.9.9"),
                of("10.0.0.0"),
                of("10.1.2.3"),
                of("10.2.0.0"),
                of("11.0.0.0"),
                of("192.0.2.1"),
                of("192.0.3.0")
            ],
            [0, 1, 2, 1, 0, 3, 0]
        );
        assert_eq!(members[0].classes, [1, 2].map(ClassId::from_u32));
        assert_eq!(members[1].classes, [2, 3].map(ClassId::from_u32));
    }

    #[test]
    fn one_list_makes_two_classes_however_long_it_is() {
        let prefixes: Vec<String> = (0..500)
            .map(|i| format!("10.{}.{}.0/25", i / 256, i % 256))
            .collect();
        let list: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        let (classes, _) = overlay_v4(&refs(&sets(&[&list])), &mut 10_000).unwrap();
        assert_eq!(classes.count, 2);
        assert_eq!(classes.stretches.len(), 1001);
    }

    #[test]
    fn a_whole_family_is_flagged_and_in_no_class() {
        let (classes, members) =
            overlay_v4(&refs(&sets(&[&["0.0.0.0/0"], &["10.0.0.0/8"]])), &mut 100).unwrap();
        assert!(members[0].whole && members[0].classes.is_empty());
        assert_eq!(classes.count, 2);
        let (v6, members) = overlay_v6(&refs(&sets(&[&["0.0.0.0/0"]])), &mut 100).unwrap();
        assert!(!members[0].whole);
        assert_eq!(v6.count, 1);
    }

    #[test]
    fn lists_that_touch_the_ends_of_the_space() {
        let (classes, _) = overlay_v4(
            &refs(&sets(&[&["0.0.0.0/32", "255.255.255.255/32"]])),
            &mut 100,
        )
        .unwrap();
        let of = |address| class_of(&classes, address).as_u32();
        assert_eq!(
            [
                of("0.0.0.0"),
                of("0.0.0.1"),
                of("255.255.255.254"),
                of("255.255.255.255")
            ],
            [1, 0, 0, 1]
        );
    }

    #[test]
    fn the_budget_is_the_sum_of_open_sets() {
        let lists = sets(&[&["10.0.0.0/8"], &["10.1.0.0/16"]]);
        // Four ends, of which the second, third and fourth find 1, 2 and 1 open.
        assert_eq!(overlay_v4(&refs(&lists), &mut 7), Err(OverBudget));
        let mut budget = 10;
        assert!(overlay_v4(&refs(&lists), &mut budget).is_ok());
        assert_eq!(budget, 2);
    }

    #[test]
    fn by_digits_as_by_comparing() {
        for count in [0_u32, 1, 2047, 2048, 5000] {
            let mut bits = 1_u32;
            let mut random = || {
                bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bits
            };
            // Few addresses, so that many are equal, and all.
            for mask in [0, 0x0010_0800, u32::MAX] {
                let ends = (0..count).map(|list| (random() & mask, ListId::from_u32(list)));
                let mut ends: Vec<(u32, ListId)> = ends.collect();
                let mut expected = ends.clone();
                expected.sort_unstable();
                sort_by_digits(&mut ends);
                assert_eq!(ends, expected);
            }
        }
    }

    proptest! {
        /// Classes partition the space, no list tells two members of one apart, and some list
        /// tells every two classes apart.
        #[test]
        fn classes_are_a_partition_and_as_few_as_can_be(
            lists in prop::collection::vec(prop::collection::vec((0_u32..32, 26_u8..=32), 0..6), 0..6),
            open in prop::collection::vec(any::<bool>(), 6),
        ) {
            let sets: Vec<PrefixSet> = lists
                .iter()
                .zip(open)
                .map(|(list, whole)| {
                    let nets = list.iter().map(|&(low, length)| (0x0a00_0000 + low * 3, length));
                    let whole = (whole && list.len() == 1).then_some((0, 0));
                    PrefixSet::new(nets.chain(whole).map(|(bits, length)| {
                        ipnet::Ipv4Net::new(bits.into(), length).unwrap().trunc().into()
                    }))
                })
                .collect();
            let (classes, members) = overlay_v4(&refs(&sets), &mut 10_000).unwrap();
            prop_assert_eq!(classes.stretches[0].0, 0);
            prop_assert!(classes.stretches.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
            let mut meanings: HashMap<ClassId, Vec<bool>> = HashMap::new();
            for bits in (0x09ff_fff0..0x0a00_0100).chain([0, u32::MAX]) {
                let at = classes.stretches.partition_point(|stretch| stretch.0 <= bits);
                let class = classes.stretches[at - 1].1;
                prop_assert!(class.as_u32() < classes.count);
                let inside: Vec<bool> = sets.iter().map(|set| super::super::ranges::contains(set.v4(), bits)).collect();
                let told: Vec<bool> = members.iter().map(|m| m.whole || m.classes.contains(&class)).collect();
                prop_assert_eq!(&inside, &told);
                prop_assert_eq!(meanings.entry(class).or_insert_with(|| inside.clone()), &inside);
            }
            let distinct: std::collections::HashSet<&Vec<bool>> = meanings.values().collect();
            prop_assert_eq!(distinct.len(), meanings.len());
        }
    }
}
