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
use crate::util::ids::{Id, PatternId};
use crate::util::int::AsUsize;
use crate::util::table::tables;

tables! {
    /// All patterns of a policy set, compiled.
    struct Automaton / AutomatonView {
        "automaton" {
            /// The literal heads.
            part heads: Tree, TreeView;
            /// Patterns with more behind their head.
            table tails: Tail;
            /// What the tails are, each once: many APIs have the same tails.
            table bodies: Body;
            /// The literals between the stars of the bodies.
            table pieces: Piece;
            /// The pattern bytes of the bodies.
            table programs: u8;
            /// The tails of heads that have many, by what they contain.
            part grams: Grams, GramsView;
        }
    }
}

/// In place of a pattern: there is none.
pub(crate) const NO_PATTERN: u32 = u32::MAX;

/// In place of a body: the tail stands for a set of grams, by number, and for all tails in it.
pub(crate) const GRAMS: u32 = u32::MAX;

/// What hangs at a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Accept {
    /// A pattern that ends here, or [`NO_PATTERN`].
    pub(crate) end: u32,
    /// A pattern that ends in `*` here, or [`NO_PATTERN`].
    pub(crate) star: u32,
    /// Other patterns with this head, in [`Automaton::tails`]; of many, those without a gram.
    pub(crate) tails: Extent,
}

#[cfg(feature = "build")]
impl Accept {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self {
        end: NO_PATTERN,
        star: NO_PATTERN,
        tails: Extent { start: 0, len: 0 },
    };
}

/// A pattern behind its head.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Tail {
    /// The pattern; with [`GRAMS`] the set.
    pub(crate) id: u32,
    /// In [`Automaton::bodies`], or [`GRAMS`].
    pub(crate) body: u32,
}

/// What tails are that read the same.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Body {
    /// The literals between its stars, in [`Automaton::pieces`].
    pub(crate) pieces: Extent,
    /// The literal behind the last star, in [`Automaton::programs`].
    pub(crate) ending: Extent,
    /// All its bytes, in [`Automaton::programs`].
    pub(crate) program: Extent,
    /// 1 if it is stars and literals only, the first a star: the pieces and the ending say all.
    pub(crate) is_simple: u32,
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
        let mut here = self.heads.root(text.as_bytes());
        while let Some((node, rest)) = here {
            let accept = &node.accept;
            if accept.star != NO_PATTERN {
                visit(PatternId::from_u32(accept.star))?;
            }
            if accept.end != NO_PATTERN && rest.is_empty() {
                visit(PatternId::from_u32(accept.end))?;
            }
            if !accept.tails.is_empty() {
                self.for_each_tail(accept.tails, rest, &mut visit)?;
            }
            here = self.heads.step(node, rest);
        }
        ControlFlow::Continue(())
    }

    /// Collects the patterns that match the whole of `text`.
    ///
    /// PERF: nothing is called that could do anything, so the walk stays in registers.
    #[inline]
    pub(crate) fn collect(&self, text: &str, matches: &mut Matches) {
        let mut here = self.heads.root(text.as_bytes());
        while let Some((node, rest)) = here {
            let accept = &node.accept;
            if accept.star != NO_PATTERN {
                matches.push(accept.star);
            }
            if accept.end != NO_PATTERN && rest.is_empty() {
                matches.push(accept.end);
            }
            if !accept.tails.is_empty() {
                self.collect_tails(accept.tails, rest, matches);
            }
            here = self.heads.step(node, rest);
        }
    }

    /// PERF: apart, as else the loads of its tables are done ahead of every walk.
    #[inline(never)]
    fn collect_tails(&self, tails: Extent, rest: &[u8], matches: &mut Matches) {
        // Past the room the rest is not worth finding.
        let _ = self.for_each_tail(tails, rest, &mut |id| {
            matches.push(id.as_u32());
            match matches.is_full() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
    }

    #[inline(always)]
    fn for_each_tail(
        &self,
        tails: Extent,
        rest: &[u8],
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        tails.of(self.tails).iter().try_for_each(|tail| {
            if tail.body == GRAMS {
                self.verify_by_grams(tail.id, rest, visit)?;
            } else if self.matches(tail.body, rest).is_some() {
                visit(PatternId::from_u32(tail.id))?;
            }
            ControlFlow::Continue(())
        })
    }

    /// PERF: apart, as else the loads of its tables are done ahead of every walk.
    #[inline(never)]
    fn verify_by_grams(
        &self,
        set: u32,
        rest: &[u8],
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.grams.candidates(set, rest, |tails| {
            tails.of(self.tails).iter().try_for_each(|tail| {
                // One that stands for a set has no body.
                if self.matches(tail.body, rest).is_some() {
                    visit(PatternId::from_u32(tail.id))?;
                }
                ControlFlow::Continue(())
            })
        })
    }

    /// Returns whether a body matches the whole of `rest`.
    #[inline(always)]
    fn matches(&self, body: u32, rest: &[u8]) -> Option<()> {
        let body = self.bodies.get(body.as_usize())?;
        if body.is_simple == 0 {
            return glob::matches_bytes(body.program.of(self.programs), rest).then_some(());
        }
        let mut rest = rest;
        if !body.ending.is_empty() {
            rest = bytes::strip_end(rest, body.ending.get(self.programs)?)?;
        }
        for piece in body.pieces.get(self.pieces)? {
            let literal = piece.literal.get(self.programs)?;
            rest = piece.needle.behind(literal, rest)?;
        }
        Some(())
    }
}

/// The patterns that match one text, without a heap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matches {
    ids: [u32; Self::ROOM],
    /// How many there are; past the room they are counted only.
    count: usize,
}

impl Matches {
    /// How many are kept. More match hardly ever.
    const ROOM: usize = 8;

    /// None.
    pub(crate) const NONE: Self = Self {
        ids: [0; Self::ROOM],
        count: 0,
    };

    #[inline(always)]
    fn push(&mut self, id: u32) {
        if let Some(slot) = self.ids.get_mut(self.count) {
            *slot = id;
        }
        self.count += 1;
    }

    const fn is_full(&self) -> bool {
        self.count > Self::ROOM
    }

    /// Returns them, or `None` where there may be more.
    #[inline(always)]
    pub(crate) fn get(&self) -> Option<&[u32]> {
        self.ids.get(..self.count)
    }
}
