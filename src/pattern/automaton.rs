//! The automaton's flat tables and the walk over them.
//!
//! ```text
//! text ──heads──▶ node ─▶ Accept ─▶ bodies, each a cache line: what of the text may still follow
//!                            │ └──▶ ids of their patterns, in the same order
//!                            └────▶ value: whatever is kept for all of them together
//! ```
//!
//! What hangs at a node is the same at many nodes (ten thousand APIs with the same paths), so bodies
//! stand together by the set, each set once; a walk finds them in the nearest cache.
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
use super::tree::{Step, TreeView};
#[cfg(feature = "build")]
use super::{grams::Grams, tree::Tree};
use crate::util::bytes::{self, Lanes, Needle};
use crate::util::extent::Extent;
use crate::util::ids::{Id, PatternId};
use crate::util::int::AsUsize;
use crate::util::table::tables;
use crate::util::vector::{Least, Vectors, WIDE};

tables! {
    /// All patterns of a policy set, compiled.
    struct Automaton / AutomatonView {
        "automaton" {
            /// The literal heads.
            part heads: Tree, TreeView;
            /// What stands behind the heads, by sets that hang at one node.
            table bodies: Body;
            /// The patterns, in the order of the bodies at each node.
            table ids: PatternId;
            /// The literals between the stars of the bodies.
            table pieces: Piece;
            /// The pattern bytes of the bodies.
            table programs: u8;
            /// Patterns at heads that have many, by what they contain.
            table tails: Tail;
            /// The sets of such patterns.
            part grams: Grams, GramsView;
        }
    }
}

/// What hangs at a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Accept {
    /// One of the `KIND_…` constants.
    pub(crate) kind: u32,
    /// What may follow, in [`Automaton::bodies`]; nothing of a lone `*`.
    pub(crate) bodies: Extent,
    /// The first of as many patterns, or the one of a lone `*`, in [`Automaton::ids`].
    pub(crate) ids: u32,
    /// The set of grams.
    pub(crate) grams: u32,
    /// What the owner of the automaton keeps for all of these patterns together.
    pub(crate) value: u32,
}

impl Accept {
    /// Nothing.
    pub(crate) const KIND_NOTHING: u32 = 0;
    /// One pattern that goes on with a `*` and nothing else.
    pub(crate) const KIND_STAR: u32 = 1;
    /// What the bodies say.
    #[cfg(feature = "build")]
    pub(crate) const KIND_BODIES: u32 = 2;
    /// What the bodies say, and those that are found by a set of grams.
    pub(crate) const KIND_GRAMS: u32 = 3;

    /// In place of a value: nothing is kept.
    #[cfg(feature = "build")]
    pub(crate) const NO_VALUE: u32 = u32::MAX;

    /// Nothing.
    #[cfg(feature = "build")]
    pub(crate) const NOTHING: Self = Self {
        kind: Self::KIND_NOTHING,
        bodies: Extent { start: 0, len: 0 },
        ids: 0,
        grams: 0,
        value: Self::NO_VALUE,
    };

    /// Returns the patterns in `ids`, without those that are found by grams.
    pub(crate) fn ids(&self) -> Extent {
        let len = match self.kind {
            Self::KIND_NOTHING => 0,
            Self::KIND_STAR => 1,
            _ => self.bodies.len,
        };
        Extent {
            start: self.ids,
            len,
        }
    }
}

/// A pattern behind its head that is found by grams.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Tail {
    /// The pattern.
    pub(crate) id: u32,
    /// In [`Automaton::bodies`].
    pub(crate) body: u32,
}

/// What stands behind a head: a cache line.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Body {
    /// The first bytes of what stands before the first wildcard.
    pub(crate) start: Lanes,
    /// The last bytes of what stands behind the last star; none where there is `?`.
    pub(crate) ending: Lanes,
    /// How many bytes stand before the first wildcard.
    pub(crate) start_len: u32,
    /// How many bytes stand behind the last star; 0 where there is `?`.
    pub(crate) ending_len: u32,
    /// The sum of the `…` bits that hold; 0 of a literal and a star behind it.
    pub(crate) shape: u32,
    /// All its bytes, in [`Automaton::programs`].
    pub(crate) program: Extent,
    /// The literals between its stars, in [`Automaton::pieces`].
    pub(crate) pieces: Extent,
}

impl Body {
    /// There is no wildcard: `start` is all of it.
    pub(crate) const LITERAL: u32 = 1;
    /// There is `?`, so `program` is to be asked.
    pub(crate) const ONES: u32 = 2;
    /// Something stands behind the last star.
    pub(crate) const ENDING: u32 = 4;
    /// Something stands between two stars.
    pub(crate) const PIECES: u32 = 8;
    /// The start or the ending is longer than what `start` and `ending` have of it.
    pub(crate) const LONG: u32 = 16;
}

/// A literal between two stars: a cache line.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(crate) struct Piece {
    /// How it is looked for.
    pub(crate) needle: Needle,
    /// Nothing.
    pub(crate) reserved: [u16; 3],
    /// All of it, in [`Automaton::programs`].
    pub(crate) literal: Extent,
}

const _: () = assert!(size_of::<Body>() == 64 && size_of::<Piece>() == 64);

/// Where a walk stands in a text: behind the head of a node.
#[derive(Clone, Copy, Debug)]
struct Here<'t> {
    text: &'t [u8],
    from: usize,
    /// The next sixteen bytes; whatever behind the end.
    next: [u8; WIDE],
}

impl<'t> Here<'t> {
    /// Stands in `text` before `rest`, which is its end.
    #[inline(always)]
    fn new(text: &'t [u8], rest: &'t [u8]) -> Self {
        Self {
            text,
            from: text.len() - rest.len(),
            next: match rest.first_chunk() {
                Some(next) => *next,
                None => next_of_short(text, rest),
            },
        }
    }
}

/// Returns the bytes of a `rest` that is shorter, and zeros behind it.
#[inline(always)]
fn next_of_short(text: &[u8], rest: &[u8]) -> [u8; WIDE] {
    // PERF: what stands before is shifted out, which is one load where a copy is a call.
    let Some(last) = text.last_chunk() else {
        return first_of_short(rest);
    };
    let gone = 8 * (WIDE - rest.len().min(WIDE));
    let shifted = u128::from_le_bytes(*last).checked_shr(u32::try_from(gone).unwrap_or(u32::MAX));
    shifted.unwrap_or_default().to_le_bytes()
}

#[inline(never)]
fn first_of_short(text: &[u8]) -> [u8; WIDE] {
    let mut bytes = [0; WIDE];
    for (slot, byte) in bytes.iter_mut().zip(text) {
        *slot = *byte;
    }
    bytes
}

/// Returns the last sixteen bytes of a text; of a shorter one zeros before it.
#[inline(always)]
fn last_of(text: &[u8]) -> [u8; WIDE] {
    text.last_chunk().copied().unwrap_or_else(|| {
        let mut bytes = first_of_short(text);
        bytes.rotate_right(WIDE - text.len().min(WIDE));
        bytes
    })
}

impl AutomatonView<'_> {
    /// Calls `visit` for each pattern that matches the whole of `text`, in no particular order.
    ///
    /// Usually once; more often where a text repeats itself and many patterns share a head.
    #[inline(always)]
    pub(crate) fn for_each<V: Vectors>(
        &self,
        text: &str,
        mut visit: impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let text = text.as_bytes();
        let mut here = self.heads.root(text);
        while let Some(Step { node, rest, .. }) = here {
            if node.accept.kind != Accept::KIND_NOTHING {
                self.for_each_at::<V>(&node.accept, (text, rest), &mut visit)?;
            }
            here = self.heads.step(node, rest);
        }
        ControlFlow::Continue(())
    }

    /// Calls `visit` for each pattern at one node that matches the whole of `text`, of which `rest` is
    /// behind the head.
    #[inline(always)]
    pub(crate) fn for_each_at<V: Vectors>(
        &self,
        accept: &Accept,
        (text, rest): (&[u8], &[u8]),
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let ids = accept.ids().of(self.ids);
        if accept.kind == Accept::KIND_STAR {
            return ids.iter().try_for_each(|&id| visit(id));
        }
        // PERF: lent to nobody, so that it stays in registers.
        let here = Here::new(text, rest);
        for (body, &id) in accept.bodies.of(self.bodies).iter().zip(ids) {
            if self.fits::<V>(body, here).is_some() {
                visit(id)?;
            }
        }
        if accept.kind == Accept::KIND_GRAMS {
            self.for_each_by_grams(accept.grams, (text, rest), visit)?;
        }
        ControlFlow::Continue(())
    }

    /// Returns whether any of the patterns at one node, which has no grams, matches the whole of `text`,
    /// of which `rest` is behind the head.
    #[inline(always)]
    pub(crate) fn any_at<V: Vectors>(&self, accept: &Accept, text: &[u8], rest: &[u8]) -> bool {
        let Some(bodies) = accept.bodies.get(self.bodies) else {
            return false;
        };
        let here = Here::new(text, rest);
        // PERF: a loop, as the library's `any` is a function of its own.
        for body in bodies {
            if self.fits::<V>(body, here).is_some() {
                return true;
            }
        }
        false
    }

    /// PERF: apart, as else the loads of its tables are done ahead of every walk.
    #[inline(never)]
    fn for_each_by_grams(
        &self,
        set: u32,
        (text, rest): (&[u8], &[u8]),
        visit: &mut impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let here = Here::new(text, rest);
        self.grams.candidates(set, rest, |tails| {
            tails.of(self.tails).iter().try_for_each(|tail| {
                let body = self.bodies.get(tail.body.as_usize());
                if body.is_some_and(|body| self.fits::<Least>(body, here).is_some()) {
                    visit(PatternId::from_u32(tail.id))?;
                }
                ControlFlow::Continue(())
            })
        })
    }

    /// Returns whether a body matches the whole of what follows.
    #[inline(always)]
    fn fits<V: Vectors>(&self, body: &Body, here: Here<'_>) -> Option<()> {
        // PERF: tells most apart that start otherwise, and is all there is of most others.
        if !body.start.agree(&here.next) {
            return None;
        }
        let from = here.from.checked_add(body.start_len.as_usize())?;
        let to = here.text.len().checked_sub(body.ending_len.as_usize())?;
        if from > to {
            return None;
        }
        if body.shape == 0 {
            return Some(());
        }
        if body.shape & Body::ENDING != 0 && !body.ending.agree(&last_of(here.text)) {
            return None;
        }
        if body.shape & (Body::LITERAL | Body::ONES | Body::LONG) != 0 {
            self.fits_apart(body, (here.text, here.from), from == to)?;
        }
        if body.shape & Body::PIECES == 0 {
            return Some(());
        }
        let mut from = from;
        for piece in body.pieces.get(self.pieces)? {
            let literal = piece.literal.get(self.programs)?;
            from = piece.needle.find::<V>(literal, here.text, from, to)?;
        }
        Some(())
    }

    /// Returns whether what is compared seldom fits.
    #[inline(never)]
    fn fits_apart(&self, body: &Body, (text, from): (&[u8], usize), is_at_end: bool) -> Option<()> {
        if body.shape & Body::LITERAL != 0 && !is_at_end {
            return None;
        }
        if body.shape & (Body::ONES | Body::LONG) == 0 {
            return Some(());
        }
        let program = body.program.get(self.programs)?;
        if body.shape & Body::ONES != 0 {
            return glob::matches_bytes(program, text.get(from..)?).then_some(());
        }
        let start = program.get(..body.start_len.as_usize())?;
        let ending = program.len().checked_sub(body.ending_len.as_usize())?;
        let fits = bytes::starts_with(text.get(from..)?, start)
            && bytes::ends_with(text, program.get(ending..)?);
        fits.then_some(())
    }
}
