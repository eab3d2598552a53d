//! What every x86-64 has: vectors of sixteen bytes.
#![expect(
    unsafe_code,
    clippy::multiple_unsafe_ops_per_block,
    reason = "intrinsics of a feature that is there, by the condition of this module"
)]

use core::arch::x86_64::{
    __m128i, _MM_HINT_T0, _mm_and_si128, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_prefetch,
    _mm_set_epi64x,
};

use super::{PLACES, WIDE};
use crate::util::int::halves;

/// What [`super::Level::name`] calls it.
pub(super) const NAME: &str = "SSE2";

/// See [`super::Vectors::pairs`].
#[inline(always)]
pub(crate) fn pairs(text: &[u8; PLACES + 1], first: &[u8; WIDE], second: &[u8; WIDE]) -> u32 {
    let (here, _) = text.as_chunks::<WIDE>();
    let (_, behind) = text.as_rchunks::<WIDE>();
    let ([low, high], [low_behind, high_behind]) = (here, behind) else {
        return 0;
    };
    // SAFETY: the intrinsics need SSE2 only.
    unsafe {
        let (first, second) = (load(first), load(second));
        let both = |here, behind| {
            let first = _mm_cmpeq_epi8(load(here), first);
            let second = _mm_cmpeq_epi8(load(behind), second);
            _mm_movemask_epi8(_mm_and_si128(first, second)).cast_unsigned()
        };
        both(low, low_behind) | both(high, high_behind) << WIDE
    }
}

/// Returns a bit for each place at which the two are equal, the first place's the lowest.
#[inline(always)]
pub(crate) fn lanes(a: &[u8; WIDE], b: &[u8; WIDE]) -> u32 {
    // SAFETY: the intrinsics need SSE2 only.
    unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(load(a), load(b))).cast_unsigned() }
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
pub(super) fn load(bytes: &[u8; WIDE]) -> __m128i {
    // PERF: by way of a number this becomes one load.
    let (low, high) = halves(u128::from_le_bytes(*bytes));
    // SAFETY: the intrinsic needs SSE2 only.
    unsafe { _mm_set_epi64x(high, low) }
}
