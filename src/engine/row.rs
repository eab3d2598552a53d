//! Rows → answers: the cell of a class, and what it hangs on.
//!
//! Deny comes first everywhere, so a deny ends the way.

use core::ops::ControlFlow;

use super::condition;
use super::context::{self, Texts};
use super::place::{Place, second_place};
use crate::decision::Decision;
use crate::image::keys::item_hash;
use crate::image::{
    Cell, ClassGroup, EFFECT_ALLOW, EFFECT_DENY, NO_ROW, Program, ProgramItem, Row, Rule,
    SparseCell, View,
};
use crate::request::Request;
use crate::util::ids::Id;
use crate::util::int::AsUsize;

/// Takes in a row and those that count with it; breaks on a deny.
#[inline(always)]
pub(super) fn rows(
    image: &View<'_>,
    request: &Request<'_>,
    place: Place,
    first: u32,
    allowed: &mut bool,
) -> ControlFlow<()> {
    let mut at = first;
    // A row names one that was made before it, so the way ends.
    while at != NO_ROW {
        let Some(row) = image.rows.get(at.as_usize()) else {
            return ControlFlow::Break(());
        };
        match answer(image, request, place, (at, row)) {
            Decision::ImplicitDeny => {}
            Decision::Allow => *allowed = true,
            Decision::ExplicitDeny => return ControlFlow::Break(()),
        }
        if row.next >= at {
            break;
        }
        at = row.next;
    }
    ControlFlow::Continue(())
}

/// Returns the answer of one row, given with its index.
#[inline(always)]
fn answer(
    image: &View<'_>,
    request: &Request<'_>,
    place: Place,
    (at, row): (u32, &Row),
) -> Decision {
    let place = match row.key {
        0 => place,
        _ => second_place(image, request),
    };
    match cell(image, place, (at, row)) {
        Some(Cell::IMPLICIT) => Decision::ImplicitDeny,
        Some(Cell::ALLOW) => Decision::Allow,
        Some(Cell::DENY) => Decision::ExplicitDeny,
        Some(cell) => program(image, request, cell),
        None => list(image, request, row),
    }
}

/// Returns the cell of a row, given with its index, or `None` of one that has none: a list, or one
/// that is to be asked apart.
#[inline(always)]
pub(super) fn cell(image: &View<'_>, place: Place, (at, row): (u32, &Row)) -> Option<Cell> {
    if row.kind >= Row::KIND_LIST {
        return None;
    }
    let Some(&base) = row.base.get(place.base.index()) else {
        return Some(state_cell(image, place, at));
    };
    Some(match row.kind {
        Row::KIND_SET => {
            // PERF: the line that says so has the first classes, which are mostly all.
            if row.classes.contains(place.class) {
                return Some(row.inside);
            }
            if row.cells.is_empty() {
                return Some(base);
            }
            match row.cells.get(image.set_classes) {
                Some(groups) if is_in(groups, place.class) => row.inside,
                Some(_) => base,
                None => Cell::DENY,
            }
        }
        Row::KIND_SPARSE => match row.cells.get(image.sparse_cells) {
            Some(cells) => find(cells, place.class).unwrap_or(base),
            None => Cell::DENY,
        },
        Row::KIND_DENSE => {
            let cells = row.cells.get(image.dense_cells);
            let cell = cells.and_then(|cells| cells.get(place.class.as_usize()));
            cell.copied().unwrap_or(Cell::DENY)
        }
        _ => base,
    })
}

/// Returns the cell of a row where there is no address, or several.
#[inline(never)]
fn state_cell(image: &View<'_>, place: Place, at: u32) -> Cell {
    let states = image.row_states.get(at.as_usize());
    let cell = states.and_then(|states| {
        let state = place.base.index().checked_sub(Row::default().base.len())?;
        states.get(state).copied()
    });
    cell.unwrap_or(Cell::DENY)
}

/// Returns whether a set has a class.
#[inline(always)]
fn is_in(groups: &[ClassGroup], class: u32) -> bool {
    let mut groups = groups;
    while groups.len() > 1 {
        let (before, after) = groups.split_at(groups.len() / 2);
        let is_after = after.first().is_some_and(|group| group.0[0] <= class);
        groups = if is_after { after } else { before };
    }
    groups.first().is_some_and(|group| group.contains(class))
}

/// Returns the cell of a class, if the row has one; `cells` are by class.
///
/// PERF: by halves without a branch on what is found; the library's is called where it stands more than once.
#[inline(always)]
fn find(cells: &[SparseCell], class: u32) -> Option<Cell> {
    let mut cells = cells;
    while cells.len() > 1 {
        let (before, after) = cells.split_at_checked(cells.len() / 2)?;
        let is_after = after.first()?.class.as_u32() <= class;
        cells = if is_after { after } else { before };
    }
    let cell = cells.first()?;
    (cell.class.as_u32() == class).then_some(cell.cell)
}

/// Works out a cell that hangs on further conditions.
#[inline(never)]
pub(super) fn program(image: &View<'_>, request: &Request<'_>, cell: Cell) -> Decision {
    let number = cell.0.saturating_sub(Cell::FIRST_PROGRAM);
    let program = image.programs.get(number.as_usize());
    let Some(program) = program else {
        return Decision::ExplicitDeny;
    };
    let mut allowed = program.otherwise == Cell::ALLOW;
    for item in program.items.of(image.program_items) {
        // Deny comes first, so behind an allow there is nothing that could change it.
        if item.effect == EFFECT_ALLOW && allowed {
            break;
        }
        if holds(image, request, item) {
            if item.effect == EFFECT_DENY {
                return Decision::ExplicitDeny;
            }
            allowed = true;
        }
    }
    if !program.keys.is_empty() && keyed(image, request, (number, program), &mut allowed).is_break()
    {
        return Decision::ExplicitDeny;
    }
    if allowed {
        Decision::Allow
    } else {
        Decision::ImplicitDeny
    }
}

/// Takes in the items that the request's values name; breaks on a deny.
fn keyed(
    image: &View<'_>,
    request: &Request<'_>,
    (number, program): (u32, &Program),
    allowed: &mut bool,
) -> ControlFlow<()> {
    for &key in program.keys.of(image.program_keys) {
        // These items need the key to have one value, and that one of theirs.
        let Texts::One(value) = context::texts(request, condition::text(image, key)) else {
            continue;
        };
        let hash = item_hash(number, key, value.as_str().as_bytes());
        for at in image.program_table.candidates(hash) {
            match image.program_items.get(at.as_usize()) {
                Some(item) if holds(image, request, item) => match effect(item.effect) {
                    Decision::Allow => *allowed = true,
                    _ => return ControlFlow::Break(()),
                },
                Some(_) => {}
                None => return ControlFlow::Break(()),
            }
        }
    }
    ControlFlow::Continue(())
}

/// Returns whether all conditions of an item hold.
fn holds(image: &View<'_>, request: &Request<'_>, item: &ProgramItem) -> bool {
    let Some(residual) = image.residuals.get(item.residual.as_usize()) else {
        return item.effect == EFFECT_DENY;
    };
    let mut conditions = residual.of(image.residual_conditions).iter();
    conditions.all(|&index| condition::holds(image, request, index, item.effect))
}

/// A row kept as rules, deny first.
#[inline(never)]
fn list(image: &View<'_>, request: &Request<'_>, row: &Row) -> Decision {
    for id in row.cells.of(image.row_rules) {
        let Some(rule) = image.rules.get(id.as_usize()) else {
            return Decision::ExplicitDeny;
        };
        if conditions_hold(image, request, rule) {
            return effect(rule.effect);
        }
    }
    Decision::ImplicitDeny
}

const fn effect(number: u32) -> Decision {
    if number == EFFECT_DENY {
        Decision::ExplicitDeny
    } else {
        Decision::Allow
    }
}

/// Returns whether all conditions of a rule hold.
pub(super) fn conditions_hold(image: &View<'_>, request: &Request<'_>, rule: &Rule) -> bool {
    let mut conditions = rule.conditions.of(image.rule_conditions).iter();
    conditions.all(|&index| condition::holds(image, request, index, rule.effect))
}
