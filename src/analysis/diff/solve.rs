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
//! The two decisions differ exactly where one of these holds for some changed guard. Each line
//! is a `Case`. Guards that can never meet x are not looked at.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::case::Case;
use crate::analysis::error::AnalysisError;
use crate::analysis::guard::{EMPTY, Guard, Place, Table};
use crate::analysis::line::AddressSet;
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
pub(super) struct Sides {
    pub(super) old: bool,
    pub(super) new: bool,
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
pub(super) const NEITHER: Sides = Sides {
    old: false,
    new: false,
};

/// One line of the header's table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transition {
    /// Whether the guard denies, and whether it is gone rather than new.
    is_deny: bool,
    is_gone: bool,
    pub(super) before: Decision,
    pub(super) after: Decision,
    /// Which Allows can be the y; neither where there is none.
    pub(super) y: Sides,
    pub(super) no_deny: Sides,
    pub(super) no_allow: Sides,
}

/// The header's table.
const TRANSITIONS: [Transition; 6] = {
    use Decision::{Allow, ExplicitDeny, ImplicitDeny};
    const fn line(
        (is_deny, is_gone): (bool, bool),
        (before, after): (Decision, Decision),
        y: Sides,
        no_deny: Sides,
        no_allow: Sides,
    ) -> Transition {
        Transition {
            is_deny,
            is_gone,
            before,
            after,
            y,
            no_deny,
            no_allow,
        }
    }
    let [allow_gone, allow_new] = [(false, true), (false, false)];
    let [deny_gone, deny_new] = [(true, true), (true, false)];
    [
        line(allow_gone, (Allow, ImplicitDeny), NEITHER, BOTH, NEW),
        line(allow_new, (ImplicitDeny, Allow), NEITHER, BOTH, OLD),
        line(deny_gone, (ExplicitDeny, Allow), NEW, NEW, NEITHER),
        line(deny_gone, (ExplicitDeny, ImplicitDeny), NEITHER, NEW, NEW),
        line(deny_new, (Allow, ExplicitDeny), OLD, OLD, NEITHER),
        line(deny_new, (ImplicitDeny, ExplicitDeny), NEITHER, OLD, OLD),
    ]
};

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
        let near = self.near(x);
        for transition in TRANSITIONS {
            let domain = if transition.is_gone { &gone } else { &added };
            if transition.is_deny != guard.is_deny || domain.is_empty() {
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

    pub(super) fn guard(&self, entry: u32) -> Option<&'t Guard> {
        (self.table.entries.get(entry.as_usize())).map(|entry| &entry.guard)
    }

    fn set_id(&self, entry: u32, side: usize) -> u32 {
        (self.table.entries.get(entry.as_usize()))
            .and_then(|entry| entry.sets.get(side))
            .map_or(EMPTY, |set| *set)
    }

    pub(super) fn old_set(&self, entry: u32, overrides: &Overrides) -> Arc<AddressSet> {
        match overrides.both.get(&entry) {
            Some(set) => Arc::clone(set),
            None => self.table.addresses(self.set_id(entry, 0)),
        }
    }

    pub(super) fn new_set(&self, entry: u32, overrides: &Overrides) -> Arc<AddressSet> {
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
