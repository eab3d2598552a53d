//! Sets of rules → rows of cells over the classes.
//!
//! A row costs the classes in which one of its rules answers otherwise than elsewhere, and
//! for each of them the rules with residual conditions that hold nearly everywhere. The
//! two kinds do not multiply: where they would, they become rows that count together, and
//! the rules that hold nearly everywhere have their addresses tested with the rest of
//! their conditions.

use smallvec::SmallVec;

use super::address_set::{AddressSet, EVERYWHERE, Overlay};
use super::config::Strategy;
use super::programs::Programs;
use super::tables::{
    Base, Cell, ClassGroup, EFFECT_ALLOW, Image, MANY_ROWS, NO_ROW, ProgramItem, Row, SparseCell,
};
use super::writer::{append, index};
use crate::ir::BuildError;
use crate::util::ids::{ClassId, Id, RuleId};
use crate::util::keyed::Map;

/// From this many steps on a row is split in two.
const SPLIT_FROM: usize = 4096;

/// As many rules are joined in a list that stands for several rows, and no more.
const JOINED_LIST: usize = 16;

/// What a rule contributes to a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowRule {
    /// `EFFECT_DENY` or `EFFECT_ALLOW`.
    pub(super) effect: u32,
    /// Whose address set it has: 0 for the primary key, 1 for the second.
    pub(super) key: usize,
    /// Index of its address set, or `None` where that was too large to be made.
    pub(super) set: Option<usize>,
    /// Index of its residual conditions, or `None` where the classes say all.
    pub(super) residual: Option<u32>,
}

/// Builds rows, each set of rules once.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    /// Of each key with classes.
    overlays: &'a [Overlay],
    sets: &'a [AddressSet<'a>],
    /// By [`RuleId`].
    rules: &'a [RowRule],
    strategy: Strategy,
    /// How many cells may still be made.
    budget: usize,
    /// How many of them in rows that only save time.
    joined_budget: usize,
    full_budget: usize,
    known: Map<SmallVec<[RuleId; 2]>, u32>,
    programs: Programs,
}

/// A rule of a row with its address set.
type Member<'a> = (RowRule, &'a AddressSet<'a>);

/// Some rules of a row; most rows have one.
type Members<'a> = SmallVec<[Member<'a>; 1]>;

impl<'a> Rows<'a> {
    pub(super) fn new(
        overlays: &'a [Overlay],
        sets: &'a [AddressSet<'a>],
        rules: &'a [RowRule],
        programs: Programs,
        (strategy, budget): (Strategy, usize),
    ) -> Self {
        Self {
            overlays,
            sets,
            rules,
            strategy,
            budget,
            joined_budget: budget / 2,
            full_budget: budget,
            known: Map::default(),
            programs,
        }
    }

    /// Returns the index of the row of `rules`, which are sorted and distinct.
    pub(super) fn row(&mut self, rules: &[RuleId], image: &mut Image) -> Result<u32, BuildError> {
        if let Some(&row) = self.known.get(rules) {
            return Ok(row);
        }
        let at = match self.cell_rows(rules, self.budget, image)? {
            Some(at) => at,
            None if self.strategy == Strategy::Cells => {
                let limit = u64::try_from(self.full_budget).unwrap_or(u64::MAX);
                return Err(BuildError::limit("cells", "cell_budget", limit));
            }
            None => {
                let listed = rules.iter().copied();
                let row = Row {
                    kind: Row::KIND_LIST,
                    next: NO_ROW,
                    cells: append(&mut image.row_rules, listed, "rules of rows")?,
                    ..Row::default()
                };
                push(image, row, [Cell::IMPLICIT; Base::STATES])?
            }
        };
        self.known.insert(rules.into(), at);
        Ok(at)
    }

    /// Returns the row of rules that have rows of their own in several parts: [`NO_ROW`] of none,
    /// [`MANY_ROWS`] where it is not worth its cost.
    pub(super) fn joined(
        &mut self,
        rules: &[RuleId],
        image: &mut Image,
    ) -> Result<u32, BuildError> {
        if rules.is_empty() {
            return Ok(NO_ROW);
        }
        if let Some(&row) = self.known.get(rules) {
            return Ok(row);
        }
        if rules.len() <= JOINED_LIST && self.strategy == Strategy::Lists {
            return self.row(rules, image);
        }
        let before = self.budget;
        let Some(at) = self.cell_rows(rules, self.joined_budget, image)? else {
            return Ok(MANY_ROWS);
        };
        self.joined_budget -= before - self.budget;
        self.known.insert(rules.into(), at);
        Ok(at)
    }

    /// Stores what the rows need beside themselves.
    pub(super) fn finish(self, image: &mut Image) -> Result<(), BuildError> {
        self.programs.finish(image)
    }

    /// Makes the rows of cells, up to two for each key; `None` past what is allowed or without classes.
    fn cell_rows(
        &mut self,
        rules: &[RuleId],
        allowance: usize,
        image: &mut Image,
    ) -> Result<Option<u32>, BuildError> {
        let (overlays, sets) = (self.overlays, self.sets);
        let mut members = Members::with_capacity(rules.len());
        for &id in rules {
            let rule = self.rules.get(id.as_usize()).copied();
            let set = rule.and_then(|rule| sets.get(rule.set?));
            let (Some(rule), Some(set)) = (rule, set) else {
                return Ok(None);
            };
            members.push((rule, set));
        }
        let mut parts: SmallVec<[(u32, &Overlay, Members<'a>); 1]> = SmallVec::new();
        for (number, (key, overlay)) in (0..).zip(overlays.iter().enumerate()) {
            let on_key = |(rule, _): &Member<'a>| rule.key == key;
            let own: Members<'a> = members.iter().copied().filter(on_key).collect();
            if own.is_empty() && members.len() + key > 0 {
                continue;
            }
            if steps(&own) < SPLIT_FROM {
                parts.push((number, overlay, own));
            } else {
                let own = rules.iter().copied().zip(members.iter().copied());
                let own = own.filter(|(_, member)| on_key(member));
                let split = self.split(own, image)?;
                parts.extend(split.into_iter().map(|part| (number, overlay, part)));
            }
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let cost: usize = parts.iter().map(|(_, _, part)| steps(part)).sum();
        if cost > allowance.min(self.budget) {
            return Ok(None);
        }
        self.budget -= cost;
        let mut next = NO_ROW;
        for (key, overlay, part) in &parts {
            let row = self.cells(overlay, part, image)?;
            next = store(row, *key, next, image)?;
        }
        Ok(Some(next))
    }

    /// Splits a row into parts of which none costs more than its flips.
    fn split(
        &mut self,
        members: impl Iterator<Item = (RuleId, Member<'a>)>,
        image: &mut Image,
    ) -> Result<Vec<Members<'a>>, BuildError> {
        let (mut flipping, mut tested) = (Members::new(), Members::new());
        for (id, (rule, set)) in members {
            if rule.residual.is_none() || set.is_exceptional() {
                flipping.push((rule, set));
                continue;
            }
            let record = image.rules.get(id.as_usize());
            let conditions = record.map(|rule| rule.conditions).unwrap_or_default();
            let conditions = conditions.of(&image.rule_conditions).to_vec();
            let residual = Some(self.programs.residual(conditions, image)?);
            tested.push((RowRule { residual, ..rule }, &EVERYWHERE));
        }
        Ok([flipping, tested]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect())
    }

    /// Works the cells out.
    fn cells(
        &mut self,
        overlay: &Overlay,
        members: &[Member<'_>],
        image: &mut Image,
    ) -> Result<RowCells, BuildError> {
        let mut base = [Cell::IMPLICIT; Base::COUNT];
        // What holds in a state or, of a family, outside of all flipped classes.
        let mut elsewhere: [Elsewhere; Base::COUNT] = Default::default();
        for state in Base::ALL {
            let mut kept = Elsewhere::default();
            for (number, (rule, _)) in members
                .iter()
                .enumerate()
                .filter(|(_, (_, set))| set.holds_elsewhere(state))
            {
                match rule.residual {
                    None => kept.tally.add(rule.effect, 1),
                    Some(_) => kept.residual.push(number),
                }
            }
            let items = kept
                .residual
                .iter()
                .filter_map(|&n| item(members.get(n)?.0));
            let cell = self.cell(kept.tally, items.collect(), image)?;
            if let (Some(slot), Some(at)) = (
                base.get_mut(state.index()),
                elsewhere.get_mut(state.index()),
            ) {
                (*slot, *at) = (cell, kept);
            }
        }

        let flips = members.iter().map(|(_, set)| set.flips.len());
        let mut flips: Vec<(ClassId, usize)> = Vec::with_capacity(flips.sum());
        for (number, (_, set)) in members.iter().enumerate() {
            flips.extend(set.flips.iter().map(|&class| (class, number)));
        }
        flips.sort_unstable();
        let mut exceptions = Vec::with_capacity(flips.len());
        for chunk in flips.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(class, _)) = chunk.first() else {
                continue;
            };
            let family = overlay.base_of(class);
            let Some(kept) = elsewhere.get(family.index()) else {
                continue;
            };
            let mut tally = kept.tally;
            // The flipped members and those that hold elsewhere: a member in both does not hold.
            let mut holding: Vec<usize> = kept.residual.clone();
            for &(_, number) in chunk {
                let Some((rule, set)) = members.get(number) else {
                    continue;
                };
                let held = set.holds_elsewhere(family);
                match rule.residual {
                    None => tally.add(rule.effect, if held { -1 } else { 1 }),
                    Some(_) if held => holding.retain(|&other| other != number),
                    Some(_) => holding.push(number),
                }
            }
            let items = holding.iter().filter_map(|&n| item(members.get(n)?.0));
            let cell = self.cell(tally, items.collect(), image)?;
            if base.get(family.index()) != Some(&cell) {
                exceptions.push((class, cell));
            }
        }
        Ok(RowCells {
            base,
            exceptions,
            v4_classes: overlay.v4.count,
            class_count: overlay.v4.count.saturating_add(overlay.v6.count),
        })
    }

    /// Returns the cell of these rules: a decision, or a program.
    fn cell(
        &mut self,
        tally: Tally,
        items: Vec<ProgramItem>,
        image: &mut Image,
    ) -> Result<Cell, BuildError> {
        match tally {
            Tally { deny: 1.., .. } => Ok(Cell::DENY),
            Tally { allow: 1.., .. } => self.programs.cell(Cell::ALLOW, items, image),
            Tally { .. } => self.programs.cell(Cell::IMPLICIT, items, image),
        }
    }
}

/// Returns how many cells a row of `members` makes at most; an item of a program counts for several.
fn steps(members: &[Member<'_>]) -> usize {
    /// An item is stored, remembered by its program, and found by a value: about five cells.
    const ITEM: usize = 5;
    let everywhere = members
        .iter()
        .filter(|(rule, set)| rule.residual.is_some() && !set.is_exceptional())
        .count();
    let cells = |(rule, set): &Member<'_>| {
        let own = if rule.residual.is_some() { ITEM } else { 1 };
        let each = everywhere.saturating_mul(ITEM).saturating_add(own);
        set.flips.len().saturating_mul(each)
    };
    let each = |member| cells(member).saturating_add(ITEM);
    members.iter().map(each).fold(0, usize::saturating_add)
}

fn item(rule: RowRule) -> Option<ProgramItem> {
    let effect = rule.effect;
    rule.residual
        .map(|residual| ProgramItem { effect, residual })
}

/// What holds in a state of the key, or in a family's other classes.
#[derive(Clone, Debug, Default)]
struct Elsewhere {
    tally: Tally,
    /// The members with residual conditions.
    residual: Vec<usize>,
}

/// How many unconditional rules of each effect hold.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    deny: i64,
    allow: i64,
}

impl Tally {
    const fn add(&mut self, effect: u32, by: i64) {
        match effect {
            EFFECT_ALLOW => self.allow += by,
            _ => self.deny += by,
        }
    }
}

/// A row's cells before they are laid out.
struct RowCells {
    base: [Cell; Base::COUNT],
    exceptions: Vec<(ClassId, Cell)>,
    v4_classes: u32,
    class_count: u32,
}

fn push(image: &mut Image, row: Row, states: [Cell; Base::STATES]) -> Result<u32, BuildError> {
    let at = index(image.rows.len(), "rows")?;
    if at >= MANY_ROWS {
        return Err(BuildError::too_large("rows"));
    }
    image.rows.push(row);
    image.row_states.push(states);
    Ok(at)
}

/// Lays a row out: dense where exceptions are at least a quarter of the classes, else as a set
/// where they all have one answer.
fn store(row: RowCells, key: u32, next: u32, image: &mut Image) -> Result<u32, BuildError> {
    let RowCells {
        base: [v4, v6, states @ ..],
        exceptions,
        v4_classes,
        class_count,
    } = row;
    let mut row = Row {
        kind: Row::KIND_UNIFORM,
        base: [v4, v6],
        next,
        key,
        ..Row::default()
    };
    let exceptional = index(exceptions.len(), "cells")?;
    let Some(&(_, first)) = exceptions.first() else {
        return push(image, row, states);
    };
    if exceptional.saturating_mul(4) >= class_count {
        let mut exceptions = exceptions.iter().peekable();
        let cells = (0..class_count).map(|class| {
            let other = if class < v4_classes { v4 } else { v6 };
            exceptions
                .next_if(|(at, _)| at.as_u32() == class)
                .map_or(other, |&(_, cell)| cell)
        });
        row.kind = Row::KIND_DENSE;
        row.cells = append(&mut image.dense_cells, cells, "cells")?;
    } else if exceptions.iter().all(|&(_, cell)| cell == first) {
        let mut groups = exceptions.chunks(ClassGroup::LEN).map(|classes| {
            let last = classes.last().map_or(0, |(class, _)| class.as_u32());
            let mut group = [last; ClassGroup::LEN];
            for (slot, (class, _)) in group.iter_mut().zip(classes) {
                *slot = class.as_u32();
            }
            ClassGroup(group)
        });
        (row.kind, row.inside) = (Row::KIND_SET, first);
        row.classes = groups.next().unwrap_or_default();
        row.cells = append(&mut image.set_classes, groups, "cells")?;
    } else {
        let cells = exceptions.into_iter();
        let cells = cells.map(|(class, cell)| SparseCell { class, cell });
        row.kind = Row::KIND_SPARSE;
        row.cells = append(&mut image.sparse_cells, cells, "cells")?;
    }
    push(image, row, states)
}
