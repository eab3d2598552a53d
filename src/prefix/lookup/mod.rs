//! Address → class in flat tables, in the shape that suits their number.
//!
//! | shape | for | layout |
//! |---|---|---|
//! | [`small`] | up to 64 stretches | one sorted run, compared in vectors |
//! | [`codes`] | IPv4, few classes | root → node of 256 cells → rarely a child |
//! | [`buckets`] | IPv4, many classes; IPv6 | root → bucket → eight sorted keys |
//! | [`deep`] | IPv6 past /48, under buckets | block → sorted run |
//!
//! [`packed`] and [`escapes`] are what these are made of.
//!
//! # Invariants
//!
//! A look-up ends and does not panic, whatever the tables hold.

mod buckets;
mod codes;
mod deep;
mod escapes;
mod packed;
mod small;

use core::fmt;

use self::buckets::Buckets;
use self::codes::{Codes, Mixed};
use self::deep::Deep;
use self::small::{Halves, Small, Start};
use super::classes::Classes;
use crate::util::ids::{ClassId, Id};
use crate::util::int::{low16, low32, low64, to_u32, top16_v4, top16_v6};

/// Up to this size the faster shape is taken, even if it is the larger.
const LARGE: usize = 512 << 10;

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
    /// Root and sorted keys.
    Buckets,
    /// Root and cells of so many bits.
    Codes(u32),
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
        match self {
            Self::Buckets => f.write_str("buckets"),
            Self::Codes(width) => write!(f, "codes of {width} bits"),
            Self::Small => f.write_str("sorted run"),
        }
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

/// One of two shapes; the other is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LargeV4 {
    is_codes: bool,
    codes: Codes,
    buckets: Buckets<u16>,
}

impl Large<u32> for LargeV4 {
    fn new(classes: &Classes<u32>) -> Option<Self> {
        let is_codes = prefers_codes(classes);
        if is_codes && let Some(codes) = Codes::new(&classes.stretches, classes.count) {
            return Some(Self {
                is_codes,
                codes,
                ..Self::default()
            });
        }
        let stretches = classes.stretches.iter();
        let stretches =
            stretches.map(|&(start, class)| (top16_v4(start), low16(start), class.as_u32()));
        let stretches: Vec<_> = stretches.collect();
        Some(Self {
            buckets: Buckets::new(&stretches, classes.count.saturating_sub(1))?,
            ..Self::default()
        })
    }

    #[inline(always)]
    fn class(&self, address: u32) -> ClassId {
        if self.is_codes {
            return self.codes.class(address);
        }
        ClassId::from_u32(self.buckets.class(top16_v4(address), low16(address)))
    }

    fn bytes(&self) -> usize {
        self.codes.bytes() + self.buckets.bytes()
    }

    fn shape(&self) -> Shape {
        if self.is_codes {
            Shape::Codes(self.codes.width())
        } else {
            Shape::Buckets
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
    buckets: Buckets<u32>,
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
            buckets: Buckets::new(&stretches, escape)?,
            deep: split.deep,
        })
    }

    #[inline(always)]
    fn class(&self, address: u128) -> ClassId {
        let mut class = self.buckets.class(top16_v6(address), key_v6(address));
        if class == self.escape {
            class = self.deep.class(address);
        }
        ClassId::from_u32(class)
    }

    fn bytes(&self) -> usize {
        self.buckets.bytes() + self.deep.bytes()
    }

    fn shape(&self) -> Shape {
        Shape::Buckets
    }
}

/// Returns the 32 bits after the upper 16.
#[inline(always)]
fn key_v6(address: u128) -> u32 {
    low32(low64(address >> 80))
}

/// Returns whether cells are worth their size.
fn prefers_codes(classes: &Classes<u32>) -> bool {
    let mixed = Mixed::new(&classes.stretches);
    let width = codes::width(classes.count);
    let node = 32 * width;
    // Equal children are one, but of many classes few are equal.
    let child = if width <= 2 { 16 } else { 16 + node };
    let codes = mixed.nodes * node + mixed.escapes * child;
    let buckets = mixed.nodes * 16 + classes.stretches.len() * (4 + width / 8);
    codes <= LARGE || codes <= 2 * buckets
}

#[cfg(test)]
mod tests;
