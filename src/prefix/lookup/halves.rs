//! An IPv6 address as tables hold it: without the alignment of `u128`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

#[cfg(feature = "build")]
use crate::util::int::low64;

/// The upper and the lower half of an address.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Halves {
    upper: u64,
    lower: u64,
}

impl Halves {
    /// Splits `address`.
    #[cfg(feature = "build")]
    pub(super) fn new(address: u128) -> Self {
        Self {
            upper: low64(address >> 64),
            lower: low64(address),
        }
    }

    /// Returns the address.
    #[inline(always)]
    pub(super) fn bits(self) -> u128 {
        u128::from(self.upper) << 64 | u128::from(self.lower)
    }
}
