//! 32 bits of an address → class: all steps in one sorted run, and an index into it.
//!
//! ```text
//! root[block] ─▶ at ─▶ steps[at ..] = │ start, class, size │ start, class, size │ …
//! ```
//!
//! The step that holds the first key of a block is there for every block, so a look-up takes
//! the last of a few steps from `at` on that starts at its key or before. Steps of the blocks
//! behind start above it: no length is needed, and no mask. What is compared is what is
//! answered with, a word of 64 bits, so nothing waits for a count.
//!
//! A stretch of class 0 ("in no list") behind one whose size is a power of two has no step of
//! its own: a key past the size of its step is of class 0. A prefix alone is one step, then. Of other
//! stretches the size is the next power of two, and the next step tells where they end.
//!
//! Beside cells and runs of 16-bit keys (IPv4, latency / throughput in ns and instructions with the loop, least
//! of 40 rounds in turn, Sapphire Rapids VM, two cores, 2.4 GHz):
//!
//! | | this | | cells or runs | |
//! |---|---|---|---|---|
//! | block list, 1 k | 9.8 / 3.4, 38 | 16 B a prefix | 12.1 / 3.7, 33 | 161 B |
//! | 10 lists of ten | 9.7 / 3.4, 38 | 18 B | 10.5 / 3.5, 33 | 1443 B |
//! | 100 | 9.9 / 3.4, 38 | 16 B | 13.5 / 3.8, 33 | 382 B |
//! | 1 000 | 16.2 / 4.5, 38 | 15 B | 22.9 / 6.9, 81 | 36 B |
//! | 10 000 | 32.9 / 8.5, 38 | 15 B | 32.6 / 10.7, 81 | 11 B |
//!
//! What is compared is the whole word: of starts alone the compiler makes a choice between two
//! places, and the load of the class waits for it.
//!
//! # Invariants
//!
//! - Steps ascend from the one for a table's first key to the [`WINDOW`] past its last.
//! - Behind the entries of a table's blocks there is one for the end.

use core::hint::select_unpredictable;

#[cfg(feature = "build")]
use crate::util::int::to_u32;
use crate::util::int::{AsUsize, low32};
use crate::util::table::tables;

/// The steps looked at: the one that holds the first key of the block, and those after it.
const WINDOW: usize = 5;

/// How many lower bits of a step are the shift that leaves nothing of a distance in it.
const SIZE_BITS: u32 = 6;

/// The largest size of a step.
#[cfg(feature = "build")]
const LONGEST: u64 = 1 << 31;

/// Up to so many stretches blocks are halved once more: the index is in the nearest cache.
#[cfg(feature = "build")]
const NEAR: usize = 1 << 12;

tables! {
    /// Sorted steps, and where those of each block are.
    struct Steps / StepsView {
        "classes" {
            /// The step that holds the first key of each block.
            table root: u32;
            /// Start (32 bits), class (26) and size (6).
            table steps: u64;
        }
    }
}

#[cfg(feature = "build")]
impl Steps {
    /// Appends a table of steps, of which the first starts at key 0, with blocks by the upper `log`
    /// bits; returns the entry of its first block.
    pub(crate) fn append(&mut self, mut steps: Vec<u64>, log: u32) -> Option<u32> {
        let base = to_u32(self.root.len())?;
        let mut at = self.steps.len();
        let last = class(*steps.last()?, highest(u32::MAX));
        self.steps.append(&mut steps);
        let end = self.steps.len();
        // The highest key is not below these.
        let past = step(u32::MAX.into(), last, LONGEST)?;
        self.steps.extend([past; WINDOW]);
        for block in 0..1_u64 << log {
            let key = block << (u32::BITS - log);
            let is_before = |step: &u64| step >> u32::BITS <= key;
            while at + 1 < end && self.steps.get(at + 1).is_some_and(is_before) {
                at += 1;
            }
            self.root.push(to_u32(at)?);
        }
        self.root.push(to_u32(end)?);
        Some(base)
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..self.root.len() / 8 {
            let at = super::tests::below(&mut random, self.root.len());
            self.root[at] ^= low32(random() & random() & random());
        }
        for _ in 0..self.steps.len() / 4 {
            let at = super::tests::below(&mut random, self.steps.len());
            self.steps[at] = random();
        }
    }
}

impl StepsView<'_> {
    /// Returns whether every block has its steps. A look-up ends soon whatever they are.
    pub(crate) fn is_sound(&self) -> bool {
        let most = self.steps.len().checked_sub(WINDOW);
        let is_there = |at: &u32| most.is_some_and(|most| at.as_usize() <= most);
        self.root.iter().all(is_there)
    }

    /// Returns whether another shape was chosen.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Returns the class of `key`, which is in `block`.
    #[inline(always)]
    pub(crate) fn class(&self, block: usize, key: u32) -> u32 {
        let at = self.root.get(block).copied().unwrap_or_default().as_usize();
        let window = self.steps.get(at..at.saturating_add(WINDOW));
        let Some(&[first, a, b, c, end]) = window.and_then(<[u64]>::first_chunk::<WINDOW>) else {
            return 0;
        };
        let highest = highest(key);
        if end <= highest {
            return self.long(block, key);
        }
        let low = select_unpredictable(a <= highest, a, first);
        let high = select_unpredictable(c <= highest, c, b);
        class(select_unpredictable(b <= highest, high, low), highest)
    }

    /// Returns the class of `key`, which is in `block`, where it has many steps.
    #[inline(never)]
    fn long(&self, block: usize, key: u32) -> u32 {
        let entry = |block: usize| self.root.get(block).copied().unwrap_or_default().as_usize();
        let steps = self.steps.get(entry(block)..=entry(block.wrapping_add(1)));
        let (steps, highest) = (steps.unwrap_or_default(), highest(key));
        let count = steps.partition_point(|&step| step <= highest);
        let step = steps.get(count.wrapping_sub(1)).copied();
        class(step.unwrap_or_default(), highest)
    }
}

/// Returns the logarithm of the number of blocks for so many stretches.
#[cfg(feature = "build")]
pub(crate) fn blocks(stretches: usize) -> u32 {
    let log = stretches.checked_ilog2().unwrap_or_default();
    log + u32::from(stretches <= NEAR)
}

/// Returns the steps of stretches (key and class) in ascending order, the first from key 0.
#[cfg(feature = "build")]
pub(super) fn of(stretches: impl Iterator<Item = (u32, u32)> + Clone) -> Option<Vec<u64>> {
    let mut steps = Vec::with_capacity(stretches.size_hint().0);
    let starts = stretches.map(|(start, class)| (u64::from(start), class));
    // Past the last one there is nothing that a step could leave out.
    let ends = starts.clone().skip(1).chain([(1 << u32::BITS, u32::MAX)]);
    let mut is_told = false;
    for ((start, class), (end, next)) in starts.zip(ends) {
        if is_told {
            is_told = false;
            continue;
        }
        let mut start = start;
        while end - start > LONGEST {
            steps.push(step(start, class, LONGEST)?);
            start += LONGEST;
        }
        let size = end - start;
        is_told = next == 0 && size.is_power_of_two();
        steps.push(step(start, class, size.next_power_of_two())?);
    }
    Some(steps)
}

/// Returns the highest step that starts at `key`.
#[inline(always)]
pub(super) fn highest(key: u32) -> u64 {
    u64::from(key) << u32::BITS | u64::from(u32::MAX)
}

/// Returns the class of the key of `highest`, whose step this is.
#[inline(always)]
pub(super) fn class(step: u64, highest: u64) -> u32 {
    // The distance in the upper half; no lower bit is borrowed from.
    let past = highest.wrapping_sub(step).wrapping_shr(low32(step));
    select_unpredictable(past == 0, low32(step) >> SIZE_BITS, 0)
}

/// Returns the first and the last key that `step` may be the answer for; `None` where it is of class 0.
#[cfg(feature = "build")]
pub(super) fn keys(step: u64) -> Option<(u64, u64)> {
    let (start, size) = (step >> u32::BITS, low32(step) % (1 << SIZE_BITS));
    let is_listed = low32(step) >> SIZE_BITS != 0;
    is_listed.then_some((start, start + ((1 << (size - u32::BITS)) - 1)))
}

/// Returns the step of a class from `start` on, of a size that is a power of two.
#[cfg(feature = "build")]
fn step(start: u64, class: u32, size: u64) -> Option<u64> {
    let class = class.checked_mul(1 << SIZE_BITS)?;
    let size = u32::BITS + size.trailing_zeros();
    Some(start << u32::BITS | u64::from(class | size))
}
