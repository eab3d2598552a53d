//! IPv4 address → class by direct index: for few classes.
//!
//! ```text
//! root[upper 16 bits] ─▶ node ──cells[node · 256 + next 8 bits]──▶ class
//!                                                        └─ all ones ─▶ escapes[upper 24 bits] ─▶ child
//!                                                                       cells[child · 256 + last 8 bits] ─▶ class
//! ```
//!
//! or by the upper 18 bits and nodes of 64 cells, where that is smaller: a hundred thousand
//! prefixes are less than one to such a block, and blocks that hold one look alike.
//!
//! A cell is as wide as the classes need, with one number kept for "not uniform": 2 bits
//! for a block list, so a node is one cache line. Nothing is searched or counted; the only
//! branch is the one on prefixes longer than /24.
//!
//! # Invariants
//!
//! - Equal nodes are one node, and equal children one child; most lone addresses have the
//!   same few children.
//! - A child's cells hold classes only.

use super::escapes::EscapesView;
use super::packed::PackedView;
#[cfg(feature = "build")]
use super::{escapes::Escapes, packed::Packed};
use crate::util::ids::{ClassId, Id};
use crate::util::int::AsUsize;
use crate::util::table::tables;
#[cfg(feature = "build")]
use crate::util::{int::to_u32, keyed::Map};

/// From so many words of cells on smaller nodes are tried: a cache of the second level.
#[cfg(feature = "build")]
const LARGE: usize = 1 << 15;

/// With more stretches hardly any two of the smaller nodes were equal.
#[cfg(feature = "build")]
const SPARSE: usize = 1 << 18;

/// The number of cells of a child.
const CELLS: usize = 1 << 8;

/// Where a stretch starts, and its class.
#[cfg(feature = "build")]
type Stretch = (u32, ClassId);

tables! {
    /// Nodes and children by direct index.
    struct Codes / CodesView {
        "classes" {
            /// How many lower bits of an address its node is for.
            scalar bits: u32;
            /// The node of each block.
            table root: u16;
            /// The cells of the nodes, then of the children.
            part cells: Packed, PackedView;
            /// The children of the blocks of /24 that are not uniform.
            part escapes: Escapes, EscapesView;
        }
    }
}

/// How many blocks are not uniform: what decides the size.
#[cfg(feature = "build")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mixed {
    /// Blocks of /16.
    pub(crate) nodes: usize,
    /// Blocks of /24.
    pub(crate) escapes: usize,
}

#[cfg(feature = "build")]
impl Mixed {
    /// Counts.
    pub(crate) fn new(stretches: &[Stretch]) -> Self {
        let (mut mixed, mut node, mut escape) = (Self::default(), None, None);
        for &(start, _) in stretches {
            if start & 0xffff != 0 && node.replace(start >> 16) != Some(start >> 16) {
                mixed.nodes += 1;
            }
            if start & 0xff != 0 && escape.replace(start >> 8) != Some(start >> 8) {
                mixed.escapes += 1;
            }
        }
        mixed
    }
}

#[cfg(feature = "build")]
impl Codes {
    /// Lays out `stretches` of `count` classes.
    pub(crate) fn new(stretches: &[Stretch], count: u32) -> Option<Self> {
        let shared = Self::with_nodes(stretches, count, 16)?;
        if shared.cells.words.len() < LARGE || stretches.len() > SPARSE {
            return Some(shared);
        }
        let bytes = |codes: &Self| 2 * codes.root.len() + 8 * codes.cells.words.len();
        let finer = Self::with_nodes(stretches, count, 14);
        let finer = finer.filter(|finer| bytes(finer) < bytes(&shared));
        Some(finer.unwrap_or(shared))
    }

    /// Lays out `stretches` by nodes for so many lower bits of an address.
    fn with_nodes(stretches: &[Stretch], count: u32, bits: u32) -> Option<Self> {
        let mut cells = Packed::new(count);
        let escape = cells.largest;
        let size = 1_usize << (bits - 8);
        let mut root = Vec::with_capacity(1 << (32 - bits));
        let mut nodes = 0_usize;
        let mut known: Map<Box<[u64]>, u16> = Map::default();
        let mut uniform: Map<u32, u16> = Map::default();
        // The blocks of /24 that are not uniform: their number, class at the start, and rest.
        let mut mixed: Vec<(u32, u32, &[Stretch])> = Vec::new();
        let mut rest = stretches;
        let mut class = 0;
        for block in 0..1_u32 << (32 - bits) {
            let inside = take_block(&mut rest, block, bits);
            let inside = start_class(inside, block << bits, &mut class);
            if inside.is_empty()
                && let Some(&node) = uniform.get(&class)
            {
                root.push(node);
                continue;
            }
            let base = nodes * size;
            cells.grow(base + size);
            // Of each run of cells the class holds up to the next stretch or escape.
            let before = class;
            let (mut from, mut inside) = (0, inside);
            while let Some(&(start, _)) = inside.first() {
                let cell = (start >> 8).as_usize() % size;
                cells.fill(base + from, base + cell, class);
                let here = take_block(&mut inside, start >> 8, 8);
                let here = start_class(here, start & !0xff, &mut class);
                from = cell;
                if let Some(&(_, last)) = here.last() {
                    mixed.push((start >> 8, class, here));
                    cells.fill(base + cell, base + cell + 1, escape);
                    class = last.as_u32();
                    from += 1;
                }
            }
            cells.fill(base + from, base + size, class);
            let words = cells.words(base, base + size);
            let node = if let Some(&node) = known.get(words) {
                cells.shrink(base);
                node
            } else {
                let node = u16::try_from(nodes).ok()?;
                known.insert(words.into(), node);
                nodes += 1;
                node
            };
            if from == 0 && before == class {
                uniform.insert(class, node);
            }
            root.push(node);
        }

        // Children behind the nodes, all of one size.
        let mut end = (nodes * size).next_multiple_of(CELLS);
        cells.grow(end);
        let mut children: Vec<(u64, u32)> = Vec::with_capacity(mixed.len());
        let mut known: Map<Box<[u64]>, u32> = Map::default();
        for (block, mut class, inside) in mixed {
            cells.grow(end + CELLS);
            let mut from = 0;
            for &(start, next) in inside {
                let cell = (start & 0xff).as_usize();
                cells.fill(end + from, end + cell, class);
                (from, class) = (cell, next.as_u32());
            }
            cells.fill(end + from, end + CELLS, class);
            let words = cells.words(end, end + CELLS);
            let child = if let Some(&child) = known.get(words) {
                cells.shrink(end);
                child
            } else {
                let child = to_u32(end / CELLS)?;
                known.insert(words.into(), child);
                end += CELLS;
                child
            };
            children.push((u64::from(block), child));
        }
        Some(Self {
            bits,
            root,
            cells,
            escapes: Escapes::new(&children),
        })
    }

    /// Changes all tables at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..1000 {
            let at = super::tests::below(&mut random, self.root.len());
            if let Some(node) = self.root.get_mut(at) {
                *node ^= crate::util::int::low16(crate::util::int::low32(random()));
            }
        }
        self.cells.corrupt(&mut random);
        self.escapes.corrupt(random);
    }
}

impl CodesView<'_> {
    /// Returns whether every block has a node, and every node and child its cells, if this
    /// shape was chosen, and look-ups end soon.
    pub(crate) fn is_sound(&self) -> bool {
        if self.is_empty() {
            return true;
        }
        let (cells, root) = (self.cells.len(), self.root.len());
        let is_whole = (8..u32::BITS).contains(&self.bits) && root == 1 << (u32::BITS - self.bits);
        let last = self.root.iter().max().copied().unwrap_or_default();
        is_whole
            && (usize::from(last) + 1) << (self.bits - 8) <= cells
            && self.escapes.is_sound()
            && self
                .escapes
                .children()
                .all(|child| child.as_usize() < cells / CELLS)
    }

    /// Returns whether another shape was chosen.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Returns the class of `address`, or `None` if another shape was chosen.
    #[inline(always)]
    pub(crate) fn class(&self, address: u32) -> Option<ClassId> {
        let block = address.wrapping_shr(self.bits);
        let node = u32::from(*self.root.get(block.as_usize())?);
        let lower = address ^ block.wrapping_shl(self.bits);
        let cell = (node.wrapping_shl(self.bits) | lower) >> 8;
        let mut code = self.cells.number(cell.as_usize());
        if code == self.cells.largest {
            code = self.below(address);
        }
        Some(ClassId::from_u32(code))
    }

    /// Returns the class of `address`, whose block of /24 is not uniform.
    #[inline(never)]
    fn below(&self, address: u32) -> u32 {
        let child = self.escapes.child(u64::from(address >> 8));
        let child = child.unwrap_or_default().as_usize();
        let cell = (address & 0xff).as_usize();
        self.cells.number(child.wrapping_mul(CELLS) | cell)
    }
}

/// Returns the width of the cells of so many classes, in bits.
#[cfg(feature = "build")]
pub(crate) fn width(count: u32) -> usize {
    Packed::new(count).width().as_usize()
}

/// Takes the stretches that start in `block`, whose size is 2^`bits`, from the front of `rest`.
#[cfg(feature = "build")]
fn take_block<'a>(rest: &mut &'a [Stretch], block: u32, bits: u32) -> &'a [Stretch] {
    let inside = rest.iter().take_while(|stretch| stretch.0 >> bits == block);
    let (inside, after) = rest.split_at(inside.count());
    *rest = after;
    inside
}

/// Sets `class` to that of the first address of a block; returns the stretches that start later.
#[cfg(feature = "build")]
fn start_class<'a>(inside: &'a [Stretch], first: u32, class: &mut u32) -> &'a [Stretch] {
    match inside {
        [(start, at_start), later @ ..] if *start == first => {
            *class = at_start.as_u32();
            later
        }
        _ => inside,
    }
}
