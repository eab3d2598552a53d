//! The ground floor: id newtypes, lossless casts and stretches of tables, for every other floor.

pub(crate) mod extent;
pub(crate) mod ids;
pub(crate) mod int;
