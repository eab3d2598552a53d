//! Limits that builds keep and decisions count on.

/// How many policy variables one text may have: as many as a decision resolves at once, on the stack.
pub(crate) const VARIABLE_LIMIT: usize = 16;

/// How many bodies of one node other nodes may share; what is asked at one node stays short so.
pub(crate) const SHARED_BODIES: usize = 16;
