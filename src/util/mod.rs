//! The ground floor: id newtypes, lossless casts, stretches of tables, hashes and short comparisons, for every other floor.

pub(crate) mod bytes;
pub(crate) mod extent;
pub(crate) mod hash;
pub(crate) mod ids;
pub(crate) mod int;
pub(crate) mod table;
