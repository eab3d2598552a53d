//! The ground floor: id newtypes, lossless casts, stretches of tables, hashes, limits and short comparisons, for every other floor.

pub(crate) mod bytes;
pub(crate) mod extent;
pub(crate) mod hash;
pub(crate) mod ids;
pub(crate) mod int;
#[cfg(feature = "build")]
pub(crate) mod keyed;
pub(crate) mod limits;
pub(crate) mod table;
