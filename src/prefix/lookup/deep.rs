//! IPv6 address → class within the blocks of /48 that are not uniform: a sorted run for each.
//!
//! Few lists tell such a block apart, and most of those that do name one network or one
//! address in it, so a run is short. Runs stand behind one another by address: where the next
//! one starts, no address of a block is, so that a length need not be kept.
//!
//! # Invariants
//!
//! A block's first stretch starts at its first address.

use super::escapes::EscapesView;
use super::halves::Halves;
use super::packed::PackedView;
#[cfg(feature = "build")]
use super::{escapes::Escapes, packed::Packed};
use crate::util::int::{AsUsize, low64};
use crate::util::table::tables;
#[cfg(feature = "build")]
use crate::util::{
    ids::{ClassId, Id},
    int::to_u32,
};

/// How many lower bits are left of a block.
const BITS: u32 = 128 - 48;

/// So many stretches of a run are looked at first.
const USUAL: usize = 4;

tables! {
    /// Sorted runs by block.
    struct Deep / DeepView {
        "classes" {
            /// Where the run of each block starts.
            part blocks: Escapes, EscapesView;
            /// Where the stretches start.
            table starts: Halves;
            /// Their classes.
            part classes: Packed, PackedView;
        }
    }
}

/// The tables in the making, and what is left to those above.
#[cfg(feature = "build")]
#[derive(Debug, Default)]
pub(crate) struct Split {
    /// The stretches of whole blocks, by the block's first address; those of blocks that
    /// are not uniform have the class `escape`.
    pub(crate) above: Vec<(u128, u32)>,
    /// The tables.
    pub(crate) deep: Deep,
}

/// Splits `stretches` of classes below `escape`; `None` where they are too many.
#[cfg(feature = "build")]
pub(crate) fn split(stretches: &[(u128, ClassId)], escape: u32) -> Option<Split> {
    let mut above: Vec<(u128, u32)> = Vec::with_capacity(stretches.len());
    let mut deep = Deep::default();
    let mut children = Vec::new();
    let mut classes = Vec::new();
    let mut class = 0;
    for block in stretches.chunk_by(|a, b| a.0 >> BITS == b.0 >> BITS) {
        let Some(&(start, next)) = block.first() else {
            continue;
        };
        let first = start >> BITS << BITS;
        // Where the block before was an escape, the class goes on from here.
        if start == first {
            class = next.as_u32();
        }
        let last = block.last().map_or(class, |stretch| stretch.1.as_u32());
        match above.last() {
            Some(&(known, _)) if known == first => drop(above.pop()),
            _ => {}
        }
        if start == first && block.len() == 1 {
            above.push((first, class));
            continue;
        }
        above.push((first, escape));
        let heads = (start != first).then_some((first, class));
        let items = block.iter().map(|stretch| (stretch.0, stretch.1.as_u32()));
        let items: Vec<(u128, u32)> = heads.into_iter().chain(items).collect();
        children.push((low64(first >> BITS), to_u32(deep.starts.len())?));
        let starts = items.iter().map(|item| Halves::new(item.0));
        deep.starts.extend(starts);
        classes.extend(items.iter().map(|item| item.1));
        class = last;
        if let Some(after) = (first >> BITS).checked_add(1).map(|block| block << BITS)
            && after > first
        {
            above.push((after, class));
        }
    }
    deep.blocks = Escapes::new(&children);
    deep.classes = Packed::from_numbers(escape, &classes);
    Some(Split { above, deep })
}

#[cfg(feature = "build")]
impl Deep {
    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..self.starts.len() / 4 {
            let from = super::tests::below(&mut random, self.starts.len());
            let to = super::tests::below(&mut random, self.starts.len());
            self.starts.swap(from, to);
        }
        self.blocks.corrupt(&mut random);
        self.classes.corrupt(random);
    }
}

impl DeepView<'_> {
    /// Returns whether all runs are there and look-ups end soon.
    pub(crate) fn is_sound(&self) -> bool {
        self.blocks.is_sound()
            && (self.classes.len() >= self.starts.len())
            && self
                .blocks
                .children()
                .all(|run| run.as_usize() < self.starts.len())
    }

    /// Returns the class of `address`, whose block is not uniform.
    #[inline(never)]
    pub(crate) fn class(&self, address: u128) -> u32 {
        let run = self.blocks.child(low64(address >> BITS));
        let run = run.unwrap_or_default().as_usize();
        let starts = self.starts.get(run..).unwrap_or_default();
        let is_reached = |start: &Halves| start.bits() <= address;
        let mut len = USUAL;
        while starts.get(len).is_some_and(is_reached) {
            len *= 2;
        }
        let starts = starts.get(..len).unwrap_or(starts);
        let count = starts.partition_point(is_reached);
        self.classes.number(run + count.saturating_sub(1))
    }
}
