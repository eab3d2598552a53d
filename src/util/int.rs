//! Lossless integer casts, so that `as` appears in this file only.
//!
//! Used wherever a table offset (always `u32` in the image) indexes a slice.

// A 16-bit target could not hold the tables at all.
const _: () = assert!(usize::BITS >= 32);

/// Lossless conversion to `usize`.
pub(crate) trait AsUsize: Copy {
    /// Returns the value as `usize`.
    fn as_usize(self) -> usize;
}

impl AsUsize for u8 {
    #[inline(always)]
    fn as_usize(self) -> usize {
        usize::from(self)
    }
}

impl AsUsize for u16 {
    #[inline(always)]
    fn as_usize(self) -> usize {
        usize::from(self)
    }
}

impl AsUsize for u32 {
    #[inline(always)]
    #[expect(
        clippy::as_conversions,
        reason = "usize has at least 32 bits, asserted above"
    )]
    fn as_usize(self) -> usize {
        self as usize
    }
}

/// Returns `value` as `u32`, or `None` where it does not fit.
#[inline]
pub(crate) fn to_u32(value: usize) -> Option<u32> {
    u32::try_from(value).ok()
}

/// Returns the upper 16 bits of an IPv6 address in host order.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "the shift leaves 16 bits")]
pub(crate) const fn top16_v6(bits: u128) -> u16 {
    (bits >> 112) as u16
}

/// Returns the product of two words, its halves folded into one.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "each half has 64 bits")]
pub(crate) const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Returns the lower half.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "the lower half is asked for")]
pub(crate) const fn low32(word: u64) -> u32 {
    word as u32
}

/// Returns the upper half.
#[cfg(feature = "build")]
#[inline(always)]
#[expect(clippy::as_conversions, reason = "the shift leaves 32 bits")]
pub(crate) const fn high32(word: u64) -> u32 {
    (word >> 32) as u32
}

/// Returns the lower 16 bits.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "the upper bits are not wanted")]
pub(crate) const fn low16(bits: u32) -> u16 {
    bits as u16
}

/// Returns the lower and the upper half.
#[cfg(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(portcullis_portable)
))]
#[inline(always)]
#[expect(clippy::as_conversions, reason = "both halves are asked for")]
pub(crate) const fn halves(bits: u128) -> (i64, i64) {
    (bits as i64, (bits >> 64) as i64)
}

/// Returns the lower 64 bits.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "the upper bits are not wanted")]
pub(crate) const fn low64(bits: u128) -> u64 {
    bits as u64
}
