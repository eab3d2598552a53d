//! What is worked out ahead for an anonymous caller who invokes, as nearly everybody does.
//!
//! - Of each node of the automaton the row that all its patterns bring, by the node's number, so that
//!   a decision loads both at once.
//! - Of each address family whether its addresses that no list names get nothing from any pattern:
//!   an allow list refuses them before the resource is read.

use super::tables::{Base, Cell, Image, MANY_ROWS, NO_CLASS, NO_ROW, Pattern, Row};
use crate::pattern::automaton::Accept;
use crate::util::ids::{ClassId, Id, PatternId};
use crate::util::int::AsUsize;

/// Works it out; all rows and look-ups are there.
pub(super) fn write(image: &mut Image) {
    let open_row = |pattern: &Pattern| match pattern.has_variables {
        0 => pattern.open_row,
        _ => MANY_ROWS,
    };
    image.open_rows = image.patterns.iter().map(open_row).collect();
    write_values(image);
    let (v4, v6) = (0, image.primary.v6_class_base);
    image.quiet_v4 = if is_quiet(image, Base::V4, v4) {
        v4
    } else {
        NO_CLASS
    };
    image.quiet_v6 = if is_quiet(image, Base::V6, v6) {
        v6
    } else {
        NO_CLASS
    };
}

fn write_values(image: &mut Image) {
    let (ids, rows) = (&image.automaton.ids, &image.open_rows);
    let row = |id: &PatternId| rows.get(id.as_usize()).copied().unwrap_or(MANY_ROWS);
    image
        .node_rows
        .reserve_exact(image.automaton.heads.nodes.len());
    for node in &mut image.automaton.heads.nodes {
        let accept = &mut node.accept;
        let ids = accept.ids().of(ids);
        let first = ids.first().map_or(NO_ROW, row);
        let is_one = accept.kind != Accept::KIND_GRAMS && ids.iter().all(|id| row(id) == first);
        accept.value = if is_one { first } else { MANY_ROWS };
        let apart = Row {
            kind: Row::KIND_APART,
            ..Row::default()
        };
        let says_all = |row: &Row| row.next == NO_ROW && row.key == 0 && row.kind != Row::KIND_LIST;
        let row = image.rows.get(accept.value.as_usize()).copied();
        image.node_rows.push(row.filter(says_all).unwrap_or(apart));
    }
}

/// Returns whether no pattern brings open requests of a class anything.
fn is_quiet(image: &Image, family: Base, class: u32) -> bool {
    let is_quiet = |row| brings_nothing(image, row, family, class);
    image.patterns.iter().all(|pattern| match pattern.open_row {
        MANY_ROWS => {
            let mut hits = pattern.hits.of(&image.hits).iter();
            hits.all(|hit| {
                let lane = image.lanes.get(hit.lane.as_usize());
                lane.is_some_and(|lane| lane.open == 0) || is_quiet(hit.row)
            })
        }
        row => is_quiet(row),
    })
}

/// Returns whether a row, and those that count with it, bring nothing for a class, by the cells alone.
fn brings_nothing(image: &Image, first: u32, family: Base, class: u32) -> bool {
    let mut at = first;
    while at != NO_ROW {
        let Some(row) = image.rows.get(at.as_usize()) else {
            return false;
        };
        let is_exceptional = match row.kind {
            Row::KIND_UNIFORM => false,
            Row::KIND_SET => {
                let mut further = row.cells.of(&image.set_classes).iter();
                row.classes.contains(class) || further.any(|group| group.contains(class))
            }
            Row::KIND_SPARSE => {
                let class = ClassId::from_u32(class);
                let mut cells = row.cells.of(&image.sparse_cells).iter();
                cells.any(|cell| cell.class == class)
            }
            Row::KIND_DENSE => {
                let cells = row.cells.of(&image.dense_cells);
                cells.get(class.as_usize()) != Some(&Cell::IMPLICIT)
            }
            _ => return false,
        };
        if is_exceptional || row.key != 0 || row.base.get(family.index()) != Some(&Cell::IMPLICIT) {
            return false;
        }
        at = row.next;
    }
    true
}
