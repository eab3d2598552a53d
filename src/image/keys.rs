//! What records are found by. The build stores by it and the engine looks up by it, so it stands
//! here once.

use crate::util::extent::Extent;
use crate::util::hash;

/// Returns where a condition of the image is looked up by this value.
pub(crate) fn value_hash(condition: u32, value: &[u8]) -> u64 {
    hash::bytes(u64::from(condition), value)
}

/// Returns where the items of a program are looked up by the value of a key.
pub(crate) fn item_hash(program: u32, key: Extent, value: &[u8]) -> u64 {
    let seed = u64::from(program) << 32 | u64::from(key.start);
    hash::bytes(seed, value)
}

/// Returns an IPv6 address as words of which the first is the highest: they sort as it does.
pub(crate) fn v6_words(bits: u128) -> [u32; 4] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bits.to_be_bytes();
    [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_be_bytes)
}

/// Returns the address of [`v6_words`].
pub(crate) fn v6_bits([a, b, c, d]: [u32; 4]) -> u128 {
    [a, b, c, d]
        .iter()
        .fold(0, |bits, &word| bits << 32 | u128::from(word))
}
