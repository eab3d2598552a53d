//! 32 bits of an address → class where many steps are near one another: a cache line for each block.
//!
//! ```text
//! lines[block] = │ rest of start, class, size │ … sixteen of these
//! ```
//!
//! As in `steps`, but the upper bits of a start, which the block tells, are left out, and
//! what tells the class and the size is in their place: two bits and five. So no less than
//! 2^7 blocks are made, and no more than four classes told apart: an IPv6 block list's two, and the
//! one for blocks that the upper 48 bits do not tell. There is no index: the line is the only load
//! that depends on the address. Of too full a block the line says where its steps are.
//!
//! # Invariants
//!
//! - A block's first step is of as many keys as are behind its start, or there is one at the first key.
//! - A block's first key is of class 0 where no step of the block starts at it.
//! - Behind a block's steps its line is filled up with ones for its last key.

use core::hint::select_unpredictable;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::util::int::AsUsize;
#[cfg(feature = "build")]
use crate::util::int::{low32, to_u32};
use crate::util::table::tables;

/// The least logarithm of the number of blocks: the bits of class and size.
pub(crate) const LEAST: u32 = CLASS_BITS + SIZE_BITS;

/// The largest class.
#[cfg(feature = "build")]
pub(crate) const MOST: u32 = (1 << CLASS_BITS) - 1;

/// The steps of a line.
pub(crate) const WIDTH: usize = 16;

/// So many of them are looked at, by where these start.
const GROUP: usize = 4;

/// How many bits of a step are the class, above those of the size.
const CLASS_BITS: u32 = 2;

/// How many lower bits of a step are the shift that leaves nothing of a distance in it.
const SIZE_BITS: u32 = 5;

/// The first step of a line whose steps are elsewhere: no other has this size.
const ELSEWHERE: u32 = 0;

/// The steps of a block, in one cache line wherever the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub(crate) struct Line([u32; WIDTH]);

tables! {
    /// Short steps by block.
    struct Fine / FineView {
        "classes" {
            /// The steps of each block: rest of start (25 bits), class (2) and size (5).
            table lines: Line;
            /// The steps of blocks that have too many.
            table more: u32;
        }
    }
}

#[cfg(feature = "build")]
impl Fine {
    /// Appends a table of `stretches` (key and class), in ascending order, the first from key 0,
    /// with blocks by the upper `log` bits; returns its first block.
    pub(crate) fn append(&mut self, mut stretches: &[(u32, u32)], log: u32) -> Option<u32> {
        let base = to_u32(self.lines.len())?;
        let mut class = 0;
        let mut items: Vec<(u64, u32)> = Vec::new();
        let mut steps: Vec<u32> = Vec::new();
        for block in 0..1_u64 << log {
            let of_block = |item: &&(u32, u32)| u64::from(item.0) >> (u32::BITS - log) == block;
            let (inside, after) = stretches.split_at(stretches.iter().take_while(of_block).count());
            stretches = after;
            let rest = |item: &(u32, u32)| (u64::from(item.0) << log & u64::from(u32::MAX), item.1);
            items.clear();
            items.push((0, class));
            items.extend(inside.iter().map(rest));
            if let [_, (0, _), ..] = *items {
                items.remove(0);
            }
            class = items.last()?.1;
            steps.clear();
            Self::steps(&items, &mut steps);
            let past = step(u64::from(u32::MAX << LEAST), class, LONGEST);
            let mut line = [past; WIDTH];
            if let Some(start) = line.get_mut(..steps.len()) {
                start.copy_from_slice(&steps);
            } else {
                line = [0; WIDTH];
                let [is_elsewhere, at, len, ..] = &mut line;
                *is_elsewhere = ELSEWHERE;
                (*at, *len) = (to_u32(self.more.len())?, to_u32(steps.len())?);
                self.more.append(&mut steps);
            }
            self.lines.push(Line(line));
        }
        Some(base)
    }

    /// Appends the steps of a block's items.
    fn steps(items: &[(u64, u32)], steps: &mut Vec<u32>) {
        // Behind the last one the block ends, and nothing asks.
        let ends = items.iter().copied().skip(1);
        let ends = ends.chain([(1 << u32::BITS, u32::MAX)]);
        // Where no step is, the class is 0.
        let mut is_told = true;
        for (&(start, class), (end, next)) in items.iter().zip(ends) {
            if is_told && class == 0 {
                is_told = false;
                continue;
            }
            let mut start = start;
            while end - start > LONGEST {
                steps.push(step(start, class, LONGEST));
                start += LONGEST;
            }
            let size = end - start;
            is_told = next == 0 && size.is_power_of_two();
            if steps.is_empty() && !is_told && start > LONGEST {
                // Else the first key would seem to be past that step, and not far.
                steps.push(step(0, 0, LONGEST));
            }
            steps.push(step(start, class, if is_told { size } else { LONGEST }));
        }
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..self.lines.len() {
            let at = super::tests::below(&mut random, self.lines.len());
            let step = super::tests::below(&mut random, WIDTH);
            self.lines[at].0[step] = low32(random() & random());
            self.lines[at].0[0] &= low32(random() & random() & random() & random());
        }
        for _ in 0..self.more.len() / 4 {
            let at = super::tests::below(&mut random, self.more.len());
            self.more[at] = low32(random());
        }
    }
}

/// The largest size of a step.
#[cfg(feature = "build")]
const LONGEST: u64 = 1 << 31;

/// Returns the step of a class from `start` on, of a size that is a power of two.
#[cfg(feature = "build")]
fn step(start: u64, class: u32, size: u64) -> u32 {
    let code = class << SIZE_BITS | size.trailing_zeros();
    low32(start) | code
}

impl FineView<'_> {
    /// Returns whether every block has its steps. A look-up ends soon whatever they are.
    pub(crate) fn is_sound(&self) -> bool {
        let is_there = |line: &Line| match line.0 {
            [ELSEWHERE, at, len, ..] => {
                let end = at.as_usize().checked_add(len.as_usize());
                end.is_some_and(|end| end <= self.more.len())
            }
            _ => true,
        };
        self.lines.iter().all(is_there)
    }

    /// Returns whether another shape was chosen.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the class of `key`, which is in `block`, and of which 2^`log` blocks were made.
    #[inline(always)]
    pub(crate) fn class(&self, block: usize, key: u32, log: u32) -> u32 {
        let Some(Line(line)) = self.lines.get(block) else {
            return 0;
        };
        // The highest step that starts at the key.
        let highest = key.wrapping_shl(log) | ((1 << LEAST) - 1);
        let &[first, at, len, _, b, _, _, _, c, _, _, _, d, _, _, _] = line;
        if first == ELSEWHERE {
            return self.long(at, len, highest);
        }
        // PERF: sixteen comparisons in vectors are 20 instructions more, and as slow.
        let group = u32::from(b <= highest) + u32::from(c <= highest) + u32::from(d <= highest);
        let (groups, _) = line.as_chunks::<GROUP>();
        let Some(&[first, a, b, c]) = groups.get(group.as_usize()) else {
            return 0;
        };
        let low = select_unpredictable(a <= highest, a, first);
        let high = select_unpredictable(c <= highest, c, b);
        class(select_unpredictable(b <= highest, high, low), highest)
    }

    /// Returns the class of the key of `highest`, in a block of many steps.
    #[inline(never)]
    fn long(&self, at: u32, len: u32, highest: u32) -> u32 {
        let steps = self.more.get(at.as_usize()..).unwrap_or_default();
        let steps = steps.get(..len.as_usize()).unwrap_or_default();
        let count = steps.partition_point(|&step| step <= highest);
        let step = steps.get(count.wrapping_sub(1));
        step.map_or(0, |&step| class(step, highest))
    }
}

/// Returns the class of the key of `highest`, whose step this is.
#[inline(always)]
fn class(step: u32, highest: u32) -> u32 {
    // No bit of class and size is borrowed from.
    let past = highest.wrapping_sub(step).wrapping_shr(step);
    let class = step >> SIZE_BITS & ((1 << CLASS_BITS) - 1);
    select_unpredictable(past == 0, class, 0)
}
