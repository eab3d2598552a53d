//! Address → class in flat tables: a root over the upper 16 bits, then a sorted run.
//!
//! ```text
//! root[upper 16 bits] ─▶ first stretch that starts in that block … root[upper + 1]
//!                        └─ the last start ≤ address ─▶ class
//! ```
//!
//! A stretch that covers a whole block starts in an earlier one, so the answer may lie
//! just before the run: the stretches are one sorted array, and the root only narrows
//! the search. With few stretches there is no root; searching them all touches less
//! memory than a table of 256 KiB.
//!
//! # Invariants
//!
//! - `starts` and `classes` have the same length; the first start is the lowest address,
//!   so every address has a class.
//! - `root` is empty or has [`ROOT_LEN`] ascending entries, the last of which is the
//!   number of stretches.

use super::classes::Classes;
use crate::util::ids::ClassId;
use crate::util::int::{AsUsize, to_u32, top16_v4, top16_v6};
use crate::util::table::{Record, tables};

/// From this many stretches on there is a root.
const ROOT_FROM: usize = 64;

/// One entry for each block of 2^16 and one for the end.
pub(crate) const ROOT_LEN: usize = (1 << 16) + 1;

/// An address in host byte order.
pub(crate) trait Bits: Record + Ord {
    /// Returns the upper 16 bits.
    fn top(self) -> u16;
}

impl Bits for u32 {
    #[inline(always)]
    fn top(self) -> u16 {
        top16_v4(self)
    }
}

impl Bits for u128 {
    #[inline(always)]
    fn top(self) -> u16 {
        top16_v6(self)
    }
}

tables! {
    /// The look-up table of one address family.
    struct Lookup / LookupView<T: Bits> {
        "classes" {
            /// For each block the index of the first stretch that starts in it or later.
            table root: u32;
            /// Where each stretch starts.
            table starts: T;
            /// The class of each stretch.
            table classes: ClassId;
        }
    }
}

impl<T: Bits> Lookup<T> {
    /// Lays out the classes of one family; `None` where there are more than `u32` can count.
    pub(crate) fn new(classes: &Classes<T>) -> Option<Self> {
        let stretches = &classes.stretches;
        let total = to_u32(stretches.len())?;
        let mut root = Vec::new();
        if stretches.len() >= ROOT_FROM {
            root.reserve_exact(ROOT_LEN);
            let mut at = 0_usize;
            for block in 0..=u16::MAX {
                let starts_before = |stretch: &(T, ClassId)| stretch.0.top() < block;
                at += stretches
                    .get(at..)?
                    .iter()
                    .take_while(|s| starts_before(s))
                    .count();
                root.push(to_u32(at)?);
            }
            root.push(total);
        }
        Some(Self {
            root,
            starts: stretches.iter().map(|stretch| stretch.0).collect(),
            classes: stretches.iter().map(|stretch| stretch.1).collect(),
        })
    }
}

impl<T: Bits> LookupView<'_, T> {
    /// Returns the class of `address`.
    #[inline]
    pub(crate) fn class(&self, address: T) -> ClassId {
        let block = address.top().as_usize();
        let (from, to) = match (self.root.get(block), self.root.get(block + 1)) {
            (Some(from), Some(to)) => (from.as_usize(), to.as_usize()),
            _ => (0, self.starts.len()),
        };
        let run = self.starts.get(from..to).unwrap_or_default();
        let after = from + run.partition_point(|&start| start <= address);
        // INVARIANT: the first stretch starts at the lowest address, so `after` is at least 1.
        after
            .checked_sub(1)
            .and_then(|at| self.classes.get(at))
            .copied()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::classes::{overlay_v4, overlay_v6};
    use super::super::set::{PrefixSet, contains};
    use super::*;
    use crate::util::table::Tables;

    /// Prefixes of all lengths around a few addresses, `count` of them, from a fixed sequence.
    fn prefixes_v4(count: u32) -> Vec<ipnet::IpNet> {
        let mut state = 7_u32;
        let mut step = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state
        };
        (0..count)
            .map(|_| {
                let length = u8::try_from(1 + (step() >> 16) % 32).unwrap();
                let address = core::net::Ipv4Addr::from_bits(step() & 0x0fff_ffff);
                ipnet::Ipv4Net::new(address, length).unwrap().trunc().into()
            })
            .collect()
    }

    #[test]
    fn agrees_with_a_scan_with_and_without_a_root() {
        for count in [1, 3, 20, 300, 3000] {
            let lists: Vec<PrefixSet> = prefixes_v4(count)
                .chunks(7)
                .map(|c| PrefixSet::new(c.iter().copied()))
                .collect();
            let (classes, members) =
                overlay_v4(&lists.iter().collect::<Vec<_>>(), &mut 10_000_000).unwrap();
            let lookup = Lookup::new(&classes).unwrap();
            let edges = lists.iter().flat_map(|l| l.v4()).flat_map(|r| {
                [
                    r.first,
                    r.last,
                    r.first.wrapping_sub(1),
                    r.last.wrapping_add(1),
                ]
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
            assert_eq!(lookup.root.is_empty(), lookup.starts.len() < ROOT_FROM);
        }
    }

    #[test]
    fn ipv6_under_a_root() {
        let nets = (0..200_u128).map(|i| {
            let bits = (0x2001_u128 << 112) | (i << 90) | (0x0db8 << 96);
            ipnet::Ipv6Net::new(core::net::Ipv6Addr::from_bits(bits), 44)
                .unwrap()
                .trunc()
                .into()
        });
        let lists = [PrefixSet::new(nets)];
        let (classes, members) =
            overlay_v6(&lists.iter().collect::<Vec<_>>(), &mut 10_000).unwrap();
        let lookup = Lookup::new(&classes).unwrap();
        assert!(!lookup.root.is_empty());
        for range in lists[0].v6() {
            for address in [range.first, range.last, range.first - 1, range.last + 1] {
                let in_class = members[0].classes.contains(&lookup.view().class(address));
                assert_eq!(in_class, contains(lists[0].v6(), address));
            }
        }
        assert_eq!(lookup.view().class(0), ClassId::default());
        assert_eq!(lookup.view().class(u128::MAX), ClassId::default());
    }

    #[test]
    fn no_lists_is_one_class() {
        let (classes, _) = overlay_v4(&[], &mut 0).unwrap();
        assert_eq!(
            Lookup::new(&classes).unwrap().view().class(u32::MAX),
            ClassId::default()
        );
    }
}
