//! The ground floor: id newtypes, lossless casts, stretches of tables, hashes, limits, short comparisons and what the processor does at once, for every other floor.

#[cfg(feature = "build")]
pub(crate) mod beside;
pub(crate) mod bytes;
pub(crate) mod extent;
pub(crate) mod hash;
pub(crate) mod ids;
pub(crate) mod int;
#[cfg(feature = "build")]
pub(crate) mod keyed;
pub(crate) mod limits;
pub(crate) mod table;
pub(crate) mod vector;
