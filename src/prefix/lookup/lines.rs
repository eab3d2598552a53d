//! Address → class by cache lines of sorted keys: for many classes, lone addresses, and the
//! upper 48 bits of IPv6.
//!
//! ```text
//! root[upper 16 bits] ─▶ (base, n) ─▶ lines[base + (key · n >> key bits)]
//!
//! line   │ 0 │ key │ key │ … │ class │ class │ …         64 bytes; class i holds from key i on
//! link   │ 0 │ low │ base │ factor │ last │ … │ all ones  where a line would be too full:
//!                                                         lines[base + ((key - low) · factor >> key bits)]
//! ```
//!
//! A key is what follows the upper 16 bits; a stretch that starts inside a block of /16
//! has one. The keys of a block are spread over n lines by their value, and all of one line
//! compared at once, so a look-up loads the root and one line. Where prefixes cluster, a
//! link spreads them again between the lowest and the highest of them.
//!
//! # Invariants
//!
//! - The first key of a line is 0, so at least one is counted; past the last stretch keys
//!   are the highest there is and classes the last.
//! - A link spreads its keys over two lines or more, so each one halves the range at least.
//! - Uniform blocks share one line for each class.

#[cfg(feature = "build")]
use std::collections::HashMap;

use super::keys::{Format, Key};
#[cfg(feature = "build")]
use crate::util::int::to_u32;
use crate::util::int::{AsUsize, low32};
use crate::util::table::tables;

/// How many bits of a root entry are the number of lines less one; the others are the base.
const COUNT_BITS: u32 = 8;

/// The most lines of a block, links aside.
#[cfg(feature = "build")]
const MOST: usize = 1 << COUNT_BITS;

/// More links than there can be one after the other.
const LINKS: usize = 33;

tables! {
    /// Lines of keys.
    struct Lines / LinesView<K: Key> {
        "classes" {
            /// How lines hold classes: [`Format::log`].
            scalar log: u32;
            /// [`Format::largest`].
            scalar largest: u32;
            /// [`Format::capacity`].
            scalar capacity: u32;
            /// The lines of each block of /16.
            table root: u32;
            /// All lines.
            table lines: K::Line;
        }
    }
}

/// A stretch: upper 16 bits, key and class.
#[cfg(feature = "build")]
pub(crate) type Stretch<K> = (u16, K, u32);

#[cfg(feature = "build")]
impl<K: Key> Lines<K> {
    /// Lays out `stretches` of classes below `count`, in ascending order, the first from the
    /// lowest address; `None` where they are too many or too wide.
    pub(crate) fn new(stretches: &[Stretch<K>], count: u32) -> Option<Self> {
        let Format {
            log,
            largest,
            capacity,
        } = K::format(count.checked_sub(1)?)?;
        let mut tables = Self {
            log,
            largest,
            capacity,
            root: Vec::with_capacity(1 << 16),
            lines: Vec::new(),
        };
        let mut uniform: HashMap<u32, u32> = HashMap::new();
        let mut class = 0;
        let mut rest = stretches;
        for block in 0..=u16::MAX {
            let inside = rest.iter().take_while(|stretch| stretch.0 == block);
            let (mut inside, after) = rest.split_at(inside.count());
            rest = after;
            if let [(_, key, at_start), later @ ..] = inside
                && *key == K::default()
            {
                (class, inside) = (*at_start, later);
            }
            let entry = match uniform.get(&class) {
                Some(&entry) if inside.is_empty() => entry,
                _ => tables.block(class, inside)?,
            };
            tables.root.push(entry);
            match inside.last() {
                Some(&(_, _, last)) => class = last,
                None => drop(uniform.insert(class, entry)),
            }
        }
        tables.lines.shrink_to_fit();
        Some(tables)
    }

    /// Appends the lines of a block that starts with `class` and returns its root entry.
    fn block(&mut self, class: u32, inside: &[Stretch<K>]) -> Option<u32> {
        let spread = |count: usize| {
            Some(Spread {
                low: K::default(),
                factor: u64::try_from(count).ok()?,
                last: count - 1,
            })
        };
        let spread = self.best(inside, 1, MOST, spread)?;
        let base = self.append(spread, class, inside, LINKS)?;
        Some(base << COUNT_BITS | to_u32(spread.last)?)
    }

    /// Returns the spread over `least..=most` lines that is cheapest.
    fn best(
        &self,
        inside: &[Stretch<K>],
        least: usize,
        most: usize,
        spread: impl Fn(usize) -> Option<Spread<K>>,
    ) -> Option<Spread<K>> {
        let room = self.room();
        if inside.len() <= room && least == 1 {
            return spread(1);
        }
        let mut best: Option<(usize, Spread<K>)> = None;
        // Nearly full lines, or half full ones.
        for percent in [95, 80, 65, 50] {
            let count = (inside.len() * 100).div_ceil(room * percent);
            let spread = spread(count.clamp(least, most))?;
            let chunks = inside.chunk_by(|a, b| spread.line(a.1) == spread.line(b.1));
            let links = chunks.filter(|chunk| chunk.len() > room);
            // A link is a load more, so it weighs more than its lines.
            let cost = spread.last + links.map(|l| 3 + l.len() * 2 / room).sum::<usize>();
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, spread));
            }
        }
        best.map(|(_, spread)| spread)
    }

    /// Appends the lines of `spread` and returns the first one's number.
    fn append(
        &mut self,
        spread: Spread<K>,
        mut class: u32,
        mut rest: &[Stretch<K>],
        links: usize,
    ) -> Option<u32> {
        let base = self.lines.len();
        let end = base + spread.last + 1;
        self.lines.resize(end, K::Line::default());
        for at in base..end {
            let inside = rest.iter().take_while(|s| base + spread.line(s.1) == at);
            let (inside, after) = rest.split_at(inside.count());
            rest = after;
            let line = if inside.len() <= self.room() {
                self.line(class, inside)
            } else {
                self.link(class, inside, links.checked_sub(1)?)?
            };
            *self.lines.get_mut(at)? = line;
            class = inside.last().map_or(class, |stretch| stretch.2);
        }
        to_u32(base).filter(|_| end <= 1 << (u32::BITS - COUNT_BITS))
    }

    /// Makes the line of a bucket that starts with `class`.
    fn line(&self, class: u32, inside: &[Stretch<K>]) -> K::Line {
        let mut line = K::Line::default();
        let capacity = self.capacity.as_usize();
        let keys = core::iter::once(K::default()).chain(inside.iter().map(|s| s.1));
        let keys = keys.chain(core::iter::repeat(K::MAX)).take(capacity);
        for (lane, key) in line.as_mut().iter_mut().zip(keys) {
            *lane = key;
        }
        let classes = core::iter::once(class).chain(inside.iter().map(|s| s.2));
        let last = inside.last().map_or(class, |stretch| stretch.2);
        let classes = classes.chain(core::iter::repeat(last));
        K::write(&mut line, self.format(), classes.take(capacity));
        line
    }

    /// Makes a link to lines of their own for `inside`, which are too many for one.
    fn link(&mut self, class: u32, inside: &[Stretch<K>], links: usize) -> Option<K::Line> {
        let (low, high) = (inside.first()?.1, inside.last()?.1);
        let range = high.number() - low.number() + 1;
        let spread = |count: usize| {
            Some(Spread {
                low,
                factor: (u64::try_from(count).ok()? << K::BITS) / range,
                last: count - 1,
            })
        };
        let most = usize::try_from(range - 1).ok()?.min(inside.len());
        let spread = self.best(inside, 2, most.max(2), spread)?;
        let base = u64::from(self.append(spread, class, inside, links)?);
        let mut line = K::Line::default();
        let last = u64::try_from(spread.last).ok()?;
        let fields = [
            K::default(),
            low,
            K::truncate(base),
            K::truncate(base >> K::BITS),
            K::truncate(spread.factor),
            K::truncate(last),
            K::truncate(last >> K::BITS),
        ];
        for (lane, field) in line.as_mut().iter_mut().zip(fields) {
            *lane = field;
        }
        K::write(&mut line, self.format(), core::iter::repeat(self.largest));
        Some(line)
    }

    /// Returns how lines hold classes.
    const fn format(&self) -> Format {
        Format {
            log: self.log,
            largest: self.largest,
            capacity: self.capacity,
        }
    }

    /// Returns how many keys a line has room for, besides the first.
    fn room(&self) -> usize {
        self.capacity.saturating_sub(1).as_usize()
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..self.root.len() / 8 {
            let at = super::tests::below(&mut random, self.root.len());
            self.root[at] ^= low32(random());
        }
        for _ in 0..self.lines.len() / 4 {
            let at = super::tests::below(&mut random, self.lines.len());
            let lanes = self.lines[at].as_mut();
            let lane = super::tests::below(&mut random, lanes.len());
            lanes[lane] = K::truncate(random());
            if random().is_multiple_of(2) {
                lanes[lane / 2..].fill(K::MAX);
            }
        }
        if random().is_multiple_of(4) {
            self.log = low32(random());
            self.largest = low32(random());
            self.capacity = low32(random());
        }
    }
}

impl<K: Key> LinesView<'_, K> {
    /// Returns whether every block has lines, if this shape was chosen.
    pub(crate) fn is_sound(&self) -> bool {
        let is_whole = self.is_empty() || self.root.len() == 1 << 16;
        is_whole
            && self.root.iter().all(|&entry| {
                let last = (entry >> COUNT_BITS) + entry % low32(1 << COUNT_BITS);
                last.as_usize() < self.lines.len()
            })
    }

    /// Returns the class of the address with these upper 16 bits and this key.
    #[inline(always)]
    pub(crate) fn class(&self, block: u16, key: K) -> u32 {
        let entry = self.root.get(block.as_usize()).copied().unwrap_or_default();
        let count = u64::from(entry & (low32(1 << COUNT_BITS) - 1)) + 1;
        let bucket = low32((key.number() * count) >> K::BITS);
        let at = (entry >> COUNT_BITS).wrapping_add(bucket);
        let format = self.format();
        let Some(mut line) = self.lines.get(at.as_usize()) else {
            return 0;
        };
        for _ in 0..LINKS {
            let class = key.class(line, format);
            if class != format.largest {
                return class;
            }
            let &[_, low, base, high_base, factor, last, high_last, ..] = line.as_ref() else {
                return 0;
            };
            let join = |low: K, high: K| low32(low.number() | high.number() << 16);
            let spread = Spread {
                low,
                factor: factor.number(),
                last: join(last, high_last).as_usize(),
            };
            let at = join(base, high_base).as_usize();
            match self.lines.get(at.saturating_add(spread.line(key))) {
                Some(next) => line = next,
                None => return 0,
            }
        }
        0
    }

    /// Returns whether another shape was chosen.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Returns how lines hold classes.
    #[inline(always)]
    const fn format(&self) -> Format {
        Format {
            log: self.log,
            largest: self.largest,
            capacity: self.capacity,
        }
    }
}

/// How keys are spread over lines: a rising function.
#[derive(Clone, Copy, Debug)]
struct Spread<K> {
    low: K,
    /// Lines for each key above `low`, times 2^[`Key::BITS`].
    factor: u64,
    /// The last line's number.
    last: usize,
}

impl<K: Key> Spread<K> {
    /// Returns the line of `key`.
    #[inline(always)]
    fn line(self, key: K) -> usize {
        let above = key.number().saturating_sub(self.low.number());
        let line = above.wrapping_mul(self.factor) >> K::BITS;
        usize::try_from(line).unwrap_or(usize::MAX).min(self.last)
    }
}
