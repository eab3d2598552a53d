//! The ground floor: id newtypes and lossless casts that every other floor may use.

pub(crate) mod ids;
pub(crate) mod int;
