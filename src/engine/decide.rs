//! The hot path: class, patterns, rows, cells.
//!
//! The strongest answer of all rows counts, so the walk over patterns ends at the first
//! deny; an allow is kept while the rest is looked at.

use core::net::IpAddr;
use core::ops::ControlFlow;

use super::condition;
use super::context::{self, Addresses};
use super::lane::Lanes;
use super::template::Template;
use crate::decision::Decision;
use crate::image::{Base, Cell, EFFECT_DENY, Hit, Image, Row, Rule};
use crate::request::{Address, Request};
use crate::util::extent::Extent;
use crate::util::ids::{Id, PatternId};
use crate::util::int::AsUsize;

/// How many `NotResource` lists are remembered as cancelled; those past it are asked anew.
const CANCELLED: usize = 1024;

/// How many requests of a batch are under way at once.
///
/// Their classes are looked up together, so that the loads of one hide those of another.
const BATCH: usize = 16;

/// Decides.
#[inline]
pub(super) fn decide(image: &Image, request: &Request<'_>) -> Decision {
    decide_at(image, request, place(image, request))
}

/// Decides each of `requests`; stops at the shorter of the slices and returns its length.
pub(super) fn decide_batch(
    image: &Image,
    requests: &[Request<'_>],
    decisions: &mut [Decision],
) -> usize {
    let count = requests.len().min(decisions.len());
    for (requests, decisions) in requests.chunks(BATCH).zip(decisions.chunks_mut(BATCH)) {
        let mut places = [Place {
            base: Base::Absent,
            class: 0,
        }; BATCH];
        for (place_of, request) in places.iter_mut().zip(requests) {
            *place_of = place(image, request);
        }
        for ((request, decision), place) in requests.iter().zip(decisions).zip(places) {
            *decision = decide_at(image, request, place);
        }
    }
    count
}

#[inline]
fn decide_at(image: &Image, request: &Request<'_>, place: Place) -> Decision {
    let lanes = Lanes::new(image, request);
    let walk = Walk {
        image,
        request,
        place,
        lanes,
    };
    let mut allowed = false;
    let flow = if image.complements.is_empty() {
        image.automaton.for_each(request.resource(), |pattern| {
            walk.pattern(pattern, &mut allowed, None)
        })
    } else {
        let mut cancelled = [0_u64; CANCELLED / 64];
        let flow = image.automaton.for_each(request.resource(), |pattern| {
            walk.pattern(pattern, &mut allowed, Some(&mut cancelled))
        });
        match flow {
            ControlFlow::Continue(()) => walk.complements(&mut allowed, &cancelled),
            ControlFlow::Break(()) => flow,
        }
    };
    match flow {
        ControlFlow::Break(()) => Decision::ExplicitDeny,
        ControlFlow::Continue(()) if allowed => Decision::Allow,
        ControlFlow::Continue(()) => Decision::ImplicitDeny,
    }
}

/// Where in the rows a request stands.
#[derive(Clone, Copy)]
struct Place {
    /// The state, or the family of the class.
    base: Base,
    /// The class, numbered through both families; 0 where there is none.
    class: u32,
}

#[inline]
fn place(image: &Image, request: &Request<'_>) -> Place {
    let state = |base| Place { base, class: 0 };
    let ip = match (image.primary_is_source_ip, request.source_ip()) {
        (true, Address::Known(ip)) => ip.to_canonical(),
        _ => match context::addresses(request, condition::text(image, image.primary)) {
            Addresses::One(ip) => ip,
            Addresses::Absent => return state(Base::Absent),
            Addresses::Unreadable => return state(Base::Unreadable),
            Addresses::Several(_) => return state(Base::Several),
        },
    };
    match ip {
        IpAddr::V4(ip) => Place {
            base: Base::V4,
            class: image.v4.class(ip.to_bits()).as_u32(),
        },
        IpAddr::V6(ip) => {
            let class = image.v6.class(ip.to_bits()).as_u32();
            Place {
                base: Base::V6,
                class: image.v6_class_base.saturating_add(class),
            }
        }
    }
}

struct Walk<'i, 'r> {
    image: &'i Image,
    request: &'i Request<'r>,
    place: Place,
    lanes: Lanes<'i, 'r>,
}

impl Walk<'_, '_> {
    /// Takes in a pattern that matches; breaks on a deny.
    #[inline]
    fn pattern(
        &self,
        id: PatternId,
        allowed: &mut bool,
        cancelled: Option<&mut [u64; CANCELLED / 64]>,
    ) -> ControlFlow<()> {
        let image = self.image;
        let Some(pattern) = image.patterns.get(id.as_usize()) else {
            return ControlFlow::Break(());
        };
        if pattern.has_variables == 1 && !self.verify(pattern.parts) {
            return ControlFlow::Continue(());
        }
        if let Some(cancelled) = cancelled {
            for &complement in pattern.cancels.of(&image.cancels) {
                let complement = complement.as_usize();
                if let Some(word) = cancelled.get_mut(complement / 64) {
                    *word |= 1 << (complement % 64);
                }
            }
        }
        self.hits(pattern.hits, allowed)
    }

    /// Takes in the `NotResource` lists of which no pattern matched.
    fn complements(
        &self,
        allowed: &mut bool,
        cancelled: &[u64; CANCELLED / 64],
    ) -> ControlFlow<()> {
        let image = self.image;
        for (at, complement) in image.complements.iter().enumerate() {
            let matched = match cancelled.get(at / 64) {
                Some(word) => word >> (at % 64) & 1 == 1,
                None => complement
                    .patterns
                    .of(&image.complement_patterns)
                    .iter()
                    .any(|&pattern| matches_pattern(image, self.request, pattern)),
            };
            if !matched {
                self.hits(complement.hits, allowed)?;
            }
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn hits(&self, hits: Extent, allowed: &mut bool) -> ControlFlow<()> {
        for &Hit { lane, row } in hits.of(&self.image.hits) {
            if !self.lanes.contains(lane) {
                continue;
            }
            match self.image.rows.get(row.as_usize()).map(|row| self.row(row)) {
                Some(Decision::ImplicitDeny) => {}
                Some(Decision::Allow) => *allowed = true,
                Some(Decision::ExplicitDeny) | None => return ControlFlow::Break(()),
            }
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn row(&self, row: &Row) -> Decision {
        let image = self.image;
        let base = row
            .base
            .get(self.place.base.index())
            .copied()
            .unwrap_or(Cell::DENY);
        let in_class = matches!(self.place.base, Base::V4 | Base::V6);
        let cell = match row.kind {
            Row::KIND_UNIFORM => base,
            Row::KIND_DENSE if in_class => {
                let cells = row.cells.of(&image.dense_cells);
                cells
                    .get(self.place.class.as_usize())
                    .copied()
                    .unwrap_or(Cell::DENY)
            }
            Row::KIND_SPARSE if in_class => {
                let classes = row.cells.of(&image.sparse_classes);
                match classes.binary_search_by_key(&self.place.class, |class| class.as_u32()) {
                    Ok(at) => row
                        .cells
                        .of(&image.sparse_cells)
                        .get(at)
                        .copied()
                        .unwrap_or(Cell::DENY),
                    Err(_) => base,
                }
            }
            Row::KIND_LIST => return self.list(row),
            _ => base,
        };
        match cell {
            Cell::IMPLICIT => Decision::ImplicitDeny,
            Cell::ALLOW => Decision::Allow,
            Cell::DENY => Decision::ExplicitDeny,
            program => self.program(program),
        }
    }

    fn program(&self, cell: Cell) -> Decision {
        let image = self.image;
        let program = cell
            .0
            .checked_sub(Cell::FIRST_PROGRAM)
            .and_then(|at| image.programs.get(at.as_usize()));
        let Some(program) = program else {
            return Decision::ExplicitDeny;
        };
        for item in program.items.of(&image.program_items) {
            let residual = image
                .residuals
                .get(item.residual.as_usize())
                .copied()
                .unwrap_or_default();
            let mut conditions = residual.of(&image.residual_conditions).iter();
            if conditions.all(|&index| condition::holds(image, self.request, index, item.effect)) {
                return effect(item.effect);
            }
        }
        if program.otherwise == Cell::ALLOW {
            Decision::Allow
        } else {
            Decision::ImplicitDeny
        }
    }

    /// A row kept as rules, deny first.
    fn list(&self, row: &Row) -> Decision {
        for id in row.cells.of(&self.image.row_rules) {
            let Some(rule) = self.image.rules.get(id.as_usize()) else {
                return Decision::ExplicitDeny;
            };
            if conditions_hold(self.image, self.request, rule) {
                return effect(rule.effect);
            }
        }
        Decision::ImplicitDeny
    }

    fn verify(&self, parts: Extent) -> bool {
        Template::with(self.image, self.request, parts, |t| {
            t.matches(self.request.resource())
        })
    }
}

const fn effect(number: u32) -> Decision {
    if number == EFFECT_DENY {
        Decision::ExplicitDeny
    } else {
        Decision::Allow
    }
}

/// Returns whether all conditions of a rule hold.
pub(super) fn conditions_hold(image: &Image, request: &Request<'_>, rule: &Rule) -> bool {
    let mut conditions = rule.conditions.of(&image.rule_conditions).iter();
    conditions.all(|&index| condition::holds(image, request, index, rule.effect))
}

/// Returns whether one pattern matches the request's resource.
pub(super) fn matches_pattern(image: &Image, request: &Request<'_>, id: PatternId) -> bool {
    let Some(pattern) = image.patterns.get(id.as_usize()) else {
        return false;
    };
    Template::with(image, request, pattern.parts, |t| {
        t.matches(request.resource())
    })
}
