//! Comparing and finding short byte strings, up to 64 bytes without a call.
//!
//! PERF: nearly all that a decision compares has 4 to 50 bytes, where the call of a
//! general comparison costs more than comparing. Two overlapping words cover what whole
//! words leave over.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::vector::{PLACES, Vectors, WIDE, lanes};
use crate::util::int::AsUsize;

/// Returns whether two byte strings are equal.
#[inline(always)]
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // PERF: arrays are compared in vectors, without a call; both ends without a branch between.
    if let (Some(x), Some(y)) = (ends::<PLACES>(a), ends::<PLACES>(b)) {
        return (x.0 == y.0) & (x.1 == y.1) && (a.len() <= 2 * PLACES || is_equal_in_steps(a, b));
    }
    if let (Some(x), Some(y)) = (ends::<WIDE>(a), ends::<WIDE>(b)) {
        return (x.0 == y.0) & (x.1 == y.1);
    }
    match (ends::<8>(a), ends::<8>(b)) {
        (Some(x), Some(y)) => x == y,
        _ => match (ends::<4>(a), ends::<4>(b)) {
            (Some(x), Some(y)) => x == y,
            _ => a.iter().eq(b),
        },
    }
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

/// Returns whether `text` ends with `end`.
#[inline(always)]
pub(crate) fn ends_with(text: &[u8], end: &[u8]) -> bool {
    let last = text.len().checked_sub(end.len());
    last.and_then(|at| text.get(at..))
        .is_some_and(|text| equal(text, end))
}

/// Sixteen bytes of a literal, of which some count.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Lanes {
    bytes: [u8; WIDE],
    /// A bit for each byte that counts, the first byte's the lowest.
    count: u16,
}

impl Lanes {
    /// Takes the first sixteen bytes of `literal`.
    pub(crate) fn first(literal: &[u8]) -> Self {
        let mut bytes = [0; WIDE];
        let mut count = 0;
        for (at, (slot, byte)) in bytes.iter_mut().zip(literal).enumerate() {
            *slot = *byte;
            count |= 1 << at;
        }
        Self { bytes, count }
    }

    /// Takes the last sixteen bytes of `literal`, the last one the last.
    #[cfg(feature = "build")]
    pub(crate) fn last(literal: &[u8]) -> Self {
        let mut bytes = [0; WIDE];
        let mut count = 0;
        for (at, (slot, byte)) in bytes.iter_mut().rev().zip(literal.iter().rev()).enumerate() {
            *slot = *byte;
            count |= 1 << (WIDE - 1 - at);
        }
        Self { bytes, count }
    }

    /// Returns whether the bytes that count are those of `text`.
    #[inline(always)]
    pub(crate) fn agree(&self, text: &[u8; WIDE]) -> bool {
        !lanes(text, &self.bytes) & u32::from(self.count) == 0
    }
}

/// How a literal is looked for: by its first two bytes, 32 places at a time.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Needle {
    /// The first byte in all sixteen.
    first: [u8; WIDE],
    /// The second byte in all sixteen; of a literal of one byte, nothing that counts.
    second: [u8; WIDE],
    /// The start of the literal.
    start: Lanes,
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
            start: Lanes::first(literal),
        }
    }

    /// Returns where the first `literal`, which this is made of, ends that stands in `text` between
    /// `from` and `to`.
    #[inline(always)]
    pub(crate) fn find<V: Vectors>(
        &self,
        literal: &[u8],
        text: &[u8],
        from: usize,
        to: usize,
    ) -> Option<usize> {
        let last = to.checked_sub(literal.len())?;
        let (Some(limit), true) = (text.len().checked_sub(PLACES + 1), literal.len() > 1) else {
            return find_short(literal, text, from, to);
        };
        let mut tries = TRIES;
        let mut at = from;
        while at <= last {
            // PERF: where the text ends the window starts sooner, so that it is whole.
            let start = at.min(limit);
            let window = text.get(start..)?.first_chunk()?;
            let pairs = V::pairs(window, &self.first, &self.second);
            let mut places = pairs >> ((at - start) % PLACES);
            while places != 0 {
                let place = at + places.trailing_zeros().as_usize();
                if place > last {
                    return None;
                }
                if self.stands_at(literal, text, place) {
                    return Some(place + literal.len());
                }
                tries = match tries.checked_sub(1) {
                    Some(tries) => tries,
                    None => return search(literal, text, place, to),
                };
                places &= places - 1;
            }
            at = start + PLACES;
        }
        None
    }

    #[inline(always)]
    fn stands_at(&self, literal: &[u8], text: &[u8], place: usize) -> bool {
        let Some(found) = text.get(place..) else {
            return false;
        };
        match found.first_chunk() {
            Some(first) if literal.len() <= WIDE => self.start.agree(first),
            _ => stands_at_apart(literal, found),
        }
    }
}

/// PERF: apart, as few literals are so long, or stand where the text ends.
#[inline(never)]
fn stands_at_apart(literal: &[u8], found: &[u8]) -> bool {
    starts_with(found, literal)
}

/// [`Needle::find`] in a text too short for a window, or of a single byte.
#[inline(never)]
fn find_short(literal: &[u8], text: &[u8], from: usize, to: usize) -> Option<usize> {
    let between = text.get(from..to)?;
    if between.len() > WIDE {
        return search(literal, text, from, to);
    }
    let mut places = between.windows(literal.len().max(1));
    let at = places.position(|place| equal(place, literal))?;
    Some(from + at + literal.len())
}

/// Returns where the first `literal` ends that stands in `text` between `from` and `to`.
#[inline(never)]
pub(crate) fn search(literal: &[u8], text: &[u8], from: usize, to: usize) -> Option<usize> {
    let at = memchr::memmem::find(text.get(from..to)?, literal)?;
    Some(from + at + literal.len())
}

/// Returns the first and the last bytes, which may overlap.
#[inline(always)]
fn ends<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    Some((bytes.first_chunk()?, bytes.last_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::vector::{Level, Work};
    use super::*;

    /// Looks for a literal.
    struct Find<'t>(&'t [u8], &'t [u8], usize, usize);

    impl Work for Find<'_> {
        type Output = Option<usize>;

        #[inline(always)]
        fn run<V: Vectors>(self) -> Option<usize> {
            Needle::new(self.0).find::<V>(self.0, self.1, self.2, self.3)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn agrees_with_the_slices(
            a in "[ab]{0,40}|[ab]{60,70}|[ab]{0,150}",
            b in "[ab]{0,40}",
            ends in any::<(usize, usize)>(),
        ) {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let (x, y) = (ends.0 % (a.len() + 1), ends.1 % (a.len() + 1));
            let (from, to) = (x.min(y), x.max(y));
            prop_assert!(equal(a, a));
            prop_assert_eq!(equal(a, b), a == b);
            prop_assert!(starts_with(a, &a[..from]) && ends_with(a, &a[from..]));
            prop_assert_eq!(starts_with(a, b), a.starts_with(b));
            prop_assert_eq!(ends_with(a, b), a.ends_with(b));
            let b = if b.is_empty() { b"a" } else { &b[..b.len().min(1 + ends.0 % 20)] };
            let found = (from..=to).find(|&at| a[at..to].starts_with(b));
            let expected = found.map(|at| at + b.len());
            for level in [Level::LEAST, Level::detect()] {
                prop_assert_eq!(level.run(Find(b, a, from, to)), expected, "{}", level.name());
            }
        }

        #[test]
        fn lanes_are_those_of_the_literal(text in "[ab]{16}", literal in "[ab]{0,20}") {
            let (text, literal) = (text.as_bytes(), literal.as_bytes());
            let kept = literal.len().min(WIDE);
            let whole: &[u8; WIDE] = text.try_into().unwrap();
            prop_assert_eq!(Lanes::first(literal).agree(whole), text.starts_with(&literal[..kept]));
            let ending = &literal[literal.len() - kept..];
            prop_assert_eq!(Lanes::last(literal).agree(whole), text.ends_with(ending));
        }
    }

    /// What stands often in part, and whole where a search has taken over.
    #[test]
    fn many_tries_end() {
        let text = "ab".repeat(40) + "abc" + &"x".repeat(40);
        for level in [Level::LEAST, Level::detect()] {
            let found = level.run(Find(b"abc", text.as_bytes(), 0, text.len()));
            assert_eq!(found, Some(83));
        }
    }
}
