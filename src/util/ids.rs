//! Id newtypes: one `u32` each, so that a class cannot be mistaken for a pattern.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::util::int::AsUsize;
#[cfg(feature = "build")]
use crate::util::int::to_u32;

/// A number that names an item of one table.
pub(crate) trait Id: Copy {
    /// Returns the id with this number.
    fn from_u32(number: u32) -> Self;

    /// Returns the number.
    fn as_u32(self) -> u32;

    /// Returns the id of the `index`-th item, or `None` from 2^32 - 1 on.
    #[cfg(feature = "build")]
    #[inline]
    fn new(index: usize) -> Option<Self> {
        to_u32(index)
            .filter(|&number| number < u32::MAX)
            .map(Self::from_u32)
    }

    /// Returns the number as an index.
    #[inline(always)]
    fn as_usize(self) -> usize {
        self.as_u32().as_usize()
    }
}

macro_rules! define_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(transparent)]
        pub(crate) struct $name(u32);

        impl Id for $name {
            #[inline(always)]
            fn from_u32(number: u32) -> Self {
                Self(number)
            }

            #[inline(always)]
            fn as_u32(self) -> u32 {
                self.0
            }
        }
    )+};
}

define_ids! {
    /// An equivalence class of addresses: no prefix list tells two of its members apart.
    ClassId;
    /// A prefix list as a statement's condition holds it, interned.
    ListId;
    /// A resource pattern, interned.
    PatternId;
    /// One rule of the normal form: a statement.
    RuleId;
}
