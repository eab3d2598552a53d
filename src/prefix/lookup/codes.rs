//! IPv4 address → class by direct index: for few classes.
//!
//! ```text
//! root[upper 16 bits] ─▶ node ──cells[node · 256 + next 8 bits]──▶ class
//!                                                        └─ all ones ─▶ escapes[upper 24 bits] ─▶ child
//!                                                                       cells[child · 256 + last 8 bits] ─▶ class
//! ```
//!
//! A cell is as wide as the classes need, with one number kept for "not uniform": 2 bits
//! for a block list, so a node is one cache line. Nothing is searched or counted; the only
//! branch is the one on prefixes longer than /24.
//!
//! # Invariants
//!
//! - Blocks of /16 that are one class share that class's node, and equal children are one
//!   child; most lone addresses have the same few children.
//! - A child's cells hold classes only.

#[cfg(feature = "build")]
use std::collections::HashMap;

use super::escapes::EscapesView;
use super::packed::PackedView;
#[cfg(feature = "build")]
use super::{escapes::Escapes, packed::Packed};
use crate::util::ids::{ClassId, Id};
#[cfg(feature = "build")]
use crate::util::int::to_u32;
use crate::util::int::{AsUsize, low16, top16_v4};
use crate::util::table::tables;

/// The number of blocks of /16.
const BLOCKS: u32 = 1 << 16;

/// The number of cells of a node.
const CELLS: usize = 1 << 8;

/// Where a stretch starts, and its class.
#[cfg(feature = "build")]
type Stretch = (u32, ClassId);

tables! {
    /// Nodes and children by direct index.
    struct Codes / CodesView {
        "classes" {
            /// The node of each block of /16.
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
        let mut cells = Packed::new(count);
        let escape = cells.largest;
        let mut root = Vec::with_capacity(BLOCKS.as_usize());
        let mut nodes = 0_usize;
        let mut uniform: HashMap<u32, u16> = HashMap::new();
        // The blocks of /24 that are not uniform: their number, class at the start, and rest.
        let mut mixed: Vec<(u32, u32, &[Stretch])> = Vec::new();
        let mut rest = stretches;
        let mut class = 0;
        for block in 0..BLOCKS {
            let inside = take_block(&mut rest, block, 16);
            let inside = start_class(inside, block << 16, &mut class);
            if inside.is_empty()
                && let Some(&node) = uniform.get(&class)
            {
                root.push(node);
                continue;
            }
            let node = u16::try_from(nodes).ok()?;
            if inside.is_empty() {
                uniform.insert(class, node);
            }
            root.push(node);
            let base = nodes * CELLS;
            nodes += 1;
            cells.grow(nodes * CELLS);

            // Of each run of cells the class holds up to the next stretch or escape.
            let (mut from, mut inside) = (0, inside);
            while let Some(&(start, _)) = inside.first() {
                let cell = (start >> 8 & 0xff).as_usize();
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
            cells.fill(base + from, base + CELLS, class);
        }

        let mut children: Vec<(u64, u32)> = Vec::with_capacity(mixed.len());
        let mut known: HashMap<Box<[u64]>, u32> = HashMap::new();
        for (block, mut class, inside) in mixed {
            let base = nodes * CELLS;
            cells.grow(base + CELLS);
            let mut from = 0;
            for &(start, next) in inside {
                let cell = (start & 0xff).as_usize();
                cells.fill(base + from, base + cell, class);
                (from, class) = (cell, next.as_u32());
            }
            cells.fill(base + from, base + CELLS, class);
            let words = cells.words(base, base + CELLS);
            let child = if let Some(&child) = known.get(words) {
                cells.grow(base);
                child
            } else {
                let child = to_u32(nodes)?;
                known.insert(words.into(), child);
                nodes += 1;
                child
            };
            children.push((u64::from(block), child));
        }
        Some(Self {
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
                *node ^= low16(crate::util::int::low32(random()));
            }
        }
        self.cells.corrupt(&mut random);
        self.escapes.corrupt(random);
    }
}

impl CodesView<'_> {
    /// Returns whether every block has a node, if this shape was chosen, and look-ups end soon.
    pub(crate) fn is_sound(&self) -> bool {
        (self.is_empty() || self.root.len() == BLOCKS.as_usize()) && self.escapes.is_sound()
    }

    /// Returns whether another shape was chosen.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Returns the class of `address`, or `None` if another shape was chosen.
    #[inline(always)]
    pub(crate) fn class(&self, address: u32) -> Option<ClassId> {
        let node = *self.root.get(top16_v4(address).as_usize())?;
        let cell = usize::from(node) << 8 | usize::from(low16(address) >> 8);
        let mut code = self.cells.number(cell);
        if code == self.cells.largest {
            let child = self.escapes.child(u64::from(address >> 8));
            let child = child.unwrap_or_default().as_usize();
            let cell = (address & 0xff).as_usize();
            code = self.cells.number(child.wrapping_mul(CELLS) | cell);
        }
        Some(ClassId::from_u32(code))
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
