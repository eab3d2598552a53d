//! The text a policy was read from, and positions in it.

use core::ops::Range;

use super::model::Span;
use crate::decision::Position;

/// A policy's text.
#[derive(Debug)]
pub(super) struct Source {
    original: Box<str>,
}

impl Source {
    pub(super) fn original(&self) -> &str {
        &self.original
    }
    pub(super) fn original_range(&self, span: Span) -> Range<usize> {
        let to = |v: u32| usize::try_from(v).unwrap_or(0);
        to(span.start)..to(span.end)
    }
    pub(super) fn position(&self, _offset: u32) -> Position {
        Position::default()
    }
}
