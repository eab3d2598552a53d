//! Comparing and finding short byte strings without calling anything.
//!
//! PERF: nearly all that a decision compares has 4 to 50 bytes, where the call of a
//! general comparison costs more than comparing. Two overlapping words cover what whole
//! words leave over.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Returns whether two byte strings are equal.
#[inline(always)]
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(x), Some(y)) => {
            let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
            word(x) == word(y) && a.iter().zip(b).all(|(x, y)| word(x) == word(y))
        }
        _ => match (ends(a), ends(b)) {
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

/// The first bytes of a literal as they are looked for: a word, and which of its bytes count.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Needle {
    /// The first eight bytes, or all with zeros behind them.
    pub(crate) word: u64,
    /// All ones in the bytes that count.
    pub(crate) mask: u64,
}

impl Needle {
    /// Returns the start of `literal`.
    pub(crate) fn new(literal: &[u8]) -> Self {
        let start = literal
            .first_chunk::<8>()
            .map_or(literal, <[u8; 8]>::as_slice);
        let fill = |fill: fn(u8) -> u8| {
            start
                .iter()
                .rev()
                .fold(0, |word, &byte| word << 8 | u64::from(fill(byte)))
        };
        Self {
            word: fill(|byte| byte),
            mask: fill(|_| 0xff),
        }
    }

    /// Returns where in `text`, of eight bytes from there on, this start first stands.
    #[inline(always)]
    pub(crate) fn find(self, text: &[u8]) -> Option<usize> {
        text.windows(8).position(|window| {
            let found = window.first_chunk::<8>().map_or(0, word);
            (found ^ self.word) & self.mask == 0
        })
    }
}

/// Returns four to seven bytes as two words.
#[inline(always)]
fn ends(bytes: &[u8]) -> Option<(u32, u32)> {
    let (first, last) = (bytes.first_chunk::<4>()?, bytes.last_chunk::<4>()?);
    Some((u32::from_le_bytes(*first), u32::from_le_bytes(*last)))
}

#[inline(always)]
fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
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
            let start = &b[..b.len().min(8)];
            let found = (0..(a.len() + 1).saturating_sub(8)).find(|&at| a[at..].starts_with(start));
            prop_assert_eq!(Needle::new(b).find(a), found);
        }
    }
}
