//! Stretches of flat tables, by offset and length in items.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::util::int::AsUsize;
#[cfg(feature = "build")]
use crate::util::int::to_u32;

/// A stretch of a table. Reading one that does not lie in the table gives nothing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Extent {
    /// The first item.
    pub(crate) start: u32,
    /// The number of items.
    pub(crate) len: u32,
}

impl Extent {
    /// Returns the items of `table`.
    #[inline(always)]
    pub(crate) fn of<T>(self, table: &[T]) -> &[T] {
        let start = self.start.as_usize();
        let end = start.saturating_add(self.len.as_usize());
        table.get(start..end).unwrap_or_default()
    }

    /// Returns the items of `table`, or `None` where they do not lie in it.
    ///
    /// PERF: a branch that is never taken, where [`Self::of`] chooses between two slices.
    #[inline(always)]
    pub(crate) fn get<T>(self, table: &[T]) -> Option<&[T]> {
        let start = self.start.as_usize();
        table.get(start..start.saturating_add(self.len.as_usize()))
    }

    /// Returns whether there are no items.
    #[inline(always)]
    pub(crate) const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Appends `items` to `table` and returns where they are, or `None` past 2^32 items.
    #[cfg(feature = "build")]
    pub(crate) fn append<T>(
        table: &mut Vec<T>,
        items: impl IntoIterator<Item = T>,
    ) -> Option<Self> {
        let start = to_u32(table.len())?;
        table.extend(items);
        let len = to_u32(table.len())? - start;
        Some(Self { start, len })
    }
}
