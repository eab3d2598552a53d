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

use self::codes::{Codes, Mixed};
use self::deep::Deep;
use self::lines::Lines;
use self::small::{Halves, Small, Start};
use super::classes::Classes;
use crate::util::ids::{ClassId, Id};
use crate::util::int::{AsUsize, low16, low32, low64, to_u32, top16_v4, top16_v6};

/// Up to this size nodes of cells are taken even where lines were smaller.
const NODES: usize = 512 << 10;

/// An address in host byte order.
pub(crate) trait Address: Copy + Ord {
    /// How tables hold it.
    type Start: Start;

    /// The tables past [`small::LIMIT`] stretches.
    type Large: Large<Self>;

    /// Returns it as tables hold it.
    fn start(self) -> Self::Start;
}

/// The tables of one family for many stretches.
pub(crate) trait Large<T>: Default {
    /// Lays out `classes`.
    fn new(classes: &Classes<T>) -> Option<Self>;

    /// Returns the class of `address`.
    fn class(&self, address: T) -> ClassId;

    /// Returns the size in bytes.
    fn bytes(&self) -> usize;

    /// Returns the shape.
    fn shape(&self) -> Shape;
}

/// The look-up table of one address family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lookup<T: Address> {
    stretches: u32,
    small: Small<T::Start>,
    large: T::Large,
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

impl<T: Address> Lookup<T> {
    /// Lays out the classes of one family; `None` where there are more than the tables can count.
    pub(crate) fn new(classes: &Classes<T>) -> Option<Self> {
        let stretches = to_u32(classes.stretches.len())?;
        let (mut small, mut large) = (Small::default(), T::Large::default());
        if classes.stretches.len() <= small::LIMIT {
            let stretches = classes.stretches.iter();
            small = Small::new(stretches.map(|&(start, class)| (start.start(), class)));
        } else {
            large = T::Large::new(classes)?;
        }
        Some(Self {
            stretches,
            small,
            large,
        })
    }

    /// Returns the class of `address`.
    #[inline]
    pub(crate) fn class(&self, address: T) -> ClassId {
        match self.small.class(address.start()) {
            Some(class) => class,
            None => self.large.class(address),
        }
    }

    /// Returns the number of stretches.
    pub(crate) fn stretches(&self) -> u32 {
        self.stretches
    }

    /// Returns the size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.small.bytes() + self.large.bytes()
    }

    /// Returns how the table is laid out.
    pub(crate) fn shape(&self) -> Shape {
        if self.stretches == 0 || self.small.bytes() > 0 {
            Shape::Small
        } else {
            self.large.shape()
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

impl Address for u32 {
    type Start = Self;
    type Large = LargeV4;

    #[inline(always)]
    fn start(self) -> Self {
        self
    }
}

/// One of these; the others are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LargeV4 {
    codes: Codes,
    lines: Lines<u16>,
    /// For classes of more than 16 bits; the keys are the upper halves.
    wide: Lines<u32>,
}

impl Large<u32> for LargeV4 {
    fn new(classes: &Classes<u32>) -> Option<Self> {
        let (stretches, count) = (&classes.stretches, classes.count);
        let mixed = Mixed::new(stretches);
        // Where nodes, uniform ones included, are no larger than lines or few, and mostly enough.
        let width = codes::width(count);
        let nodes = mixed.nodes.saturating_add(count.as_usize());
        if (width <= 2 || nodes.saturating_mul(32 * width) <= NODES)
            && mixed.escapes <= mixed.nodes
            && let Some(codes) = Codes::new(stretches, count)
        {
            return Some(Self {
                codes,
                ..Self::default()
            });
        }
        if count < u16::MAX.into() {
            let split =
                |&(start, class): &(u32, ClassId)| (top16_v4(start), low16(start), class.as_u32());
            let stretches: Vec<_> = stretches.iter().map(split).collect();
            return Some(Self {
                lines: Lines::new(&stretches, count)?,
                ..Self::default()
            });
        }
        let split =
            |&(start, class): &(u32, ClassId)| (top16_v4(start), start << 16, class.as_u32());
        let stretches: Vec<_> = stretches.iter().map(split).collect();
        Some(Self {
            wide: Lines::new(&stretches, count)?,
            ..Self::default()
        })
    }

    #[inline(always)]
    fn class(&self, address: u32) -> ClassId {
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

    fn bytes(&self) -> usize {
        self.codes.bytes() + self.lines.bytes() + self.wide.bytes()
    }

    fn shape(&self) -> Shape {
        if self.codes.bytes() > 0 {
            Shape::Codes
        } else {
            Shape::Lines
        }
    }
}

impl Address for u128 {
    type Start = Halves;
    type Large = LargeV6;

    #[inline(always)]
    fn start(self) -> Halves {
        Halves::new(self)
    }
}

/// The upper 48 bits, and what they cannot tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LargeV6 {
    /// The class that stands for "see `deep`".
    escape: u32,
    lines: Lines<u32>,
    deep: Deep,
}

impl Large<u128> for LargeV6 {
    fn new(classes: &Classes<u128>) -> Option<Self> {
        let escape = classes.count;
        let split = deep::split(&classes.stretches, escape)?;
        let stretches = split.above.iter();
        let stretches = stretches.map(|&(start, class)| (top16_v6(start), key_v6(start), class));
        let stretches: Vec<_> = stretches.collect();
        Some(Self {
            escape,
            lines: Lines::new(&stretches, escape.checked_add(1)?)?,
            deep: split.deep,
        })
    }

    #[inline(always)]
    fn class(&self, address: u128) -> ClassId {
        let mut class = self.lines.class(top16_v6(address), key_v6(address));
        if class == self.escape {
            class = self.deep.class(address);
        }
        ClassId::from_u32(class)
    }

    fn bytes(&self) -> usize {
        self.lines.bytes() + self.deep.bytes()
    }

    fn shape(&self) -> Shape {
        Shape::Lines
    }
}

/// Returns the 32 bits after the upper 16.
#[inline(always)]
fn key_v6(address: u128) -> u32 {
    low32(low64(address >> 80))
}

#[cfg(test)]
mod tests;
