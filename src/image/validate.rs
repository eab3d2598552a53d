//! What the tables of a loaded image say of one another.
//!
//! The engine reads every table with `get` and takes what is not there for a denial, so
//! nothing here keeps it from panicking. What is checked: that every stretch lies in its
//! table, so that an image of a faulty writer is refused as a whole instead of denying here
//! and there; and what bounds the time of a decision: that the distinct stretches of a table
//! together are no longer than it (each of its records belongs to one), that buckets ascend, that
//! runs and probes of the look-ups are short, that texts have few parts and rows few that
//! count with them. Somebody who makes an image up can still make it decide whatever he likes.

use alloc::vec;
use alloc::vec::Vec;

use super::error::{ImageError, ImageErrorKind};
use super::tables::{NO_CLASS, NO_ROW, Row, View};
use crate::pattern::automaton::{Accept, Tail};
use crate::pattern::tree::{NO_CHILD, Node};
use crate::util::extent::Extent;
use crate::util::hash::HashTableView;
use crate::util::int::AsUsize;
use crate::util::limits::{SHARED_BODIES, VARIABLE_LIMIT};

/// How many rows may count with one; a build makes two.
const CHAIN: usize = 8;

/// Each variable, and a literal before, between and behind them.
const PARTS: usize = 2 * VARIABLE_LIMIT + 1;

/// Checks all tables that name others.
pub(super) fn validate(view: &View<'_>) -> Result<(), ImageError> {
    look_ups(view)?;
    automaton(view)?;
    resources(view)?;
    lanes(view)?;
    rows(view)?;
    conditions(view)?;
    rules(view)
}

fn look_ups(view: &View<'_>) -> Result<(), ImageError> {
    for (at, classes) in [view.primary, view.second].iter().enumerate() {
        if !classes.v4.is_sound() {
            return Err(wrong("v4", at));
        }
        if !classes.v6.is_sound() {
            return Err(wrong("v6", at));
        }
        within("keys of classes", classes.key.iter().copied(), view.text)?;
    }
    let count = view.primary.class_count;
    for (at, quiet) in [view.quiet_v4, view.quiet_v6].into_iter().enumerate() {
        if quiet != NO_CLASS && quiet >= count.max(1) {
            return Err(wrong("quiet classes", at));
        }
    }
    Ok(())
}

fn automaton(view: &View<'_>) -> Result<(), ImageError> {
    let automaton = &view.automaton;
    let (heads, grams) = (&automaton.heads, &automaton.grams);
    let (nodes, tails, bodies) = (heads.nodes, automaton.tails, automaton.bodies);
    let (pieces, programs) = (automaton.pieces, automaton.programs);
    // Equal labels are stored once.
    shared("nodes.label", nodes.iter().map(|n| n.label), heads.labels)?;
    // Nodes that choose by a hash do not share children, and so not the time of choosing.
    let names = nodes.iter().filter(|node| node.stride != 0);
    let mut names: Vec<u32> = names.map(|node| node.only_child).collect();
    names.sort_unstable();
    if !names.is_sorted_by(|a, b| a < b) {
        return Err(wrong("nodes.only_child", 0));
    }
    // Places are there, and share no nodes, and so not the time of going through them.
    let end = heads.first_place.checked_add(heads.places);
    let Some(end) = end.filter(|end| end.as_usize() <= nodes.len()) else {
        return Err(wrong("heads.places", 0));
    };
    if !heads.shifts.is_empty() && 1_usize.checked_shl(heads.bits) != Some(heads.shifts.len()) {
        return Err(wrong("heads.shifts", 0));
    }
    let mut is_linked = vec![false; nodes.len()];
    let next = nodes.iter().map(|node| node.next);
    for (at, link) in next.enumerate().filter(|(_, link)| *link != NO_CHILD) {
        match is_linked.get_mut(link.as_usize()) {
            Some(linked) if !*linked && link >= end => *linked = true,
            _ => return Err(wrong("nodes.next", at)),
        }
    }
    // The way through those of one place ends.
    let ascends = |(at, node): &(u32, &Node)| node.next > *at;
    if let Some((at, _)) = (0_u32..).zip(nodes).find(|link| !ascends(link)) {
        return Err(wrong("nodes.next", at.as_usize()));
    }
    // Nodes may share what hangs at them, as long as it is short.
    let accepts = || nodes.iter().map(|node| node.accept);
    if let Some(at) = accepts().position(|accept| accept.kind > Accept::KIND_GRAMS) {
        return Err(wrong("nodes.accept", at));
    }
    within("nodes.bodies", accepts().map(|a| a.bodies), bodies)?;
    let long = accepts().map(|accept| accept.bodies);
    let long = long.filter(|set| set.len.as_usize() > SHARED_BODIES);
    apart("nodes.bodies", long, bodies)?;
    apart("nodes.ids", accepts().map(|a| a.ids()), automaton.ids)?;
    let is_named = |tail: &Tail| tail.body.as_usize() < bodies.len();
    if let Some(at) = tails.iter().position(|tail| !is_named(tail)) {
        return Err(wrong("tails", at));
    }
    // A set of grams is asked for by one node.
    let sets = accepts().filter(|accept| accept.kind == Accept::KIND_GRAMS);
    let mut sets: Vec<u32> = sets.map(|accept| accept.grams).collect();
    sets.sort_unstable();
    if !sets.is_sorted_by(|a, b| a < b) {
        return Err(wrong("nodes.grams", 0));
    }
    // Bodies are the same in several sets.
    shared("bodies.pieces", bodies.iter().map(|b| b.pieces), pieces)?;
    shared("bodies.program", bodies.iter().map(|b| b.program), programs)?;
    apart("pieces.literal", pieces.iter().map(|p| p.literal), programs)?;
    // What is found anywhere would take time and leave the text as it is.
    if let Some(at) = pieces.iter().position(|piece| piece.literal.is_empty()) {
        return Err(wrong("pieces.literal", at));
    }
    let filters = grams.sets.iter().map(|set| set.filter);
    apart("sets.filter", filters, grams.filters)?;
    apart("groups", grams.groups.iter().copied(), tails)?;
    buckets("grams.table", &grams.table)
}

fn resources(view: &View<'_>) -> Result<(), ImageError> {
    let (patterns, lanes) = (view.patterns, view.withheld_lanes);
    within("patterns.raw", patterns.iter().map(|p| p.raw), view.text)?;
    texts("patterns.parts", patterns.iter().map(|p| p.parts), view)?;
    apart("patterns.hits", patterns.iter().map(|p| p.hits), view.hits)?;
    let cancels = patterns.iter().map(|p| p.cancels);
    apart("patterns.cancels", cancels, view.cancels)?;
    let complements = view.complements.iter().map(|c| c.patterns);
    apart("complements", complements, view.complement_patterns)?;
    let entries = lanes.iter().map(|lane| lane.entries);
    apart("withheld_lanes.entries", entries, view.withheld)?;
    let trees = lanes.iter().map(|lane| lane.tree);
    apart("withheld_lanes.tree", trees, view.withheld_rows)
}

fn lanes(view: &View<'_>) -> Result<(), ImageError> {
    let (principals, entries) = (view.principals, view.principal_entries);
    let programs = view.actions.iter().map(|action| action.programs);
    apart("actions.programs", programs, view.action_programs)?;
    let programs = view.action_programs.iter().copied();
    within("action_programs", programs, view.text)?;
    apart(
        "principals.entries",
        principals.iter().map(|p| p.entries),
        entries,
    )?;
    apart(
        "principals.lanes",
        principals.iter().map(|p| p.lanes),
        view.lanes,
    )?;
    let names = entries.iter().map(|entry| entry.name);
    within("principal_entries.name", names, view.text)?;
    let partitions = entries.iter().map(|entry| entry.partition);
    within("principal_entries.partition", partitions, view.text)?;
    buckets("action_table", &view.action_table)?;
    buckets("principal_table", &view.principal_table)
}

fn rows(view: &View<'_>) -> Result<(), ImageError> {
    let of_kind = |kind| {
        let cells = move |row: &Row| {
            if row.kind == kind {
                row.cells
            } else {
                Extent::default()
            }
        };
        view.rows.iter().map(cells)
    };
    apart("rows.cells", of_kind(Row::KIND_SET), view.set_classes)?;
    apart("rows.cells", of_kind(Row::KIND_SPARSE), view.sparse_cells)?;
    apart("rows.cells", of_kind(Row::KIND_DENSE), view.dense_cells)?;
    apart("rows.cells", of_kind(Row::KIND_LIST), view.row_rules)?;
    // Copies of rows.
    let copies = |kind| {
        let cells = move |row: &Row| match row.kind == kind {
            true => row.cells,
            false => Extent::default(),
        };
        view.node_rows.iter().map(cells)
    };
    within("node_rows.cells", copies(Row::KIND_SET), view.set_classes)?;
    within(
        "node_rows.cells",
        copies(Row::KIND_SPARSE),
        view.sparse_cells,
    )?;
    within("node_rows.cells", copies(Row::KIND_DENSE), view.dense_cells)?;
    if view.node_rows.len() != view.automaton.heads.nodes.len() {
        return Err(wrong("node_rows", view.node_rows.len()));
    }
    if view.row_states.len() != view.rows.len() {
        return Err(wrong("row_states", view.row_states.len()));
    }
    for (at, row) in view.rows.iter().enumerate() {
        let mut next = row.next;
        for _ in 0..CHAIN {
            next = view
                .rows
                .get(next.as_usize())
                .map_or(NO_ROW, |row| row.next);
        }
        if next != NO_ROW || (row.next != NO_ROW && row.next.as_usize() >= at) {
            return Err(wrong("rows.next", at));
        }
    }
    let (programs, items) = (view.programs, view.program_items);
    apart("programs.items", programs.iter().map(|p| p.items), items)?;
    apart(
        "programs.keys",
        programs.iter().map(|p| p.keys),
        view.program_keys,
    )?;
    within("program_keys", view.program_keys.iter().copied(), view.text)?;
    let residuals = view.residuals.iter().copied();
    apart("residuals", residuals, view.residual_conditions)?;
    buckets("program_table", &view.program_table)
}

fn conditions(view: &View<'_>) -> Result<(), ImageError> {
    let (conditions, parts, lists) = (view.conditions, view.parts, view.lists);
    within(
        "conditions.key",
        conditions.iter().map(|c| c.key),
        view.text,
    )?;
    apart(
        "conditions.values",
        conditions.iter().map(|c| c.values),
        view.values,
    )?;
    texts("values", view.values.iter().copied(), view)?;
    within(
        "parts.bytes",
        parts.iter().map(|part| part.bytes),
        view.text,
    )?;
    within(
        "parts.default",
        parts.iter().map(|part| part.default),
        view.text,
    )?;
    apart("lists.v4", lists.iter().map(|list| list.v4), view.ranges_v4)?;
    apart("lists.v6", lists.iter().map(|list| list.v6), view.ranges_v6)?;
    buckets("value_table", &view.value_table)
}

fn rules(view: &View<'_>) -> Result<(), ImageError> {
    let (rules, notes) = (view.rules, view.notes);
    within("rules.sid", rules.iter().map(|rule| rule.sid), view.text)?;
    apart(
        "rules.patterns",
        rules.iter().map(|rule| rule.patterns),
        view.rule_patterns,
    )?;
    let conditions = rules.iter().map(|rule| rule.conditions);
    apart("rules.conditions", conditions, view.rule_conditions)?;
    apart("rules.notes", rules.iter().map(|rule| rule.notes), notes)?;
    within("notes.key", notes.iter().map(|note| note.key), view.text)?;
    apart("notes.v4", notes.iter().map(|note| note.v4), view.noted_v4)?;
    apart("notes.v6", notes.iter().map(|note| note.v6), view.noted_v6)
}

/// Stretches that lie in their table.
fn within<T>(
    place: &'static str,
    extents: impl Iterator<Item = Extent>,
    table: &[T],
) -> Result<(), ImageError> {
    total(place, extents, table).map(|_| ())
}

/// Stretches that lie in their table and can be apart there.
fn apart<T>(
    place: &'static str,
    extents: impl Iterator<Item = Extent>,
    table: &[T],
) -> Result<(), ImageError> {
    if total(place, extents, table)? > table.len() {
        return Err(wrong(place, 0));
    }
    Ok(())
}

/// Stretches that are equal, or lie in their table and can be apart there.
fn shared<T>(
    place: &'static str,
    extents: impl Iterator<Item = Extent>,
    table: &[T],
) -> Result<(), ImageError> {
    let mut distinct: Vec<Extent> = extents.collect();
    within(place, distinct.iter().copied(), table)?;
    distinct.sort_unstable_by_key(|extent| (extent.start, extent.len));
    distinct.dedup();
    apart(place, distinct.into_iter(), table)
}

/// Stretches of parts, each a text.
fn texts(
    place: &'static str,
    extents: impl Iterator<Item = Extent> + Clone,
    view: &View<'_>,
) -> Result<(), ImageError> {
    if let Some(at) = extents.clone().position(|text| text.len.as_usize() > PARTS) {
        return Err(wrong(place, at));
    }
    apart(place, extents, view.parts)
}

fn total<T>(
    place: &'static str,
    extents: impl Iterator<Item = Extent>,
    table: &[T],
) -> Result<usize, ImageError> {
    let mut total = 0_usize;
    for (at, extent) in extents.enumerate() {
        let end = extent.start.checked_add(extent.len);
        if end.is_none_or(|end| end.as_usize() > table.len()) {
            return Err(wrong(place, at));
        }
        total = total.saturating_add(extent.len.as_usize());
    }
    Ok(total)
}

fn buckets(place: &'static str, table: &HashTableView<'_>) -> Result<(), ImageError> {
    let ascends = table.buckets.is_sorted();
    let end = table.buckets.last().copied().unwrap_or_default();
    if !ascends || end.as_usize() != table.slots.len() {
        return Err(wrong(place, 0));
    }
    Ok(())
}

fn wrong(place: &'static str, index: usize) -> ImageError {
    ImageErrorKind::Contents { place, index }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::tables::Image;
    use crate::pattern::build::build;
    use crate::pattern::program;
    use crate::util::table::Tables;

    /// What is done to an image.
    type Change = fn(&mut Image);

    /// Eight branches of four tails each.
    fn branches() -> Image {
        let pattern = |i: u32| program(&format!("a{}/*/{}/x*", i / 4, i % 4));
        let programs: Vec<Vec<u8>> = (0..32).map(pattern).collect();
        let programs: Vec<&[u8]> = programs.iter().map(Vec::as_slice).collect();
        Image {
            automaton: build(&programs).unwrap(),
            ..Image::default()
        }
    }

    #[test]
    fn what_no_build_makes_of_a_tree_is_refused() {
        assert!(automaton(&branches().view()).is_ok());
        let changes: [(Change, &str); 10] = [
            (|i| i.automaton.heads.places += 1, "heads.places"),
            (|i| i.automaton.heads.shifts.push(0), "heads.shifts"),
            (|i| i.automaton.heads.nodes[3].next = 99, "nodes.next"),
            (
                |i| {
                    let last = u32::try_from(i.automaton.heads.nodes.len()).unwrap();
                    i.automaton.heads.nodes.push(i.automaton.heads.nodes[2]);
                    i.automaton.heads.nodes[1].next = last;
                    i.automaton.heads.nodes[2].next = last;
                },
                "nodes.next",
            ),
            (|i| i.automaton.heads.nodes[2].next = 3, "nodes.next"),
            (
                |i| i.automaton.heads.nodes[3] = i.automaton.heads.nodes[0],
                "nodes.only_child",
            ),
            (|i| i.automaton.pieces[0].literal.len = 0, "pieces.literal"),
            (
                |i| i.automaton.heads.nodes[1].accept.kind = 9,
                "nodes.accept",
            ),
            (
                |i| i.automaton.heads.nodes[1].accept.bodies.start = 99,
                "nodes.bodies",
            ),
            (|i| i.automaton.heads.nodes[1].accept.ids = 99, "nodes.ids"),
        ];
        for (change, place) in changes {
            let mut image = branches();
            change(&mut image);
            let error = automaton(&image.view()).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }

    #[test]
    fn what_is_worked_out_ahead_has_to_fit() {
        let mut image = branches();
        let view = |image: &Image| {
            look_ups(&image.view())
                .and_then(|()| rows(&image.view()))
                .map_err(|e| e.to_string())
        };
        image.quiet_v4 = 1;
        assert!(view(&image).unwrap_err().contains("quiet classes"));
        (image.quiet_v4, image.quiet_v6) = (NO_CLASS, NO_CLASS);
        assert!(view(&image).unwrap_err().contains("node_rows"));
        image.node_rows = vec![Row::default(); image.automaton.heads.nodes.len()];
        assert_eq!(view(&image), Ok(()));
        image.node_rows[1].kind = Row::KIND_SET;
        image.node_rows[1].cells.len = 1;
        assert!(view(&image).unwrap_err().contains("node_rows.cells"));
    }
}
