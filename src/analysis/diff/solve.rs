//! One changed guard → the parts of the request space where it changes the decision.
//!
//! ```text
//! change of x on addresses A        where it counts                                    decisions
//! an Allow is gone                  no Deny of either side, no Allow of the new        allow → implicit
//! an Allow is new                   no Deny of either side, no Allow of the old        implicit → allow
//! a Deny is gone                    an Allow y of the new, no Deny of the new          explicit → allow
//!                                   no Deny and no Allow of the new                    explicit → implicit
//! a Deny is new                     an Allow y of the old, no Deny of the old          allow → explicit
//!                                   no Deny and no Allow of the old                    implicit → explicit
//! ```
//!
//! The two decisions differ exactly where one of these holds for some changed guard. Each is
//! "x, perhaps y, and none of Z" on some addresses: A is first freed of what some z of Z
//! that covers x takes away whole, and the rest cut into classes by the other guards that
//! can meet x, so that a class has one Z. Guards that can never meet x are not looked at.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::analysis::error::AnalysisError;
use crate::analysis::guard::{EMPTY, Place, Table};
use crate::analysis::line::{AddressSet, overlay};
use crate::decision::Decision;
use crate::util::int::{AsUsize, to_u32};

/// "x, perhaps y, and none of z", on addresses.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) before: Decision,
    pub(super) after: Decision,
    /// The guard that changed.
    pub(super) x: u32,
    /// The guard that the decision to allow hangs on.
    pub(super) y: Option<u32>,
    /// The guards of which none holds, ascending.
    pub(super) z: Vec<u32>,
    pub(super) addresses: AddressSet,
}

/// The sets of entries, where they are not those of the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Overrides {
    /// On both sides.
    pub(super) both: HashMap<u32, Arc<AddressSet>>,
    /// On the new side, before [`Self::both`].
    pub(super) new: HashMap<u32, Arc<AddressSet>>,
}

/// A table with what finds the guards that can meet one.
#[derive(Debug)]
pub(super) struct Solver<'t> {
    pub(super) table: &'t Table,
    /// Entries by the pattern of their resource.
    by_pattern: HashMap<u32, Vec<u32>>,
    /// Entries of `NotResource`.
    elsewhere: Vec<u32>,
    /// Patterns by what they start with, up to the first wildcard.
    heads: BTreeMap<String, Vec<u32>>,
    /// Whether the new side is the old one but for the overrides.
    one_sided: bool,
}

/// Which side's statements take part in a condition of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sides {
    old: bool,
    new: bool,
}

const OLD: Sides = Sides {
    old: true,
    new: false,
};
const NEW: Sides = Sides {
    old: false,
    new: true,
};
const BOTH: Sides = Sides {
    old: true,
    new: true,
};
const NEITHER: Sides = Sides {
    old: false,
    new: false,
};

/// One line of the header's table.
#[derive(Clone, Copy, Debug)]
struct Transition {
    before: Decision,
    after: Decision,
    /// Which Allows can be the y; neither where there is none.
    y: Sides,
    no_deny: Sides,
    no_allow: Sides,
}

impl<'t> Solver<'t> {
    pub(super) fn new(table: &'t Table, one_sided: bool) -> Self {
        let mut solver = Self {
            table,
            by_pattern: HashMap::new(),
            elsewhere: Vec::new(),
            heads: BTreeMap::new(),
            one_sided,
        };
        for (index, entry) in table.entries.iter().enumerate() {
            let Some(index) = to_u32(index) else { break };
            match &entry.guard.resource {
                Place::In(pattern) => solver.by_pattern.entry(*pattern).or_default().push(index),
                Place::NotIn(_) => solver.elsewhere.push(index),
            }
        }
        for pattern in solver.by_pattern.keys() {
            if let Some((found, _)) = table.pattern(*pattern) {
                solver
                    .heads
                    .entry(found.glob.head())
                    .or_default()
                    .push(*pattern);
            }
        }
        solver
    }

    /// Calls `found` with each part of the request space where entry `x` changes the decision.
    ///
    /// What `found` is given may be empty. `found` says whether to go on.
    pub(super) fn parts(
        &self,
        x: u32,
        overrides: &Overrides,
        budget: &mut usize,
        found: &mut impl FnMut(Part) -> bool,
    ) -> Result<(), AnalysisError> {
        let (old, new) = (self.old_set(x, overrides), self.new_set(x, overrides));
        let Some(guard) = self.guard(x) else {
            return Ok(());
        };
        let (gone, added) = (old.difference(&new), new.difference(&old));
        if gone.is_empty() && added.is_empty() {
            return Ok(());
        }
        let is_deny = guard.is_deny;
        let near = self.near(x);
        use Decision::{Allow, ExplicitDeny, ImplicitDeny};
        let transition = |before, after, y, no_deny, no_allow| Transition {
            before,
            after,
            y,
            no_deny,
            no_allow,
        };
        let cases = if is_deny {
            [
                (&gone, transition(ExplicitDeny, Allow, NEW, NEW, NEITHER)),
                (
                    &gone,
                    transition(ExplicitDeny, ImplicitDeny, NEITHER, NEW, NEW),
                ),
                (&added, transition(Allow, ExplicitDeny, OLD, OLD, NEITHER)),
                (
                    &added,
                    transition(ImplicitDeny, ExplicitDeny, NEITHER, OLD, OLD),
                ),
            ]
            .to_vec()
        } else {
            [
                (&gone, transition(Allow, ImplicitDeny, NEITHER, BOTH, NEW)),
                (&added, transition(ImplicitDeny, Allow, NEITHER, BOTH, OLD)),
            ]
            .to_vec()
        };
        for (domain, transition) in cases {
            if domain.is_empty() {
                continue;
            }
            let case = Case {
                solver: self,
                x,
                transition,
                near: &near,
                overrides,
            };
            if !case.solve(domain, budget, found)? {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn guard(&self, entry: u32) -> Option<&'t crate::analysis::guard::Guard> {
        (self.table.entries.get(entry.as_usize())).map(|entry| &entry.guard)
    }

    fn set_id(&self, entry: u32, side: usize) -> u32 {
        (self.table.entries.get(entry.as_usize()))
            .and_then(|entry| entry.sets.get(side))
            .map_or(EMPTY, |set| *set)
    }

    fn old_set(&self, entry: u32, overrides: &Overrides) -> Arc<AddressSet> {
        match overrides.both.get(&entry) {
            Some(set) => Arc::clone(set),
            None => self.table.addresses(self.set_id(entry, 0)),
        }
    }

    fn new_set(&self, entry: u32, overrides: &Overrides) -> Arc<AddressSet> {
        match overrides
            .new
            .get(&entry)
            .or_else(|| overrides.both.get(&entry))
        {
            Some(set) => Arc::clone(set),
            None => self
                .table
                .addresses(self.set_id(entry, usize::from(!self.one_sided))),
        }
    }

    /// Returns the other entries whose guards may hold together with that of `x`.
    pub(super) fn near(&self, x: u32) -> Vec<u32> {
        let Some(guard) = self.guard(x) else {
            return Vec::new();
        };
        let mut near = Vec::new();
        let mut take = |entries: &[u32]| {
            near.extend(entries.iter().copied().filter(|entry| {
                *entry != x
                    && (self.guard(*entry))
                        .is_some_and(|other| !self.table.are_disjoint(guard, other))
            }));
        };
        take(&self.elsewhere);
        let of_pattern = |pattern: u32| {
            self.by_pattern
                .get(&pattern)
                .map(Vec::as_slice)
                .unwrap_or_default()
        };
        match &guard.resource {
            Place::In(pattern) => {
                let head = (self.table.pattern(*pattern))
                    .map(|(pattern, _)| pattern.glob.head())
                    .unwrap_or_default();
                // What goes on from the head, and what stops before its end.
                let longer = (self.heads.range(head.clone()..))
                    .take_while(|(other, _)| other.starts_with(&head));
                for (_, patterns) in longer {
                    patterns
                        .iter()
                        .for_each(|pattern| take(of_pattern(*pattern)));
                }
                for (end, _) in head.char_indices() {
                    for pattern in self
                        .heads
                        .get(head.get(..end).unwrap_or_default())
                        .into_iter()
                        .flatten()
                    {
                        take(of_pattern(*pattern));
                    }
                }
            }
            Place::NotIn(_) => self.by_pattern.values().for_each(|entries| take(entries)),
        }
        near.sort_unstable();
        near
    }
}

/// One change, under one line of the header's table.
struct Case<'c, 't> {
    solver: &'c Solver<'t>,
    x: u32,
    transition: Transition,
    near: &'c [u32],
    overrides: &'c Overrides,
}

impl Case<'_, '_> {
    fn solve(
        &self,
        domain: &AddressSet,
        budget: &mut usize,
        found: &mut impl FnMut(Part) -> bool,
    ) -> Result<bool, AnalysisError> {
        let table = self.solver.table;
        let Some(guard) = self.solver.guard(self.x) else {
            return Ok(true);
        };
        let mut domain = domain.clone();
        // Who stands against x, and who stands by it, each with where it does.
        let mut against: Vec<(u32, Arc<AddressSet>)> = Vec::new();
        let mut allies: Vec<(u32, Arc<AddressSet>)> = Vec::new();
        for entry in self.near {
            let Some(other) = self.solver.guard(*entry) else {
                continue;
            };
            let sides = if other.is_deny {
                self.transition.no_deny
            } else {
                self.transition.no_allow
            };
            for set in self.sets(*entry, sides) {
                if !set.meets(&domain) {
                    continue;
                }
                if table.covers(other, guard) {
                    domain = domain.difference(&set);
                    if domain.is_empty() {
                        return Ok(true);
                    }
                } else {
                    against.push((*entry, set));
                }
            }
            if !other.is_deny {
                let sets = self.sets(*entry, self.transition.y).into_iter();
                allies.extend(sets.map(|set| (*entry, set)));
            }
        }
        let is_near = |(_, set): &(u32, Arc<AddressSet>)| set.meets(&domain);
        against.retain(is_near);
        allies.retain(is_near);
        let asks_ally = self.transition.y != NEITHER;
        if asks_ally && allies.is_empty() {
            return Ok(true);
        }
        // Equal sets are one.
        let mut ids: HashMap<&AddressSet, usize> = HashMap::new();
        let mut sets: Vec<&AddressSet> = Vec::new();
        for (_, set) in against.iter().chain(&allies) {
            ids.entry(set).or_insert_with(|| {
                sets.push(set);
                sets.len() - 1
            });
        }
        let of = |set: &AddressSet| ids.get(set).copied().unwrap_or(usize::MAX);
        let against: Vec<(u32, usize)> = against.iter().map(|(z, set)| (*z, of(set))).collect();
        let allies: Vec<(u32, usize)> = allies.iter().map(|(y, set)| (*y, of(set))).collect();
        let classes = overlay(&domain, &sets, budget)
            .ok_or(AnalysisError::too_large("overlapping lists of addresses"))?;
        // Classes with the same z and y are one part.
        let mut parts: Vec<Part> = Vec::new();
        let mut known: HashMap<(Option<u32>, Vec<u32>), usize> = HashMap::new();
        let mut keep = |y: Option<u32>, z: Vec<u32>, addresses: AddressSet| {
            let at = *known.entry((y, z.clone())).or_insert(parts.len());
            match parts.get_mut(at) {
                Some(part) => part.addresses = part.addresses.union(&addresses),
                None => parts.push(Part {
                    before: self.transition.before,
                    after: self.transition.after,
                    x: self.x,
                    y,
                    z,
                    addresses,
                }),
            }
        };
        for class in classes {
            let mut z: Vec<u32> = (against.iter())
                .filter(|(_, set)| class.is_in(*set))
                .map(|(z, _)| *z)
                .collect();
            z.sort_unstable();
            z.dedup();
            if !asks_ally {
                let z = self.without_covered(z);
                keep(None, z, class.addresses);
                continue;
            }
            let mut ys: Vec<u32> = (allies.iter())
                .filter(|(_, set)| class.is_in(*set))
                .map(|(y, _)| *y)
                .collect();
            ys.sort_unstable();
            ys.dedup();
            let ys = self.without_covered(ys);
            for y in ys {
                *budget = budget
                    .checked_sub(z.len())
                    .ok_or(AnalysisError::too_large("statements that overlap"))?;
                if let Some(z) = self.against_ally(y, &z) {
                    keep(Some(y), self.without_covered(z), class.addresses.clone());
                }
            }
        }
        Ok(parts.into_iter().all(found))
    }

    /// Returns the entry's sets on these sides, equal ones once, none empty.
    fn sets(&self, entry: u32, sides: Sides) -> smallvec::SmallVec<[Arc<AddressSet>; 2]> {
        let mut sets: smallvec::SmallVec<[Arc<AddressSet>; 2]> = smallvec::SmallVec::new();
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
        let table = self.solver.table;
        let mut kept: Vec<u32> = Vec::with_capacity(list.len());
        for candidate in list {
            let Some(guard) = self.solver.guard(candidate) else {
                continue;
            };
            let covers = |wide: u32, narrow: u32| {
                (self.solver.guard(wide).zip(self.solver.guard(narrow)))
                    .is_some_and(|(wide, narrow)| table.covers(wide, narrow))
            };
            if (kept.iter()).any(|other| {
                self.solver
                    .guard(*other)
                    .is_some_and(|other| table.covers(other, guard))
            }) {
                continue;
            }
            kept.retain(|other| !covers(candidate, *other));
            kept.push(candidate);
        }
        kept.sort_unstable();
        kept
    }
}

/// Longer lists are left as they are: what is covered in them costs room, and no answer.
const COVER_LIMIT: usize = 300;
