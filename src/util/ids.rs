//! Id newtypes: one `u32` each, so that a class cannot be mistaken for a pattern.

macro_rules! define_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub(crate) struct $name(u32);

        impl $name {
            /// The first id.
            pub(crate) const ZERO: Self = Self(0);
            /// The number of ids there can be; ids are below it.
            pub(crate) const LIMIT: u32 = u32::MAX;

            /// Returns the id with this number.
            #[inline(always)]
            pub(crate) const fn from_u32(value: u32) -> Self {
                Self(value)
            }

            /// Returns the id of the `index`-th item, or `None` past [`Self::LIMIT`].
            #[inline]
            pub(crate) fn new(index: usize) -> Option<Self> {
                u32::try_from(index).ok().filter(|&v| v < Self::LIMIT).map(Self)
            }

            /// Returns the number of the id.
            #[inline(always)]
            pub(crate) const fn as_u32(self) -> u32 {
                self.0
            }

            /// Returns the id as an index.
            #[inline(always)]
            pub(crate) fn as_usize(self) -> usize {
                $crate::util::int::AsUsize::as_usize(self.0)
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
    /// One normalised rule of the intermediate form.
    RuleId;
}
