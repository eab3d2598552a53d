//! The open way: what nearly every request takes.
//!
//! An anonymous caller invokes, and no `NotResource` brings anything. It is compiled for what the
//! processor has, and looks at as little as it can, in this order:
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
//! Nanoseconds a decision (Sapphire Rapids, two cores), of statements of two patterns and ten CIDRs: 24
//! at 10 statements, 25 at 100, 28 at 1 000, 42 at 10 000, there 36 in huge pages (medians). When it was
//! made it took 29, 29, 36 and 58 (minima of alternated runs); the form before, which collected all
//! patterns that match and then asked their rows, 57, 55, 68 and 121; with a node's part of the walk in
//! the walk itself it was 35, 36, 45 and 70.

use core::ops::ControlFlow;

use super::decide::{decision, pattern_apart};
use super::place::{Place, is_quiet};
use super::row::{cell, program, rows};
use crate::decision::Decision;
use crate::image::{Cell, MANY_ROWS, NO_ROW, View};
use crate::pattern::automaton::Accept;
use crate::pattern::tree::{Choice, NO_CHILD, Node, Step};
use crate::request::Request;
use crate::util::ids::{Id, PatternId};
use crate::util::int::AsUsize;
use crate::util::vector::{Least, Vectors, Work};

/// Returns whether a request takes this way.
#[inline(always)]
pub(super) const fn is_open(image: &View<'_>, request: &Request<'_>) -> bool {
    image.withheld.is_empty() && request.is_open()
}

/// Decides about a request that takes this way.
#[inline(always)]
pub(super) fn decide_open<V: Vectors>(
    image: &View<'_>,
    request: &Request<'_>,
    place: Place,
) -> Decision {
    // PERF: what comes from nowhere that a statement names does not read its resource.
    if is_quiet(image, place) {
        return Decision::ImplicitDeny;
    }
    let root = image.automaton.heads.root(request.resource().as_bytes());
    decide_from::<V>(image, request, place, root)
}

/// [`decide_open`] by what is at a step of the resource's way, and behind it.
#[inline(always)]
fn decide_from<V: Vectors>(
    image: &View<'_>,
    request: &Request<'_>,
    place: Place,
    first: Option<Step<'_, '_>>,
) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    let mut walk = first;
    while let Some(step) = walk {
        match at_node::<V>(image, request, place, step) {
            Decision::ImplicitDeny => {}
            Decision::Allow => decision = Decision::Allow,
            Decision::ExplicitDeny => return Decision::ExplicitDeny,
        }
        walk = image.automaton.heads.step(step.node, step.rest);
    }
    decision
}

/// [`decide_open`] by what is on the resource's way up to the first node that chooses a child, which
/// is returned too if there may be one and it can still matter.
#[inline(always)]
pub(super) fn decide_to_choice<'r, V: Vectors>(
    image: &View<'_>,
    request: &Request<'r>,
    place: Place,
) -> (Decision, Option<Choice<'r>>) {
    let heads = &image.automaton.heads;
    let mut decision = Decision::ImplicitDeny;
    let mut walk = heads.root(request.resource().as_bytes());
    while let Some(step) = walk {
        match at_node::<V>(image, request, place, step) {
            Decision::ImplicitDeny => {}
            Decision::Allow => decision = Decision::Allow,
            Decision::ExplicitDeny => return (Decision::ExplicitDeny, None),
        }
        if step.node.stride != 0 {
            return (decision, heads.choose(step.node, step.rest));
        }
        walk = heads.step(step.node, step.rest);
    }
    (decision, None)
}

/// [`decide_from`] where the cell of the first step is known, and what is before it brought `before`.
#[inline(always)]
pub(super) fn decide_found<V: Vectors>(
    image: &View<'_>,
    request: &Request<'_>,
    place: Place,
    (step, cell, before): (Step<'_, '_>, Option<Cell>, Decision),
) -> Decision {
    let Step { node, rest, .. } = step;
    let mut decision = before;
    if node.accept.kind != Accept::KIND_NOTHING {
        let node = AtNode {
            image,
            request,
            place,
            step,
        };
        match V::apart(WithCell { node, cell }) {
            Decision::ImplicitDeny => {}
            Decision::Allow => decision = Decision::Allow,
            Decision::ExplicitDeny => return Decision::ExplicitDeny,
        }
    }
    if is_leaf(node) {
        return decision;
    }
    let next = image.automaton.heads.step(node, rest);
    match decide_from::<V>(image, request, place, next) {
        Decision::ImplicitDeny => decision,
        behind => behind,
    }
}

/// Returns what the patterns of one node bring.
#[inline(always)]
fn at_node<V: Vectors>(
    image: &View<'_>,
    request: &Request<'_>,
    place: Place,
    step: Step<'_, '_>,
) -> Decision {
    // PERF: most nodes on a way have nothing.
    if step.node.accept.kind == Accept::KIND_NOTHING {
        return Decision::ImplicitDeny;
    }
    V::apart(AtNode {
        image,
        request,
        place,
        step,
    })
}

/// Returns whether a way ends at a node.
#[inline(always)]
pub(super) const fn is_leaf(node: &Node) -> bool {
    node.stride == 0 && node.only_child == NO_CHILD
}

/// Returns the cell that all patterns of a node bring, if there is one.
#[inline(always)]
pub(super) fn cell_at(image: &View<'_>, place: Place, step: &Step<'_, '_>) -> Option<Cell> {
    let row = image.node_rows.get(step.at.as_usize())?;
    cell(image, place, (step.node.accept.value, row))
}

/// What the patterns of one node bring to a request in the open lanes.
struct AtNode<'i, 'r> {
    image: &'i View<'i>,
    request: &'i Request<'r>,
    place: Place,
    step: Step<'i, 'r>,
}

impl Work for AtNode<'_, '_> {
    type Output = Decision;

    #[inline(always)]
    fn run<V: Vectors>(self) -> Decision {
        // PERF: the row first, as it often brings nothing, and then nothing has to match.
        let cell = cell_at(self.image, self.place, &self.step);
        WithCell { node: self, cell }.run::<V>()
    }
}

/// [`AtNode`] whose cell is known.
struct WithCell<'i, 'r> {
    node: AtNode<'i, 'r>,
    cell: Option<Cell>,
}

impl Work for WithCell<'_, '_> {
    type Output = Decision;

    #[inline(always)]
    fn run<V: Vectors>(self) -> Decision {
        let Self { node, cell } = self;
        let AtNode {
            image,
            request,
            place,
            step: Step { node, rest, .. },
        } = node;
        let accept = &node.accept;
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
    let text = request.resource().as_bytes();
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
        .for_each_at::<Least>(accept, (text, rest), &mut visit);
    decision(flow, allowed)
}

/// Returns the answer of a row and those that count with it.
#[inline(never)]
fn rows_apart(image: &View<'_>, request: &Request<'_>, place: Place, first: u32) -> Decision {
    let mut allowed = false;
    let flow = rows(image, request, place, first, &mut allowed);
    decision(flow, allowed)
}
