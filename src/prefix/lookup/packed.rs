//! Small numbers side by side in 64-bit words: 1, 2, 4, 8, 16 or 32 bits each.
//!
//! Classes are few where lists are long (a block list has two), so their width follows
//! their number. A width divides 64, so that no number straddles two words and reading
//! one is a load, a shift and a mask, whatever the width: nothing to mispredict.

use crate::util::int::low32;
use crate::util::table::tables;

tables! {
    /// Numbers of one width.
    struct Packed / PackedView {
        "classes" {
            /// The logarithm of the width in bits.
            scalar log: u32;
            /// The largest number of that width.
            scalar largest: u32;
            /// The numbers, from the low end of each word.
            table words: u64;
        }
    }
}

#[cfg(feature = "build")]
impl Packed {
    /// Makes an empty table for numbers up to `largest`.
    pub(crate) fn new(largest: u32) -> Self {
        let width = (u32::BITS - largest.leading_zeros())
            .max(1)
            .next_power_of_two();
        Self {
            log: width.trailing_zeros(),
            largest: u32::MAX >> (u32::BITS - width),
            words: Vec::new(),
        }
    }

    /// Packs `numbers`, which are all up to `largest`.
    pub(crate) fn from_numbers(largest: u32, numbers: &[u32]) -> Self {
        let mut packed = Self::new(largest);
        let width = packed.width();
        let pack = |chunk: &[u32]| {
            let fold = |word: u64, &number: &u32| word.wrapping_shl(width) | u64::from(number);
            chunk.iter().rev().fold(0, fold)
        };
        packed.words = numbers.chunks(64 >> packed.log).map(pack).collect();
        packed
    }

    /// Appends zeros up to `len` numbers, a multiple of 64.
    pub(crate) fn grow(&mut self, len: usize) {
        self.words.resize(len >> (6 - self.log), 0);
    }

    /// Drops the numbers from `len` on, a multiple of 64.
    pub(crate) fn shrink(&mut self, len: usize) {
        self.words.truncate(len >> (6 - self.log));
    }

    /// Sets the numbers of `from..to`, which are 0 and were [grown](Self::grow) before.
    pub(crate) fn fill(&mut self, from: usize, to: usize, number: u32) {
        // The number in every place of a word.
        let spread = u64::from(number).wrapping_mul(u64::MAX / u64::from(self.largest));
        let (mut at, per_word) = (from, 64_usize >> self.log);
        while at < to {
            let end = to.min((at / per_word + 1) * per_word);
            let low = bit(at % per_word, self.log);
            let bits = bit(end - at, self.log);
            if let Some(word) = self.words.get_mut(at / per_word) {
                *word |= spread & (u64::MAX >> (64 - bits)) << low;
            }
            at = end;
        }
    }

    /// Returns the words of the numbers of `from..to`, both multiples of 64.
    pub(crate) fn words(&self, from: usize, to: usize) -> &[u64] {
        let shift = 6 - self.log;
        self.words
            .get(from >> shift..to >> shift)
            .unwrap_or_default()
    }

    /// Returns the width in bits.
    pub(crate) fn width(&self) -> u32 {
        1 << self.log
    }

    /// Changes words at random.
    #[cfg(test)]
    pub(crate) fn corrupt(&mut self, mut random: impl FnMut() -> u64) {
        for _ in 0..1 + self.words.len() / 8 {
            let at = super::tests::below(&mut random, self.words.len());
            if let Some(word) = self.words.get_mut(at) {
                *word ^= random() & random();
            }
        }
        if random().is_multiple_of(4) {
            self.log = low32(random());
            self.largest = low32(random());
        }
    }
}

impl PackedView<'_> {
    /// Returns how many numbers there are, some at the end perhaps to spare.
    pub(crate) fn len(&self) -> usize {
        self.words.len().saturating_mul(64) >> self.log.min(6)
    }

    /// Returns the number at `index`, or 0 past the end.
    #[inline(always)]
    pub(crate) fn number(&self, index: usize) -> u32 {
        let bit = index.wrapping_shl(self.log);
        let word = self.words.get(bit / 64).copied().unwrap_or_default();
        low32(word >> (bit % 64)) & self.largest
    }
}

/// Returns the bit where the number at `place` of a word starts.
#[cfg(feature = "build")]
fn bit(place: usize, log: u32) -> u32 {
    u32::try_from(place << log).unwrap_or(64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::table::Tables;

    #[test]
    fn every_width_gives_back_what_went_in() {
        for largest in [0, 1, 2, 3, 4, 15, 16, 255, 256, 65_535, 65_536, u32::MAX] {
            let number = |i: u32| i.wrapping_mul(0x9e37_79b9) % largest.saturating_add(1).max(1);
            let numbers: Vec<u32> = (0..1000).map(number).collect();
            let packed = Packed::from_numbers(largest, &numbers);
            let mut filled = Packed::new(largest);
            filled.grow(1024);
            for (at, pair) in numbers.chunks(7).enumerate() {
                filled.fill(at * 7, at * 7 + pair.len(), pair[0]);
            }
            let (packed, filled) = (packed.view(), filled.view());
            for (at, &number) in numbers.iter().enumerate() {
                assert_eq!(packed.number(at), number, "{largest} {at}");
                assert_eq!(filled.number(at), numbers[at / 7 * 7], "{largest} {at}");
            }
            assert!(packed.largest >= largest);
            assert_eq!(packed.number(5000), 0);
        }
    }

    #[test]
    fn widths_are_the_least_that_fit() {
        let widths =
            [0, 1, 2, 3, 4, 15, 16, 255, 256, 65_535, 65_536].map(|l| Packed::new(l).width());
        assert_eq!(widths, [1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32]);
    }
}
