//! Sets of addresses as sorted ranges: inside, apart, common part, what is left.

use crate::prefix::set::{PrefixSet, Range};

/// Returns whether every address of `a` is in `b`.
pub(super) fn is_within(a: &PrefixSet, b: &PrefixSet) -> bool {
    lies_in(a.v4(), b.v4()) && lies_in(a.v6(), b.v6())
}

/// Returns whether some address is in both.
pub(super) fn meet(a: &PrefixSet, b: &PrefixSet) -> bool {
    touch(a.v4(), b.v4()) || touch(a.v6(), b.v6())
}

/// Returns whether the set has an address of IPv4, of IPv6.
pub(super) fn families(set: &PrefixSet) -> (bool, bool) {
    (!set.v4().is_empty(), !set.v6().is_empty())
}

/// Addresses of both families, as ranges that are sorted, disjoint and not adjacent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) v4: Vec<Range<u32>>,
    pub(super) v6: Vec<Range<u128>>,
}

impl Addresses {
    /// Returns every address.
    pub(super) fn all() -> Self {
        Self::default().complement()
    }

    pub(super) fn of(set: &PrefixSet) -> Self {
        Self {
            v4: set.v4().to_vec(),
            v6: set.v6().to_vec(),
        }
    }

    pub(super) fn complement(&self) -> Self {
        Self {
            v4: gaps(
                &self.v4,
                u32::MIN,
                u32::MAX,
                |a| a.checked_add(1),
                |a| a.checked_sub(1),
            ),
            v6: gaps(
                &self.v6,
                u128::MIN,
                u128::MAX,
                |a| a.checked_add(1),
                |a| a.checked_sub(1),
            ),
        }
    }

    pub(super) fn common(&self, other: &Self) -> Self {
        Self {
            v4: common(&self.v4, &other.v4),
            v6: common(&self.v6, &other.v6),
        }
    }

    /// Returns the addresses that are not in `other`.
    pub(super) fn without(&self, other: &Self) -> Self {
        self.common(&other.complement())
    }

    pub(super) fn is_within(&self, other: &Self) -> bool {
        lies_in(&self.v4, &other.v4) && lies_in(&self.v6, &other.v6)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Returns the number of ranges.
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }
}

/// Ranges of a set do not touch one another, so a range is inside exactly if one holds it.
fn lies_in<T: Copy + Ord>(a: &[Range<T>], b: &[Range<T>]) -> bool {
    let mut others = b.iter().peekable();
    a.iter().all(|range| {
        while others.next_if(|other| other.last < range.first).is_some() {}
        (others.peek()).is_some_and(|other| other.first <= range.first && range.last <= other.last)
    })
}

fn touch<T: Copy + Ord>(a: &[Range<T>], b: &[Range<T>]) -> bool {
    let mut others = b.iter().peekable();
    a.iter().any(|range| {
        while others.next_if(|other| other.last < range.first).is_some() {}
        (others.peek()).is_some_and(|other| other.first <= range.last)
    })
}

fn common<T: Copy + Ord>(a: &[Range<T>], b: &[Range<T>]) -> Vec<Range<T>> {
    let mut ranges = Vec::new();
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let range = Range {
            first: one.first.max(other.first),
            last: one.last.min(other.last),
        };
        if range.first <= range.last {
            ranges.push(range);
        }
        if one.last < other.last {
            left.next();
        } else {
            right.next();
        }
    }
    ranges
}

fn gaps<T: Copy + Ord>(
    ranges: &[Range<T>],
    lowest: T,
    highest: T,
    next: impl Fn(T) -> Option<T>,
    previous: impl Fn(T) -> Option<T>,
) -> Vec<Range<T>> {
    let mut left = Vec::with_capacity(ranges.len() + 1);
    let mut from = Some(lowest);
    for range in ranges {
        if let (Some(first), Some(last)) = (from, previous(range.first))
            && first <= last
        {
            left.push(Range { first, last });
        }
        from = next(range.last);
    }
    if let Some(first) = from {
        left.push(Range {
            first,
            last: highest,
        });
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(prefixes: &str) -> PrefixSet {
        PrefixSet::new(prefixes.split_whitespace().map(|p| p.parse().unwrap()))
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
        ] {
            assert_eq!(is_within(&set(a), &set(b)), inside, "{a} in {b}");
            assert_eq!(meet(&set(a), &set(b)), meets, "{a} and {b}");
            let (a, b) = (Addresses::of(&set(a)), Addresses::of(&set(b)));
            assert_eq!(a.is_within(&b), inside);
            assert_eq!(a.without(&b).is_empty(), inside);
            assert_eq!(a.common(&b).is_empty(), !meets);
        }
    }

    #[test]
    fn what_is_left() {
        let of = |prefixes| Addresses::of(&set(prefixes));
        assert_eq!(of("").complement(), of("0.0.0.0/0 ::/0"));
        assert_eq!(of("0.0.0.0/0 ::/0").complement(), of(""));
        assert_eq!(
            of("128.0.0.0/1 ::/1").complement(),
            of("0.0.0.0/1 8000::/1")
        );
        assert_eq!(
            of("10.0.0.0/8").without(&of("10.0.0.0/10 10.128.0.0/9")),
            of("10.64.0.0/10")
        );
    }
}
