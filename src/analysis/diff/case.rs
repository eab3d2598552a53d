//! One change under one line of `solve`'s table → the parts in which it counts.
//!
//! ```text
//! addresses of the change ──less those of each z that covers x──▶ Field: who stands where
//!                         ──overlay──▶ classes, each with its z and its ys
//!                         ──a part for each y, classes with equal z and y as one──▶ Part
//! ```
//!
//! A part is "x, perhaps y, and none of Z" on some addresses.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::solve::{NEITHER, Overrides, Part, Sides, Solver, Transition};
use crate::analysis::error::AnalysisError;
use crate::analysis::line::{AddressSet, overlay};

/// One change, under one line of the table.
pub(super) struct Case<'c, 't> {
    pub(super) solver: &'c Solver<'t>,
    pub(super) x: u32,
    pub(super) transition: Transition,
    /// The guards that can meet x.
    pub(super) near: &'c [u32],
    pub(super) overrides: &'c Overrides,
}

/// A guard, and where it stands.
type Standing = (u32, Arc<AddressSet>);

/// What is left of the addresses of a change, with who stands on them.
struct Field {
    addresses: AddressSet,
    /// The guards of which none may hold.
    against: Vec<Standing>,
    /// Those of which one must.
    allies: Vec<Standing>,
}

/// Addresses with the same guards on all of them.
struct Class {
    addresses: AddressSet,
    against: Vec<u32>,
    allies: Vec<u32>,
}

impl Case<'_, '_> {
    /// Calls `found` with each part on the addresses of `domain`; returns whether it wants more.
    pub(super) fn solve(
        &self,
        domain: &AddressSet,
        budget: &mut usize,
        found: &mut impl FnMut(Part) -> bool,
    ) -> Result<bool, AnalysisError> {
        let Some(field) = self.field(domain) else {
            return Ok(true);
        };
        let mut parts: Vec<Part> = Vec::new();
        let mut known: HashMap<(Option<u32>, Vec<u32>), usize> = HashMap::new();
        let mut keep = |y: Option<u32>, z: Vec<u32>, addresses: &AddressSet| {
            let at = *known.entry((y, z.clone())).or_insert(parts.len());
            match parts.get_mut(at) {
                Some(part) => part.addresses = part.addresses.union(addresses),
                None => parts.push(Part {
                    before: self.transition.before,
                    after: self.transition.after,
                    x: self.x,
                    y,
                    z,
                    addresses: addresses.clone(),
                }),
            }
        };
        for class in field.classes(budget)? {
            if !self.asks_ally() {
                let z = self.without_covered(class.against);
                keep(None, z, &class.addresses);
                continue;
            }
            for y in self.without_covered(class.allies) {
                *budget = budget
                    .checked_sub(class.against.len())
                    .ok_or(AnalysisError::too_large("statements that overlap"))?;
                if let Some(z) = self.against_ally(y, &class.against) {
                    keep(Some(y), self.without_covered(z), &class.addresses);
                }
            }
        }
        Ok(parts.into_iter().all(found))
    }

    fn asks_ally(&self) -> bool {
        self.transition.y != NEITHER
    }

    /// Returns what is left of `domain`, or `None` where there can be no part.
    fn field(&self, domain: &AddressSet) -> Option<Field> {
        let guard = self.solver.guard(self.x)?;
        let mut field = Field {
            addresses: domain.clone(),
            against: Vec::new(),
            allies: Vec::new(),
        };
        for &entry in self.near {
            let Some(other) = self.solver.guard(entry) else {
                continue;
            };
            let sides = if other.is_deny {
                self.transition.no_deny
            } else {
                self.transition.no_allow
            };
            for set in self.sets(entry, sides) {
                if !set.meets(&field.addresses) {
                    continue;
                }
                if self.solver.table.covers(other, guard) {
                    field.addresses = field.addresses.difference(&set);
                    if field.addresses.is_empty() {
                        return None;
                    }
                } else {
                    field.against.push((entry, set));
                }
            }
            if !other.is_deny {
                let sets = self.sets(entry, self.transition.y).into_iter();
                field.allies.extend(sets.map(|set| (entry, set)));
            }
        }
        let is_left = |(_, set): &Standing| set.meets(&field.addresses);
        field.against.retain(is_left);
        field.allies.retain(is_left);
        (!self.asks_ally() || !field.allies.is_empty()).then_some(field)
    }

    /// Returns the entry's sets on these sides, equal ones once, none empty.
    fn sets(&self, entry: u32, sides: Sides) -> SmallVec<[Arc<AddressSet>; 2]> {
        let mut sets = SmallVec::<[Arc<AddressSet>; 2]>::new();
        if sides.old {
            sets.push(self.solver.old_set(entry, self.overrides));
        }
        if sides.new {
            let new = self.solver.new_set(entry, self.overrides);
            if sets.first() != Some(&new) {
                sets.push(new);
            }
        }
        sets.retain(|set| !set.is_empty());
        sets
    }

    /// Returns those of `z` that can meet the ally, or `None` where one of them covers it.
    fn against_ally(&self, y: u32, z: &[u32]) -> Option<Vec<u32>> {
        let ally = self.solver.guard(y)?;
        let mut kept = Vec::new();
        for z in z {
            let other = self.solver.guard(*z)?;
            if self.solver.table.are_disjoint(ally, other) {
                continue;
            }
            if self.solver.table.covers(other, ally) {
                return None;
            }
            kept.push(*z);
        }
        Some(kept)
    }

    /// Drops guards that another of the list covers.
    fn without_covered(&self, list: Vec<u32>) -> Vec<u32> {
        if list.len() > COVER_LIMIT {
            return list;
        }
        let covers = |wide: u32, narrow: u32| {
            (self.solver.guard(wide).zip(self.solver.guard(narrow)))
                .is_some_and(|(wide, narrow)| self.solver.table.covers(wide, narrow))
        };
        let mut kept: Vec<u32> = Vec::with_capacity(list.len());
        for candidate in list {
            if kept.iter().any(|other| covers(*other, candidate)) {
                continue;
            }
            kept.retain(|other| !covers(candidate, *other));
            kept.push(candidate);
        }
        kept.sort_unstable();
        kept
    }
}

impl Field {
    /// Cuts the addresses by who stands on them.
    fn classes(
        &self,
        budget: &mut usize,
    ) -> Result<impl Iterator<Item = Class> + use<>, AnalysisError> {
        // Equal sets are one.
        let mut numbers: HashMap<&AddressSet, usize> = HashMap::new();
        let mut sets: Vec<&AddressSet> = Vec::new();
        for (_, set) in self.against.iter().chain(&self.allies) {
            numbers.entry(set).or_insert_with(|| {
                sets.push(set);
                sets.len() - 1
            });
        }
        let numbered = |list: &[Standing]| -> Vec<(u32, usize)> {
            let number = |set: &AddressSet| numbers.get(set).copied().unwrap_or(usize::MAX);
            list.iter().map(|(id, set)| (*id, number(set))).collect()
        };
        let (against, allies) = (numbered(&self.against), numbered(&self.allies));
        let classes = overlay(&self.addresses, &sets, budget)
            .ok_or(AnalysisError::too_large("overlapping lists of addresses"))?;
        Ok(classes.into_iter().map(move |class| {
            let present = |list: &[(u32, usize)]| {
                let here = list.iter().filter(|(_, set)| class.is_in(*set));
                let mut ids: Vec<u32> = here.map(|(id, _)| *id).collect();
                ids.sort_unstable();
                ids.dedup();
                ids
            };
            Class {
                against: present(&against),
                allies: present(&allies),
                addresses: class.addresses,
            }
        }))
    }
}

/// Longer lists are left as they are: what is covered in them costs room, and no answer.
const COVER_LIMIT: usize = 300;
