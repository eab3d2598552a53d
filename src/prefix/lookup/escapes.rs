//! Block → child, for the few blocks that an upper table cannot tell apart: an open hash table.
//!
//! The place of a block follows from the address alone, so this table's load runs beside
//! those of the upper table; a child's number kept there would be a load after them.
//!
//! # Invariants
//!
//! - A block is at most `probes` slots behind its home; so many are looked at, whatever
//!   the content.
//! - Blocks that no multiplier spreads, as somebody may choose them, are sorted instead;
//!   `probes` is 0 then.
//! - An empty slot's child is [`NONE`].

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::util::int::{AsUsize, low32};
use crate::util::table::tables;
#[cfg(feature = "build")]
use crate::util::{
    int::{high32, to_u32},
    table::Tables,
};

/// The child of an empty slot.
const NONE: u32 = u32::MAX;

/// More slots than a block may be away from its home; past it another multiplier is tried.
const PROBES: u32 = 64;

/// Odd numbers without pattern.
#[cfg(feature = "build")]
const MULTIPLIERS: [u64; 4] = [
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
    0xd6e8_feb8_6659_fd93,
];

tables! {
    /// A hash table from block to child.
    struct Escapes / EscapesView {
        "classes" {
            /// The lower half of the hash's multiplier.
            scalar multiplier_low: u32;
            /// The upper half.
            scalar multiplier_high: u32;
            /// How many slots are looked at; 0 where they are sorted by block.
            scalar probes: u32;
            /// The slots, and [`PROBES`] behind the last home; or one for each block, sorted.
            table slots: Slot;
        }
    }
}

/// A block and its child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Slot {
    /// The upper and the lower half of the block's number.
    block: [u32; 2],
    child: u32,
}

#[cfg(feature = "build")]
impl Escapes {
    /// Lays out `children`, whose blocks are distinct.
    pub(crate) fn new(children: &[(u64, u32)]) -> Self {
        if children.is_empty() {
            return Self::default();
        }
        let snug = children.len() + children.len() / 2 + 1;
        let tries = MULTIPLIERS.iter().zip([snug, snug, 2 * snug, 4 * snug]);
        tries
            .filter(|(_, len)| to_u32(*len).is_some())
            .find_map(|(&multiplier, len)| Self::spread(children, multiplier, len))
            .unwrap_or_else(|| Self::sort(children))
    }

    /// Lays out children that cannot be spread.
    fn sort(children: &[(u64, u32)]) -> Self {
        let slot = |&(block, child)| Slot {
            block: halves(block),
            child,
        };
        let mut slots: Vec<Slot> = children.iter().map(slot).collect();
        slots.sort_unstable_by_key(|slot| slot.block);
        Self {
            slots,
            ..Self::default()
        }
    }

    /// Lays out children by their hashes; `None` where some are too many behind one home.
    fn spread(children: &[(u64, u32)], multiplier: u64, len: usize) -> Option<Self> {
        let empty = Slot {
            block: [0; 2],
            child: NONE,
        };
        let mut escapes = Self {
            multiplier_low: low32(multiplier),
            multiplier_high: high32(multiplier),
            probes: 0,
            // The last homes' neighbours lie past the end, so that no look-up wraps around.
            slots: vec![empty; len + PROBES.as_usize()],
        };
        // By home, each in the first slot that is left: no block is far from its own.
        let view = escapes.view();
        let homed = children.iter().map(|&child| (view.home(child.0), child));
        let mut homed: Vec<(usize, (u64, u32))> = homed.collect();
        homed.sort_unstable_by_key(|&(home, _)| home);
        let mut next = 0;
        for (home, (block, child)) in homed {
            let at = home.max(next);
            escapes.probes = escapes.probes.max(to_u32(at - home + 1)?);
            if escapes.probes > PROBES {
                return None;
            }
            *escapes.slots.get_mut(at)? = Slot {
                block: halves(block),
                child,
            };
            next = at + 1;
        }
        Some(escapes)
    }

    /// Changes slots at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..1 + self.slots.len() / 8 {
            let at = super::tests::below(&mut random, self.slots.len());
            if let Some(slot) = self.slots.get_mut(at) {
                slot.child ^= low32(random() & random());
                slot.block[1] ^= low32(random() & random() & random());
            }
        }
        if random().is_multiple_of(4) {
            self.probes = low32(random());
            self.multiplier_low = low32(random());
            self.multiplier_high = low32(random());
        }
    }
}

impl EscapesView<'_> {
    /// Returns whether a look-up ends soon.
    pub(crate) fn is_sound(&self) -> bool {
        self.probes <= PROBES
    }

    /// Returns all children.
    pub(crate) fn children(&self) -> impl Iterator<Item = u32> {
        let children = self.slots.iter().map(|slot| slot.child);
        children.filter(|&child| child != NONE)
    }

    /// Returns the child of `block`, or `None` if there is none.
    #[inline]
    pub(crate) fn child(&self, block: u64) -> Option<u32> {
        let wanted = halves(block);
        if self.probes == 0 {
            let at = self.slots.binary_search_by_key(&wanted, |slot| slot.block);
            return self.slots.get(at.ok()?).map(|slot| slot.child);
        }
        let run = self.slots.get(self.home(block)..)?;
        run.iter()
            .take(self.probes.as_usize())
            .find(|slot| slot.block == wanted)
            .map(|slot| slot.child)
    }

    /// Returns the first slot of `block`.
    #[inline(always)]
    fn home(&self, block: u64) -> usize {
        let homes = self.slots.len().saturating_sub(PROBES.as_usize());
        let homes = u64::try_from(homes).unwrap_or_default();
        let multiplier = u64::from(self.multiplier_high) << 32 | u64::from(self.multiplier_low);
        let hash = (block ^ block >> 29).wrapping_mul(multiplier) >> 32;
        low32(hash.wrapping_mul(homes) >> 32).as_usize()
    }
}

#[inline(always)]
fn halves(block: u64) -> [u32; 2] {
    [low32(block >> 32), low32(block)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_finds_its_child_and_no_other_does() {
        for step in [1, 256, 1 << 16, 1 << 30, 0x0123_4567] {
            let blocks = (0..3000_u32).map(|i| (u64::from(i) * step, i));
            let children: Vec<(u64, u32)> = blocks.collect();
            let escapes = Escapes::new(&children);
            for &(block, child) in &children {
                assert_eq!(escapes.view().child(block), Some(child), "{step} {block}");
            }
            assert_eq!(escapes.view().child(3000 * step), None);
        }
        assert_eq!(Escapes::new(&[]).view().child(0), None);
    }

    /// More blocks than are looked at have the same home under each multiplier.
    #[test]
    fn blocks_chosen_to_collide_are_found() {
        let mut children = Vec::new();
        for multiplier in MULTIPLIERS {
            // By Newton's method, which doubles the right bits: 3, 6, 12, 24, 48, 96.
            let step = |x: u64| x.wrapping_mul(2_u64.wrapping_sub(multiplier.wrapping_mul(x)));
            let inverse = (0..5).fold(multiplier, |x, _| step(x));
            assert_eq!(multiplier.wrapping_mul(inverse), 1);
            for product in 1..=u64::from(PROBES) + 1 {
                let mixed = inverse.wrapping_mul(product);
                let block = mixed ^ mixed >> 29 ^ mixed >> 58;
                children.push((block, to_u32(children.len()).unwrap()));
            }
        }
        let escapes = Escapes::new(&children);
        assert_eq!(escapes.probes, 0, "they do not collide");
        assert!(escapes.view().is_sound());
        for &(block, child) in &children {
            assert_eq!(escapes.view().child(block), Some(child), "{block}");
        }
        assert_eq!(escapes.view().child(5), None);
    }
}
