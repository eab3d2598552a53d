//! Address → class by a short sorted run of keys for each block.
//!
//! ```text
//! root[block] ─▶ (at, first class, n) ─▶ words
//!
//! run        │ n keys │ n + 1 classes, packed │
//! long run   │ n, log │ 16 keys, one in 2^log │ n keys │ n + 1 classes, packed │
//! ```
//!
//! A key is where a stretch starts that starts behind the block's first address. Runs stand
//! behind one another without gaps, so that many are in a cache of the second level; sixteen
//! keys are compared at once, those behind the end of a run masked. Of a long run, where
//! prefixes cluster, first the sixteen that divide it are.
//!
//! The loop has no branch and a fixed count, so that it becomes vector instructions (SSE2
//! on x86-64).
//!
//! # Invariants
//!
//! - Two classes alternate: the class follows from the first one and whether the count is
//!   odd, and no words hold classes.
//! - Keys have their highest bit flipped, as vectors compare signed numbers.
//! - Uniform blocks share one run for each class.
//! - So many words follow the last run that none is compared past the end.

use crate::util::int::{AsUsize, low32};
use crate::util::table::tables;
#[cfg(feature = "build")]
use crate::util::{
    ids::{ClassId, Id},
    int::{low16, to_u32},
    keyed::Map,
};

/// How many lower bits of a root entry are the number of keys.
const LEN_BITS: u32 = 5;

/// In place of the number of keys: the run is long.
const LONG: u32 = (1 << LEN_BITS) - 1;

/// How many bits of a root entry are not the place: the number of keys, and the first class
/// of two.
const PLACE: u32 = LEN_BITS + 1;

/// The keys compared at once.
const WINDOW: usize = 16;

/// How many lower bits of a long run's header are the distance of its dividing keys.
const LOG_BITS: u32 = 5;

/// For each number of keys, the lanes that count.
static COUNTED: [[u8; WINDOW]; WINDOW + 1] = counted();

/// The words of a number of 32 bits.
const HEADER: usize = 2;

tables! {
    /// Runs by block.
    struct Runs / RunsView {
        "classes" {
            /// The logarithm of the width of a class in bits.
            scalar log: u32;
            /// The largest number of that width; 0 where two classes alternate.
            scalar largest: u32;
            /// The run of each block.
            table root: u32;
            /// The runs.
            table words: u16;
        }
    }
}

/// Runs in the making.
#[cfg(feature = "build")]
#[derive(Debug)]
struct Builder {
    runs: Runs,
    /// The root entries of uniform blocks, by class.
    uniform: Map<u32, u32>,
    /// The class at the end of the last block.
    class: u32,
}

#[cfg(feature = "build")]
impl Builder {
    /// Starts tables for classes up to `largest`, or for two classes that alternate.
    fn new(largest: u32, alternate: bool) -> Self {
        let mut runs = Runs::default();
        if !alternate {
            let width = (u32::BITS - largest.leading_zeros())
                .max(1)
                .next_power_of_two();
            runs.log = width.trailing_zeros();
            runs.largest = u32::MAX >> (u32::BITS - width);
        }
        Self {
            runs,
            uniform: Map::default(),
            class: 0,
        }
    }

    /// Appends a block, whose first address has the key `first`, with the stretches that start
    /// in it.
    fn push(&mut self, first: u16, mut inside: &[(u16, u32)]) -> Option<()> {
        if let [(start, class), later @ ..] = inside
            && *start == first
        {
            (self.class, inside) = (*class, later);
        }
        let class = self.class;
        let entry = match self.uniform.get(&class) {
            Some(&entry) if inside.is_empty() => entry,
            _ => self.runs.append(class, inside)?,
        };
        self.runs.root.push(entry);
        match inside.last() {
            Some(&(_, last)) => self.class = last,
            None => drop(self.uniform.insert(class, entry)),
        }
        Some(())
    }

    /// Returns the tables.
    fn finish(self) -> Runs {
        let mut runs = self.runs;
        runs.words.extend([0; WINDOW]);
        runs.words.shrink_to_fit();
        runs.root.shrink_to_fit();
        runs
    }
}

#[cfg(feature = "build")]
impl Runs {
    /// Appends the run of a block that starts with `class`; returns its root entry.
    fn append(&mut self, class: u32, inside: &[(u16, u32)]) -> Option<u32> {
        let at = to_u32(self.words.len()).filter(|at| at >> (u32::BITS - PLACE) == 0)?;
        let len = to_u32(inside.len())?;
        let alternate = self.largest == 0;
        let first = if alternate { class << LEN_BITS } else { 0 };
        let is_long = inside.len() > WINDOW;
        if is_long {
            let log = dividing(len);
            let header = u64::from(len.checked_shl(LOG_BITS)? | log);
            let header = (0..HEADER).map(|at| header >> (to_u32(at).unwrap_or(0) * u16::BITS));
            self.words.extend(header.map(|part| low16(low32(part))));
            let dividers = inside.iter().step_by(1 << log).skip(1);
            let dividers = dividers.map(|stretch| flipped(stretch.0));
            let dividers = dividers.chain(core::iter::repeat(0));
            self.words.extend(dividers.take(WINDOW));
        }
        let keys = inside.iter().map(|stretch| flipped(stretch.0));
        self.words.extend(keys);
        if !alternate {
            let classes = core::iter::once(class).chain(inside.iter().map(|s| s.1));
            let (mut word, mut bits) = (0, 0);
            for class in classes {
                word |= u64::from(class) << bits;
                bits += 1 << self.log;
                while bits >= u16::BITS {
                    self.words.push(low16(low32(word)));
                    word >>= u16::BITS;
                    bits -= u16::BITS;
                }
            }
            if bits > 0 {
                self.words.push(low16(low32(word)));
            }
        }
        Some(at << PLACE | first | if is_long { LONG } else { len })
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..self.root.len() / 8 {
            let at = super::tests::below(&mut random, self.root.len());
            self.root[at] ^= low32(random() & random());
        }
        for _ in 0..self.words.len() / 4 {
            let at = super::tests::below(&mut random, self.words.len());
            self.words[at] = low16(low32(random()));
        }
        if random().is_multiple_of(4) {
            self.log = low32(random());
            self.largest = low32(random());
        }
    }
}

impl RunsView<'_> {
    /// Returns whether another shape was chosen.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Returns whether every run is there.
    pub(crate) fn is_sound(&self) -> bool {
        let end = |entry: u32| {
            let run = self.run(entry)?;
            let dividers = run.len.saturating_sub(1) >> run.log;
            if entry & LONG == LONG && dividers > WINDOW {
                return None;
            }
            let classes = match self.largest {
                0 => 0,
                _ => (run.len + 1)
                    .checked_shl(self.log)?
                    .div_ceil(u16::BITS.as_usize()),
            };
            Some(run.keys + run.len + classes)
        };
        let is_there =
            |&entry: &u32| end(entry).is_some_and(|end| end + WINDOW <= self.words.len());
        self.log <= 5 && self.root.iter().all(is_there)
    }

    /// Returns the class of the address with this key in `block`.
    #[inline(always)]
    pub(crate) fn class(&self, block: usize, key: u16) -> u32 {
        let entry = self.root.get(block).copied().unwrap_or_default();
        let key = flipped(key);
        let len = entry & LONG;
        if len == LONG {
            return self.long(entry, key);
        }
        let (at, len) = ((entry >> PLACE).as_usize(), len.as_usize());
        let count = self.count(at, len, key);
        if self.largest != 0 && self.log < 2 {
            // PERF: all classes at once, beside the keys: they need not wait for the count.
            let classes = self.words.get(at + len..).and_then(join_two);
            let class = classes.unwrap_or_default().wrapping_shr(count << self.log);
            return low32(class) & self.largest;
        }
        self.class_at(entry, at + len, count)
    }

    /// Returns the class of a key, flipped, in a long run.
    #[inline(never)]
    fn long(&self, entry: u32, key: u16) -> u32 {
        let Some(run) = self.run(entry) else {
            return 0;
        };
        let dividers = run.keys - WINDOW;
        let chunk = self
            .count(dividers, run.len.saturating_sub(1) >> run.log, key)
            .as_usize();
        let mut from = chunk << run.log;
        let mut len = run.len.saturating_sub(from).min(1 << run.log);
        // INVARIANT: of the keys from here on so many are not above; no more than `len` in all.
        while len > WINDOW {
            let half = len / 2;
            let middle = self.words.get(run.keys + from + half);
            let is_below = middle.is_some_and(|middle| !is_above(*middle, key));
            from += if is_below { half } else { 0 };
            len -= half;
        }
        let count = self.count(run.keys + from, len, key);
        let count = low32(u64::try_from(from).unwrap_or_default()).wrapping_add(count);
        self.class_at(entry, run.keys + run.len, count)
    }

    /// Returns how many of `len` keys, at most [`WINDOW`], from `at` on are not above `key`.
    #[inline(always)]
    fn count(&self, at: usize, len: usize, key: u16) -> u32 {
        let window = self
            .words
            .get(at..)
            .and_then(<[u16]>::first_chunk::<WINDOW>);
        let (Some(window), Some(counted)) = (window, COUNTED.get(len)) else {
            return 0;
        };
        let mut count = 0_u8;
        for (&other, &one) in window.iter().zip(counted) {
            count += if is_above(other, key) { 0 } else { one };
        }
        u32::from(count)
    }

    /// Returns the class at `at` of those that stand from `classes` on.
    #[inline(always)]
    fn class_at(&self, entry: u32, classes: usize, at: u32) -> u32 {
        if self.largest == 0 {
            return (at ^ entry >> LEN_BITS) & 1;
        }
        let bit = at.wrapping_shl(self.log);
        let word = classes + (bit / u16::BITS).as_usize();
        let words = self.words.get(word..).and_then(join);
        words.unwrap_or_default() >> (bit % u16::BITS) & self.largest
    }

    /// Returns the run of a root entry; `None` where its header is not there.
    #[inline(always)]
    fn run(&self, entry: u32) -> Option<Run> {
        let at = (entry >> PLACE).as_usize();
        if entry & LONG != LONG {
            let (keys, len, log) = (at, (entry & LONG).as_usize(), 0);
            return Some(Run { keys, len, log });
        }
        let header = join(self.words.get(at..)?)?;
        Some(Run {
            keys: at + HEADER + WINDOW,
            len: (header >> LOG_BITS).as_usize(),
            log: header & (low32(1 << LOG_BITS) - 1),
        })
    }
}

/// Returns it with the highest bit flipped.
#[inline(always)]
fn flipped(key: u16) -> u16 {
    key ^ 0x8000
}

/// Returns whether a number, which is signed, is above another one.
#[inline(always)]
fn is_above(key: u16, other: u16) -> bool {
    key.cast_signed() > other.cast_signed()
}

/// Returns the number of 32 bits that starts with the first of these words.
#[inline(always)]
fn join(words: &[u16]) -> Option<u32> {
    let &[low, high] = words.first_chunk()?;
    Some(u32::from(low) | u32::from(high) << 16)
}

/// Returns the number of 64 bits that starts with the first of these words.
#[inline(always)]
fn join_two(words: &[u16]) -> Option<u64> {
    let &[a, b, c, d] = words.first_chunk()?;
    let (low, high) = (join(&[a, b])?, join(&[c, d])?);
    Some(u64::from(low) | u64::from(high) << 32)
}

/// The keys of a block.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Where they are.
    keys: usize,
    /// How many.
    len: usize,
    /// The logarithm of the distance of the dividing keys, where it is long.
    log: u32,
}

/// Returns whether many of these IPv4 `stretches` were in long runs if blocks were of /16.
#[cfg(feature = "build")]
pub(crate) fn are_long(stretches: &[(u32, ClassId)]) -> bool {
    let blocks = stretches.chunk_by(|a, b| a.0 >> 16 == b.0 >> 16);
    let long = blocks.map(<[_]>::len).filter(|&len| len > WINDOW);
    long.sum::<usize>() > stretches.len() / 4
}

/// Lays out IPv4 `stretches` by blocks of so many lower bits of an address.
#[cfg(feature = "build")]
pub(crate) fn of_blocks(stretches: &[(u32, ClassId)], count: u32, bits: u32) -> Option<Runs> {
    let mut runs = Builder::new(count.saturating_sub(1), count <= 2);
    let mut keys: Vec<(u16, u32)> = Vec::new();
    let mut rest = stretches;
    for block in 0..1_u32 << (u32::BITS - bits) {
        let inside = rest.iter().take_while(|stretch| stretch.0 >> bits == block);
        let (inside, after) = rest.split_at(inside.count());
        rest = after;
        keys.clear();
        keys.extend(inside.iter().map(|s| (low16(s.0), s.1.as_u32())));
        runs.push(low16(block << bits), &keys)?;
    }
    Some(runs.finish())
}

/// Returns the least logarithm of a distance such that no more keys than a window divide `len`.
#[cfg(feature = "build")]
fn dividing(len: u32) -> u32 {
    let most = low32(u64::try_from(WINDOW).unwrap_or_default());
    let fits = |log: &u32| len.saturating_sub(1) >> log <= most;
    (0..u32::BITS).find(fits).unwrap_or_default()
}

#[expect(clippy::indexing_slicing, reason = "at compile time")]
const fn counted() -> [[u8; WINDOW]; WINDOW + 1] {
    let mut counted = [[0; WINDOW]; WINDOW + 1];
    let mut at = 0;
    while at < WINDOW * (WINDOW + 1) {
        let (len, lane) = (at / WINDOW, at % WINDOW);
        if lane < len {
            counted[len][lane] = 1;
        }
        at += 1;
    }
    counted
}
