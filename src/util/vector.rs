//! What the processor does with sixteen bytes at once, and loads begun ahead.
//!
//! Nothing is asked at run time: SSE2 is part of every x86-64 that a program with a system runs
//! on, and compiled for AVX2, BMI and POPCNT decisions take as long (2 to 3 % fewer instructions).
//! Elsewhere, a bare x86-64 included, and with `--cfg portcullis_portable` the portable twins do the
//! same; all tests are run with either.
//!
//! This module and the mapping of files are the only places with `unsafe`: of no safe form that was
//! tried does the compiler make the mask of sixteen comparisons, and it offers no other way to
//! begin a load.

#[cfg(not(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(portcullis_portable)
)))]
pub(crate) use self::portable::{agree, pairs, prefetch};
#[cfg(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(portcullis_portable)
))]
pub(crate) use self::sse2::{agree, pairs, prefetch};

/// How many bytes are looked at together.
pub(crate) const WIDE: usize = 16;

#[cfg(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(portcullis_portable)
))]
#[expect(
    unsafe_code,
    clippy::multiple_unsafe_ops_per_block,
    reason = "intrinsics of a feature that is there, by the condition of this module"
)]
mod sse2 {
    use core::arch::x86_64::{
        __m128i, _MM_HINT_T0, _mm_and_si128, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_prefetch,
        _mm_set_epi64x, _mm_set1_epi8,
    };

    use super::WIDE;
    use crate::util::int::halves;

    /// Returns a bit for each of the first sixteen places of `text` at which `first` stands with
    /// `second` behind it; both are given in all sixteen bytes.
    #[inline(always)]
    pub(crate) fn pairs(text: &[u8; WIDE + 1], first: &[u8; WIDE], second: &[u8; WIDE]) -> u32 {
        let (Some(here), Some(behind)) = (text.first_chunk(), text.last_chunk()) else {
            return 0;
        };
        // SAFETY: the intrinsics need SSE2 only.
        unsafe {
            let first = _mm_cmpeq_epi8(load(here), load(first));
            let second = _mm_cmpeq_epi8(load(behind), load(second));
            _mm_movemask_epi8(_mm_and_si128(first, second)).cast_unsigned()
        }
    }

    /// Returns whether all of `a` are what the same of `b` are.
    #[inline(always)]
    pub(crate) fn agree<const N: usize>(a: [&[u8; WIDE]; N], b: [&[u8; WIDE]; N]) -> bool {
        // SAFETY: the intrinsics need SSE2 only.
        unsafe {
            let mut all = _mm_set1_epi8(-1);
            for (a, b) in a.iter().zip(b) {
                all = _mm_and_si128(all, _mm_cmpeq_epi8(load(a), load(b)));
            }
            _mm_movemask_epi8(all) == 0xffff
        }
    }

    /// Begins to load an item of a table, if it is there, without waiting for it.
    #[inline(always)]
    pub(crate) fn prefetch<T>(table: &[T], at: usize) {
        if let Some(item) = table.get(at) {
            // SAFETY: the intrinsic needs SSE only, and is a hint whatever the address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(item).cast()) }
        }
    }

    #[inline(always)]
    fn load(bytes: &[u8; WIDE]) -> __m128i {
        // PERF: by way of a number this becomes one load.
        let (low, high) = halves(u128::from_le_bytes(*bytes));
        // SAFETY: the intrinsic needs SSE2 only.
        unsafe { _mm_set_epi64x(high, low) }
    }
}

#[cfg(any(
    test,
    not(all(
        target_arch = "x86_64",
        target_feature = "sse2",
        not(portcullis_portable)
    ))
))]
mod portable {
    use super::WIDE;

    /// Returns a bit for each of the first sixteen places of `text` at which `first` stands with
    /// `second` behind it; both are given in all sixteen bytes.
    pub(crate) fn pairs(text: &[u8; WIDE + 1], first: &[u8; WIDE], second: &[u8; WIDE]) -> u32 {
        let places = text.windows(2).zip(first.iter().zip(second));
        // The first is the lowest.
        places.rev().fold(0, |bits, (pair, (first, second))| {
            bits << 1 | u32::from(pair == [*first, *second])
        })
    }

    /// Returns whether all of `a` are what the same of `b` are.
    pub(crate) fn agree<const N: usize>(a: [&[u8; WIDE]; N], b: [&[u8; WIDE]; N]) -> bool {
        a == b
    }

    /// Would begin to load an item of a table: there is no portable way.
    #[cfg(not(all(
        target_arch = "x86_64",
        target_feature = "sse2",
        not(portcullis_portable)
    )))]
    pub(crate) fn prefetch<T>(_: &[T], _: usize) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_twins_agree(
            text in "[abc]{17}",
            other in "[abc]{16}",
            (first, second, at) in any::<(u8, u8, u8)>(),
        ) {
            let text: &[u8; WIDE + 1] = text.as_bytes().try_into().unwrap();
            let other: &[u8; WIDE] = other.as_bytes().try_into().unwrap();
            let letter = |byte: u8| [b'a' + byte % 4; WIDE];
            let (one, two) = (letter(first), letter(second));
            prop_assert_eq!(pairs(text, &one, &two), portable::pairs(text, &one, &two));
            let start = text.first_chunk().unwrap();
            let mut near = *start;
            near[usize::from(at) % WIDE] ^= first;
            for (a, b) in [([start, other], [other, start]), ([start, other], [&near, other])] {
                prop_assert_eq!(agree(a, b), portable::agree(a, b));
                prop_assert_eq!(agree(b, a), portable::agree(a, b));
            }
        }
    }

    #[test]
    fn the_first_place_is_the_lowest_bit() {
        let text = b"abxxxxxxxxxxxxxab";
        assert_eq!(pairs(text, &[b'a'; WIDE], &[b'b'; WIDE]), 1 | 1 << 15);
    }
}
