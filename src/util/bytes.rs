//! Comparing and finding short byte strings, up to 64 bytes without a call.
//!
//! PERF: nearly all that a decision compares has 4 to 50 bytes, where the call of a
//! general comparison costs more than comparing. Two overlapping words cover what whole
//! words leave over.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::vector::{self, WIDE};
use crate::util::int::AsUsize;

/// Returns whether two byte strings are equal.
#[inline(always)]
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if let (Some(x), Some(y)) = (ends::<WIDE>(a), ends::<WIDE>(b)) {
        // PERF: up to 64 bytes in one go.
        return match (inner(a), inner(b)) {
            (Some(m), Some(n)) => {
                vector::agree([x.0, x.1, m.0, m.1], [y.0, y.1, n.0, n.1])
                    && (a.len() <= 4 * WIDE || is_equal_in_steps(a, b))
            }
            _ => vector::agree([x.0, x.1], [y.0, y.1]),
        };
    }
    match (ends::<8>(a), ends::<8>(b)) {
        (Some(x), Some(y)) => x == y,
        _ => match (ends::<4>(a), ends::<4>(b)) {
            (Some(x), Some(y)) => x == y,
            _ => a.iter().eq(b),
        },
    }
}

/// Returns the second sixteen bytes and the last but sixteen, which may overlap; none up to 32.
#[inline(always)]
fn inner(bytes: &[u8]) -> Option<(&[u8; WIDE], &[u8; WIDE])> {
    let (_, behind) = bytes.split_first_chunk::<WIDE>()?;
    if behind.len() <= WIDE {
        return None;
    }
    let (before, _) = bytes.split_last_chunk::<WIDE>()?;
    Some((behind.first_chunk()?, before.last_chunk()?))
}

#[inline(never)]
fn is_equal_in_steps(a: &[u8], b: &[u8]) -> bool {
    a.as_chunks::<WIDE>().0 == b.as_chunks::<WIDE>().0
}

/// Returns whether `text` starts with `start`.
#[inline(always)]
pub(crate) fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len())
        .is_some_and(|text| equal(text, start))
}

/// Returns `text` without `start`, if it starts so.
#[inline(always)]
pub(crate) fn strip_start<'t>(text: &'t [u8], start: &[u8]) -> Option<&'t [u8]> {
    let (first, behind) = text.split_at_checked(start.len())?;
    equal(first, start).then_some(behind)
}

/// Returns `text` without `end`, if it ends so.
#[inline(always)]
pub(crate) fn strip_end<'t>(text: &'t [u8], end: &[u8]) -> Option<&'t [u8]> {
    let (before, last) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    equal(last, end).then_some(before)
}

/// How a literal is looked for: by its first two bytes, sixteen places at a time.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Needle {
    /// The first byte in all sixteen.
    first: [u8; WIDE],
    /// The second byte in all sixteen; of a literal of one byte, nothing that counts.
    second: [u8; WIDE],
}

/// How many places at which the first two bytes stand are compared in vain; at the next a search
/// takes over that is linear whatever the text.
const TRIES: usize = 8;

impl Needle {
    /// Returns how to look for `literal`, which is not empty.
    pub(crate) fn new(literal: &[u8]) -> Self {
        let splat = |byte: Option<&u8>| [byte.copied().unwrap_or_default(); WIDE];
        Self {
            first: splat(literal.first()),
            second: splat(literal.get(1)),
        }
    }

    /// Returns what is behind the first place of `literal`, which this is made of, in `text`.
    #[inline(always)]
    pub(crate) fn behind<'t>(&self, literal: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
        let (Some(last), true) = (text.len().checked_sub(WIDE + 1), literal.len() > 1) else {
            return behind_short(literal, text);
        };
        let mut tries = TRIES;
        let mut from = 0_usize;
        loop {
            // The last window overlaps the one before it, so that it is whole.
            let at = from.min(last);
            let window = text.get(at..)?.first_chunk()?;
            let mut places = vector::pairs(window, &self.first, &self.second);
            while places != 0 {
                let found = text.get(at + places.trailing_zeros().as_usize()..)?;
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
                return None;
            }
            from += WIDE;
        }
    }
}

/// [`Needle::behind`] in a text too short for a window, or of a single byte.
#[inline(never)]
fn behind_short<'t>(literal: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    if text.len() > WIDE {
        return search(literal, text);
    }
    let mut places = text.windows(literal.len().max(1));
    let at = places.position(|place| equal(place, literal))?;
    text.get(at + literal.len()..)
}

/// Returns what is behind the first place of `literal` in `text`.
pub(crate) fn search<'t>(literal: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    let at = memchr::memmem::find(text, literal)?;
    text.get(at + literal.len()..)
}

/// Returns the first and the last bytes, which may overlap.
#[inline(always)]
fn ends<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    Some((bytes.first_chunk()?, bytes.last_chunk()?))
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
