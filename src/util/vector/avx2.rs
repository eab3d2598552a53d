//! Vectors of 32 bytes, and the instructions for bits that came with them, where the processor has them.
#![expect(
    unsafe_code,
    clippy::multiple_unsafe_ops_per_block,
    reason = "intrinsics of features that the processor was asked for"
)]

use core::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
    _mm256_movemask_epi8, _mm256_set_m128i,
};

use super::sse2::load;
use super::{PLACES, Vectors, WIDE, Work};

/// What [`super::Level::name`] calls it.
pub(super) const NAME: &str = "AVX2";

/// Returns whether the processor has what [`run`] is compiled for.
pub(super) fn is_there() -> bool {
    std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("lzcnt")
        && std::is_x86_feature_detected!("popcnt")
}

/// Does `work`; to be called where [`is_there`] says so.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline(never)]
pub(super) fn run<W: Work>(work: W) -> W::Output {
    work.run::<Avx2>()
}

/// Vectors of 32 bytes.
///
/// INVARIANT: nothing but [`run`] names it, so that whoever has it was asked for what it needs.
/// PERF: what is inlined into `run` is compiled for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2;

impl Vectors for Avx2 {
    #[inline(always)]
    fn pairs(text: &[u8; PLACES + 1], first: &[u8; WIDE], second: &[u8; WIDE]) -> u32 {
        let (Some(here), Some(behind)) = (text.first_chunk(), text.last_chunk()) else {
            return 0;
        };
        // SAFETY: only `run` names `Avx2`, and is called only where the processor was asked.
        unsafe {
            let first = _mm256_broadcastsi128_si256(load(first));
            let second = _mm256_broadcastsi128_si256(load(second));
            let first = _mm256_cmpeq_epi8(load_wide(here), first);
            let second = _mm256_cmpeq_epi8(load_wide(behind), second);
            _mm256_movemask_epi8(_mm256_and_si256(first, second)).cast_unsigned()
        }
    }

    #[inline(always)]
    fn apart<W: Work>(work: W) -> W::Output {
        // SAFETY: as in `pairs`.
        unsafe { run(work) }
    }
}

#[inline(always)]
fn load_wide(bytes: &[u8; PLACES]) -> __m256i {
    let ([low, high], _) = bytes.as_chunks::<WIDE>() else {
        // SAFETY: as in `pairs`; never taken.
        return unsafe { _mm256_broadcastsi128_si256(load(&[0; WIDE])) };
    };
    // SAFETY: as in `pairs`. PERF: this becomes one load.
    unsafe { _mm256_set_m128i(load(high), load(low)) }
}
