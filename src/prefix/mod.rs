//! Prefix lists → equivalence classes of addresses → a lookup table from address to class.
//!
//! ```text
//! lists   A = 10.0.0.0/8          B = 10.1.0.0/16, 192.0.2.0/24
//!
//! line    0.0.0.0 ──── 10.0.0.0 ──── 10.1.0.0 ──── 10.2.0.0 ──── 11.0.0.0 ── 192.0.2.0 ── 192.0.3.0 ──
//! lists      {}           {A}          {A,B}          {A}            {}          {B}          {}
//! class       0            1             2             1              0           3            0
//! ```
//!
//! Two addresses that lie in the same lists share a class, wherever they are, so a list
//! of a million prefixes alone makes two classes. `NotIpAddress` needs nothing of its
//! own: it reads the same classes the other way round.
//!
//! - `set`: one list, normalised to sorted, disjoint, non-adjacent ranges;
//! - `ranges`: is an address in these;
//! - `classes`: all lists overlaid, one sweep for each address family;
//! - `lookup`: address → class, in flat tables.
//!
//! IPv4-mapped addresses never arrive here: they are IPv4 before (see `request`).
//!
//! # Invariants
//!
//! Class 0 of each family is "in no list". A list that holds a whole family (`0.0.0.0/0`)
//! takes no part in that family's classes; it is flagged instead, so that it does not
//! become a member of every class.

pub(crate) mod lookup;
pub(crate) mod ranges;

#[cfg(feature = "build")]
pub(crate) mod classes;
#[cfg(feature = "build")]
pub(crate) mod set;

pub(crate) use self::lookup::{LookupV4View, LookupV6View};
#[cfg(feature = "build")]
pub(crate) use self::{
    lookup::{LookupV4, LookupV6},
    set::PrefixSet,
};
