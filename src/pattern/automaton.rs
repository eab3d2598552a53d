//! The automaton's flat tables and the walk over them.
//!
//! # Invariants
//!
//! - A node of the heads that accepts anything is at a character boundary of every text
//!   that reaches it: heads that end there are whole texts, and a branch is kept there only where
//!   its heads do not part within a character.

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

/// In place of a body: there is no tail.
pub(crate) const NO_BODY: u32 = u32::MAX;

/// In place of a body: nothing, so the text has to end.
pub(crate) const END: u32 = u32::MAX - 1;

/// In place of a body: a lone `*`, which every text fits.
pub(crate) const STAR: u32 = u32::MAX - 2;

/// In place of a body: the tail stands for a set of grams, by number, and for all tails in it.
pub(crate) const GRAMS: u32 = u32::MAX - 3;

/// What hangs at a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Accept {
    /// The first tails; none behind one of [`NO_BODY`].
    pub(crate) first: [Tail; 2],
    /// The others, in [`Automaton::tails`].
    pub(crate) others: Extent,
}

#[cfg(feature = "build")]
impl Accept {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self {
        first: [Tail::NONE; 2],
        others: Extent { start: 0, len: 0 },
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
    /// In [`Automaton::bodies`], or one of [`NO_BODY`], [`END`], [`STAR`], [`GRAMS`].
    pub(crate) body: u32,
}

#[cfg(feature = "build")]
impl Tail {
    /// None.
    pub(crate) const NONE: Self = Self {
        id: 0,
        body: NO_BODY,
    };
}

/// What tails are that read the same.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Body {
    /// All its bytes, in [`Automaton::programs`].
    pub(crate) program: Extent,
    /// The literals between its stars, in [`Automaton::pieces`].
    pub(crate) pieces: Extent,
    /// How many bytes stand before the first star.
    pub(crate) start: u32,
    /// How many bytes stand behind the last star.
    pub(crate) ending: u32,
    /// One of the `KIND_…` constants.
    pub(crate) kind: u32,
    /// Nothing: words start at multiples of eight bytes.
    pub(crate) reserved: u32,
    /// The first of the bytes before the first wildcard, up to eight.
    pub(crate) first: u64,
    /// All bits of the bytes in `first`.
    pub(crate) mask: u64,
}

impl Body {
    /// No wildcards: `start` is all of it.
    pub(crate) const KIND_LITERAL: u32 = 0;
    /// Stars and literals only.
    #[cfg(feature = "build")]
    pub(crate) const KIND_STARS: u32 = 1;
    /// Anything: `program` says it.
    pub(crate) const KIND_ANY: u32 = 2;
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
            let Accept { first, others } = &node.accept;
            self.for_each_tail(first, rest, &mut visit)?;
            if !others.is_empty() {
                self.for_each_tail(others.of(self.tails), rest, &mut visit)?;
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
            // PERF: most nodes have nothing, or a lone star.
            match node.accept.first {
                [Tail { body: NO_BODY, .. }, _] => {}
                [Tail { body: STAR, id }, Tail { body: NO_BODY, .. }] => matches.push(id),
                _ => self.collect_tails(&node.accept, rest, matches),
            }
            here = self.heads.step(node, rest);
        }
    }

    /// PERF: apart, as else the loads of its tables are done ahead of every walk.
    #[inline(never)]
    fn collect_tails(&self, accept: &Accept, rest: &[u8], matches: &mut Matches) {
        let mut push = |id: PatternId| {
            matches.push(id.as_u32());
            // Past the room the rest is not worth finding.
            match matches.is_full() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let mut flow = self.for_each_tail(&accept.first, rest, &mut push);
        if flow.is_continue() && !accept.others.is_empty() {
            flow = self.for_each_tail(accept.others.of(self.tails), rest, &mut push);
        }
        // What is missing is counted.
        let _ = flow;
    }

    #[inline(always)]
    fn for_each_tail(
        &self,
        tails: &[Tail],
        rest: &[u8],
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for tail in tails {
            let is_match = match tail.body {
                NO_BODY => break,
                STAR => true,
                END => rest.is_empty(),
                GRAMS => {
                    self.verify_by_grams(tail.id, rest, visit)?;
                    false
                }
                body => self.matches(body, rest).is_some(),
            };
            if is_match {
                visit(PatternId::from_u32(tail.id))?;
            }
        }
        ControlFlow::Continue(())
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
        // PERF: tells most apart that start otherwise.
        let first = rest.first_chunk().map(|&first| u64::from_le_bytes(first));
        if first.is_some_and(|first| (first ^ body.first) & body.mask != 0) {
            return None;
        }
        let program = body.program.get(self.programs)?;
        if body.kind == Body::KIND_ANY {
            return glob::matches_bytes(program, rest).then_some(());
        }
        let mut rest = rest;
        if body.start != 0 {
            rest = bytes::strip_start(rest, program.get(..body.start.as_usize())?)?;
        }
        if body.kind == Body::KIND_LITERAL {
            return rest.is_empty().then_some(());
        }
        if body.ending != 0 {
            let before = program.len().checked_sub(body.ending.as_usize())?;
            rest = bytes::strip_end(rest, program.get(before..)?)?;
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
