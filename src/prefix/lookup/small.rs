//! Address → class in a sorted run of at most [`LIMIT`] stretches: a few cache lines.
//!
//! # Invariants
//!
//! `starts` and `classes` have the same length, a multiple of [`GROUP`]; past the last
//! stretch they repeat the highest address and the last class.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::util::ids::ClassId;
use crate::util::int::{AsUsize, low64};
use crate::util::table::{Record, tables};

/// With more stretches there are other tables.
pub(crate) const LIMIT: usize = 64;

/// How many starts are compared at once.
const GROUP: usize = 8;

/// An address as tables hold it.
pub(crate) trait Start: Record + Default + Ord {
    /// The highest address.
    #[cfg(feature = "build")]
    const MAX: Self;

    /// Returns how many of `starts` are not above this address.
    fn count_from(self, starts: &[Self]) -> usize;
}

impl Start for u32 {
    #[cfg(feature = "build")]
    const MAX: Self = Self::MAX;

    #[inline(always)]
    fn count_from(self, starts: &[Self]) -> usize {
        // PERF: all of them, in vectors, one sum for each lane of a group: of 41 stretches
        // 10.5 / 5.9 ns, by halves 16 / 5.7, by a mask for each group 10.8 / 8.8.
        let (groups, _) = starts.as_chunks::<GROUP>();
        let mut counts = [0_u32; GROUP];
        for group in groups {
            for (count, &start) in counts.iter_mut().zip(group) {
                *count += Self::from(start <= self);
            }
        }
        counts.iter().sum::<Self>().as_usize()
    }
}

/// An IPv6 address as the tables hold it: without the alignment of `u128`.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub(crate) struct Halves {
    upper: u64,
    lower: u64,
}

impl Halves {
    /// Splits `address`.
    #[inline(always)]
    pub(crate) fn new(address: u128) -> Self {
        Self {
            upper: low64(address >> 64),
            lower: low64(address),
        }
    }

    #[inline(always)]
    pub(crate) fn bits(self) -> u128 {
        u128::from(self.upper) << 64 | u128::from(self.lower)
    }
}

impl Start for Halves {
    #[cfg(feature = "build")]
    const MAX: Self = Self {
        upper: u64::MAX,
        lower: u64::MAX,
    };

    #[inline(always)]
    fn count_from(self, starts: &[Self]) -> usize {
        // PERF: two instructions a start, as the lower halves seldom matter: of 41 stretches
        // 17 / 13 ns, by halves 23 / 26.
        let mut count = 0;
        for start in starts {
            count += usize::from(start.upper <= self.upper);
        }
        let is_above = |at: usize| match starts.get(at) {
            Some(start) => start.upper == self.upper && start.lower > self.lower,
            None => false,
        };
        while is_above(count.wrapping_sub(1)) {
            count -= 1;
        }
        count
    }
}

tables! {
    /// One sorted run.
    struct Small / SmallView<S: Start> {
        "classes" {
            /// Where the stretches start.
            table starts: S;
            /// Their classes.
            table classes: ClassId;
        }
    }
}

#[cfg(feature = "build")]
impl<S: Start> Small<S> {
    /// Lays out `stretches`, at most [`LIMIT`], the first from the lowest address.
    pub(crate) fn new(stretches: impl Iterator<Item = (S, ClassId)>) -> Self {
        let (mut starts, mut classes): (Vec<S>, Vec<ClassId>) = stretches.unzip();
        let len = starts.len().next_multiple_of(GROUP);
        starts.resize(len, S::MAX);
        classes.resize(len, classes.last().copied().unwrap_or_default());
        Self { starts, classes }
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..self.starts.len() / 4 {
            let from = super::tests::below(&mut random, self.starts.len());
            let to = super::tests::below(&mut random, self.starts.len());
            self.starts.swap(from, to);
        }
        if !self.classes.is_empty() {
            self.classes
                .truncate(super::tests::below(&mut random, self.classes.len()));
        }
    }
}

impl<S: Start> SmallView<'_, S> {
    /// Returns whether the invariants hold that bound the time of a look-up.
    pub(crate) fn is_sound(&self) -> bool {
        self.starts.len() <= LIMIT && self.starts.len() == self.classes.len()
    }

    /// Returns whether another shape was chosen.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Returns the class of `address`, or `None` if another shape was chosen.
    #[inline(always)]
    pub(crate) fn class(&self, address: S) -> Option<ClassId> {
        if self.is_empty() {
            return None;
        }
        // INVARIANT: the first stretch starts at the lowest address, so the count is not 0.
        let last = address.count_from(self.starts).saturating_sub(1);
        Some(self.classes.get(last).copied().unwrap_or_default())
    }
}
