//! The upper 48 bits of an IPv6 address → class: blocks of /16, each divided into parts.
//!
//! ```text
//! root[upper 16 bits] ─▶ (base, shift) ─▶ parts[base + (next 32 bits >> shift)] ─▶ steps
//! ```
//!
//! Prefixes cluster in few blocks of /16, so these are divided as finely as their own number of
//! stretches asks for.
//!
//! # Invariants
//!
//! - Uniform blocks share one part for each class.
//! - Either steps are laid out or fine ones.

use super::fine::{self, FineView};
use super::steps::StepsView;
#[cfg(feature = "build")]
use super::{
    fine::Fine,
    steps::{self, Steps},
};
use crate::util::int::{AsUsize, low32};
#[cfg(feature = "build")]
use crate::util::keyed::Map;
use crate::util::table::tables;

/// How many lower bits of a root entry are the shift.
const SHIFT_BITS: u32 = 6;

/// Of less steps a line is not filled.
#[cfg(feature = "build")]
const LEAST_STEPS: usize = 4;

/// Of so many steps a line may be on average: by chance one of a hundred is then too full.
///
/// PERF: twice as many lines, half as full, take 46 / 17 ns at 200 000 prefixes where these take
/// 35 / 14, as the second-level cache of the machine measured on holds no more than these.
#[cfg(feature = "build")]
const USUAL_STEPS: usize = 9;

/// No block is divided into more than 2^this.
#[cfg(feature = "build")]
const FINEST: u32 = 20;

tables! {
    /// Steps by block and the bits after it.
    struct Spread / SpreadView {
        "classes" {
            /// The parts of each block of /16 (26 bits), and the shift that tells them (6).
            table root: u32;
            /// All steps.
            part steps: Steps, StepsView;
            /// All steps, where they are many and their classes few.
            part fine: Fine, FineView;
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
        if largest <= fine::MOST && is_dense(stretches) {
            let mut fine = Fine::default();
            let root = root(stretches, |keys| {
                let log = match keys {
                    [_] => 0,
                    _ => fine_log(keys.iter().copied()),
                };
                Some((fine.append(keys, log)?, log))
            });
            // Where they are more than can be counted, the others may do.
            if let Some(root) = root {
                return Some(Self {
                    root,
                    fine,
                    ..Self::default()
                });
            }
        }
        let mut steps = Steps::default();
        let root = root(stretches, |keys| {
            let log = keys.len().ilog2().min(FINEST);
            Some((steps.append(steps::of(keys.iter().copied())?, log)?, log))
        })?;
        Some(Self {
            root,
            steps,
            ..Self::default()
        })
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..self.root.len() / 8 {
            let at = super::tests::below(&mut random, self.root.len());
            self.root[at] ^= low32(random() & random());
        }
        self.steps.corrupt(&mut random);
        self.fine.corrupt(random);
    }
}

impl SpreadView<'_> {
    /// Returns whether every block has steps, if this shape was chosen.
    pub(crate) fn is_sound(&self) -> bool {
        let is_whole = self.root.is_empty() || self.root.len() == 1 << 16;
        let is_there = |&entry: &u32| {
            let shift = entry % (1 << SHIFT_BITS);
            let parts = after_shift(u32::MAX, shift);
            let last = (entry >> SHIFT_BITS).checked_add(parts).map(u32::as_usize);
            // Behind the last block of steps there is an entry for the end.
            let is_there = |last| last + 1 < self.steps.root.len() || last < self.fine.lines.len();
            // In a line the upper bits of a start are told by the block, or it is all of one class.
            let told = u32::BITS.wrapping_sub(shift);
            let fits = self.fine.is_empty() || told == 0 || told >= fine::LEAST;
            shift <= u32::BITS && fits && last.is_some_and(is_there)
        };
        let is_one = self.steps.is_empty() || self.fine.is_empty();
        let are_sound = is_one && self.steps.is_sound() && self.fine.is_sound();
        is_whole && are_sound && self.root.iter().all(is_there)
    }

    /// Returns whether the steps are in lines.
    pub(crate) fn has_lines(&self) -> bool {
        !self.fine.is_empty()
    }

    /// Returns the class of the address with these upper 16 bits and these after them.
    #[inline(always)]
    pub(crate) fn class(&self, block: u16, key: u32) -> u32 {
        let entry = self.root.get(block.as_usize()).copied().unwrap_or_default();
        let block = self.block(entry, key);
        if self.fine.is_empty() {
            return self.steps.class(block, key);
        }
        let log = u32::BITS.wrapping_sub(entry % (1 << SHIFT_BITS));
        self.fine.class(block, key, log)
    }

    /// Returns the number of the part of `key`.
    #[inline(always)]
    fn block(&self, entry: u32, key: u32) -> usize {
        let part = after_shift(key, entry % (1 << SHIFT_BITS));
        (entry >> SHIFT_BITS).wrapping_add(part).as_usize()
    }
}

/// Lays out the blocks of /16, each by `append`, which gets its keys, the first of them 0, and
/// returns where it is and the logarithm of the number of its parts; returns the root.
#[cfg(feature = "build")]
fn root(
    stretches: &[Stretch],
    mut append: impl FnMut(&[(u32, u32)]) -> Option<(u32, u32)>,
) -> Option<Vec<u32>> {
    let mut root = Vec::with_capacity(1 << 16);
    let mut uniform: Map<u32, u32> = Map::default();
    let mut keys: Vec<(u32, u32)> = Vec::new();
    let (mut rest, mut class) = (stretches, 0);
    for block in 0..=u16::MAX {
        let inside = rest.iter().take_while(|stretch| stretch.0 == block);
        let (inside, after) = rest.split_at(inside.count());
        rest = after;
        keys.clear();
        if inside.first().is_none_or(|stretch| stretch.1 != 0) {
            keys.push((0, class));
        }
        keys.extend(inside.iter().map(|stretch| (stretch.1, stretch.2)));
        class = keys.last()?.1;
        if keys.len() == 1
            && let Some(&entry) = uniform.get(&class)
        {
            root.push(entry);
            continue;
        }
        let (base, log) = append(&keys)?;
        if base >> (u32::BITS - SHIFT_BITS) != 0 {
            return None;
        }
        let entry = base << SHIFT_BITS | (u32::BITS - log);
        if keys.len() == 1 {
            uniform.insert(class, entry);
        }
        root.push(entry);
    }
    Some(root)
}

/// Returns whether lines are filled so far that they are smaller than steps.
#[cfg(feature = "build")]
fn is_dense(stretches: &[Stretch]) -> bool {
    let blocks = stretches.chunk_by(|a, b| a.0 == b.0);
    let keys = |&(_, key, class): &Stretch| (key, class);
    let parts: usize = blocks
        .map(|block| 1 << fine_log(block.iter().map(keys)))
        .sum();
    parts * LEAST_STEPS < stretches.len() / 2
}

/// Returns the logarithm of the number of parts of a block of such keys and classes.
#[cfg(feature = "build")]
fn fine_log(keys: impl Iterator<Item = (u32, u32)> + Clone) -> u32 {
    let steps = steps::of(keys).map_or(0, |steps| steps.len());
    let log = steps.div_ceil(USUAL_STEPS).next_power_of_two().ilog2();
    log.clamp(fine::LEAST, FINEST)
}

/// Returns `key` without its lower `shift` bits, of which there may be all 32.
#[inline(always)]
fn after_shift(key: u32, shift: u32) -> u32 {
    low32(u64::from(key).wrapping_shr(shift))
}
