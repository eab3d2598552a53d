//! Sets of rules → rows of cells over the classes.

use std::collections::HashMap;

use super::address_set::{AddressSet, Overlay};
use super::config::Strategy;
use super::tables::{Base, Cell, EFFECT_ALLOW, EFFECT_DENY, Image, Program, ProgramItem, Row};
use super::writer::{append, index};
use crate::ir::BuildError;
use crate::util::ids::{ClassId, Id, RuleId};

/// What a rule contributes to a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowRule {
    /// [`EFFECT_DENY`] or [`EFFECT_ALLOW`].
    pub(super) effect: u32,
    /// Index of its address set.
    pub(super) set: usize,
    /// Index of its residual conditions, or `None` where the classes say all.
    pub(super) residual: Option<u32>,
}

/// Builds rows, each set of rules once.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    overlay: Option<&'a Overlay>,
    sets: &'a [AddressSet],
    /// By [`RuleId`].
    rules: &'a [RowRule],
    strategy: Strategy,
    /// How many cells may still be made.
    budget: usize,
    full_budget: usize,
    known: HashMap<Box<[RuleId]>, u32>,
    programs: HashMap<(Vec<ProgramItem>, Cell), Cell>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        overlay: Option<&'a Overlay>,
        sets: &'a [AddressSet],
        rules: &'a [RowRule],
        strategy: Strategy,
        budget: usize,
    ) -> Self {
        let (known, programs) = (HashMap::new(), HashMap::new());
        Self {
            overlay,
            sets,
            rules,
            strategy,
            budget,
            full_budget: budget,
            known,
            programs,
        }
    }

    /// Returns the index of the row of `rules`, which are sorted and distinct.
    pub(super) fn row(&mut self, rules: &[RuleId], image: &mut Image) -> Result<u32, BuildError> {
        if let Some(&row) = self.known.get(rules) {
            return Ok(row);
        }
        let row = match self.cells(rules, image)? {
            Some(cells) => store_cells(cells, image)?,
            None if self.strategy == Strategy::Cells => {
                let limit = u64::try_from(self.full_budget).unwrap_or(u64::MAX);
                return Err(BuildError::limit("cells", "cell_budget", limit));
            }
            None => {
                let cells = append(&mut image.row_rules, rules.iter().copied(), "rules of rows")?;
                Row {
                    kind: Row::KIND_LIST,
                    base: [Cell::IMPLICIT; Base::COUNT],
                    cells,
                }
            }
        };
        let at = index(image.rows.len(), "rows")?;
        image.rows.push(row);
        self.known.insert(rules.into(), at);
        Ok(at)
    }

    /// Works the cells out, or `None` past the budget or without classes.
    fn cells(
        &mut self,
        rules: &[RuleId],
        image: &mut Image,
    ) -> Result<Option<RowCells>, BuildError> {
        let Some(overlay) = self.overlay else {
            return Ok(None);
        };
        let members: Vec<(RowRule, &AddressSet)> = rules
            .iter()
            .filter_map(|id| {
                let rule = *self.rules.get(id.as_usize())?;
                Some((rule, self.sets.get(rule.set)?))
            })
            .collect();
        let flips: usize = members.iter().map(|(_, set)| set.flips.len()).sum();
        let residual = members
            .iter()
            .filter(|(rule, _)| rule.residual.is_some())
            .count();
        // Each flipped class looks at every residual rule of the row once.
        let steps = flips
            .saturating_mul(residual + 1)
            .saturating_add(members.len());
        match self.budget.checked_sub(steps) {
            Some(rest) => self.budget = rest,
            None => return Ok(None),
        }

        let mut base = [Cell::IMPLICIT; Base::COUNT];
        let mut tallies = [Tally::default(); Base::COUNT];
        for state in Base::ALL {
            let holds = |set: &AddressSet| set.base.get(state.index()).copied().unwrap_or_default();
            let mut tally = Tally::default();
            let mut items = Vec::new();
            for (rule, set) in members.iter().filter(|(_, set)| holds(set)) {
                let _ = set;
                match rule.residual {
                    None => tally.add(rule.effect, 1),
                    Some(residual) => items.push(ProgramItem {
                        effect: rule.effect,
                        residual,
                    }),
                }
            }
            let cell = self.cell(tally, items, image)?;
            if let (Some(slot), Some(kept)) =
                (base.get_mut(state.index()), tallies.get_mut(state.index()))
            {
                (*slot, *kept) = (cell, tally);
            }
        }

        let mut events: Vec<(ClassId, usize)> = Vec::with_capacity(flips);
        for (member, (_, set)) in members.iter().enumerate() {
            events.extend(set.flips.iter().map(|&class| (class, member)));
        }
        events.sort_unstable();
        let mut exceptions = Vec::new();
        for chunk in events.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(class, _)) = chunk.first() else {
                continue;
            };
            let family = overlay.base_of(class).index();
            let held = |set: &AddressSet| set.base.get(family).copied().unwrap_or_default();
            let mut tally = tallies.get(family).copied().unwrap_or_default();
            for &(_, member) in chunk {
                if let Some((
                    RowRule {
                        effect,
                        residual: None,
                        ..
                    },
                    set,
                )) = members.get(member)
                {
                    tally.add(*effect, if held(set) { -1 } else { 1 });
                }
            }
            let mut items = Vec::new();
            if residual > 0 && tally.deny == 0 {
                let mut flipped = chunk.iter().map(|&(_, member)| member).peekable();
                for (member, (rule, set)) in members.iter().enumerate() {
                    while flipped.next_if(|&f| f < member).is_some() {}
                    let holds = held(set) != (flipped.peek() == Some(&member));
                    if let Some(residual) = rule.residual.filter(|_| holds) {
                        items.push(ProgramItem {
                            effect: rule.effect,
                            residual,
                        });
                    }
                }
            }
            let cell = self.cell(tally, items, image)?;
            if base.get(family) != Some(&cell) {
                exceptions.push((class, cell));
            }
        }
        let class_count = overlay.v4.count.saturating_add(overlay.v6.count);
        Ok(Some(RowCells {
            base,
            exceptions,
            v4_classes: overlay.v4.count,
            class_count,
        }))
    }

    /// Returns the cell of these rules: a decision, or a program.
    fn cell(
        &mut self,
        tally: Tally,
        mut items: Vec<ProgramItem>,
        image: &mut Image,
    ) -> Result<Cell, BuildError> {
        if tally.deny > 0 {
            return Ok(Cell::DENY);
        }
        let otherwise = if tally.allow > 0 {
            Cell::ALLOW
        } else {
            Cell::IMPLICIT
        };
        if otherwise == Cell::ALLOW {
            items.retain(|item| item.effect == EFFECT_DENY);
        }
        if items.is_empty() {
            return Ok(otherwise);
        }
        items.sort_unstable();
        items.dedup();
        if let Some(&cell) = self.programs.get(&(items.clone(), otherwise)) {
            return Ok(cell);
        }
        let number = index(image.programs.len(), "programs")?;
        let cell = Cell(
            number
                .checked_add(Cell::FIRST_PROGRAM)
                .ok_or(BuildError::too_large("programs"))?,
        );
        let stored = append(
            &mut image.program_items,
            items.iter().copied(),
            "program items",
        )?;
        image.programs.push(Program {
            items: stored,
            otherwise,
        });
        self.programs.insert((items, otherwise), cell);
        Ok(cell)
    }
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

/// Lays a row out: dense where exceptions are at least a quarter of the classes.
fn store_cells(row: RowCells, image: &mut Image) -> Result<Row, BuildError> {
    let RowCells {
        base,
        exceptions,
        v4_classes,
        class_count,
    } = row;
    if exceptions.is_empty() {
        return Ok(Row {
            kind: Row::KIND_UNIFORM,
            base,
            cells: Default::default(),
        });
    }
    let exceptional = index(exceptions.len(), "cells")?;
    if exceptional.saturating_mul(4) >= class_count {
        let mut exceptions = exceptions.iter().peekable();
        let [v4, v6, ..] = base;
        let cells = (0..class_count).map(|class| {
            let other = if class < v4_classes { v4 } else { v6 };
            exceptions
                .next_if(|(at, _)| at.as_u32() == class)
                .map_or(other, |&(_, cell)| cell)
        });
        let cells = append(&mut image.dense_cells, cells, "cells")?;
        return Ok(Row {
            kind: Row::KIND_DENSE,
            base,
            cells,
        });
    }
    let cells = append(
        &mut image.sparse_classes,
        exceptions.iter().map(|e| e.0),
        "cells",
    )?;
    append(
        &mut image.sparse_cells,
        exceptions.iter().map(|e| e.1),
        "cells",
    )?;
    Ok(Row {
        kind: Row::KIND_SPARSE,
        base,
        cells,
    })
}
