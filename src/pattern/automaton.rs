//! The automaton's flat tables and the walk over them.
//!
//! # Invariants
//!
//! - `accepts` has an entry for each node of `heads`.
//! - A node of the heads that accepts anything is at a character boundary of every text
//!   that reaches it, because heads are whole texts.

use core::ops::ControlFlow;

use super::glob;
use super::grams::Grams;
use super::tree::Tree;
use crate::util::extent::Extent;
use crate::util::ids::PatternId;

/// All patterns of a policy set, compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Automaton {
    /// The literal heads.
    pub(crate) heads: Tree,
    /// What each head accepts, by node.
    pub(crate) accepts: Vec<Accept>,
    /// Patterns, as [`Accept::ends`] and [`Accept::stars`] name them.
    pub(crate) ids: Vec<PatternId>,
    /// Patterns with more behind their head.
    pub(crate) tails: Vec<Tail>,
    /// The pattern bytes of the tails.
    pub(crate) programs: Vec<u8>,
    /// The tails of heads that have many, by what they contain.
    pub(crate) grams: Grams,
}

/// In place of a set of grams: the head has few tails.
pub(crate) const NO_GRAMS: u32 = u32::MAX;

/// What hangs at a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A pattern behind its head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Tail {
    /// The pattern bytes behind the head, in [`Automaton::programs`].
    pub(crate) program: Extent,
    /// The pattern.
    pub(crate) id: PatternId,
}

impl Automaton {
    /// Calls `visit` for each pattern that matches the whole of `text`, in no particular order.
    ///
    /// Usually once; more often where a text repeats itself and many patterns share a head.
    #[inline]
    pub(crate) fn for_each(
        &self,
        text: &str,
        mut visit: impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (mut at, mut read) = (0_usize, 0_usize);
        while let (Some(node), Some(accept)) = (self.heads.nodes.get(at), self.accepts.get(at)) {
            let rest = text.as_bytes().get(read..).unwrap_or_default();
            if rest.is_empty() {
                self.visit(accept.ends, &mut visit)?;
            }
            self.visit(accept.stars, &mut visit)?;
            if !accept.tails.is_empty() {
                self.verify(accept.tails, text, read, &mut visit)?;
            }
            if accept.grams != NO_GRAMS {
                self.grams.candidates(accept.grams, rest, |tails| {
                    self.verify(tails, text, read, &mut visit)
                })?;
            }
            match self.heads.step(at, node, rest) {
                Some((child, len)) => (at, read) = (child, read + len),
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
        ids.of(&self.ids).iter().try_for_each(|&id| visit(id))
    }

    #[inline]
    fn verify(
        &self,
        tails: Extent,
        text: &str,
        read: usize,
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let rest = text.get(read..).unwrap_or_default();
        tails.of(&self.tails).iter().try_for_each(|tail| {
            if glob::matches(tail.program.of(&self.programs), rest) {
                visit(tail.id)?;
            }
            ControlFlow::Continue(())
        })
    }
}
