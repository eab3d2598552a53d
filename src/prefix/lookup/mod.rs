//! Address → class in flat tables, in the shape that suits their number.
//!
//! | shape | for | layout |
//! |---|---|---|
//! | [`small`] | up to 64 stretches | one sorted run, compared in vectors |
//! | [`codes`] | IPv4, few classes | root → node of 256 cells → rarely a child |
//! | [`lines`] | IPv4, many classes or lone addresses; IPv6 | root → line of sorted keys |
//! | [`deep`] | IPv6 past /48, under lines | block → sorted run |
//!
//! [`keys`], [`packed`] and [`escapes`] are what these are made of.
//!
//! Nanoseconds, latency / throughput, and bytes a prefix, beside a root over a binary search
//! in sorted starts, which it replaces (`cargo bench --bench address`, EPYC Genoa, two cores):
//!
//! | | this | | sorted | |
//! |---|---|---|---|---|
//! | IPv4 block list, 1 k | 8.3 / 2.5 | 193 B | 11.8 / 4.4 | 278 B |
//! | 100 k | 20.3 / 4.8 | 30 B | 36.6 / 10.6 | 17 B |
//! | 1 M | 14.5 / 3.4 | 2.2 B | 52.4 / 13.4 | 5.6 B |
//! | IPv4 in 250 lists, 1 k | 8.9 / 2.5 | 385 B | 13.4 / 4.7 | 278 B |
//! | 100 k | 27.4 / 6.8 | 33 B | 38.7 / 10.4 | 18 B |
//! | 1 M | 41 / 7.6 | 9.4 B | 312 / 60 | 12 B |
//! | IPv4 addresses alone, 100 k | 31.0 / 6.6 | 33 B | 37.5 / 10.3 | 19 B |
//! | IPv6 block list, 200 k | 30.1 / 12.1 | 16 B | 76.8 / 56.2 | 41 B |
//! | IPv6 in 250 lists, 200 k | 33.2 / 13.4 | 23 B | 77.6 / 53.2 | 41 B |
//!
//! Tried instead of lines: a root over tables of buckets, keys and classes apart. It took
//! 13 bytes a prefix in IPv6, but four dependent loads: in a run where the binary search took
//! 42 / 10 ns for 100 k IPv4 prefixes in 250 lists and 121 / 77 for the IPv6 block list, that
//! took 45 / 14 and 75 / 19.
//!
//! # Invariants
//!
//! A look-up ends and does not panic, whatever the tables hold.

mod codes;
mod deep;
mod escapes;
mod keys;
mod lines;
mod packed;
mod small;

use core::fmt;

use self::codes::CodesView;
use self::deep::DeepView;
use self::lines::LinesView;
use self::small::{Halves, SmallView};
#[cfg(feature = "build")]
use self::{
    codes::{Codes, Mixed},
    deep::Deep,
    lines::Lines,
    small::Small,
};
#[cfg(feature = "build")]
use super::classes::Classes;
use crate::util::ids::{ClassId, Id};
#[cfg(feature = "build")]
use crate::util::int::{AsUsize, to_u32};
use crate::util::int::{low16, low32, low64, top16_v4, top16_v6};
use crate::util::table::tables;

/// Up to this size nodes of cells are taken even where lines were smaller.
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
            /// More classes, of 16 bits.
            part lines: Lines<u16>, LinesView<u16>;
            /// Classes of more than 16 bits; the keys are the upper halves.
            part wide: Lines<u32>, LinesView<u32>;
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
            part lines: Lines<u32>, LinesView<u32>;
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
    /// Root and lines of keys.
    Lines,
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
        // Where nodes, uniform ones included, are no larger than lines or few, and mostly enough.
        let width = codes::width(count);
        let nodes = mixed.nodes.saturating_add(count.as_usize());
        if (width <= 2 || nodes.saturating_mul(32 * width) <= NODES)
            && mixed.escapes <= mixed.nodes
            && let Some(codes) = Codes::new(stretches, count)
        {
            return Some(Self { codes, ..lookup });
        }
        if count < u16::MAX.into() {
            let split =
                |&(start, class): &(u32, ClassId)| (top16_v4(start), low16(start), class.as_u32());
            let stretches: Vec<_> = stretches.iter().map(split).collect();
            return Some(Self {
                lines: Lines::new(&stretches, count)?,
                ..lookup
            });
        }
        let split =
            |&(start, class): &(u32, ClassId)| (top16_v4(start), start << 16, class.as_u32());
        let stretches: Vec<_> = stretches.iter().map(split).collect();
        Some(Self {
            wide: Lines::new(&stretches, count)?,
            ..lookup
        })
    }
}

impl LookupV4View<'_> {
    /// Returns whether tables from anywhere are such that a look-up ends soon and finds a class.
    pub(crate) fn is_sound(&self) -> bool {
        self.small.is_sound()
            && self.codes.is_sound()
            && self.lines.is_sound()
            && self.wide.is_sound()
    }

    /// Returns the class of `address`.
    #[inline]
    pub(crate) fn class(&self, address: u32) -> ClassId {
        if let Some(class) = self.small.class(address) {
            return class;
        }
        if let Some(class) = self.codes.class(address) {
            return class;
        }
        let block = top16_v4(address);
        ClassId::from_u32(if self.wide.is_empty() {
            self.lines.class(block, low16(address))
        } else {
            self.wide.class(block, address << 16)
        })
    }

    /// Returns how the tables are laid out.
    pub(crate) fn shape(&self) -> Shape {
        if self.stretches == 0 || !self.small.is_empty() {
            Shape::Small
        } else if !self.codes.is_empty() {
            Shape::Codes
        } else {
            Shape::Lines
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
            lines: Lines::new(&stretches, escape.checked_add(1)?)?,
            deep: split.deep,
            ..lookup
        })
    }
}

impl LookupV6View<'_> {
    /// Returns whether tables from anywhere are such that a look-up ends soon and finds a class.
    pub(crate) fn is_sound(&self) -> bool {
        self.small.is_sound() && self.lines.is_sound() && self.deep.is_sound()
    }

    /// Returns the class of `address`.
    #[inline]
    pub(crate) fn class(&self, address: u128) -> ClassId {
        if let Some(class) = self.small.class(Halves::new(address)) {
            return class;
        }
        let mut class = self.lines.class(top16_v6(address), key_v6(address));
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
            Shape::Lines
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Codes => "cells",
            Self::Lines => "lines of keys",
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
