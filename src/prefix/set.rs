//! One prefix list as sorted ranges, the form in which lists are compared and overlaid.

use ipnet::IpNet;

/// An inclusive range of addresses in host byte order; 16 bytes an address serve both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub(crate) struct Range<T> {
    /// The lowest address.
    pub(crate) first: T,
    /// The highest address.
    pub(crate) last: T,
}

impl<T> From<Range<T>> for [T; 2] {
    fn from(range: Range<T>) -> Self {
        [range.first, range.last]
    }
}

/// The addresses of a prefix list.
///
/// # Invariants
///
/// Each family's ranges are sorted, disjoint and not adjacent, so equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct PrefixSet {
    v4: Vec<Range<u32>>,
    v6: Vec<Range<u128>>,
}

impl PrefixSet {
    /// Returns the union of `prefixes`.
    pub(crate) fn new(prefixes: impl IntoIterator<Item = IpNet, IntoIter: Clone>) -> Self {
        let prefixes = prefixes.into_iter();
        let is_v4 = |prefix: &IpNet| matches!(prefix, IpNet::V4(_));
        let v4_count = prefixes.clone().filter(is_v4).count();
        let v6_count = prefixes.clone().count() - v4_count;
        let (mut v4, mut v6) = (Vec::with_capacity(v4_count), Vec::with_capacity(v6_count));
        for prefix in prefixes {
            match prefix {
                IpNet::V4(net) => v4.push(Range {
                    first: net.network().to_bits(),
                    last: net.broadcast().to_bits(),
                }),
                IpNet::V6(net) => v6.push(Range {
                    first: net.network().to_bits(),
                    last: net.broadcast().to_bits(),
                }),
            }
        }
        merge(&mut v4, |last| last.checked_add(1));
        merge(&mut v6, |last| last.checked_add(1));
        Self { v4, v6 }
    }

    /// Returns the IPv4 ranges.
    pub(crate) fn v4(&self) -> &[Range<u32>] {
        &self.v4
    }

    /// Returns the IPv6 ranges.
    pub(crate) fn v6(&self) -> &[Range<u128>] {
        &self.v6
    }

    /// Returns whether the set is all of IPv4, all of IPv6.
    pub(crate) fn whole(&self) -> (bool, bool) {
        let v4 = [Range {
            first: u32::MIN,
            last: u32::MAX,
        }];
        let v6 = [Range {
            first: u128::MIN,
            last: u128::MAX,
        }];
        (self.v4 == v4, self.v6 == v6)
    }
}

/// Sorts `ranges` and joins those that overlap or touch; `next` is the successor of an address.
fn merge<T: Copy + Ord>(ranges: &mut Vec<Range<T>>, next: impl Fn(T) -> Option<T>) {
    ranges.sort_unstable();
    ranges.dedup_by(|later, earlier| {
        // `None`: the earlier range ends at the highest address and swallows the rest.
        let touches = next(earlier.last).is_none_or(|limit| later.first <= limit);
        if touches {
            earlier.last = earlier.last.max(later.last);
        }
        touches
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prefix::ranges::{contains, contains_ip};

    fn set(prefixes: &[&str]) -> PrefixSet {
        PrefixSet::new(prefixes.iter().map(|p| p.parse::<IpNet>().unwrap()))
    }

    #[test]
    fn adjacent_nested_and_equal_prefixes_become_one_range() {
        assert_eq!(
            set(&["10.0.0.0/9", "10.128.0.0/9", "10.3.0.0/16", "10.0.0.0/9"]),
            set(&["10.0.0.0/8"])
        );
    }

    #[test]
    fn the_ends_of_the_space_do_not_overflow() {
        let all = set(&[
            "0.0.0.0/1",
            "128.0.0.0/1",
            "255.255.255.255/32",
            "::/1",
            "8000::/1",
        ]);
        assert_eq!(all.whole(), (true, true));
        assert_eq!(set(&["0.0.0.0/1", "128.0.0.0/2"]).whole(), (false, false));
    }

    #[test]
    fn membership_holds_at_both_ends_and_not_beside_them() {
        let s = set(&["10.0.0.4/30", "2001:db8::/32"]);
        for (address, expected) in [
            ("10.0.0.3", false),
            ("10.0.0.4", true),
            ("10.0.0.7", true),
            ("10.0.0.8", false),
            ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", false),
            ("2001:db8::", true),
            ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true),
            ("2001:db9::", false),
            ("::10.0.0.4", false),
        ] {
            let ip = address.parse().unwrap();
            assert_eq!(contains_ip(s.v4(), s.v6(), ip), expected, "{address}");
        }
    }

    #[test]
    fn an_empty_set_contains_nothing() {
        let s = set(&[]);
        assert!(!contains_ip(s.v4(), s.v6(), "0.0.0.0".parse().unwrap()));
    }

    proptest! {
        /// `iprange` merges CIDRs in a tree of its own.
        #[test]
        fn the_same_addresses_as_a_tree_of_cidrs(
            prefixes in prop::collection::vec((0_u32..64, 24_u8..=32), 0..20),
            wide in prop::collection::vec((any::<u32>(), 0_u8..=32), 0..4),
            probes in prop::collection::vec(any::<u32>(), 8),
        ) {
            let nets: Vec<ipnet::Ipv4Net> = prefixes
                .into_iter()
                .map(|(low, length)| (0x0a00_0000 + low * 5, length))
                .chain(wide)
                .map(|(bits, length)| ipnet::Ipv4Net::new(bits.into(), length).unwrap().trunc())
                .collect();
            let tree: iprange::IpRange<ipnet::Ipv4Net> = nets.iter().copied().collect();
            let set = PrefixSet::new(nets.iter().map(|&net| IpNet::V4(net)));
            let near = (0..400).map(|low| 0x09ff_ffff + low);
            for bits in near.chain(probes) {
                let inside = tree.contains(&core::net::Ipv4Addr::from_bits(bits));
                prop_assert_eq!(contains(set.v4(), bits), inside, "{:#x}", bits);
            }
        }
    }
}
