//! Many patterns behind one head, found by a few bytes that each of them must contain.
//!
//! Of the literals of a tail (`*/GET/p17/*` has one, `/GET/p17/`) one gram of 8, 4, 2 or 1
//! bytes is chosen: as long as the literals allow, and of those the one that the fewest
//! other tails have. A text that matches the tail contains that gram, so the grams of the
//! text, place by place, name all tails that can match; each of those is verified. A
//! filter of bits, small enough for the nearest cache, turns away nearly all places.
//!
//! The cost is a step for each place in the text and width in use, however many the tails.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

#[cfg(feature = "build")]
use super::glob::{ANY, ONE};
use crate::util::extent::Extent;
#[cfg(feature = "build")]
use crate::util::hash::HashTable;
use crate::util::hash::{self, HashTableView};
use crate::util::int::AsUsize;
#[cfg(feature = "build")]
use crate::util::int::to_u32;
#[cfg(feature = "build")]
use crate::util::keyed::Map;
use crate::util::table::tables;

/// The widths of grams, longest first; the bit of a width in [`GramSet::widths`] is its index.
#[cfg(feature = "build")]
const WIDTHS: [usize; 4] = [8, 4, 2, 1];

/// Bits of the filter for each gram.
#[cfg(feature = "build")]
const FILTER_BITS: usize = 16;

/// How many groups of one text are remembered as seen.
const SEEN: usize = 16;

tables! {
    /// The tails of all heads that have many.
    struct Grams / GramsView {
        "automaton" {
            /// One set for each head that has many tails.
            table sets: GramSet;
            /// The filters of the sets: bits by hash.
            table filters: u64;
            /// Index in `groups` by set and gram.
            part table: HashTable, HashTableView;
            /// Tails with one gram, as the automaton numbers tails.
            table groups: Extent;
        }
    }
}

/// The grams of the tails of one head.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct GramSet {
    /// Which widths occur: bits by index in [`WIDTHS`].
    pub(crate) widths: u32,
    /// In [`Grams::filters`]; a power of two of words.
    pub(crate) filter: Extent,
}

impl GramsView<'_> {
    /// Calls `visit` with the tails of `set` that may match `text`; all that do are among them.
    #[inline]
    pub(crate) fn candidates<B>(
        &self,
        set: u32,
        text: &[u8],
        mut visit: impl FnMut(Extent) -> core::ops::ControlFlow<B>,
    ) -> core::ops::ControlFlow<B> {
        use core::ops::ControlFlow::Continue;
        let Some(&GramSet { widths, filter }) = self.sets.get(set.as_usize()) else {
            return Continue(());
        };
        let filter = filter.of(self.filters);
        let mut seen = Seen::default();
        let mut probe = |index: u32, gram: u64| {
            let hash = hash::words(set, gram, u64::from(index));
            if !contains(filter, hash) {
                return Continue(());
            }
            self.table.candidates(hash).try_for_each(|group| {
                match self.groups.get(group.as_usize()) {
                    Some(&tails) if seen.is_new(group) => visit(tails),
                    _ => Continue(()),
                }
            })
        };
        if widths & 1 != 0 {
            text.windows(8)
                .filter_map(<[u8]>::first_chunk::<8>)
                .try_for_each(|&gram| probe(0, u64::from_le_bytes(gram)))?;
        }
        if widths & 2 != 0 {
            text.windows(4)
                .filter_map(<[u8]>::first_chunk::<4>)
                .try_for_each(|&gram| probe(1, u64::from(u32::from_le_bytes(gram))))?;
        }
        if widths & 4 != 0 {
            text.windows(2)
                .filter_map(<[u8]>::first_chunk::<2>)
                .try_for_each(|&gram| probe(2, u64::from(u16::from_le_bytes(gram))))?;
        }
        if widths & 8 != 0 {
            text.iter()
                .try_for_each(|&gram| probe(3, u64::from(gram)))?;
        }
        Continue(())
    }
}

#[cfg(feature = "build")]
impl Grams {
    /// Makes the set of some tails, given by their pattern bytes.
    ///
    /// Calls `store` with each group of indices, and gives it the extent that it returns; the
    /// indices that have no literal to be found by are left, and returned. `entries` collects
    /// what [`Self::table`] is to be built of. `None` where a table passes 2^32 entries.
    pub(crate) fn add(
        &mut self,
        tails: &[&[u8]],
        entries: &mut Vec<(u64, u32)>,
        mut store: impl FnMut(&[usize]) -> Option<Extent>,
    ) -> Option<(u32, Vec<usize>)> {
        let set = to_u32(self.sets.len())?;
        let mut chosen = choose(tails);
        let rest = chosen
            .extract_if(.., |choice| choice.1.is_none())
            .map(|(tail, _)| tail)
            .collect();
        chosen.sort_unstable_by_key(|&(tail, gram)| (gram, tail));
        let mut hashes = Vec::new();
        let mut widths = 0;
        for group in chosen.chunk_by(|a, b| a.1 == b.1) {
            let Some(&(_, Some((index, gram)))) = group.first() else {
                continue;
            };
            widths |= 1 << index;
            let indices: Vec<usize> = group.iter().map(|&(tail, _)| tail).collect();
            let hash = hash::words(set, gram, u64::from(index));
            hashes.push(hash);
            entries.push((hash, to_u32(self.groups.len())?));
            self.groups.push(store(&indices)?);
        }
        let words = (hashes.len() * FILTER_BITS / 64)
            .max(1)
            .checked_next_power_of_two()?;
        let mut filter = vec![0_u64; words];
        for &hash in &hashes {
            let (word, bit) = place(hash, words);
            *filter.get_mut(word)? |= bit;
        }
        self.sets.push(GramSet {
            widths,
            filter: Extent::append(&mut self.filters, filter)?,
        });
        Some((set, rest))
    }
}

/// A tail, and the width and gram it is to be found by.
#[cfg(feature = "build")]
type Choice = (usize, Option<(u32, u64)>);

/// Chooses the gram of each tail.
#[cfg(feature = "build")]
fn choose(tails: &[&[u8]]) -> Vec<Choice> {
    let mut counts: Map<(u32, u64), u32> = Map::default();
    for tail in tails {
        for_each_gram(tail, |gram| *counts.entry(gram).or_default() += 1);
    }
    let rarest = |tail: &[u8]| {
        let mut best: Option<(u32, (u32, u64))> = None;
        for_each_gram(tail, |gram| {
            let count = counts.get(&gram).copied().unwrap_or_default();
            if best.is_none_or(|best| count < best.0) {
                best = Some((count, gram));
            }
        });
        best.map(|(_, gram)| gram)
    };
    tails
        .iter()
        .enumerate()
        .map(|(index, tail)| (index, rarest(tail)))
        .collect()
}

/// Calls `visit` with each gram of the greatest width that some literal of `tail` has.
#[cfg(feature = "build")]
fn for_each_gram(tail: &[u8], mut visit: impl FnMut((u32, u64))) {
    let literals = || tail.split(|byte| matches!(*byte, ANY | ONE));
    let longest = literals().map(<[u8]>::len).max().unwrap_or_default();
    let Some((index, &width)) = (0_u32..).zip(&WIDTHS).find(|&(_, &width)| width <= longest) else {
        return;
    };
    for gram in literals().flat_map(|literal| literal.windows(width)) {
        let word = gram
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
        visit((index, word));
    }
}

/// Returns the word and the bit of a hash in a filter of this many words, a power of two.
#[inline(always)]
fn place(hash: u64, words: usize) -> (usize, u64) {
    // The upper bits choose the bucket in the table, so the bit is taken from the lowest.
    let word = crate::util::int::low32(hash >> 6).as_usize() & words.wrapping_sub(1);
    (word, 1 << (hash & 63))
}

#[inline(always)]
fn contains(filter: &[u64], hash: u64) -> bool {
    let (word, bit) = place(hash, filter.len());
    filter.get(word).is_some_and(|word| word & bit != 0)
}

/// The groups seen last: a text that repeats itself is not verified against them over and over.
#[derive(Default)]
struct Seen {
    groups: [u32; SEEN],
    count: usize,
}

impl Seen {
    fn is_new(&mut self, group: u32) -> bool {
        let known = self.groups.get(..self.count.min(SEEN)).unwrap_or_default();
        if known.contains(&group) {
            return false;
        }
        if let Some(slot) = self.groups.get_mut(self.count % SEEN) {
            *slot = group;
        }
        self.count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use core::ops::ControlFlow;

    use super::super::glob::program;
    use super::*;
    use crate::util::table::Tables;

    fn grams(patterns: &[&str]) -> (Grams, Vec<Vec<usize>>, Vec<usize>) {
        let programs: Vec<Vec<u8>> = patterns.iter().map(|p| program(p)).collect();
        let tails: Vec<&[u8]> = programs.iter().map(Vec::as_slice).collect();
        let (mut grams, mut entries, mut groups) = (Grams::default(), Vec::new(), Vec::new());
        let (_, rest) = grams
            .add(&tails, &mut entries, |group| {
                groups.push(group.to_vec());
                Some(Extent {
                    start: u32::try_from(groups.len() - 1).unwrap(),
                    len: 1,
                })
            })
            .unwrap();
        grams.table = HashTable::new(&entries).unwrap();
        (grams, groups, rest)
    }

    fn found(grams: &Grams, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        let _ = grams.view().candidates(0, text.as_bytes(), |group| {
            found.push(group.start);
            ControlFlow::<()>::Continue(())
        });
        found
    }

    #[test]
    fn the_rarest_gram_tells_tails_apart() {
        let patterns: Vec<String> = (0..1000).map(|i| format!("*/GET/p{i}/*")).collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let (grams, groups, rest) = grams(&patterns);
        assert!(rest.is_empty());
        let largest = groups.iter().map(Vec::len).max();
        assert!(largest <= Some(2), "{largest:?}");
        let of = |text| -> Vec<usize> {
            found(&grams, text)
                .iter()
                .flat_map(|&g| groups[usize::try_from(g).unwrap()].clone())
                .collect()
        };
        assert!(of("prod/GET/p417/x").contains(&417));
        assert!(of("prod/POST/p417").is_empty());
    }

    #[test]
    fn every_width_and_none() {
        let (grams, groups, rest) = grams(&["*?", "*a*?*", "?ab", "*abc?*", "*abcd", "*abcdefgh*"]);
        assert_eq!(rest, [0]);
        assert_eq!(groups.len(), 5);
        assert_eq!(grams.sets[0].widths, 0b1111);
        assert_eq!(found(&grams, "xabcdefghabcdefgh").len(), 5, "each once");
        assert_eq!(found(&grams, "b"), [0_u32; 0]);
    }
}
