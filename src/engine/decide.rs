//! The hot path: class, patterns, rows, cells.
//!
//! The strongest answer of all rows counts, so a deny ends the way; an allow is kept while the
//! rest is looked at.
//!
//! What nearly every request is has a way of its own: an anonymous caller invokes, and no
//! `NotResource` brings anything. It is compiled for what the processor has, and looks at as little
//! as it can, in this order:
//!
//! ```text
//! address ─▶ class ── quiet? ──▶ implicit deny: no pattern brings it anything
//!                        │
//! resource ─▶ node, and its row ── nothing for the class? ──▶ next node
//!                        │
//!                rest of the text against what hangs at the node, up to the first that fits
//!                        ▼
//!                      cell
//! ```
//!
//! All else takes the general way, pattern by pattern.
//!
//! Nanoseconds a decision, minima of alternated runs (Sapphire Rapids, two cores), of statements of two
//! patterns and ten CIDRs: 29 at 10 statements, 29 at 100, 36 at 1 000, 58 at 10 000. The form before,
//! which collected all patterns that match and then asked their rows, took 57, 55, 68 and 121 there;
//! with a node's part of the walk in the walk itself it is 35, 36, 45 and 70.

use core::ops::ControlFlow;

use super::lane::{FIND_FROM, Lanes};
use super::place::{Place, is_quiet, place};
use super::row::{cell, program, rows};
use super::scope::Left;
use super::template::Template;
use super::withheld::{self, Cancelled};
use crate::decision::Decision;
use crate::image::{Base, Cell, Hit, MANY_ROWS, NO_ROW, View};
use crate::pattern::automaton::{Accept, Here};
use crate::pattern::tree::Step;
use crate::request::Request;
use crate::util::extent::Extent;
use crate::util::ids::{Id, PatternId};
use crate::util::int::AsUsize;
use crate::util::vector::{Least, Level, Vectors, Work, prefetch};

/// How many requests of a batch are under way at once.
///
/// Their classes are looked up together, so that the loads of one hide those of another. Walking
/// their resources in step was no faster; beginning the loads of the walks ahead is, see
/// [`begin_loads`].
const BATCH: usize = 16;

/// From this many nodes on, which are more than the nearest caches hold, loads are begun ahead.
const AHEAD_FROM: usize = 2048;

/// Decides, with what the processor has.
#[inline]
pub(super) fn decide(level: Level, image: &View<'_>, request: &Request<'_>) -> Decision {
    level.run(One { image, request })
}

/// One decision.
struct One<'i, 'r> {
    image: &'i View<'i>,
    request: &'i Request<'r>,
}

impl Work for One<'_, '_> {
    type Output = Decision;

    #[inline(always)]
    fn run<V: Vectors>(self) -> Decision {
        let place = place(self.image, self.request);
        decide_placed::<V>(self.image, self.request, place)
    }
}

#[inline(always)]
fn decide_placed<V: Vectors>(image: &View<'_>, request: &Request<'_>, place: Place) -> Decision {
    // PERF: what nearly every request is, without a walk in memory.
    if image.withheld.is_empty() && request.is_open() {
        return decide_open::<V>(image, request, place);
    }
    decide_apart(image, request, place)
}

/// Decides about a resource of which the start is known: `asked` says what is left.
#[cfg(feature = "build")]
pub(super) fn decide_scoped(
    image: &View<'_>,
    request: &Request<'_>,
    asked: Asked<'_, '_>,
) -> Decision {
    decide_at(image, request, place(image, request), asked)
}

/// The resource of a request, as the patterns are to read it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'i, 'r> {
    /// What the automaton reads.
    pub(super) text: &'r str,
    /// The automaton, where it is not that of the image.
    pub(super) left: Option<&'i Left>,
    /// The resource whole, in pieces; none where `text` is all of it.
    pub(super) pieces: &'r [&'r [u8]],
    /// Whether `text` is what `left` is to read; else it reads the pieces behind the first.
    #[cfg_attr(
        not(feature = "build"),
        expect(dead_code, reason = "only scopes leave anything")
    )]
    pub(super) is_joined: bool,
}

impl<'r> Asked<'_, 'r> {
    /// The resource as the request has it.
    #[inline]
    const fn whole(request: &Request<'r>) -> Self {
        Self {
            text: request.resource(),
            left: None,
            pieces: &[],
            is_joined: true,
        }
    }
}

/// Begins the loads that deciding about `requests` will wait for: of the root's children and their
/// rows. Nothing is decided here, and what is guessed wrong costs time only.
///
/// At 10 000 statements batches take 51 ns a decision, where one by one it is 60 (minima of
/// alternated runs, Sapphire Rapids).
#[inline(always)]
fn begin_loads(image: &View<'_>, requests: &[Request<'_>], places: &[Place]) {
    let heads = &image.automaton.heads;
    for (request, place) in requests.iter().zip(places) {
        if is_quiet(image, *place) {
            continue;
        }
        if let Some(at) = heads.first_place(request.resource().as_bytes()) {
            prefetch(heads.nodes, at.as_usize());
            prefetch(image.node_rows, at.as_usize());
        }
    }
}

/// Decides each of `requests`; stops at the shorter of the slices and returns its length.
pub(super) fn decide_batch(
    level: Level,
    image: &View<'_>,
    requests: &[Request<'_>],
    decisions: &mut [Decision],
) -> usize {
    level.run(Many {
        image,
        requests,
        decisions,
    })
}

/// Decisions about many requests.
struct Many<'i, 'r, 'd> {
    image: &'i View<'i>,
    requests: &'i [Request<'r>],
    decisions: &'d mut [Decision],
}

impl Work for Many<'_, '_, '_> {
    type Output = usize;

    #[inline(always)]
    fn run<V: Vectors>(self) -> usize {
        let image = self.image;
        let chunks = self.requests.chunks(BATCH);
        for (requests, decisions) in chunks.zip(self.decisions.chunks_mut(BATCH)) {
            let mut places = [Place {
                base: Base::Absent,
                class: 0,
            }; BATCH];
            for (place_of, request) in places.iter_mut().zip(requests) {
                *place_of = place(image, request);
            }
            if image.automaton.heads.nodes.len() >= AHEAD_FROM {
                begin_loads(image, requests, &places);
            }
            for ((request, decision), place) in requests.iter().zip(decisions).zip(places) {
                *decision = decide_placed::<V>(image, request, place);
            }
        }
        self.requests.len().min(self.decisions.len())
    }
}

/// Decides about a request in the open lanes where no `NotResource` brings anything.
#[inline(always)]
fn decide_open<V: Vectors>(image: &View<'_>, request: &Request<'_>, place: Place) -> Decision {
    // PERF: what comes from nowhere that a statement names does not read its resource.
    if is_quiet(image, place) {
        return Decision::ImplicitDeny;
    }
    let text = request.resource().as_bytes();
    let heads = &image.automaton.heads;
    let mut decision = Decision::ImplicitDeny;
    let mut walk = heads.root(text);
    while let Some(Step { at, node, rest }) = walk {
        // PERF: most nodes on a way have nothing.
        if node.accept.kind != Accept::KIND_NOTHING {
            let accept = &node.accept;
            let brought = V::apart(AtNode {
                image,
                request,
                place,
                at,
                accept,
                rest,
            });
            match brought {
                Decision::ImplicitDeny => {}
                Decision::Allow => decision = Decision::Allow,
                Decision::ExplicitDeny => return Decision::ExplicitDeny,
            }
        }
        walk = heads.step(node, rest);
    }
    decision
}

/// What the patterns of one node bring to a request in the open lanes.
struct AtNode<'i, 'r> {
    image: &'i View<'i>,
    request: &'i Request<'r>,
    place: Place,
    /// The node's number.
    at: u32,
    accept: &'i Accept,
    /// What is behind the node's head.
    rest: &'r [u8],
}

impl Work for AtNode<'_, '_> {
    type Output = Decision;

    #[inline(always)]
    fn run<V: Vectors>(self) -> Decision {
        let Self {
            image,
            request,
            place,
            at,
            accept,
            rest,
        } = self;
        // PERF: the row first, as it often brings nothing, and then nothing has to match.
        let row = image.node_rows.get(at.as_usize());
        let cell = row.and_then(|row| cell(image, place, (accept.value, row)));
        let Some(cell) = cell else {
            return at_node_apart(image, request, place, (accept, rest));
        };
        if cell == Cell::IMPLICIT {
            return Decision::ImplicitDeny;
        }
        if accept.kind != Accept::KIND_STAR {
            let text = request.resource().as_bytes();
            if !image.automaton.any_at::<V>(accept, text, rest) {
                return Decision::ImplicitDeny;
            }
        }
        match cell {
            Cell::ALLOW => Decision::Allow,
            Cell::DENY => Decision::ExplicitDeny,
            cell => program(image, request, cell),
        }
    }
}

/// [`AtNode`] where the patterns of a node do not bring one row.
#[inline(never)]
fn at_node_apart(
    image: &View<'_>,
    request: &Request<'_>,
    place: Place,
    (accept, rest): (&Accept, &[u8]),
) -> Decision {
    // None of them brings anything.
    if accept.value == NO_ROW {
        return Decision::ImplicitDeny;
    }
    let here = Here::new(request.resource().as_bytes(), rest);
    let mut allowed = false;
    let mut visit = |id: PatternId| {
        let brought = match image.open_rows.get(id.as_usize()) {
            None => Decision::ExplicitDeny,
            Some(&MANY_ROWS) => pattern_apart(image, request, place, id),
            Some(&at) => rows_apart(image, request, place, at),
        };
        match brought {
            Decision::ImplicitDeny => {}
            Decision::Allow => allowed = true,
            Decision::ExplicitDeny => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    };
    let flow = image
        .automaton
        .for_each_at::<Least>(accept, &here, &mut visit);
    decision(flow, allowed)
}

/// Returns the answer of a row and those that count with it.
#[inline(never)]
fn rows_apart(image: &View<'_>, request: &Request<'_>, place: Place, first: u32) -> Decision {
    let mut allowed = false;
    let flow = rows(image, request, place, first, &mut allowed);
    decision(flow, allowed)
}

/// What a pattern that matches brings by itself, in the general way.
#[inline(never)]
fn pattern_apart(image: &View<'_>, request: &Request<'_>, place: Place, id: PatternId) -> Decision {
    let mut allowed = false;
    let walk = Walk::new(image, request, place, Asked::whole(request));
    let flow = walk.pattern(id, &mut allowed, None);
    decision(flow, allowed)
}

#[inline(never)]
fn decide_apart(image: &View<'_>, request: &Request<'_>, place: Place) -> Decision {
    decide_at(image, request, place, Asked::whole(request))
}

#[inline]
fn decide_at(
    image: &View<'_>,
    request: &Request<'_>,
    place: Place,
    asked: Asked<'_, '_>,
) -> Decision {
    let walk = Walk::new(image, request, place, asked);
    let mut allowed = false;
    let flow = if image.withheld.is_empty() {
        walk.for_each(|pattern| walk.pattern(pattern, &mut allowed, None))
    } else {
        withheld::decide(&walk, &mut allowed)
    };
    decision(flow, allowed)
}

#[inline(always)]
const fn decision(flow: ControlFlow<()>, allowed: bool) -> Decision {
    match flow {
        ControlFlow::Break(()) => Decision::ExplicitDeny,
        ControlFlow::Continue(()) if allowed => Decision::Allow,
        ControlFlow::Continue(()) => Decision::ImplicitDeny,
    }
}

/// One decision under way.
pub(super) struct Walk<'i, 'r> {
    pub(super) image: &'i View<'i>,
    pub(super) request: &'i Request<'r>,
    asked: Asked<'i, 'i>,
    place: Place,
    /// An anonymous caller invokes: the request is in the open lanes, and in no others.
    pub(super) open: bool,
    pub(super) lanes: Lanes<'i, 'r>,
}

impl<'i, 'r> Walk<'i, 'r> {
    #[inline(always)]
    fn new(
        image: &'i View<'i>,
        request: &'i Request<'r>,
        place: Place,
        asked: Asked<'i, 'i>,
    ) -> Self {
        Self {
            image,
            request,
            asked,
            place,
            open: request.is_open(),
            lanes: Lanes::new(image, request),
        }
    }

    /// Calls `visit` for each pattern that matches the resource, variables taken for `*`.
    #[inline]
    pub(super) fn for_each(
        &self,
        mut visit: impl FnMut(PatternId) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self.asked.left {
            None => self
                .image
                .automaton
                .for_each::<Least>(self.asked.text, visit),
            Some(left) => left.for_each(self.asked, &mut visit),
        }
    }

    /// Returns whether one pattern matches the resource.
    pub(super) fn matches_pattern(&self, id: PatternId) -> bool {
        let pattern = self.image.patterns.get(id.as_usize());
        pattern.is_some_and(|pattern| self.verify(pattern.parts))
    }

    /// Takes in a pattern that matches; breaks on a deny.
    #[inline]
    pub(super) fn pattern(
        &self,
        id: PatternId,
        allowed: &mut bool,
        cancelled: Option<&mut Cancelled<'_>>,
    ) -> ControlFlow<()> {
        let image = self.image;
        let Some(pattern) = image.patterns.get(id.as_usize()) else {
            return ControlFlow::Break(());
        };
        if pattern.has_variables == 1 && !self.verify(pattern.parts) {
            return ControlFlow::Continue(());
        }
        if let Some(cancelled) = cancelled {
            for &entry in pattern.cancels.of(image.cancels) {
                cancelled.insert(entry);
            }
        }
        if self.open && pattern.open_row != MANY_ROWS {
            return self.rows(pattern.open_row, allowed);
        }
        self.hits(pattern.hits, allowed)
    }

    fn hits(&self, hits: Extent, allowed: &mut bool) -> ControlFlow<()> {
        let hits = hits.of(self.image.hits);
        if hits.len() < FIND_FROM {
            return hits
                .iter()
                .filter(|hit| self.lanes.contains(hit.lane))
                .try_for_each(|hit| self.rows(hit.row, allowed));
        }
        match self.lanes.found() {
            Some(lanes) => lanes.iter().try_for_each(|lane| {
                match hits.binary_search_by_key(lane, |hit| hit.lane) {
                    Ok(at) => hits
                        .get(at)
                        .map_or(ControlFlow::Break(()), |hit| self.rows(hit.row, allowed)),
                    Err(_) => ControlFlow::Continue(()),
                }
            }),
            None => hits
                .iter()
                .filter(|Hit { lane, .. }| self.lanes.contains(*lane))
                .try_for_each(|hit| self.rows(hit.row, allowed)),
        }
    }

    /// Takes in a row and those that count with it; breaks on a deny.
    pub(super) fn rows(&self, first: u32, allowed: &mut bool) -> ControlFlow<()> {
        rows(self.image, self.request, self.place, first, allowed)
    }

    fn verify(&self, parts: Extent) -> bool {
        Template::with(self.image, self.request, parts, |t| {
            if self.asked.pieces.is_empty() {
                t.matches(self.request.resource())
            } else {
                t.matches_pieces(self.asked.pieces)
            }
        })
    }
}

/// Returns whether one pattern matches the request's resource.
pub(super) fn matches_pattern(image: &View<'_>, request: &Request<'_>, id: PatternId) -> bool {
    let Some(pattern) = image.patterns.get(id.as_usize()) else {
        return false;
    };
    Template::with(image, request, pattern.parts, |t| {
        t.matches(request.resource())
    })
}
