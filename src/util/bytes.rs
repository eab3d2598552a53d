//! Comparing and finding short byte strings without calling anything.
//!
//! PERF: nearly all that a decision compares has 4 to 50 bytes, where the call of a
//! general comparison costs more than comparing. Two overlapping words cover what whole
//! words leave over.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::util::int::AsUsize;

/// Returns whether two byte strings are equal.
#[inline(always)]
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if let (Some(x), Some(y)) = (a.last_chunk::<16>(), b.last_chunk::<16>()) {
        // Arrays of 16 bytes are compared in a vector register.
        let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
        return x == y && a.iter().zip(b).all(|(x, y)| x == y);
    }
    match (ends::<8>(a), ends::<8>(b)) {
        (Some(x), Some(y)) => x == y,
        _ => match (ends::<4>(a), ends::<4>(b)) {
            (Some(x), Some(y)) => x == y,
            _ => a.iter().eq(b),
        },
    }
}

/// Returns whether `text` starts with `start`.
#[inline(always)]
pub(crate) fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len())
        .is_some_and(|text| equal(text, start))
}

/// Returns `text` without `end`, if it ends so.
#[inline(always)]
pub(crate) fn strip_end<'t>(text: &'t [u8], end: &[u8]) -> Option<&'t [u8]> {
    let (before, last) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    equal(last, end).then_some(before)
}

/// How a literal is looked for: by its first two bytes, eight places at a time.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Needle {
    /// The first byte in all eight.
    first: u64,
    /// The second byte in all eight; of a literal of one byte, nothing.
    second: u64,
    /// All ones, or nothing where there is no second byte.
    mask: u64,
}

/// A one in each byte.
const ONES: u64 = u64::MAX / 0xff;

/// How many places are told at once whether the first two bytes stand there.
const WIDE: usize = 16;

/// How many places at which the first two bytes stand are compared; then a search takes over
/// that is linear whatever the text.
const TRIES: usize = 8;

impl Needle {
    /// Returns how to look for `literal`, which is not empty.
    pub(crate) fn new(literal: &[u8]) -> Self {
        let splat = |byte: Option<&u8>| byte.map_or(0, |&byte| u64::from(byte) * ONES);
        Self {
            first: splat(literal.first()),
            second: splat(literal.get(1)),
            mask: literal.get(1).map_or(0, |_| u64::MAX),
        }
    }

    /// Returns what is behind the first place of `literal`, which this is made of, in `text`.
    #[inline(always)]
    pub(crate) fn behind<'t>(self, literal: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
        let from = self.skip(text)?;
        self.behind_near(literal, text.get(from..)?)
    }

    /// Returns a place of `text` before which the first two bytes stand nowhere, or `None` where
    /// they do not stand in it at all.
    ///
    /// PERF: most texts do not have them; sixteen places are told in a vector register.
    #[inline(always)]
    fn skip(self, text: &[u8]) -> Option<usize> {
        let (Some(last), true) = (text.len().checked_sub(WIDE + 1), self.mask != 0) else {
            return Some(0);
        };
        let [first, ..] = self.first.to_le_bytes();
        let [second, ..] = self.second.to_le_bytes();
        let mut from = 0_usize;
        loop {
            let at = from.min(last);
            let window = text.get(at..)?.first_chunk::<{ WIDE + 1 }>()?;
            let (x, y) = (window.first_chunk::<WIDE>()?, window.last_chunk::<WIDE>()?);
            let mut is_there = false;
            for (x, y) in x.iter().zip(y) {
                is_there |= (*x == first) & (*y == second);
            }
            if is_there {
                return Some(at);
            }
            if from >= last {
                return None;
            }
            from += WIDE;
        }
    }

    #[inline(always)]
    fn behind_near<'t>(self, literal: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
        let mut tries = TRIES;
        let mut from = 0_usize;
        // The last step overlaps the one before it, so that it has its nine bytes.
        let last = text.len().checked_sub(9);
        while let Some(last) = last {
            let at = from.min(last);
            let mut places = self.places(text.get(at..)?.first_chunk()?)?;
            while places != 0 {
                let place = at + byte_index(places);
                let found = text.get(place..)?;
                if starts_with(found, literal) {
                    return found.get(literal.len()..);
                }
                tries = match tries.checked_sub(1) {
                    Some(tries) => tries,
                    None => return search(literal, found),
                };
                places &= places - 1;
            }
            if from >= last {
                break;
            }
            from = at + 8;
        }
        // What is left is shorter than nine bytes, and often than the literal.
        let rest = text.get(last.map_or(0, |last| last + 8)..)?;
        if rest.len() < literal.len() {
            return None;
        }
        search(literal, rest)
    }

    /// Returns a bit in each of the first eight bytes at which the literal may start.
    #[inline(always)]
    fn places(self, text: &[u8; 9]) -> Option<u64> {
        // PERF: by reference; of a copy the second word stalls on the store of the first.
        let (&first, &second) = (text.first_chunk()?, text.last_chunk()?);
        let (first, second) = (u64::from_le_bytes(first), u64::from_le_bytes(second));
        let differ = (first ^ self.first) | (second ^ self.second) & self.mask;
        // The top bit of each byte that is zero, and of few others.
        Some(differ.wrapping_sub(ONES) & !differ & ONES << 7)
    }
}

/// Returns what is behind the first place of `literal` in `text`.
pub(crate) fn search<'t>(literal: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    let at = memchr::memmem::find(text, literal)?;
    text.get(at + literal.len()..)
}

/// Returns the first and the last bytes, which may overlap.
#[inline(always)]
fn ends<const N: usize>(bytes: &[u8]) -> Option<([u8; N], [u8; N])> {
    Some((*bytes.first_chunk()?, *bytes.last_chunk()?))
}

/// Returns in which byte the lowest bit is.
#[inline(always)]
fn byte_index(bits: u64) -> usize {
    (bits.trailing_zeros() / 8).as_usize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_the_slices(a in "[ab]{0,40}", b in "[ab]{0,40}", cut in 0_usize..40) {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            prop_assert!(equal(a, a));
            prop_assert_eq!(equal(a, b), a == b);
            let cut = cut.min(a.len());
            prop_assert!(starts_with(a, &a[..cut]) && strip_end(a, &a[cut..]) == Some(&a[..cut]));
            prop_assert_eq!(starts_with(a, b), a.starts_with(b));
            prop_assert_eq!(strip_end(a, b), a.strip_suffix(b));
            let b = if b.is_empty() { b"a" } else { &b[..b.len().min(cut.max(1))] };
            let found = (0..=a.len()).find(|&at| a[at..].starts_with(b));
            prop_assert_eq!(Needle::new(b).behind(b, a), found.map(|at| &a[at + b.len()..]));
        }
    }
}
