//! Address → class by buckets of few keys: for many classes, and for the upper 48 bits of IPv6.
//!
//! ```text
//! root[upper 16 bits] ─▶ (base, shift) ─▶ entries[base + (key >> shift)] ─▶ window of 8 keys
//!                                                 └─ crowded bucket ─▶ nodes: another (base, shift)
//! window ──how many keys ≤ key: n──▶ before[window + n] ─▶ class
//! ```
//!
//! A key is what follows the upper 16 bits; a stretch that starts inside a block of /16
//! has one. A block is cut into 2^k equal buckets, k such that hardly any has more than
//! eight keys. Comparing all eight is two vector instructions and no branch; where
//! prefixes cluster, a crowded bucket is cut again.
//!
//! # Invariants
//!
//! - All keys of a window are of one block: a block with fewer than eight is filled up
//!   with keys of 0 in front, which are always counted, and the window of a bucket at the
//!   end starts before it, at keys that are always counted.
//! - `before[i]` is the class before `keys[i]`; a block has one more class than keys, so
//!   it has one key at its end that no window holds.
//! - Uniform blocks share one window for each class.

use std::collections::HashMap;

use super::packed::Packed;
use crate::util::int::{AsUsize, low32, to_u32};

/// The number of keys compared at once.
const WINDOW: usize = 8;

/// An entry with this bit is a node, any other a window.
const NODE: u32 = 1 << 31;

/// How many bits of a node are its shift; the others are its base.
const SHIFT_BITS: u32 = 6;

/// Bases are kept and added modulo this and one.
const BASE: u32 = u32::MAX >> SHIFT_BITS;

/// More levels than a build can make.
const LEVELS: usize = 16;

/// What follows the upper 16 bits of an address.
pub(crate) trait Key: Copy + Default + Ord {
    /// The width of a key.
    const BITS: u32;

    /// Returns the number.
    fn number(self) -> u64;

    /// Returns how many of `keys` are not above this one.
    fn count_from(self, keys: &[Self; WINDOW]) -> usize;
}

macro_rules! impl_key {
    ($type:ident) => {
        impl Key for $type {
            const BITS: u32 = Self::BITS;

            #[inline(always)]
            fn number(self) -> u64 {
                u64::from(self)
            }

            #[inline(always)]
            fn count_from(self, keys: &[Self; WINDOW]) -> usize {
                // PERF: summed in the type of the keys, so that it stays in vector registers.
                let ones = keys.map(|key| Self::from(key <= self));
                ones.iter().sum::<Self>().as_usize()
            }
        }
    };
}

impl_key!(u16);
impl_key!(u32);

/// The tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Buckets<K> {
    /// The node of each block of /16.
    root: Vec<u32>,
    /// The windows and nodes of the buckets.
    entries: Vec<u32>,
    /// The nodes of crowded buckets.
    nodes: Vec<u32>,
    /// Where stretches start.
    keys: Vec<K>,
    /// The class before each key.
    before: Packed,
}

/// A stretch: upper 16 bits, key and class.
pub(crate) type Stretch<K> = (u16, K, u32);

impl<K: Key> Buckets<K> {
    /// Lays out `stretches` of classes up to `largest`, in ascending order, the first from
    /// the lowest address; `None` where they are too many.
    pub(crate) fn new(stretches: &[Stretch<K>], largest: u32) -> Option<Self> {
        let mut builder = Builder::<K> {
            tables: Self::default(),
            before: Vec::with_capacity(stretches.len()),
        };
        builder.tables.keys.reserve(stretches.len());
        builder.tables.root.reserve_exact(1 << 16);
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
            if let Some(&(_, _, last)) = inside.last() {
                let node = builder.block(class, inside)?;
                builder.tables.root.push(node);
                class = last;
            } else if let Some(&node) = uniform.get(&class) {
                builder.tables.root.push(node);
            } else {
                let node = builder.block(class, &[])?;
                uniform.insert(class, node);
                builder.tables.root.push(node);
            }
        }
        let Builder { mut tables, before } = builder;
        tables.before = Packed::from_numbers(largest, &before);
        tables.entries.shrink_to_fit();
        tables.keys.shrink_to_fit();
        Some(tables)
    }

    /// Returns the class of the address with these upper 16 bits and this key.
    #[inline(always)]
    pub(crate) fn class(&self, block: u16, key: K) -> u32 {
        let mut node = self.root.get(block.as_usize()).copied().unwrap_or_default();
        for _ in 0..LEVELS {
            let entry = self.entries.get(index(node, key.number()));
            let entry = entry.copied().unwrap_or_default();
            if entry & NODE == 0 {
                let window = entry.as_usize();
                let keys = self.keys.get(window..).and_then(|keys| keys.first_chunk());
                let count = keys.map_or(0, |keys| key.count_from(keys));
                return self.before.number(window + count);
            }
            let at = (entry & !NODE).as_usize();
            node = self.nodes.get(at).copied().unwrap_or_default();
        }
        0
    }

    /// Returns the size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.root)
            + size_of_val(&*self.entries)
            + size_of_val(&*self.nodes)
            + size_of_val(&*self.keys)
            + self.before.bytes()
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for table in [&mut self.root, &mut self.entries, &mut self.nodes] {
            for _ in 0..table.len() / 8 {
                let at = super::tests::below(&mut random, table.len());
                table[at] ^= low32(random());
            }
        }
        for _ in 0..self.keys.len() / 8 {
            let from = super::tests::below(&mut random, self.keys.len());
            let to = super::tests::below(&mut random, self.keys.len());
            self.keys.swap(from, to);
        }
        self.before.corrupt(random);
    }
}

struct Builder<K> {
    tables: Buckets<K>,
    before: Vec<u32>,
}

/// The keys of a block of /16, and where in the tables they are.
struct Block<'a, K> {
    keys: &'a [K],
    first: usize,
}

impl<K: Key> Builder<K> {
    /// Appends a block that starts with `class` and returns its node.
    fn block(&mut self, class: u32, inside: &[Stretch<K>]) -> Option<u32> {
        let fill = WINDOW.saturating_sub(inside.len());
        let first = self.before.len();
        let mut keys = vec![K::default(); fill];
        self.before.resize(first + fill + 1, class);
        keys.extend(inside.iter().map(|stretch| stretch.1));
        self.before.extend(inside.iter().map(|stretch| stretch.2));
        self.tables.keys.extend_from_slice(&keys);
        self.tables.keys.push(K::default());
        let block = Block { keys: &keys, first };
        self.node(&block, 0, K::BITS, fill..keys.len())
    }

    /// Appends the buckets of the part of a block that starts at `from` and has 2^`bits`
    /// addresses; `inside` are the keys above `from`.
    fn node(
        &mut self,
        block: &Block<'_, K>,
        from: u64,
        bits: u32,
        inside: core::ops::Range<usize>,
    ) -> Option<u32> {
        let keys = block.keys.get(inside.clone())?;
        let shift = bits - cut(keys, from, bits);
        let base = self.tables.entries.len();
        let count = 1_usize << (bits - shift);
        self.tables.entries.resize(base + count, 0);
        let mut at = inside.start;
        for bucket in 0..count {
            let low = from + (u64::try_from(bucket).ok()? << shift);
            let high = low + (1 << shift);
            let ahead = |at: usize, end: u64| {
                let rest = block.keys.get(at..inside.end).unwrap_or_default();
                at + rest.iter().take_while(|key| key.number() < end).count()
            };
            let start = ahead(at, low + 1);
            let end = ahead(start, high);
            let entry = if end - start > WINDOW {
                let node = self.node(block, low, shift, start..end)?;
                self.tables.nodes.push(node);
                NODE | to_u32(self.tables.nodes.len() - 1)?
            } else {
                let window = start.min(block.keys.len() - WINDOW);
                to_u32(block.first + window).filter(|window| window & NODE == 0)?
            };
            *self.tables.entries.get_mut(base + bucket)? = entry;
            at = end;
        }
        let base = to_u32(base).filter(|&base| base <= BASE)?;
        let base = base.wrapping_sub(low32(from >> shift)) & BASE;
        Some(base << SHIFT_BITS | shift)
    }
}

/// Returns the entry of `key` in the buckets of `node`.
#[inline(always)]
fn index(node: u32, key: u64) -> usize {
    let bucket = key.wrapping_shr(node & ((1 << SHIFT_BITS) - 1));
    ((node >> SHIFT_BITS).wrapping_add(low32(bucket)) & BASE).as_usize()
}

/// Returns the k for which 2^k buckets are few and seldom crowded.
fn cut<K: Key>(keys: &[K], from: u64, bits: u32) -> u32 {
    if keys.len() <= WINDOW {
        return 0;
    }
    // A bucket has at least two keys on average, so that entries take less room than keys.
    let most = (keys.len() / 2).ilog2().clamp(1, bits);
    let least = (keys.len() / WINDOW).ilog2().clamp(1, most);
    let seldom = |k: &u32| {
        let bucket = |key: &K| (key.number() - from) >> (bits - k);
        let chunks = keys.chunk_by(|a, b| bucket(a) == bucket(b));
        // The first key of a bucket may be its start, which needs no room.
        let crowded = chunks.filter(|chunk| chunk.len() > WINDOW);
        crowded.map(<[K]>::len).sum::<usize>() <= keys.len() / 32
    };
    (least..most).find(seldom).unwrap_or(most)
}
