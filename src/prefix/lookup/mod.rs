//! Address → class in flat tables, in the shape that suits their number.
//!
//! | shape | for | layout |
//! |---|---|---|
//! | [`small`] | up to 64 stretches | one sorted run, compared in vectors |
//! | [`codes`] | IPv4, few classes | root → node of cells → rarely a child |
//! | [`runs`] | IPv4, many classes or lone addresses | root → short sorted run |
//! | [`spread`] | IPv6 | root → part of a block → short sorted run |
//! | [`deep`] | IPv6 past /48, under `spread` | block → sorted run |
//!
//! [`packed`] and [`escapes`] are what these are made of.
//!
//! Nanoseconds, latency / throughput, and bytes a prefix, beside what was there before: cells
//! whose nodes were not shared, and lines of keys (tables of `benches/peers`, least of 480
//! rounds in turn, EPYC Genoa, two cores shared with others, who leave little of the third-level
//! cache; `cargo bench --bench address` compares with a binary search):
//!
//! | | this | | before | |
//! |---|---|---|---|---|
//! | IPv4 block list, 1 k | 8.4 / 2.2 | 161 B | 8.5 / 2.7 | 195 B |
//! | 100 k | 14.7 / 3.3 | 7.0 B | 21.5 / 4.4 | 30 B |
//! | 1 M | 19.2 / 3.6 | 2.2 B | 18.9 / 4.2 | 2.3 B |
//! | IPv4 in 250 lists, 1 k | 9.3 / 2.3 | 388 B | 9.1 / 2.8 | 391 B |
//! | 100 k | 27.9 / 7.0 | 11 B | 34.4 / 7.3 | 33 B |
//! | IPv4 countries, 555 k | 38 / 16 | 4.2 B | 56 / 12 | 6.9 B |
//! | IPv6 block list, 1 k | 15.1 / 4.9 | 278 B | 15.7 / 7.8 | 281 B |
//! | 200 k | 56 / 11 | 16 B | 75 / 30 | 24 B |
//! | IPv6 countries, 591 k | 73 / 43 | 5.1 B | 98 / 52 | 9.2 B |
//!
//! Lines were cache lines of sixteen keys and their classes, padded, with links where a line was
//! too full. Each look-up loaded one line instead of up to two, but of tables one and a half to
//! three times as large, and the links were mispredicted.
//!
//! For the instructions of x86-64-v3 (AVX2, POPCNT, BMI) the same code takes as long as for the
//! least x86-64 within a few percent at all sizes, so nothing here asks which there are.
//!
//! # Invariants
//!
//! A look-up ends and does not panic, whatever the tables hold.

mod codes;
mod deep;
mod escapes;
mod packed;
mod runs;
mod small;
mod spread;

use core::fmt;

use self::codes::CodesView;
use self::deep::DeepView;
use self::runs::RunsView;
use self::small::{Halves, SmallView};
use self::spread::SpreadView;
#[cfg(feature = "build")]
use self::{
    codes::{Codes, Mixed},
    deep::Deep,
    runs::Runs,
    small::Small,
    spread::Spread,
};
#[cfg(feature = "build")]
use super::classes::Classes;
use crate::util::ids::{ClassId, Id};
#[cfg(feature = "build")]
use crate::util::int::to_u32;
use crate::util::int::{AsUsize, low16, low32, low64, top16_v6};
use crate::util::table::tables;

/// Up to this size nodes of cells are taken even where runs were smaller.
#[cfg(feature = "build")]
const NODES: usize = 512 << 10;

tables! {
    /// The look-up of IPv4 addresses. One of its parts is laid out; the others are empty.
    struct LookupV4 / LookupV4View {
        "classes" {
            /// The number of stretches.
            scalar stretches: u32;
            /// Up to [`small::LIMIT`] stretches.
            part small: Small<u32>, SmallView<u32>;
            /// Few classes.
            part codes: Codes, CodesView;
            /// More classes.
            part runs: Runs<u16>, RunsView<u16>;
            /// How many lower bits of an address its run is for.
            scalar bits: u32;
        }
    }
}

tables! {
    /// The look-up of IPv6 addresses: one run, or the upper 48 bits and what they cannot tell.
    struct LookupV6 / LookupV6View {
        "classes" {
            /// The number of stretches.
            scalar stretches: u32;
            /// Up to [`small::LIMIT`] stretches.
            part small: Small<Halves>, SmallView<Halves>;
            /// The class that stands for "see `deep`".
            scalar escape: u32;
            /// The upper 48 bits.
            part upper: Spread, SpreadView;
            /// The lower 80 bits, where the upper ones are not enough.
            part deep: Deep, DeepView;
        }
    }
}

/// How a table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Root and cells.
    Codes,
    /// Root and short runs.
    Runs,
    /// One sorted run.
    Small,
}

#[cfg(feature = "build")]
impl LookupV4 {
    /// Lays out `classes`; `None` where there are more than the tables can count.
    pub(crate) fn new(classes: &Classes<u32>) -> Option<Self> {
        let (stretches, count) = (&classes.stretches, classes.count);
        let lookup = Self {
            stretches: to_u32(stretches.len())?,
            ..Self::default()
        };
        if stretches.len() <= small::LIMIT {
            return Some(Self {
                small: Small::new(stretches.iter().copied()),
                ..lookup
            });
        }
        let mixed = Mixed::new(stretches);
        // Where nodes, uniform ones included, are no larger than runs or few, and mostly enough.
        let width = codes::width(count);
        let nodes = mixed.nodes.saturating_add(count.as_usize());
        if (width <= 2 || nodes.saturating_mul(32 * width) <= NODES)
            && mixed.escapes <= mixed.nodes
            && let Some(codes) = Codes::new(stretches, count)
        {
            return Some(Self { codes, ..lookup });
        }
        let bits = if runs::are_long(stretches) { 14 } else { 16 };
        Some(Self {
            runs: runs::of_blocks(stretches, count, bits)?,
            bits,
            ..lookup
        })
    }
}

impl LookupV4View<'_> {
    /// Returns whether tables from anywhere are such that a look-up ends soon and finds a class.
    pub(crate) fn is_sound(&self) -> bool {
        self.small.is_sound()
            && self.codes.is_sound()
            && self.runs.is_sound()
            && (self.runs.is_empty() || self.has_all_blocks())
    }

    /// Returns whether the runs are of all blocks.
    fn has_all_blocks(&self) -> bool {
        (1..u32::BITS).contains(&self.bits)
            && self.runs.root.len().checked_ilog2() == Some(u32::BITS - self.bits)
            && self.runs.root.len().is_power_of_two()
    }

    /// Returns the class of `address`.
    #[inline(always)]
    pub(crate) fn class(&self, address: u32) -> ClassId {
        if let Some(class) = self.small.class(address) {
            return class;
        }
        if let Some(class) = self.codes.class(address) {
            return class;
        }
        let block = address.wrapping_shr(self.bits).as_usize();
        ClassId::from_u32(self.runs.class(block, low16(address)))
    }

    /// Returns how the tables are laid out.
    pub(crate) fn shape(&self) -> Shape {
        if self.stretches == 0 || !self.small.is_empty() {
            Shape::Small
        } else if !self.codes.is_empty() {
            Shape::Codes
        } else {
            Shape::Runs
        }
    }
}

#[cfg(feature = "build")]
impl LookupV6 {
    /// Lays out `classes`; `None` where there are more than the tables can count.
    pub(crate) fn new(classes: &Classes<u128>) -> Option<Self> {
        let lookup = Self {
            stretches: to_u32(classes.stretches.len())?,
            ..Self::default()
        };
        if classes.stretches.len() <= small::LIMIT {
            let stretches = classes.stretches.iter();
            return Some(Self {
                small: Small::new(stretches.map(|&(start, class)| (Halves::new(start), class))),
                ..lookup
            });
        }
        let escape = classes.count;
        let split = deep::split(&classes.stretches, escape)?;
        let stretches = split.above.iter();
        let stretches = stretches.map(|&(start, class)| (top16_v6(start), key_v6(start), class));
        let stretches: Vec<_> = stretches.collect();
        Some(Self {
            escape,
            upper: Spread::new(&stretches, escape)?,
            deep: split.deep,
            ..lookup
        })
    }
}

impl LookupV6View<'_> {
    /// Returns whether tables from anywhere are such that a look-up ends soon and finds a class.
    pub(crate) fn is_sound(&self) -> bool {
        self.small.is_sound() && self.upper.is_sound() && self.deep.is_sound()
    }

    /// Returns the class of `address`.
    #[inline(always)]
    pub(crate) fn class(&self, address: u128) -> ClassId {
        if let Some(class) = self.small.class(Halves::new(address)) {
            return class;
        }
        let mut class = self.upper.class(top16_v6(address), key_v6(address));
        if class == self.escape {
            class = self.deep.class(address);
        }
        ClassId::from_u32(class)
    }

    /// Returns how the tables are laid out.
    pub(crate) fn shape(&self) -> Shape {
        if self.stretches == 0 || !self.small.is_empty() {
            Shape::Small
        } else {
            Shape::Runs
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Codes => "cells",
            Self::Runs => "runs by block",
            Self::Small => "sorted run",
        })
    }
}

/// Returns the 32 bits after the upper 16.
#[inline(always)]
fn key_v6(address: u128) -> u32 {
    low32(low64(address >> 80))
}

#[cfg(test)]
mod tests;
