//! Which way a request takes, and the general way: class, patterns, rows, cells.
//!
//! The strongest answer of all rows counts, so a deny ends the way; an allow is kept while the
//! rest is looked at.
//!
//! What nearly every request is has a way of its own, `open`; all else goes pattern by pattern.

use core::ops::ControlFlow;

use super::lane::{FIND_FROM, Lanes};
use super::open::{decide_open, is_open};
use super::place::{Place, place};
use super::row::rows;
use super::scope::Left;
use super::template::Template;
use super::withheld::{self, Cancelled};
use crate::decision::Decision;
use crate::image::{Hit, MANY_ROWS, View};
use crate::request::Request;
use crate::util::extent::Extent;
use crate::util::ids::{Id, PatternId};
use crate::util::vector::{Least, Level, Vectors, Work};

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
        decide_one::<V>(self.image, self.request)
    }
}

/// Decides, by the way the request takes.
#[inline(always)]
pub(super) fn decide_one<V: Vectors>(image: &View<'_>, request: &Request<'_>) -> Decision {
    let place = place(image, request);
    if is_open(image, request) {
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

/// What a pattern that matches brings by itself, in the general way.
#[inline(never)]
pub(super) fn pattern_apart(
    image: &View<'_>,
    request: &Request<'_>,
    place: Place,
    id: PatternId,
) -> Decision {
    let mut allowed = false;
    let walk = Walk::new(image, request, place, Asked::whole(request));
    let flow = walk.pattern(id, &mut allowed, None);
    decision(flow, allowed)
}

#[inline(never)]
pub(super) fn decide_apart(image: &View<'_>, request: &Request<'_>, place: Place) -> Decision {
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
pub(super) const fn decision(flow: ControlFlow<()>, allowed: bool) -> Decision {
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
