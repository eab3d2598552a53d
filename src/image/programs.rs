//! Cells that hang on residual conditions → programs.
//!
//! A program of many items is asked about by key where it can be: an item whose rule needs
//! a key to equal one of a few values is looked at only if the request's value is one of
//! them. All its conditions are tested all the same, so the table may say too much.
//!
//! A **residual** is a set of conditions that are tested at request time.

use super::conditions::required_values;
use super::keys::item_hash;
use super::tables::{Cell, Condition, EFFECT_ALLOW, Image, Program, ProgramItem};
use super::writer::{append, index};
use crate::ir::{self, BuildError, RuleSet};
use crate::util::extent::Extent;
use crate::util::hash::HashTable;
use crate::util::int::AsUsize;
use crate::util::keyed::Map;

/// From this many items on a program is asked about by key.
const KEYED_FROM: usize = 8;

/// How many keys a program may be asked about by; the request's value is read for each.
const KEYS: usize = 4;

/// What a condition needs: a key, in the image's texts, and the values of which it must have one.
#[derive(Clone, Debug)]
struct Required {
    key: Extent,
    values: Vec<Box<[u8]>>,
}

/// Builds residuals and programs, each once.
#[derive(Debug, Default)]
pub(super) struct Programs {
    known: Map<(Vec<ProgramItem>, Cell), Cell>,
    residuals: Map<Box<[u32]>, u32>,
    /// By condition.
    required: Vec<Option<Required>>,
    /// By residual: the condition that requires fewest values.
    requiring: Vec<Option<u32>>,
    entries: Vec<(u64, u32)>,
}

impl Programs {
    /// Takes in what each condition, which the image has already, requires.
    pub(super) fn new(rules: &RuleSet<'_>, image: &Image) -> Self {
        let required = |(condition, record): (&ir::Condition, &Condition)| {
            let values = required_values(condition)?;
            let values = values.into_iter().map(Into::into).collect();
            Some(Required {
                key: record.key,
                values,
            })
        };
        let conditions = rules.conditions.iter().zip(&image.conditions);
        Self {
            required: conditions.map(required).collect(),
            ..Self::default()
        }
    }

    /// Returns the residual of these conditions.
    pub(super) fn residual(
        &mut self,
        mut conditions: Vec<u32>,
        image: &mut Image,
    ) -> Result<u32, BuildError> {
        conditions.sort_unstable();
        conditions.dedup();
        if let Some(&known) = self.residuals.get(&conditions[..]) {
            return Ok(known);
        }
        let id = index(image.residuals.len(), "residual conditions")?;
        let stored = append(
            &mut image.residual_conditions,
            conditions.iter().copied(),
            "residual conditions",
        )?;
        image.residuals.push(stored);
        let values = |condition: &u32| {
            let required = self.required.get(condition.as_usize());
            required.and_then(Option::as_ref).map(|r| r.values.len())
        };
        let fewest = conditions
            .iter()
            .filter_map(|condition| Some((values(condition)?, *condition)))
            .min();
        self.requiring.push(fewest.map(|(_, condition)| condition));
        self.residuals.insert(conditions.into(), id);
        Ok(id)
    }

    /// Returns the cell of these items: a decision where there are none, else a program.
    pub(super) fn cell(
        &mut self,
        otherwise: Cell,
        mut items: Vec<ProgramItem>,
        image: &mut Image,
    ) -> Result<Cell, BuildError> {
        if otherwise == Cell::ALLOW {
            items.retain(|item| item.effect != EFFECT_ALLOW);
        }
        if items.is_empty() {
            return Ok(otherwise);
        }
        items.sort_unstable();
        items.dedup();
        if let Some(&cell) = self.known.get(&(items.clone(), otherwise)) {
            return Ok(cell);
        }
        let number = index(image.programs.len(), "programs")?;
        let cell = number
            .checked_add(Cell::FIRST_PROGRAM)
            .map(Cell)
            .ok_or(BuildError::too_large("programs"))?;
        let (keyed, others) = self.split(&items);
        let program = Program {
            items: append(&mut image.program_items, others, "program items")?,
            keys: self.append_keyed(number, keyed, image)?,
            otherwise,
        };
        image.programs.push(program);
        self.known.insert((items, otherwise), cell);
        Ok(cell)
    }

    /// Stores what [`Image::program_table`] is made of.
    pub(super) fn finish(self, image: &mut Image) -> Result<(), BuildError> {
        image.program_table =
            HashTable::new(&self.entries).ok_or(BuildError::too_large("program items"))?;
        Ok(())
    }

    /// Splits sorted items into those found by key, grouped by it, and the others.
    fn split(&self, items: &[ProgramItem]) -> (Vec<(Extent, Vec<ProgramItem>)>, Vec<ProgramItem>) {
        if items.len() < KEYED_FROM {
            return (Vec::new(), items.to_vec());
        }
        let mut by_key: Map<Extent, Vec<ProgramItem>> = Map::default();
        for &item in items {
            if let Some(required) = self.required_by(item) {
                by_key.entry(required.key).or_default().push(item);
            }
        }
        let mut keyed: Vec<(Extent, Vec<ProgramItem>)> = by_key.into_iter().collect();
        keyed.sort_unstable_by_key(|(key, items)| (core::cmp::Reverse(items.len()), key.start));
        keyed.truncate(KEYS);
        let is_keyed = |item: ProgramItem| {
            let key = self.required_by(item).map(|required| required.key);
            keyed.iter().any(|&(kept, _)| Some(kept) == key)
        };
        let others = items
            .iter()
            .copied()
            .filter(|&item| !is_keyed(item))
            .collect();
        (keyed, others)
    }

    fn required_by(&self, item: ProgramItem) -> Option<&Required> {
        let condition = (*self.requiring.get(item.residual.as_usize())?)?;
        self.required.get(condition.as_usize())?.as_ref()
    }

    fn append_keyed(
        &mut self,
        program: u32,
        keyed: Vec<(Extent, Vec<ProgramItem>)>,
        image: &mut Image,
    ) -> Result<Extent, BuildError> {
        for (key, items) in &keyed {
            for &item in items {
                let at = index(image.program_items.len(), "program items")?;
                image.program_items.push(item);
                let values = self.required_by(item).map(|required| &*required.values);
                let hashes = values
                    .into_iter()
                    .flatten()
                    .map(|v| (item_hash(program, *key, v), at));
                let hashes: Vec<(u64, u32)> = hashes.collect();
                self.entries.extend(hashes);
            }
        }
        let keys = keyed.into_iter().map(|(key, _)| key);
        append(&mut image.program_keys, keys, "program items")
    }
}
