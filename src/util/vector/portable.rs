//! The portable twins: what the vectors do, byte by byte.

use super::{PLACES, WIDE};

/// What [`super::Level::name`] calls it.
#[cfg_attr(
    all(
        target_arch = "x86_64",
        target_feature = "sse2",
        not(portcullis_portable)
    ),
    expect(dead_code, reason = "the twin has another")
)]
pub(super) const NAME: &str = "portable";

/// See [`super::Vectors::pairs`].
pub(crate) fn pairs(text: &[u8; PLACES + 1], first: &[u8; WIDE], second: &[u8; WIDE]) -> u32 {
    // One byte for all.
    let pair = [first.first(), second.first()];
    let places = text.windows(2);
    // The first is the lowest.
    places.rev().fold(0, |bits, place| {
        bits << 1 | u32::from([place.first(), place.last()] == pair)
    })
}

/// Returns a bit for each place at which the two are equal, the first place's the lowest.
pub(crate) fn lanes(a: &[u8; WIDE], b: &[u8; WIDE]) -> u32 {
    let places = a.iter().zip(b).rev();
    places.fold(0, |bits, (a, b)| bits << 1 | u32::from(a == b))
}

/// Would begin to load an item of a table: there is no portable way.
#[cfg(not(all(
    target_arch = "x86_64",
    target_feature = "sse2",
    not(portcullis_portable)
)))]
pub(crate) fn prefetch<T>(_: &[T], _: usize) {}
