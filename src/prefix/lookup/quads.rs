//! IPv4 address → class, mostly in one load: the steps of each block in half a cache line.
//!
//! ```text
//! quads[upper bits] = │ step │ step │ step │ step │    start, class, size, as in `steps`
//!                   = │ way  │  –   │  –   │  –   │ ─▶ quads[base + next bits], and so on
//! ```
//!
//! There are about as many blocks as two thirds of the steps or more, so few of them have more than
//! four; such a block is divided again, by as many of its next bits as its steps ask for, and three at
//! least. What is compared is what is answered with. As in `steps`, a prefix alone is one step, and a
//! key past its size is of class 0. So where all that is not of class 0 has some of the next bits in
//! common, they are left out: whatever else they are, the key is compared with a step that ends before
//! it or starts behind it.
//!
//! Beside `steps`, whose index is a load more at a quarter to a half of the bytes (lists of ten
//! prefixes, latency / throughput in ns of 4 096 addresses, median of 200 rounds in turn, Sapphire
//! Rapids VM, two cores):
//!
//! | prefixes | this | | steps | |
//! |---|---|---|---|---|
//! | 100 | 7.7 / 3.2 | 41 B a prefix | 8.5 / 3.4 | 19 B |
//! | 1 000 | 7.8 / 3.3 | 34 B | 8.5 / 3.3 | 16 B |
//! | 10 000 | 11.4 / 4.2 | 32 B | 14.5 / 4.4 | 15 B |
//! | 100 000 | 16.7 / 5.9 | 60 B | 22.5 / 5.8 | 16 B |
//!
//! Of 65 536 addresses, which touch nearly all of it, 100 000 prefixes take 47 / 14, and steps, which
//! the second-level cache of that machine still holds, 24 / 7. Where no near cache holds either, as
//! between other work, two loads wait for one another there and one does here; that was not measured.
//!
//! Tried: blocks of twice the steps, 13 / 5 at 1 000 and 23 / 8 at 100 000, as the half that is
//! compared is chosen by a load of its own; half as many blocks, of which too many are divided, 9 / 3.9
//! at 1 000 where the others took 8.5 / 3.6.
//!
//! # Invariants
//!
//! - Where no step of a block holds a key, it is of class 0.
//! - A block that is divided leaves fewer bits below it, so a way ends.

use core::hint::select_unpredictable;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

#[cfg(feature = "build")]
use super::steps::keys;
use super::steps::{class, highest};
#[cfg(feature = "build")]
use crate::util::int::to_u32;
use crate::util::int::{AsUsize, low32};
use crate::util::table::tables;
use crate::util::vector::prefetch;

/// The steps of a quad.
const WIDTH: usize = 4;

/// This bit of a word tells a step, whose size has it, from a way.
const STEP: u64 = 32;

/// How many lower bits of a way are its shift: the bits that tell nothing of a part.
const SHIFT_BITS: u32 = 5;

/// How many bits of a way, above that bit, are the logarithm of the number of parts.
const LOG_BITS: u32 = 5;

/// How many lower bits of a way are below that logarithm.
const LOG_SHIFT: u32 = SHIFT_BITS + 1;

/// So many quads, a megabyte, are not in the nearest caches: in batches it pays to begin their loads.
///
/// PERF: 1.5 of 35 ns at 10 000 statements of ten prefixes, where it would cost 2 of 22 at 10.
const FAR: usize = 1 << 15;

/// Up to so many quads, which the nearest cache holds, there may be four for each step.
#[cfg(feature = "build")]
const NEAR: usize = 1 << 10;

/// A block that is divided is divided by so many bits at least: what is near is told apart soon.
#[cfg(feature = "build")]
const LEAST_LOG: u32 = 3;

/// A block is divided so often at most, one part in another: each time is one more load.
#[cfg(feature = "build")]
const DEEPEST: u32 = 5;

/// The steps of a block, or the way to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(32))]
pub(crate) struct Quad([u64; WIDTH]);

impl Quad {
    /// No steps: one of class 0 from key 0 on.
    #[cfg(feature = "build")]
    const NOTHING: Self = Self([STEP; WIDTH]);
}

tables! {
    /// Steps in the quads of their blocks.
    struct Quads / QuadsView {
        "classes" {
            /// Up to four steps, or base (32 bits), logarithm of the number of parts, and shift.
            table quads: Quad;
            /// How many lower bits of an address do not tell its block.
            scalar shift: u32;
        }
    }
}

/// A block that is to be divided.
#[cfg(feature = "build")]
struct Open<'s> {
    /// Its first key.
    first: u32,
    /// The quad of its first part.
    base: usize,
    /// The logarithm of the number of its parts.
    log: u32,
    /// How many lower bits of a key do not tell its part.
    shift: u32,
    /// In how many others it is.
    depth: u32,
    /// Its steps, and the one that began before it where that holds its first key.
    steps: &'s [u64],
}

#[cfg(feature = "build")]
impl Quads {
    /// Lays out `steps`, of which the first starts at key 0; `None` where quads would be many more than
    /// steps, as most of these are in few blocks, or where some are so near one another that it would
    /// take too many divisions to tell them apart.
    pub(crate) fn new(steps: &[u64]) -> Option<Self> {
        // Spread over the whole line they are fewer than four thirds.
        let usual = steps.len().checked_add(steps.len() / 2)?;
        let most = usual.max(steps.len().saturating_mul(4).min(NEAR));
        let log = parts(steps.len(), u32::BITS - 1);
        let shift = u32::BITS - log;
        let mut quads = vec![Quad::NOTHING; 1 << log];
        let mut open = vec![Open {
            first: 0,
            base: 0,
            log,
            shift,
            depth: 0,
            steps,
        }];
        while let Some(block) = open.pop() {
            let mut rest = block.steps;
            for part in 0..1_u32 << block.log {
                let first = block.first | part << block.shift;
                let last = first | ((1 << block.shift) - 1);
                while let [_, second, ..] = rest
                    && *second <= highest(first)
                {
                    rest = rest.get(1..)?;
                }
                if let [before, after @ ..] = rest
                    && !holds(*before, first)
                    && *before <= highest(first)
                {
                    rest = after;
                }
                let of_part = rest.iter().take_while(|&&step| step <= highest(last));
                let steps = rest.get(..of_part.count())?;
                let at = block.base + part.as_usize();
                let Quad(quad) = quads.get_mut(at)?;
                if let Some(places) = quad.get_mut(..steps.len()) {
                    places.copy_from_slice(steps);
                    // Then the last one again and again: it is the same whichever is taken.
                    if let Some(&last) = steps.last() {
                        quad.iter_mut()
                            .skip(steps.len())
                            .for_each(|place| *place = last);
                    }
                    continue;
                }
                let depth = Some(block.depth + 1).filter(|&depth| depth <= DEEPEST)?;
                let (first, bits) = narrowed(steps, first, block.shift);
                let log = parts(steps.len(), bits).max(LEAST_LOG).min(bits);
                let shift = bits - log;
                let base = quads.len();
                let end = base.checked_add(1 << log).filter(|&end| end <= most)?;
                quads.resize(end, Quad::NOTHING);
                let way =
                    u64::from(to_u32(base)?) << u32::BITS | u64::from(log << LOG_SHIFT | shift);
                *quads.get_mut(at)?.0.first_mut()? = way;
                open.push(Open {
                    first,
                    base,
                    log,
                    shift,
                    depth,
                    steps,
                });
            }
        }
        Some(Self { quads, shift })
    }

    /// Returns the shifts of the blocks that are divided.
    #[cfg(test)]
    pub(crate) fn ways(&self) -> Vec<u32> {
        let words = self.quads.iter().map(|quad| quad.0[0]);
        let ways = words.filter(|word| word & STEP == 0);
        ways.map(|word| way(word).2).collect()
    }

    /// Puts a way in place of a quad's steps.
    #[cfg(test)]
    pub(crate) fn set_way(&mut self, at: usize, (base, log, shift): (u32, u32, u32)) {
        let code = u64::from(log << LOG_SHIFT | shift);
        self.quads[at].0[0] = u64::from(base) << u32::BITS | code;
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..self.quads.len() {
            let at = super::tests::below(&mut random, self.quads.len());
            let step = super::tests::below(&mut random, WIDTH);
            self.quads[at].0[step] = random();
            self.quads[at].0[0] &= random() | !STEP;
        }
    }
}

/// Returns whether a step that starts at `key` or before is needed to tell the class of `key`.
#[cfg(feature = "build")]
fn holds(step: u64, key: u32) -> bool {
    step >> u32::BITS == u64::from(key) || class(step, highest(key)) != 0
}

/// Returns the first key and the bits of the smallest part of a block that holds all that is not of
/// class 0: the whole block, unless all `steps` of other classes end in it.
#[cfg(feature = "build")]
fn narrowed(steps: &[u64], first: u32, bits: u32) -> (u32, u32) {
    let listed = steps.iter().filter_map(|&step| keys(step));
    let all = listed.reduce(|all, keys| (all.0.min(keys.0), all.1.max(keys.1)));
    let block = u64::from(first)..=u64::from(first) + ((1 << bits) - 1);
    match all {
        Some((lowest, highest)) if block.contains(&lowest) && block.contains(&highest) => {
            let bits = u64::BITS - (lowest ^ highest).leading_zeros();
            (low32(lowest >> bits << bits), bits)
        }
        _ => (first, bits),
    }
}

/// Returns the logarithm of the number of parts of a block of so many steps and bits.
#[cfg(feature = "build")]
fn parts(steps: usize, bits: u32) -> u32 {
    // Of a quad's four about a fifth to three eighths are taken.
    let parts = (steps / 3 * 2).max(2).next_power_of_two();
    parts.ilog2().min(bits)
}

impl QuadsView<'_> {
    /// Returns whether every way leads to quads. A look-up ends soon whatever they are.
    pub(crate) fn is_sound(&self) -> bool {
        let blocks = 1_u64.wrapping_shl(u32::BITS.wrapping_sub(self.shift));
        let is_whole = (1..u32::BITS).contains(&self.shift) && self.is_there(0, blocks);
        let is_way = |quad: &&Quad| quad.0[0] & STEP == 0;
        let leads_on = |quad: &Quad| {
            let (base, log, shift) = way(quad.0[0]);
            let is_within = log > 0 && shift.saturating_add(log) <= self.shift;
            is_within && self.is_there(base, 1_u64.wrapping_shl(log))
        };
        self.is_empty() || is_whole && self.quads.iter().filter(is_way).all(leads_on)
    }

    /// Returns whether there are so many quads from `base` on.
    fn is_there(&self, base: u32, count: u64) -> bool {
        let end = u64::from(base).saturating_add(count);
        usize::try_from(end).is_ok_and(|end| end <= self.quads.len())
    }

    /// Returns whether another shape was chosen.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.quads.is_empty()
    }

    /// Returns whether the nearest caches do not hold them.
    #[inline(always)]
    pub(crate) fn is_far(&self) -> bool {
        self.quads.len() >= FAR
    }

    /// Begins to load what [`Self::class`] of `key` waits for.
    #[inline(always)]
    pub(crate) fn begin(&self, key: u32) {
        prefetch(self.quads, key.wrapping_shr(self.shift).as_usize());
    }

    /// Returns the class of `key`.
    #[inline(always)]
    pub(crate) fn class(&self, key: u32) -> u32 {
        let block = key.wrapping_shr(self.shift);
        let Some(mut quad) = self.quads.get(block.as_usize()) else {
            return 0;
        };
        if quad.0[0] & STEP == 0 {
            match self.divided(quad.0[0], key) {
                Some(part) => quad = part,
                None => return 0,
            }
        }
        let (&Quad([first, a, b, c]), highest) = (quad, highest(key));
        let low = select_unpredictable(a <= highest, a, first);
        let high = select_unpredictable(c <= highest, c, b);
        class(select_unpredictable(b <= highest, high, low), highest)
    }

    /// Follows the way of `key` to its quad, through a few divisions at most.
    #[inline(never)]
    fn divided(&self, from: u64, key: u32) -> Option<&Quad> {
        let (mut word, mut above) = (from, u32::BITS);
        loop {
            let (base, log, shift) = way(word);
            if shift >= above {
                return None;
            }
            let part = key >> shift & ((1 << log) - 1);
            let quad = self.quads.get(base.wrapping_add(part).as_usize())?;
            if quad.0[0] & STEP != 0 {
                return Some(quad);
            }
            (word, above) = (quad.0[0], shift);
        }
    }
}

/// Returns what a way is: the first part, the logarithm of the number of parts, and the shift.
#[inline(always)]
fn way(word: u64) -> (u32, u32, u32) {
    let field = |shift: u32, bits: u32| low32(word >> shift) & ((1 << bits) - 1);
    (
        low32(word >> u32::BITS),
        field(LOG_SHIFT, LOG_BITS),
        field(0, SHIFT_BITS),
    )
}
