//! Address → class in flat tables, in the shape that suits their number.
//!
//! | shape | for | layout |
//! |---|---|---|
//! | [`small`] | IPv6, up to 64 stretches | one sorted run |
//! | [`quads`] | IPv4, up to a quarter of a million | block → a few steps, seldom divided again |
//! | [`steps`] | the same, most of them in few blocks | root → place in one sorted run |
//! | [`codes`] | IPv4, more, few classes | root → node of cells → rarely a child |
//! | [`runs`] | IPv4, more, many classes or lone addresses | root → short sorted run |
//! | [`spread`] | IPv6 | root → part of a block → steps, or [`fine`] ones |
//! | [`deep`] | IPv6 past /48, under `spread` | block → sorted run |
//!
//! [`packed`] and [`escapes`] are what these are made of.
//!
//! Nanoseconds, latency / throughput, and bytes a prefix, beside what was there before them: cells
//! and runs at all sizes (tables as in `benches/peers` and lists as in `benches/workload.rs`,
//! 65 536 questions, least of 60 rounds in turn, Sapphire Rapids VM, two cores shared with others;
//! `cargo bench --bench address` compares with a binary search). What has quads was measured on
//! another day than the rest, when steps took 7.9 / 3.1 at 1 000 prefixes, and this form of 200 k on a
//! third, when lines filled half as far took 46 / 17:
//!
//! | | this | | before | |
//! |---|---|---|---|---|
//! | IPv4 block list, 1 k | 7.7 / 3.2 | 33 B | 12.1 / 3.7 | 161 B |
//! | 100 k | 15.7 / 4.6 | 7.0 B | 15.4 / 4.2 | 7.0 B |
//! | 1 M | 33 / 6.9 | 2.2 B | 32 / 6.5 | 2.2 B |
//! | IPv4 in lists of ten, 100 | 7.0 / 2.9 | 41 B | 10.5 / 3.5 | 1443 B |
//! | 1 k | 7.3 / 3.2 | 34 B | 13.5 / 3.8 | 382 B |
//! | 10 k | 11.8 / 4.6 | 32 B | 22.9 / 6.9 | 36 B |
//! | 100 k | 44 / 12.6 | 60 B | 32.6 / 10.7 | 11 B |
//! | IPv6 block list, 1 k | 14.8 / 5.6 | 286 B | 20.5 / 7.7 | 278 B |
//! | 20 k | 22.5 / 7.3 | 30 B | 26.7 / 9.4 | 28 B |
//! | 200 k | 35 / 14 | 13.1 B | 59 / 19 | 15.9 B |
//!
//! A few prefixes are the usual policy: IPv4 lists of 2 to 31 take 9.1 / 3.1 by quads, compiled for AVX2, where
//! a sorted run compared in vectors took 11.8 / 2.0 to 29 / 26.
//!
//! Lists of 100 k prefixes lose where all of them are asked for in turn: see [`quads`] for why they
//! have them all the same. The block lists of 100 k and 1 M have cells as before, and differ by chance.
//!
//! Lines of keys that were there before the runs held full keys and their classes, padded, with
//! links where a line was too full, in tables one and a half to three times as large; those of
//! [`fine`] hold a prefix in 32 bits, so that they are no larger than the runs.
//!
//! # Invariants
//!
//! A look-up ends and does not panic, whatever the tables hold.

mod codes;
mod deep;
mod escapes;
mod fine;
mod halves;
mod packed;
mod quads;
mod runs;
mod small;
mod spread;
mod steps;

use core::fmt;

use self::codes::CodesView;
use self::deep::DeepView;
use self::quads::QuadsView;
use self::runs::RunsView;
use self::small::SmallView;
use self::spread::SpreadView;
use self::steps::StepsView;
#[cfg(feature = "build")]
use self::{
    codes::{Codes, Mixed},
    deep::Deep,
    quads::Quads,
    runs::Runs,
    small::Small,
    spread::Spread,
    steps::Steps,
};
#[cfg(feature = "build")]
use super::classes::Classes;
use crate::util::ids::{ClassId, Id};
#[cfg(feature = "build")]
use crate::util::int::to_u32;
use crate::util::int::{AsUsize, low16, low32, low64, top16_v6};
use crate::util::table::tables;

/// From so many stretches of few classes on cells are faster than steps.
#[cfg(feature = "build")]
const CELLS: usize = 1 << 12;

/// With more stretches of two classes runs are much smaller than steps, and faster.
#[cfg(feature = "build")]
const STEPS_OF_TWO: usize = 1 << 16;

/// With more stretches of several classes as well.
#[cfg(feature = "build")]
const STEPS: usize = 1 << 18;

tables! {
    /// The look-up of IPv4 addresses. One of its parts is laid out; the others are empty.
    struct LookupV4 / LookupV4View {
        "classes" {
            /// The number of stretches.
            scalar stretches: u32;
            /// Not many stretches, most of them near one another.
            part steps: Steps, StepsView;
            /// Not many stretches, spread over blocks.
            part quads: Quads, QuadsView;
            /// Few classes.
            part codes: Codes, CodesView;
            /// More classes.
            part runs: Runs, RunsView;
            /// How many lower bits of an address its steps or its run are for.
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
            part small: Small, SmallView;
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
    /// Steps in the quads of their blocks.
    Quads,
    /// Root and short runs.
    Runs,
    /// One sorted run.
    Small,
    /// Root and one sorted run.
    Steps,
    /// Root and lines of short steps.
    Lines,
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
        if codes::width(count) <= 2
            && stretches.len() >= CELLS
            && let mixed = Mixed::new(stretches)
            && mixed.escapes <= mixed.nodes
            && let Some(codes) = Codes::new(stretches, count)
        {
            return Some(Self { codes, ..lookup });
        }
        let most = if count <= 2 { STEPS_OF_TWO } else { STEPS };
        let keys = stretches
            .iter()
            .map(|&(start, class)| (start, class.as_u32()));
        if stretches.len() <= most
            && let Some(steps) = steps::of(keys)
        {
            if let Some(quads) = Quads::new(&steps) {
                return Some(Self { quads, ..lookup });
            }
            let log = steps::blocks(stretches.len());
            let bits = u32::BITS - log;
            let mut table = Steps::default();
            if table.append(steps, log).is_some() {
                return Some(Self {
                    steps: table,
                    bits,
                    ..lookup
                });
            }
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
        let has_steps = self.steps.is_empty() || self.has_blocks(self.steps.root.len() - 1);
        let has_runs = self.runs.is_empty() || self.has_blocks(self.runs.root.len());
        self.quads.is_sound()
            && self.steps.is_sound()
            && self.codes.is_sound()
            && self.runs.is_sound()
            && has_steps
            && has_runs
    }

    /// Returns whether so many blocks are all there are.
    fn has_blocks(&self, count: usize) -> bool {
        (1..u32::BITS).contains(&self.bits)
            && count.checked_ilog2() == Some(u32::BITS - self.bits)
            && count.is_power_of_two()
    }

    /// Returns whether what a look-up waits for is mostly not in the nearest caches, and known ahead.
    #[inline(always)]
    pub(crate) fn is_far(&self) -> bool {
        self.quads.is_far()
    }

    /// Begins to load what the look-up of `address` will wait for, where it is known ahead.
    #[inline(always)]
    pub(crate) fn begin(&self, address: u32) {
        self.quads.begin(address);
    }

    /// Returns the class of `address`.
    #[inline(always)]
    pub(crate) fn class(&self, address: u32) -> ClassId {
        if !self.quads.is_empty() {
            return ClassId::from_u32(self.quads.class(address));
        }
        if let Some(class) = self.codes.class(address) {
            return class;
        }
        let block = address.wrapping_shr(self.bits).as_usize();
        if !self.steps.is_empty() {
            return ClassId::from_u32(self.steps.class(block, address));
        }
        ClassId::from_u32(self.runs.class(block, low16(address)))
    }

    /// Returns how the tables are laid out.
    pub(crate) fn shape(&self) -> Shape {
        if !self.quads.is_empty() {
            Shape::Quads
        } else if !self.codes.is_empty() {
            Shape::Codes
        } else if !self.steps.is_empty() {
            Shape::Steps
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
            return Some(Self {
                small: Small::new(&classes.stretches),
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
        if let Some(class) = self.small.class(address) {
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
        } else if self.upper.has_lines() {
            Shape::Lines
        } else {
            Shape::Steps
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Codes => "cells",
            Self::Quads => "quads by block",
            Self::Runs => "runs by block",
            Self::Small => "sorted run",
            Self::Steps => "steps by block",
            Self::Lines => "lines by block",
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
