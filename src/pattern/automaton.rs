//! The automaton's flat tables and the walk over them.
//!
//! # Invariants
//!
//! - A node of the heads that accepts anything is at a character boundary of every text
//!   that reaches it, because heads are whole texts.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use core::ops::ControlFlow;

use super::glob;
use super::grams::GramsView;
use super::tree::TreeView;
#[cfg(feature = "build")]
use super::{grams::Grams, tree::Tree};
use crate::util::bytes::{self, Needle};
use crate::util::extent::Extent;
use crate::util::ids::PatternId;
use crate::util::table::tables;

tables! {
    /// All patterns of a policy set, compiled.
    struct Automaton / AutomatonView {
        "automaton" {
            /// The literal heads.
            part heads: Tree, TreeView;
            /// Patterns, as [`Accept::ends`] and [`Accept::stars`] name them.
            table ids: PatternId;
            /// Patterns with more behind their head.
            table tails: Tail;
            /// The literals between the stars of the tails.
            table pieces: Piece;
            /// The pattern bytes of the tails.
            table programs: u8;
            /// The tails of heads that have many, by what they contain.
            part grams: Grams, GramsView;
        }
    }
}

/// In place of a set of grams: the head has few tails.
pub(crate) const NO_GRAMS: u32 = u32::MAX;

/// What hangs at a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Accept {
    /// Patterns that end here, in [`Automaton::ids`].
    pub(crate) ends: Extent,
    /// Patterns that end in `*` here, in [`Automaton::ids`].
    pub(crate) stars: Extent,
    /// Other patterns with this head, in [`Automaton::tails`]; of many, those without a gram.
    pub(crate) tails: Extent,
    /// The set of grams of the others, or [`NO_GRAMS`].
    pub(crate) grams: u32,
}

#[cfg(feature = "build")]
impl Accept {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self {
        ends: Extent { start: 0, len: 0 },
        stars: Extent { start: 0, len: 0 },
        tails: Extent { start: 0, len: 0 },
        grams: NO_GRAMS,
    };
}

/// A pattern behind its head.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Tail {
    /// The pattern.
    pub(crate) id: PatternId,
    /// 1 if it is stars and literals only, the first a star: the pieces and the ending say all.
    pub(crate) is_simple: u32,
    /// The literals between its stars, in [`Automaton::pieces`].
    pub(crate) pieces: Extent,
    /// The literal behind the last star, in [`Automaton::programs`].
    pub(crate) ending: Extent,
    /// The pattern bytes behind the head, in [`Automaton::programs`].
    pub(crate) program: Extent,
}

/// A literal between two stars.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Piece {
    /// Its start.
    pub(crate) needle: Needle,
    /// All of it, in [`Automaton::programs`].
    pub(crate) literal: Extent,
}

impl AutomatonView<'_> {
    /// Calls `visit` for each pattern that matches the whole of `text`, in no particular order.
    ///
    /// Usually once; more often where a text repeats itself and many patterns share a head.
    #[inline]
    pub(crate) fn for_each(
        &self,
        text: &str,
        mut visit: impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut at = 0_usize;
        let mut rest = text.as_bytes();
        while let Some(node) = self.heads.nodes.get(at) {
            let accept = &node.accept;
            if rest.is_empty() {
                self.visit(accept.ends, &mut visit)?;
            }
            if !accept.stars.is_empty() {
                self.visit(accept.stars, &mut visit)?;
            }
            if !accept.tails.is_empty() {
                self.verify(accept.tails, rest, &mut visit)?;
            }
            if accept.grams != NO_GRAMS {
                self.verify_by_grams(accept.grams, rest, &mut visit)?;
            }
            match self.heads.step(at, node, rest) {
                Some((child, behind)) => (at, rest) = (child, behind),
                None => break,
            }
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn visit(
        &self,
        ids: Extent,
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        ids.of(self.ids).iter().try_for_each(|&id| visit(id))
    }

    #[inline]
    fn verify(
        &self,
        tails: Extent,
        rest: &[u8],
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        tails.of(self.tails).iter().try_for_each(|tail| {
            if self.matches(tail, rest).is_some() {
                visit(tail.id)?;
            }
            ControlFlow::Continue(())
        })
    }

    /// PERF: apart, as else the loads of its tables are done ahead of every walk.
    #[inline(never)]
    fn verify_by_grams(
        &self,
        grams: u32,
        rest: &[u8],
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.grams
            .candidates(grams, rest, |tails| self.verify(tails, rest, visit))
    }

    /// Returns whether a tail matches the whole of `rest`.
    #[inline]
    fn matches(&self, tail: &Tail, rest: &[u8]) -> Option<()> {
        if tail.is_simple == 0 {
            return glob::matches_bytes(tail.program.of(self.programs), rest).then_some(());
        }
        let mut rest = rest;
        if !tail.ending.is_empty() {
            rest = bytes::strip_end(rest, tail.ending.of(self.programs))?;
        }
        for piece in tail.pieces.of(self.pieces) {
            let literal = piece.literal.of(self.programs);
            rest = piece.needle.behind(literal, rest)?;
        }
        Some(())
    }
}
