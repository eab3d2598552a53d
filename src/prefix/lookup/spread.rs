//! The upper 48 bits of an IPv6 address → class: blocks of /16, each spread over runs.
//!
//! ```text
//! root[upper 16 bits] ─▶ (base, shift) ─▶ runs[base + (next 32 bits >> shift)]
//! ```
//!
//! Prefixes cluster in few blocks of /16, so these are divided as finely as their own number of
//! stretches asks for.
//!
//! # Invariants
//!
//! Uniform blocks share one run for each class.

use super::runs::RunsView;
#[cfg(feature = "build")]
use super::runs::{Builder, Runs};
use crate::util::int::{AsUsize, low32};
use crate::util::table::tables;
#[cfg(feature = "build")]
use crate::util::{int::to_u32, keyed::Map};

/// How many lower bits of a root entry are the shift.
const SHIFT_BITS: u32 = 6;

/// The most stretches a run has on average.
#[cfg(feature = "build")]
const MEAN: usize = 8;

/// No block is divided into more than 2^this.
#[cfg(feature = "build")]
const FINEST: u32 = 20;

tables! {
    /// Runs by block and the bits after it.
    struct Spread / SpreadView {
        "classes" {
            /// The runs of each block of /16.
            table root: u32;
            /// All runs.
            part runs: Runs<u32>, RunsView<u32>;
        }
    }
}

/// A stretch: upper 16 bits, the next 32, and class.
#[cfg(feature = "build")]
pub(crate) type Stretch = (u16, u32, u32);

#[cfg(feature = "build")]
impl Spread {
    /// Lays out `stretches` of classes up to `largest`, in ascending order, the first from the
    /// lowest address; `None` where they are too many.
    pub(crate) fn new(stretches: &[Stretch], largest: u32) -> Option<Self> {
        let mut root = Vec::with_capacity(1 << 16);
        let mut runs = Builder::new(largest, false);
        let mut uniform: Map<u32, u32> = Map::default();
        let mut keys: Vec<(u32, u32)> = Vec::new();
        let mut rest = stretches;
        for block in 0..=u16::MAX {
            let inside = rest.iter().take_while(|stretch| stretch.0 == block);
            let (inside, after) = rest.split_at(inside.count());
            rest = after;
            if inside.is_empty()
                && let Some(&entry) = uniform.get(&runs.class())
            {
                root.push(entry);
                continue;
            }
            let log = (inside.len() / MEAN)
                .checked_ilog2()
                .map_or(0, |log| log + 1);
            let shift = u32::BITS - log.min(FINEST);
            let base = to_u32(runs.len()).filter(|at| at >> (u32::BITS - SHIFT_BITS) == 0)?;
            let entry = base << SHIFT_BITS | shift;
            if inside.is_empty() {
                uniform.insert(runs.class(), entry);
            }
            root.push(entry);
            keys.clear();
            keys.extend(inside.iter().map(|stretch| (stretch.1, stretch.2)));
            let mut keys = &*keys;
            for part in 0..1_u32 << (u32::BITS - shift) {
                let inside = keys
                    .iter()
                    .take_while(|key| after_shift(key.0, shift) == part);
                let (inside, after) = keys.split_at(inside.count());
                keys = after;
                runs.push(part.checked_shl(shift).unwrap_or_default(), inside)?;
            }
        }
        Some(Self {
            root,
            runs: runs.finish(),
        })
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..self.root.len() / 8 {
            let at = super::tests::below(&mut random, self.root.len());
            self.root[at] ^= low32(random() & random());
        }
        self.runs.corrupt(random);
    }
}

impl SpreadView<'_> {
    /// Returns whether every block has runs, if this shape was chosen.
    pub(crate) fn is_sound(&self) -> bool {
        let is_whole = self.root.is_empty() || self.root.len() == 1 << 16;
        let is_there = |&entry: &u32| {
            let last = self.block(entry, u32::MAX);
            entry % (1 << SHIFT_BITS) <= u32::BITS && last < self.runs.root.len()
        };
        is_whole && self.runs.is_sound() && self.root.iter().all(is_there)
    }

    /// Returns the class of the address with these upper 16 bits and these after them.
    #[inline(always)]
    pub(crate) fn class(&self, block: u16, key: u32) -> u32 {
        let entry = self.root.get(block.as_usize()).copied().unwrap_or_default();
        self.runs.class(self.block(entry, key), key)
    }

    /// Returns the number of the run of `key`.
    #[inline(always)]
    fn block(&self, entry: u32, key: u32) -> usize {
        let part = after_shift(key, entry % (1 << SHIFT_BITS));
        (entry >> SHIFT_BITS).wrapping_add(part).as_usize()
    }
}

/// Returns `key` without its lower `shift` bits, of which there may be all 32.
#[inline(always)]
fn after_shift(key: u32, shift: u32) -> u32 {
    low32(u64::from(key).wrapping_shr(shift))
}
