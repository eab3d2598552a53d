//! The look-up of an address alone, without the engine around it.
//!
//! It is no part of the API, so its sources are taken in by path (`crate::prefix`). Each
//! value of the table is a list; lists are overlaid as in a build.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::prefix::classes::{overlay_v4, overlay_v6};
use crate::prefix::{LookupV4, LookupV4View, LookupV6, LookupV6View, PrefixSet};
use crate::tables::Table;
use crate::util::ids::{ClassId, Id};
use crate::util::int::{AsUsize, low16};
use crate::util::table::Tables;

/// A look-up, and the value of each class.
pub(crate) struct Alone<T> {
    lookup: T,
    values: Vec<u16>,
}

/// What is asked.
pub(crate) struct AloneView<'a, T: Look + 'a> {
    lookup: T::View<'a>,
    values: &'a [u16],
}

/// A family's look-up.
pub(crate) trait Look: Tables {
    type Bits;
    fn new(table: &Table) -> Alone<Self>
    where
        Self: Sized;
    fn class(view: &Self::View<'_>, bits: Self::Bits) -> ClassId;
}

impl Look for LookupV4 {
    type Bits = u32;

    fn new(table: &Table) -> Alone<Self> {
        let lists = lists(table);
        let all: Vec<&PrefixSet> = lists.iter().collect();
        let (classes, _) = overlay_v4(&all, &mut { usize::MAX }).expect("no budget is passed");
        let lookup = Self::new(&classes).expect("the tables can count them");
        Alone::new(table, lookup, classes.count, |bits| bits as u32)
    }

    #[inline(always)]
    fn class(view: &LookupV4View<'_>, bits: u32) -> ClassId {
        view.class(bits)
    }
}

impl Look for LookupV6 {
    type Bits = u128;

    fn new(table: &Table) -> Alone<Self> {
        let lists = lists(table);
        let all: Vec<&PrefixSet> = lists.iter().collect();
        let (classes, _) = overlay_v6(&all, &mut { usize::MAX }).expect("no budget is passed");
        let lookup = Self::new(&classes).expect("the tables can count them");
        Alone::new(table, lookup, classes.count, |bits| bits)
    }

    #[inline(always)]
    fn class(view: &LookupV6View<'_>, bits: u128) -> ClassId {
        view.class(bits)
    }
}

impl<T: Look> Alone<T> {
    fn new(table: &Table, lookup: T, count: u32, bits: impl Fn(u128) -> T::Bits) -> Self {
        let mut values = vec![0; count.as_usize()];
        let view = lookup.view();
        for range in &table.ranges {
            values[T::class(&view, bits(range.first)).as_usize()] = range.value;
        }
        drop(view);
        Self { lookup, values }
    }

    /// Returns what is asked.
    pub(crate) fn view(&self) -> AloneView<'_, T> {
        AloneView {
            lookup: self.lookup.view(),
            values: &self.values,
        }
    }
}

impl<T: Look> AloneView<'_, T> {
    /// Returns the number of an address's class, which is what is timed: the others' values are
    /// no more than such numbers.
    #[inline(always)]
    pub(crate) fn class(&self, bits: T::Bits) -> u16 {
        low16(T::class(&self.lookup, bits).as_u32())
    }

    /// Returns the value of an address, to compare.
    pub(crate) fn value(&self, bits: T::Bits) -> u16 {
        self.values[T::class(&self.lookup, bits).as_usize()]
    }
}

/// A list for each value.
fn lists(table: &Table) -> Vec<PrefixSet> {
    let mut by_value: BTreeMap<u16, Vec<IpNet>> = BTreeMap::new();
    for prefix in &table.prefixes {
        let net = IpNet::new_assert(table.ip(prefix.first), prefix.length);
        by_value.entry(prefix.value).or_default().push(net);
    }
    by_value.into_values().map(PrefixSet::new).collect()
}
