//! Hash maps of the build: a quick hash, under a key that is drawn for each map.
//!
//! What a policy says is looked up on its way into an engine, so that it is stored once; most of it
//! is new. The key is for texts that are made to collide: whoever writes them does not know it. No
//! table depends on it, as nothing is ever taken from a map in the map's order.

use core::hash::{BuildHasher, Hash, Hasher};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::RandomState;

use crate::util::hash;
use crate::util::int::fold;

/// A map of the build.
pub(crate) type Map<K, V> = HashMap<K, V, Key>;

/// A key drawn at random.
#[derive(Clone, Debug)]
pub(crate) struct Key(u64);

impl Default for Key {
    fn default() -> Self {
        Self(RandomState::new().hash_one(()))
    }
}

impl BuildHasher for Key {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        Folding(self.0)
    }
}

/// Folds word after word into one.
#[derive(Debug)]
pub(crate) struct Folding(u64);

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash::bytes(self.0, bytes);
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = fold(self.0 ^ value, 0xa076_1d64_78bd_642f);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(u64::try_from(value).unwrap_or(u64::MAX));
    }

    fn write_isize(&mut self, value: isize) {
        self.write_usize(value.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Numbers of values that are kept elsewhere, found by what they hold.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    key: Key,
    /// The first value of each hash.
    first: Map<u64, u32>,
    /// The further ones, of which there are hardly ever any.
    further: Vec<(u64, u32)>,
}

impl Numbers {
    /// Returns the number of `value`, of which `is_it` says whether that of a number equals it;
    /// where there is none yet, it is `next`.
    pub(crate) fn of(
        &mut self,
        value: &(impl Hash + ?Sized),
        next: u32,
        is_it: impl Fn(u32) -> bool,
    ) -> u32 {
        self.of_hash(self.key.hash_one(value), next, is_it)
    }

    fn of_hash(&mut self, hash: u64, next: u32, is_it: impl Fn(u32) -> bool) -> u32 {
        let first = match self.first.entry(hash) {
            Entry::Occupied(first) => *first.get(),
            Entry::Vacant(free) => return *free.insert(next),
        };
        if is_it(first) {
            return first;
        }
        let known = |&&(other, number): &&(u64, u32)| other == hash && is_it(number);
        if let Some(&(_, number)) = self.further.iter().find(known) {
            return number;
        }
        self.further.push((hash, next));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_hash_have_their_own_numbers() {
        let values = ["a", "b", "c"];
        let mut numbers = Numbers::default();
        let mut number = |value: &str, next| {
            let is_it = |number: u32| values[usize::try_from(number).unwrap()] == value;
            numbers.of_hash(7, next, is_it)
        };
        assert_eq!([number("a", 0), number("b", 1), number("a", 2)], [0, 1, 0]);
        assert_eq!([number("c", 2), number("b", 3), number("c", 3)], [2, 1, 2]);
    }

    #[test]
    fn keys_differ_and_spread() {
        let (one, other) = (Key::default(), Key::default());
        assert_ne!(one.hash_one("a"), other.hash_one("a"));
        let hashes = |of: &dyn Fn(u32) -> u64| {
            let hashes: std::collections::HashSet<u64> = (0..10_000).map(|i| of(i) >> 32).collect();
            hashes.len()
        };
        // Of 2^32 about 0.01 pairs are equal by chance.
        assert!(hashes(&|i| one.hash_one(i)) > 9_990);
        assert!(hashes(&|i| one.hash_one([i, 0])) > 9_990);
        assert!(hashes(&|i| one.hash_one(i.to_string())) > 9_990);
    }
}
