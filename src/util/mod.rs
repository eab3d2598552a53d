//! The ground floor: id newtypes, lossless casts, stretches of tables and hashes, for every other floor.

pub(crate) mod extent;
pub(crate) mod hash;
pub(crate) mod ids;
pub(crate) mod int;
