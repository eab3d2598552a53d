//! In place of `scope` where no pattern is compiled: no engine is bound to a start.

use core::ops::ControlFlow;

use super::decide::Asked;
use crate::util::ids::PatternId;

/// What is left of the patterns behind a start: there is no such thing.
pub(super) enum Left {}

impl Left {
    /// Calls `visit` for each pattern of which the rest matches.
    pub(super) fn for_each(
        &self,
        _: Asked<'_, '_>,
        _: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match *self {}
    }
}
