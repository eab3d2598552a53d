//! A fixed hash of bytes, and tables from hashes to numbers.
//!
//! The hash is part of the compiled tables, so it must be the same on every machine and
//! in every release: it is written out here. It is not secret. A table answers with
//! *candidates*: whoever asks compares what he was looking for, so a collision costs time
//! and never an answer. Keys come from policies, not from requests; keys made to collide
//! make the search linear among themselves, and cost the build nothing.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

#[cfg(feature = "build")]
use crate::util::int::to_u32;
use crate::util::int::{AsUsize, fold, low32};
use crate::util::table::tables;

/// Returns the hash of `bytes` under `seed`.
#[inline]
pub(crate) fn bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    let mut rest = bytes;
    while let Some((word, behind)) = rest.split_first_chunk::<8>() {
        state = fold(state ^ u64::from_le_bytes(*word), 0xa076_1d64_78bd_642f);
        rest = behind;
    }
    let tail = rest
        .iter()
        .rev()
        .fold(0_u64, |tail, &byte| tail << 8 | u64::from(byte));
    // The length makes a word of zeros differ from none.
    let length = u64::try_from(bytes.len()).unwrap_or_default();
    fold(state ^ tail, 0xe703_7ed1_a0b4_28db ^ length)
}

/// Returns the hash of two words under `seed`; quicker than [`bytes`], and another function.
#[inline(always)]
pub(crate) fn words(seed: u32, first: u64, second: u64) -> u64 {
    let first = first ^ u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let second = second ^ 0xa076_1d64_78bd_642f;
    // What is added tells words apart where a factor is 0.
    fold(first, second).wrapping_add(first ^ second.rotate_left(32))
}

tables! {
    /// Numbers by hash.
    struct HashTable / HashTableView {
        "hash tables" {
            /// Where each bucket's slots start, and one more for the end; a power of two of buckets, or empty.
            table buckets: u32;
            /// The slots, by bucket.
            table slots: Slot;
            /// How many bits of the hash choose the bucket.
            scalar bits: u32;
        }
    }
}

/// A number, with the half of its hash that does not choose the bucket.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub(crate) struct Slot {
    /// The lower half of the hash.
    pub(crate) check: u32,
    /// The number.
    pub(crate) value: u32,
}

#[cfg(feature = "build")]
impl HashTable {
    /// Builds the table of `entries`; `None` past 2^31 of them.
    pub(crate) fn new(entries: &[(u64, u32)]) -> Option<Self> {
        if entries.is_empty() {
            return Some(Self::default());
        }
        let count = to_u32(entries.len().checked_next_power_of_two()?)?;
        let bits = count.trailing_zeros();
        let mut keyed: Vec<(u32, Slot)> = entries
            .iter()
            .map(|&(hash, value)| {
                let check = low32(hash);
                (bucket(hash, bits), Slot { check, value })
            })
            .collect();
        // A total order, so that equal entries in any order make one table.
        keyed.sort_unstable();
        let mut buckets = Vec::with_capacity(count.as_usize() + 1);
        let mut at = 0_usize;
        for bucket in 0..count {
            buckets.push(to_u32(at)?);
            let rest = keyed.get(at..).unwrap_or_default();
            at += rest.iter().take_while(|entry| entry.0 == bucket).count();
        }
        buckets.push(to_u32(at)?);
        let slots = keyed.into_iter().map(|(_, slot)| slot).collect();
        Some(Self {
            buckets,
            slots,
            bits,
        })
    }
}

impl HashTableView<'_> {
    /// Returns the numbers of entries that may have had this hash: all that had, and few others.
    #[inline]
    pub(crate) fn candidates(&self, hash: u64) -> impl Iterator<Item = u32> + Clone {
        let at = bucket(hash, self.bits).as_usize();
        let ends = self.buckets.get(at..).and_then(<[u32]>::first_chunk);
        let slots = match ends {
            Some(&[from, to]) => self
                .slots
                .get(from.as_usize()..to.as_usize())
                .unwrap_or_default(),
            None => &[],
        };
        let check = low32(hash);
        slots
            .iter()
            .filter(move |slot| slot.check == check)
            .map(|slot| slot.value)
    }
}

/// Returns the bucket of `hash` among 2^`bits`.
#[inline(always)]
pub(crate) fn bucket(hash: u64, bits: u32) -> u32 {
    // No bits leave nothing of 32.
    low32((hash >> 32).wrapping_shr(32_u32.wrapping_sub(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::table::Tables;

    #[test]
    fn every_entry_is_among_its_candidates() {
        for count in [0_u32, 1, 2, 3, 100, 5000] {
            let hashed = |i: u32| bytes(7, &i.to_le_bytes());
            let entries: Vec<(u64, u32)> = (0..count).map(|i| (hashed(i), i)).collect();
            let table = HashTable::new(&entries).unwrap();
            let mut others = 0;
            for i in 0..count + 100 {
                let found: Vec<u32> = table.view().candidates(hashed(i)).collect();
                assert_eq!(found.contains(&i), i < count);
                others += found.iter().filter(|&&other| other != i).count();
            }
            assert!(others < 3, "{others} chance collisions of {count}");
        }
    }

    #[test]
    fn entries_of_one_hash_are_all_kept() {
        let entries: Vec<(u64, u32)> = (0..1000).map(|i| (42, i)).collect();
        let table = HashTable::new(&entries).unwrap();
        assert!(table.view().candidates(42).eq(0..1000));
        assert_eq!(table.view().candidates(43).count(), 0);
    }

    #[test]
    fn a_table_that_lies_gives_nothing() {
        let table = HashTable {
            buckets: vec![9, u32::MAX, 3],
            slots: vec![Slot::default()],
            bits: 1,
        };
        for hash in [0, 1 << 63, u64::MAX] {
            assert_eq!(table.view().candidates(hash).count(), 0);
        }
    }

    #[test]
    fn hashes_are_fixed() {
        // They are stored in saved tables.
        assert_eq!(bytes(0, b""), 0x0850_f979_4d51_08b4);
        assert_eq!(bytes(1, b"execute-api:Invoke"), 0xcd5f_7be6_e2ef_e46d);
        assert_eq!(words(3, 4, 5), 0x6e9a_f3fb_89da_a8ad);
    }
}
