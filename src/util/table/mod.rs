//! Parts of a compiled image: each declares its tables once, and gets from that what a build
//! fills, what a decision reads, and the way from one to the other.
//!
//! ```text
//! tables! { struct Grams / GramsView { "automaton" { table sets: GramSet; … } } }
//!
//! Grams      Vec<GramSet> …      filled by a build ──measure, store──▶ bytes
//! GramsView  &[GramSet] …        read by decisions ◀────── read ────── bytes
//! ```
//!
//! A part has tables (flat arrays of records), scalars (one `u32` each) and parts. Their
//! order in the declaration is their order in the bytes; all scalars of all parts stand
//! together. This file knows nothing of headers and offsets; `crate::image` does.

#[cfg(feature = "build")]
mod built;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

#[cfg(feature = "build")]
pub(crate) use self::built::{Measure, Store, Tables, measure, owned, store, view};

/// What a table holds: integers without padding, so that every pattern of bytes is one.
pub(crate) trait Record: FromBytes + IntoBytes + Immutable + KnownLayout + Copy {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy> Record for T {}

/// What is told of a table by its declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// What the table serves.
    pub(crate) group: &'static str,
    /// The part that it belongs to, by its field.
    pub(crate) part: &'static str,
    /// Its field.
    pub(crate) name: &'static str,
    /// The size of a record in bytes.
    pub(crate) record_size: usize,
}

/// Gives the tables of a part in their order.
pub(crate) trait Source<'a> {
    /// Why there is no such table.
    type Error;

    /// Returns the next table.
    fn table<T: Record>(&mut self) -> Result<&'a [T], Self::Error>;

    /// Returns the next scalar.
    fn scalar(&mut self) -> Result<u32, Self::Error>;
}

/// Declares a part; see the module.
macro_rules! tables {
    (
        $(#[$meta:meta])*
        struct $Tables:ident / $View:ident $(<$P:ident: $Bound:path>)? {
            $($group:literal { $(
                $(#[$doc:meta])*
                $kind:ident $field:ident: $Type:ty $(, $Part:ident $(<$Arg:ty>)?)?;
            )* })*
        }
    ) => {
        $(#[$meta])*
        ///
        /// The tables as they are built.
        #[cfg(feature = "build")]
        pub(crate) struct $Tables $(<$P: $Bound>)? {
            $($( $(#[$doc])* pub(crate) $field: $crate::util::table::owned!($kind $Type), )*)*
        }

        $(#[$meta])*
        ///
        /// The tables as they are read.
        pub(crate) struct $View<'a $(, $P: $Bound)?> {
            $($( $(#[$doc])*
                pub(crate) $field: $crate::util::table::viewed!('a, $kind $Type $(, $Part $(<$Arg>)?)?),
            )*)*
        }

        // No derives: they refuse fields whose types come from macros.

        #[cfg(feature = "build")]
        impl $(<$P: $Bound>)? Default for $Tables $(<$P>)? {
            fn default() -> Self {
                Self { $($( $field: Default::default(), )*)* }
            }
        }

        #[cfg(feature = "build")]
        impl $(<$P: $Bound>)? core::fmt::Debug for $Tables $(<$P>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($Tables)).finish_non_exhaustive()
            }
        }

        impl<'a $(, $P: $Bound)?> Clone for $View<'a $(, $P)?> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<'a $(, $P: $Bound)?> Copy for $View<'a $(, $P)?> {}

        impl<'a $(, $P: $Bound)?> core::fmt::Debug for $View<'a $(, $P)?> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($View)).finish_non_exhaustive()
            }
        }

        #[cfg(feature = "build")]
        impl $(<$P: $Bound>)? $crate::util::table::Tables for $Tables $(<$P>)? {
            type View<'a> = $View<'a $(, $P)?> where Self: 'a;

            fn measure(&self, to: &mut impl $crate::util::table::Measure) {
                $($( $crate::util::table::measure!($kind self.$field, to); )*)*
            }

            fn store(self, to: &mut impl $crate::util::table::Store) {
                $($( $crate::util::table::store!($kind self.$field, to); )*)*
            }

            fn view(&self) -> $View<'_ $(, $P)?> {
                $View { $($( $field: $crate::util::table::view!($kind self.$field), )*)* }
            }
        }

        impl<'a $(, $P: $Bound)?> $View<'a $(, $P)?> {
            /// Hands over what is declared of each table.
            pub(crate) fn declare(
                group: Option<&'static str>,
                part: &'static str,
                to: &mut impl FnMut($crate::util::table::Declared),
            ) {
                $($(
                    $crate::util::table::declare!(
                        $kind $field: $Type $(, $Part $(<$Arg>)?)?; group.unwrap_or($group), part, to
                    );
                )*)*
            }

            /// Takes the tables from their bytes.
            pub(crate) fn read<Bytes: $crate::util::table::Source<'a>>(
                from: &mut Bytes,
            ) -> Result<Self, Bytes::Error> {
                // In the order of the declaration, as expressions of fields are evaluated.
                Ok(Self { $($(
                    $field: $crate::util::table::read!($kind $(, $Part $(<$Arg>)?)?; from),
                )*)* })
            }
        }
    };
}

macro_rules! viewed {
    ($a:lifetime, table $Type:ty) => { &$a [$Type] };
    ($a:lifetime, scalar $Type:ty) => { $Type };
    ($a:lifetime, part $Type:ty, $Part:ident $(<$Arg:ty>)?) => { $Part<$a $(, $Arg)?> };
}

macro_rules! declare {
    (table $field:ident: $Type:ty; $group:expr, $part:ident, $to:ident) => {
        $to($crate::util::table::Declared {
            group: $group,
            part: $part,
            name: stringify!($field),
            record_size: size_of::<$Type>(),
        })
    };
    (scalar $field:ident: $Type:ty; $group:expr, $part:ident, $to:ident) => {};
    (part $field:ident: $Type:ty, $Part:ident $(<$Arg:ty>)?; $group:expr, $part:ident, $to:ident) => {{
        // Unused where a part has parts alone.
        let _ = $part;
        $Part::$(<$Arg>::)?declare(Some($group), stringify!($field), $to);
    }};
}

macro_rules! read {
    (table; $from:ident) => {
        $from.table()?
    };
    (scalar; $from:ident) => {
        $from.scalar()?
    };
    (part, $Part:ident $(<$Arg:ty>)?; $from:ident) => {
        $Part::read($from)?
    };
}

pub(crate) use {declare, read, tables, viewed};
