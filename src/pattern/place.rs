//! Where things stand that are found by a hash: each at a place of its own, found without searching.
//!
//! ```text
//! hash ─┬─ upper half ─▶ group ─▶ shift ─┐
//!       └─ lower half ───────────────────┴─▶ lower half ^ shift, spread over the places
//! ```
//!
//! Hash and displace (Pagh, 1999): a build chooses for each group, the largest first, the first
//! shift by which all its members come to free places. A table of shifts is small enough for the
//! nearest cache where a table of everybody's place is not: with it a decision about ten thousand APIs
//! waits for one load less, and for no collisions, which were mispredicted.
//!
//! Whoever has no place of his own, as his hash is another's or his group is large because somebody
//! made it so, is linked behind the one who has it: looking for him takes longer, and is as exact.

#[cfg(feature = "build")]
use core::cmp::Reverse;

#[cfg(feature = "build")]
use smallvec::SmallVec;

use crate::util::hash;
#[cfg(feature = "build")]
use crate::util::int::to_u32;
use crate::util::int::{AsUsize, low32};

/// How many belong to a group on average.
#[cfg(feature = "build")]
const GROUP: usize = 4;

/// How many shifts are tried for a group; for a large one fewer.
#[cfg(feature = "build")]
const TRIES: usize = 4096;

/// As many members times shifts are looked at for one group.
#[cfg(feature = "build")]
const STEPS: usize = 1 << 16;

/// An odd number without pattern.
const SPREAD: u32 = 0x9e37_79b1;

/// Returns the group of a hash among 2^`bits`.
#[inline(always)]
pub(super) fn group(hash: u64, bits: u32) -> usize {
    hash::bucket(hash, bits).as_usize()
}

/// Returns the place of a hash among `places`.
#[inline(always)]
pub(super) fn place(hash: u64, shift: u32, places: u32) -> u32 {
    let shifted = (low32(hash) ^ shift).wrapping_mul(SPREAD);
    // As a fraction of all places.
    low32((u64::from(shifted).wrapping_mul(u64::from(places))) >> 32)
}

/// Where everybody stands.
#[cfg(feature = "build")]
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// How many bits of a hash choose the group.
    pub(super) bits: u32,
    /// The shift of each group.
    pub(super) shifts: Vec<u32>,
    /// How many places there are.
    pub(super) places: u32,
    /// By item: its place; from `places` on of those that have none of their own.
    pub(super) at: Vec<u32>,
    /// The places that are none of their own, in ascending order: behind which, and which.
    pub(super) links: Vec<(u32, u32)>,
}

#[cfg(feature = "build")]
impl Placed {
    /// Finds places for items by their hashes; `None` past 2^31 of them.
    pub(super) fn new(hashes: &[u64]) -> Option<Self> {
        if hashes.is_empty() {
            return Some(Self::default());
        }
        let groups = (hashes.len() / GROUP).max(1).checked_next_power_of_two()?;
        let mut placed = Self {
            bits: groups.trailing_zeros(),
            shifts: vec![0; groups],
            // A quarter more, so that the last groups need not try long.
            places: to_u32(hashes.len() + hashes.len() / 4 + 1).filter(|&p| p < 1 << 31)?,
            at: vec![u32::MAX; hashes.len()],
            links: Vec::new(),
        };
        let mut members: Vec<Member> = hashes
            .iter()
            .enumerate()
            .map(|(item, &hash)| (group(hash, placed.bits), item, hash))
            .collect();
        members.sort_unstable();
        let mut groups: Vec<&[Member]> = members.chunk_by(|a, b| a.0 == b.0).collect();
        // Stable, so that equal groups keep their order.
        groups.sort_by_key(|group| Reverse(group.len()));
        let mut taken = vec![false; placed.places.as_usize()];
        let mut left: Vec<(u32, usize)> = Vec::new();
        for members in groups {
            let shift = placed.shift(members, &mut taken);
            for &(group, item, hash) in members {
                *placed.shifts.get_mut(group)? = shift;
                let place = place(hash, shift, placed.places);
                let taken = taken.get_mut(place.as_usize())?;
                if *taken {
                    left.push((place, item));
                } else {
                    *taken = true;
                    *placed.at.get_mut(item)? = place;
                }
            }
        }
        // Those of one place behind one another.
        left.sort_unstable();
        let mut before: Option<(u32, u32)> = None;
        for (place, item) in left {
            let own = placed.places.checked_add(to_u32(placed.links.len())?)?;
            *placed.at.get_mut(item)? = own;
            let behind = before.filter(|before| before.0 == place);
            placed
                .links
                .push((behind.map_or(place, |before| before.1), own));
            before = Some((place, own));
        }
        Some(placed)
    }

    /// Returns the first shift by which all members of a group come to free places, or that by which
    /// most do.
    fn shift(&self, members: &[Member], taken: &mut [bool]) -> u32 {
        let tries = TRIES.min(1 + STEPS / members.len().max(1));
        let (mut best, mut fewest) = (0, usize::MAX);
        let shifts = (0_u32..).map(|nth| nth.wrapping_mul(SPREAD));
        for shift in shifts.take(tries) {
            let mut own: SmallVec<[u32; 16]> = SmallVec::new();
            let places = members
                .iter()
                .map(|&(_, _, hash)| place(hash, shift, self.places));
            // Each takes his place for as long as the others are asked.
            let mut without = 0;
            for place in places {
                match taken.get_mut(place.as_usize()) {
                    Some(taken) if !*taken => {
                        *taken = true;
                        own.push(place);
                    }
                    _ => without += 1,
                }
                if without >= fewest {
                    break;
                }
            }
            for place in own {
                if let Some(taken) = taken.get_mut(place.as_usize()) {
                    *taken = false;
                }
            }
            if without < fewest {
                (best, fewest) = (shift, without);
            }
            if fewest == 0 {
                break;
            }
        }
        best
    }
}

/// A group, an item, and its hash.
#[cfg(feature = "build")]
type Member = (usize, usize, u64);

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds an item as a decision does.
    fn find(placed: &Placed, hashes: &[u64], item: usize) -> bool {
        let hash = hashes[item];
        let shift = placed.shifts[group(hash, placed.bits)];
        let mut at = place(hash, shift, placed.places);
        loop {
            if placed.at[item] == at {
                return true;
            }
            let Some(&(_, next)) = placed.links.iter().find(|link| link.0 == at) else {
                return false;
            };
            at = next;
        }
    }

    #[test]
    fn everybody_has_a_place_of_his_own() {
        for count in [1_u32, 2, 3, 7, 100, 5_000, 20_000] {
            let hashes: Vec<u64> = (0..count)
                .map(|i| hash::bytes(3, &i.to_le_bytes()))
                .collect();
            let placed = Placed::new(&hashes).unwrap();
            assert!(placed.links.is_empty(), "{count}: {}", placed.links.len());
            let mut at = placed.at.clone();
            at.sort_unstable();
            at.dedup();
            assert_eq!(at.len(), hashes.len());
            assert!((0..hashes.len()).all(|item| find(&placed, &hashes, item)));
        }
        assert_eq!(Placed::new(&[]).unwrap().places, 0);
    }

    /// What nobody could spread is linked.
    #[test]
    fn those_made_to_collide_are_found() {
        let same = vec![42; 100];
        let of_one_group: Vec<u64> = (0..3_000).map(|i| i << 7).collect();
        let of_one_home: Vec<u64> = (0..3_000_u64).map(|i| i << 32).collect();
        for hashes in [same, of_one_group, of_one_home] {
            let placed = Placed::new(&hashes).unwrap();
            assert!(placed.links.iter().all(|link| link.0 < link.1));
            for item in (0..hashes.len()).step_by(37) {
                assert!(find(&placed, &hashes, item), "{item}");
            }
        }
    }
}
