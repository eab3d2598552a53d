//! Many requests at once: what one waits for is loaded while others are looked at.
//!
//! ```text
//! requests ─▶ places ───────────────── quiet? ──▶ implicit deny
//!               ▼
//!             nodes and rows, loads begun
//!               ▼
//!             nodes, and their cells ── nothing? ──▶ implicit deny
//!               ▼
//!             the rest of the open way, one by one
//! ```
//!
//! Where the root has no children to choose from, or something hangs at it (a pattern `*`), requests
//! are decided one by one, and nothing is loaded ahead.
//!
//! Who is quiet, and whose cell is nothing, is numbered without a branch: a guess is often wrong.
//!
//! Nanoseconds a decision, medians of alternated runs (Sapphire Rapids, two cores), of statements of
//! two patterns and ten CIDRs, 256 requests at a time: 21.5 at 10 statements, 34 at 10 000. One after
//! the other, with loads begun for sixteen at a time, it was 22.5 and 40. Of sixteen a stage: 22.7 and
//! 36.5, of 64: 22 and 38.

use core::net::IpAddr;

use super::decide::{decide_apart, decide_one};
use super::open::{cell_at, decide_found, is_leaf, is_open};
use super::place::{Place, is_quiet, place};
use crate::decision::Decision;
use crate::image::{Base, Cell, View};
use crate::pattern::automaton::Accept;
use crate::pattern::tree::{Choice, Node, Step};
use crate::request::{Address, Request};
use crate::util::int::AsUsize;
use crate::util::vector::{Level, Vectors, Work, prefetch};

/// How many requests are under way at once.
const BATCH: usize = 32;

/// From this many nodes on, which are more than the nearest caches hold, the look-ups of the next
/// requests are begun as well: 1.5 of 35 ns at 10 000 statements, where it costs 2 of 22 at 10.
const AHEAD_FROM: usize = 2048;

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

/// A request that an address class is not enough for: its number, and its place.
type Loud = (usize, Place);

/// The same at the root's child, and the cell there.
type Found<'i, 'r> = (Loud, Step<'i, 'r>, Option<Cell>);

impl Work for Many<'_, '_, '_> {
    type Output = usize;

    #[inline(always)]
    fn run<V: Vectors>(self) -> usize {
        let Self {
            image,
            requests,
            decisions,
        } = self;
        let len = requests.len().min(decisions.len());
        let nodes = image.automaton.heads.nodes;
        let Some(root) = nodes.first().filter(|root| leads_on(root)) else {
            for (request, decision) in requests.iter().zip(decisions) {
                *decision = decide_one::<V>(image, request);
            }
            return len;
        };
        // PERF: made once, as it takes as long as a decision.
        let mut places = [NOWHERE; BATCH];
        let mut choices = [None; BATCH];
        let mut found = [None; BATCH];
        let mut ahead = requests;
        for (requests, decisions) in requests.chunks(BATCH).zip(decisions.chunks_mut(BATCH)) {
            let loud = look_up(image, requests, decisions, &mut places);
            ahead = ahead.get(BATCH..).unwrap_or_default();
            if nodes.len() >= AHEAD_FROM {
                begin_look_ups(image, ahead.get(..BATCH).unwrap_or(ahead));
            }
            choose(image, root, (requests, loud), &mut choices);
            for found in arrive(image, loud, &choices, &mut found) {
                let &Some(((number, place), step, cell)) = found else {
                    continue;
                };
                let each = (requests.get(number), decisions.get_mut(number));
                if let (Some(request), Some(decision)) = each {
                    *decision = decide_found::<V>(image, request, place, (step, cell));
                }
            }
        }
        len
    }
}

/// In place of a request that is not looked at yet.
const NOWHERE: Loud = (
    0,
    Place {
        base: Base::Absent,
        class: 0,
    },
);

/// Decides about all requests that need no more than their address, and those that do not take the
/// open way; returns the others.
#[inline(always)]
fn look_up<'p>(
    image: &View<'_>,
    requests: &[Request<'_>],
    decisions: &mut [Decision],
    places: &'p mut [Loud; BATCH],
) -> &'p [Loud] {
    let mut len = 0;
    for (number, (request, decision)) in requests.iter().zip(decisions).enumerate() {
        let place = place(image, request);
        if !is_open(image, request) {
            *decision = decide_apart(image, request, place);
            continue;
        }
        *decision = Decision::ImplicitDeny;
        if let Some(slot) = places.get_mut(len) {
            *slot = (number, place);
            len += usize::from(!is_quiet(image, place));
        }
    }
    places.get(..len).unwrap_or_default()
}

/// Begins to load what the look-ups of `requests` will wait for.
#[inline(always)]
fn begin_look_ups(image: &View<'_>, requests: &[Request<'_>]) {
    for request in requests {
        if let Address::Known(IpAddr::V4(ip)) = request.source_ip() {
            image.primary.v4.begin(ip.to_bits());
        }
    }
}

/// Finds where the root's child for each request is, if there can be one, and begins to load it.
#[inline(always)]
fn choose<'r>(
    image: &View<'_>,
    root: &Node,
    (requests, loud): (&[Request<'r>], &[Loud]),
    choices: &mut [Option<Choice<'r>>; BATCH],
) {
    let heads = &image.automaton.heads;
    for (&(number, _), choice) in loud.iter().zip(choices) {
        let text = requests
            .get(number)
            .map(|request| request.resource().as_bytes());
        let step = text.and_then(|text| heads.root(text));
        *choice = step.and_then(|step| heads.choose(root, step.rest));
        if let Some(choice) = choice {
            prefetch(heads.nodes, choice.at.as_usize());
            prefetch(image.node_rows, choice.at.as_usize());
        }
    }
}

/// Returns the requests to which the root's child or what is behind it may bring something.
#[inline(always)]
fn arrive<'i, 'r, 'f>(
    image: &View<'i>,
    loud: &[Loud],
    choices: &[Option<Choice<'r>>; BATCH],
    found: &'f mut [Option<Found<'i, 'r>>; BATCH],
) -> &'f [Option<Found<'i, 'r>>] {
    let mut len = 0;
    for (&loud, choice) in loud.iter().zip(choices) {
        let step = choice.as_ref();
        let Some(step) = step.and_then(|choice| image.automaton.heads.arrive(choice)) else {
            continue;
        };
        let cell = cell_at(image, loud.1, &step);
        if let Some(slot) = found.get_mut(len) {
            *slot = Some((loud, step, cell));
            len += usize::from(cell != Some(Cell::IMPLICIT) || !is_leaf(step.node));
        }
    }
    found.get(..len).unwrap_or_default()
}

/// Returns whether nothing hangs at a node and it chooses a child.
fn leads_on(node: &Node) -> bool {
    node.stride != 0 && node.accept.kind == Accept::KIND_NOTHING
}
