//! What the processor does with many bytes at once, chosen when an engine is made, and loads begun
//! ahead.
//!
//! ```text
//! Level::detect ──▶ Level ──run(work)──▶ work.run::<Avx2>()   compiled for AVX2, BMI, LZCNT and POPCNT
//!                                   └──▶ work.run::<Least>()  for what every processor has
//! ```
//!
//! On x86-64 with a system the second is SSE2. Elsewhere, a bare x86-64 included, and with
//! `--cfg portcullis_portable` it is the portable twins, which do the same; all tests are run with
//! either, and the levels are asked side by side.
//!
//! A level's code is everything that is inlined into [`Work::run`], the compiler's own vectors and
//! bit counts included; what is not inlined is compiled for the least processor.
//!
//! This module and the mapping of files are the only places with `unsafe`: of no safe form that was
//! tried does the compiler make the mask of so many comparisons, and it offers no other way to
//! begin a load, or to compile a function for what a processor is known to have.

#[cfg(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(portcullis_portable)
))]
mod sse2;

#[cfg(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    feature = "std",
    not(portcullis_portable)
))]
mod avx2;

#[cfg(any(
    test,
    not(all(
        target_arch = "x86_64",
        target_feature = "sse2",
        not(portcullis_portable)
    ))
))]
mod portable;

#[cfg(not(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(portcullis_portable)
)))]
use self::portable as least;
#[cfg(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(portcullis_portable)
))]
use self::sse2 as least;

pub(crate) use self::least::{lanes, prefetch};

/// How many bytes the short comparisons look at.
pub(crate) const WIDE: usize = 16;

/// How many places of a text are looked at together.
pub(crate) const PLACES: usize = 32;

/// How wide vectors are.
pub(crate) trait Vectors: Copy {
    /// Returns a bit for each of the first 32 places of `text` at which `first` stands with
    /// `second` behind it, the first place's the lowest; both are given in all sixteen bytes.
    fn pairs(text: &[u8; PLACES + 1], first: &[u8; WIDE], second: &[u8; WIDE]) -> u32;

    /// Does `work` in a function of its own, compiled for the same level.
    ///
    /// PERF: what a loop in the caller needs stays in registers so, and the loads of what only the
    /// work needs are not done ahead of it.
    fn apart<W: Work>(work: W) -> W::Output;
}

/// What every processor of the target has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Least;

impl Vectors for Least {
    #[inline(always)]
    fn pairs(text: &[u8; PLACES + 1], first: &[u8; WIDE], second: &[u8; WIDE]) -> u32 {
        least::pairs(text, first, second)
    }

    #[inline(always)]
    fn apart<W: Work>(work: W) -> W::Output {
        run_least(work)
    }
}

/// Something that is compiled for each level.
pub(crate) trait Work {
    /// What comes of it.
    type Output;

    /// Does it; to be inlined always.
    fn run<V: Vectors>(self) -> Self::Output;
}

/// What the processor has, as far as that makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Least,
    // INVARIANT: only where it was detected.
    #[cfg(all(
        target_arch = "x86_64",
        target_feature = "sse2",
        feature = "std",
        not(portcullis_portable)
    ))]
    Avx2,
}

impl Level {
    /// What every processor of the target has.
    pub(crate) const LEAST: Self = Self(Kind::Least);

    /// Returns the highest level of this processor.
    pub(crate) fn detect() -> Self {
        #[cfg(all(
            target_arch = "x86_64",
            target_feature = "sse2",
            feature = "std",
            not(portcullis_portable)
        ))]
        if avx2::is_there() {
            return Self(Kind::Avx2);
        }
        Self::LEAST
    }

    /// Returns its name.
    pub(crate) const fn name(self) -> &'static str {
        match self.0 {
            Kind::Least => least::NAME,
            #[cfg(all(
                target_arch = "x86_64",
                target_feature = "sse2",
                feature = "std",
                not(portcullis_portable)
            ))]
            Kind::Avx2 => avx2::NAME,
        }
    }

    /// Does `work` with what the processor has.
    #[inline(always)]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Kind::Least => run_least(work),
            #[cfg(all(
                target_arch = "x86_64",
                target_feature = "sse2",
                feature = "std",
                not(portcullis_portable)
            ))]
            #[expect(unsafe_code, reason = "the processor has what it is compiled for")]
            // SAFETY: the level is there only where the processor was asked.
            Kind::Avx2 => unsafe { avx2::run(work) },
        }
    }
}

/// PERF: apart, as the code of the other level is.
#[inline(never)]
fn run_least<W: Work>(work: W) -> W::Output {
    work.run::<Least>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Asks for pairs.
    struct Pairs<'t>(&'t [u8; PLACES + 1], [u8; WIDE], [u8; WIDE]);

    impl Work for Pairs<'_> {
        type Output = u32;

        #[inline(always)]
        fn run<V: Vectors>(self) -> u32 {
            V::pairs(self.0, &self.1, &self.2)
        }
    }

    proptest! {
        #[test]
        fn the_twins_agree(
            text in "[abc]{33}",
            other in "[abc]{16}",
            (first, second, at) in any::<(u8, u8, u8)>(),
        ) {
            let text: &[u8; PLACES + 1] = text.as_bytes().try_into().unwrap();
            let other: &[u8; WIDE] = other.as_bytes().try_into().unwrap();
            let letter = |byte: u8| [b'a' + byte % 4; WIDE];
            let (one, two) = (letter(first), letter(second));
            let expected = portable::pairs(text, &one, &two);
            for level in [Level::LEAST, Level::detect()] {
                prop_assert_eq!(level.run(Pairs(text, one, two)), expected, "{}", level.name());
            }
            let start = text.first_chunk().unwrap();
            let mut near = *start;
            near[usize::from(at) % WIDE] ^= first;
            for (a, b) in [(start, other), (start, &near), (start, start)] {
                prop_assert_eq!(lanes(a, b), portable::lanes(a, b));
            }
        }
    }

    #[test]
    fn the_first_place_is_the_lowest_bit() {
        let text = b"abxxxxxxxxxxxxxabxxxxxxxxxxxxxxab";
        for level in [Level::LEAST, Level::detect()] {
            let pairs = level.run(Pairs(text, [b'a'; WIDE], [b'b'; WIDE]));
            assert_eq!(pairs, 1 | 1 << 15 | 1 << 31, "{}", level.name());
        }
        assert_eq!(lanes(b"abcdefghijklmnop", b"a.......i......p"), 0x8101);
    }
}
