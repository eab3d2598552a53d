//! IPv6 address → class where there are few stretches: three comparisons choose a quarter of them, three a
//! quarter of that, and three one of the last four.
//!
//! Latency / throughput in ns of 65 536 addresses, least of 60 rounds in turn, Sapphire Rapids VM, two
//! cores that others used as well, compiled for AVX2; beside it a run compared in vectors, all of it:
//!
//! | prefixes | this | run |
//! |---|---|---|
//! | 1 | 7.2 / 4.2 | 15.1 / 6.2 |
//! | 3 to 6 | 12.8 / 7.3 | 15 to 17 / 6 to 8 |
//! | 12 | 18.0 / 9.2 | 24 / 11 |
//! | 31 | 18.5 / 9.8 | 29 / 18 |
//!
//! Tried: groups of eight behind eight leaders, 18 / 9.3 at all sizes with AVX2, and twice that
//! with what every processor has; upper halves in vectors, 29 / 6.6 and 43 / 21.
//!
//! # Invariants
//!
//! `starts` and `classes` have the same length, a power of four up to [`LIMIT`]; past the last stretch
//! they repeat the highest address and the last class.

use super::halves::Halves;
use crate::util::ids::ClassId;
use crate::util::table::tables;

/// With more stretches there are other tables.
pub(crate) const LIMIT: usize = PARTS * PARTS * PARTS;

/// In so many parts a run is divided at once.
const PARTS: usize = 4;

tables! {
    /// One sorted run.
    struct Small / SmallView {
        "classes" {
            /// Where the stretches start.
            table starts: Halves;
            /// Their classes.
            table classes: ClassId;
        }
    }
}

#[cfg(feature = "build")]
impl Small {
    /// Lays out `stretches`, at most [`LIMIT`], the first from the lowest address.
    pub(crate) fn new(stretches: &[(u128, ClassId)]) -> Self {
        let (starts, mut classes): (Vec<u128>, Vec<ClassId>) = stretches.iter().copied().unzip();
        let mut starts: Vec<Halves> = starts.into_iter().map(Halves::new).collect();
        let mut len = PARTS;
        while len < starts.len() {
            len *= PARTS;
        }
        starts.resize(len, Halves::new(u128::MAX));
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

impl SmallView<'_> {
    /// Returns whether there are as many as can be told apart, if any.
    pub(crate) fn is_sound(&self) -> bool {
        let lens = [0, PARTS, PARTS * PARTS, LIMIT];
        lens.contains(&self.starts.len()) && self.starts.len() == self.classes.len()
    }

    /// Returns whether another shape was chosen.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Returns the class of `address`, or `None` if another shape was chosen.
    #[inline(always)]
    pub(crate) fn class(&self, address: u128) -> Option<ClassId> {
        if self.is_empty() {
            return None;
        }
        // INVARIANT: the first stretch starts at the lowest address, which is not compared.
        let (fours, _) = self.starts.as_chunks::<PARTS>();
        let (sixteens, _) = fours.as_chunks::<PARTS>();
        let mut at = match sixteens {
            [_, [a, ..], [b, ..], [c, ..]] => passed([a, b, c].map(|four| &four[0]), address),
            _ => 0,
        };
        if let Some([_, [a, ..], [b, ..], [c, ..]]) = sixteens.get(at) {
            at = at * PARTS + passed([a, b, c], address);
        }
        let [_, a, b, c] = fours.get(at)?;
        at = at * PARTS + passed([a, b, c], address);
        Some(self.classes.get(at).copied().unwrap_or_default())
    }
}

/// Returns how many of `starts`, which are in order, are not above `address`.
#[inline(always)]
fn passed(starts: [&Halves; PARTS - 1], address: u128) -> usize {
    let [a, b, c] = starts.map(|start| usize::from(start.bits() <= address));
    a + b + c
}
