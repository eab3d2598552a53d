//! Many requests at once: what one waits for is loaded while others are looked at.
//!
//! ```text
//! requests ─▶ places ───────────────── quiet? ──▶ implicit deny
//!               ▼
//!             what all resources share ──── denied? ──▶ explicit deny
//!               ▼
//!             nodes and rows, loads begun
//!               ▼
//!             nodes, and their cells ── nothing? ──▶ what there was before
//!               ▼
//!             the rest of the open way, one by one
//! ```
//!
//! Where no node has children to choose from, as with a block list, there are no nodes to load, and
//! requests are decided one by one: the processor begins their look-ups ahead by itself.
//!
//! Who is quiet, and whose cell is nothing, is numbered without a branch: a guess is often wrong.
//!
//! Nanoseconds a decision, medians of alternated runs (Sapphire Rapids, two cores), of statements of
//! two patterns and ten CIDRs, 256 requests at a time: 21.5 at 10 statements, 34 at 10 000. One after
//! the other, with loads begun for sixteen at a time, it was 22.5 and 40. Of sixteen a stage: 22.7 and
//! 36.5, of 64: 22 and 38. Since then what is in front of the choice has a place in the stages, for 13
//! instructions a decision.

use core::net::IpAddr;

use super::decide::{decide_apart, decide_one};
use super::open::{cell_at, decide_found, decide_to_choice, is_leaf, is_open};
use super::place::{Place, is_quiet, place};
use crate::decision::Decision;
use crate::image::{Base, Cell, View};
use crate::pattern::tree::{Choice, Step};
use crate::request::{Address, Request};
use crate::util::int::AsUsize;
use crate::util::vector::{Level, Vectors, Work, prefetch};

/// How many requests are under way at once.
const BATCH: usize = 32;

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

/// Such a request, and the child that its resource chooses.
type Led<'r> = (Loud, Choice<'r>);

/// Such a request at that child, and the cell there.
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
        if image.automaton.heads.places == 0 {
            for (request, decision) in requests.iter().zip(decisions) {
                *decision = decide_one::<V>(image, request);
            }
            return len;
        }
        // PERF: made once, as it takes as long as a decision.
        let mut loud = [NOWHERE; BATCH];
        let mut led = [None; BATCH];
        let mut found = [None; BATCH];
        let mut ahead = requests;
        for (requests, decisions) in requests.chunks(BATCH).zip(decisions.chunks_mut(BATCH)) {
            let loud = look_up(image, requests, decisions, &mut loud);
            ahead = ahead.get(BATCH..).unwrap_or_default();
            if image.primary.v4.is_far() {
                begin_look_ups(image, ahead.get(..BATCH).unwrap_or(ahead));
            }
            let led = choose::<V>(image, requests, decisions, loud, &mut led);
            for found in arrive(image, led, &mut found) {
                let &Some(((number, place), step, cell)) = found else {
                    continue;
                };
                let each = (requests.get(number), decisions.get_mut(number));
                if let (Some(request), Some(decision)) = each {
                    let known = (step, cell, *decision);
                    *decision = decide_found::<V>(image, request, place, known);
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
    loud: &'p mut [Loud; BATCH],
) -> &'p [Loud] {
    let mut len = 0;
    for (number, (request, decision)) in requests.iter().zip(decisions).enumerate() {
        let place = place(image, request);
        if !is_open(image, request) {
            *decision = decide_apart(image, request, place);
            continue;
        }
        *decision = Decision::ImplicitDeny;
        if let Some(slot) = loud.get_mut(len) {
            *slot = (number, place);
            len += usize::from(!is_quiet(image, place));
        }
    }
    loud.get(..len).unwrap_or_default()
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

/// Decides as far as the way of a resource leads without a choice, and begins to load the child that
/// is chosen then; returns the requests that have one.
#[inline(always)]
fn choose<'r, 'l, V: Vectors>(
    image: &View<'_>,
    requests: &[Request<'r>],
    decisions: &mut [Decision],
    loud: &[Loud],
    led: &'l mut [Option<Led<'r>>; BATCH],
) -> &'l [Option<Led<'r>>] {
    let heads = &image.automaton.heads;
    let mut len = 0;
    for &(number, place) in loud {
        let each = (requests.get(number), decisions.get_mut(number));
        let (Some(request), Some(decision)) = each else {
            continue;
        };
        let choice;
        (*decision, choice) = decide_to_choice::<V>(image, request, place);
        if let (Some(choice), Some(slot)) = (choice, led.get_mut(len)) {
            prefetch(heads.nodes, choice.at.as_usize());
            prefetch(image.node_rows, choice.at.as_usize());
            *slot = Some(((number, place), choice));
            len += 1;
        }
    }
    led.get(..len).unwrap_or_default()
}

/// Returns the requests to which the chosen child or what is behind it may bring something.
#[inline(always)]
fn arrive<'i, 'r, 'f>(
    image: &View<'i>,
    led: &[Option<Led<'r>>],
    found: &'f mut [Option<Found<'i, 'r>>; BATCH],
) -> &'f [Option<Found<'i, 'r>>] {
    let mut len = 0;
    for &(loud, ref choice) in led.iter().flatten() {
        let Some(step) = image.automaton.heads.arrive(choice) else {
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
