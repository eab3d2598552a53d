//! Policies → guards on sets of addresses, for one or two sets of policies in one table.
//!
//! ```text
//! statement   Deny, Principal *, Action A, Resource [p, q], IpAddress aws:SourceIp L, Bool b
//! guards      (Deny, *, A, p, [Bool b]) × L      (Deny, *, A, q, [Bool b]) × L
//! ```
//!
//! A guard that several statements have stands on the union of their addresses. The other
//! states of `aws:SourceIp` (absent, unreadable, several addresses) are members of the sets
//! like addresses. A condition with a set qualifier, which several addresses may or may not
//! satisfy, makes a second guard that stands on that state alone and keeps the condition.
//!
//! By file: `elements` brings principals, actions, resources and conditions to one form, `parts`
//! takes the conditions on `aws:SourceIp` apart, `relate` compares guards.
//!
//! # Invariants
//!
//! A request matches a statement exactly if, for one of its guards, the state of
//! `aws:SourceIp` is in the guard's set and the guard holds.

mod elements;
mod parts;
mod relate;

use core::hash::Hash;
use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use self::elements::ConditionKey;
pub(super) use self::elements::{Actions, Pattern, Who, WhoKind};
use super::error::AnalysisError;
use super::line::{AddressSet, States};
use crate::decision::Effect;
use crate::policy::{
    Action, Condition, Located, Policy, PrincipalElement, Resource, Statement, Text,
};
use crate::util::int::{AsUsize, to_u32};

/// A statement but for its addresses, by ids of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Guard {
    pub(super) is_deny: bool,
    pub(super) who: u32,
    pub(super) action: u32,
    pub(super) resource: Place,
    /// Sorted, each once.
    pub(super) conditions: SmallVec<[u32; 2]>,
}

/// The resource element of a guard.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    /// One pattern of `Resource`.
    In(u32),
    /// All of `NotResource`; sorted, each once.
    NotIn(SmallVec<[u32; 2]>),
}

/// An interned value and how a policy wrote it first.
#[derive(Debug)]
struct Interner<K, V> {
    ids: HashMap<Arc<K>, u32>,
    items: Vec<(Arc<K>, V)>,
}

impl<K, V> Default for Interner<K, V> {
    fn default() -> Self {
        Self {
            ids: HashMap::new(),
            items: Vec::new(),
        }
    }
}

impl<K: Eq + Hash, V> Interner<K, V> {
    fn intern(
        &mut self,
        key: K,
        what: &'static str,
        written: impl FnOnce() -> V,
    ) -> Result<u32, AnalysisError> {
        if let Some(&id) = self.ids.get(&key) {
            return Ok(id);
        }
        let id = to_u32(self.items.len()).ok_or(AnalysisError::too_large(what))?;
        let key = Arc::new(key);
        self.ids.insert(Arc::clone(&key), id);
        self.items.push((key, written()));
        Ok(id)
    }

    fn get(&self, id: u32) -> Option<&(Arc<K>, V)> {
        self.items.get(id.as_usize())
    }
}

/// A guard and where it stands in each set of policies.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) guard: Guard,
    /// The union of [`Self::parts`] of each side; ids of sets.
    pub(super) sets: [u32; 2],
    /// Which rule of each side brings which set.
    pub(super) parts: [SmallVec<[(u32, u32); 1]>; 2],
}

/// A statement of one side.
#[derive(Debug)]
pub(super) struct RuleEntries {
    pub(super) policy: usize,
    pub(super) statement: usize,
    /// The entries it has a part in.
    pub(super) entries: SmallVec<[u32; 2]>,
}

/// Two sets of policies as guards.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
    pub(super) rules: [Vec<RuleEntries>; 2],
    ids: HashMap<Guard, u32>,
    whos: Interner<Who, Option<PrincipalElement>>,
    actions: Interner<Actions, Action>,
    patterns: Interner<Pattern, Located<Text>>,
    conditions: Interner<ConditionKey, Condition>,
    sets: Interner<AddressSet, ()>,
    unions: HashMap<Vec<u32>, u32>,
}

/// The id of the empty set.
pub(super) const EMPTY: u32 = 0;

impl Table {
    /// Reads both sides, whose short-hand is expanded.
    pub(super) fn new(sides: [&[Policy]; 2]) -> Result<Self, AnalysisError> {
        let mut table = Self::default();
        // INVARIANT: the first set is the empty one.
        table.set(AddressSet::default())?;
        for (side, policies) in sides.into_iter().enumerate() {
            for (policy, document) in policies.iter().enumerate() {
                for (index, statement) in document.statements().iter().enumerate() {
                    table.add(side, policy, index, statement)?;
                }
            }
        }
        let mut entries = core::mem::take(&mut table.entries);
        for entry in &mut entries {
            for (set, parts) in entry.sets.iter_mut().zip(&entry.parts) {
                *set = table.union(parts.iter().map(|(_, set)| *set).collect())?;
            }
        }
        table.entries = entries;
        Ok(table)
    }

    /// Interns a set of addresses.
    pub(super) fn set(&mut self, set: AddressSet) -> Result<u32, AnalysisError> {
        self.sets.intern(set, "lists of addresses", || ())
    }

    /// Returns the union of sets.
    pub(super) fn union(&mut self, mut parts: Vec<u32>) -> Result<u32, AnalysisError> {
        parts.sort_unstable();
        parts.dedup();
        parts.retain(|part| *part != EMPTY);
        match parts.as_slice() {
            [] => return Ok(EMPTY),
            [one] => return Ok(*one),
            _ => {}
        }
        if let Some(&known) = self.unions.get(&parts) {
            return Ok(known);
        }
        // All ranges at once: a thousand statements that add one prefix each are one sort.
        let mut ranges = Vec::new();
        let mut states = States::NONE;
        for part in &parts {
            let set = self.addresses(*part);
            ranges.extend_from_slice(set.ranges());
            states = states.with(set.states);
        }
        let id = self.set(AddressSet::of_ranges(ranges, states))?;
        self.unions.insert(parts, id);
        Ok(id)
    }

    pub(super) fn addresses(&self, set: u32) -> Arc<AddressSet> {
        self.sets
            .get(set)
            .map(|(set, ())| Arc::clone(set))
            .unwrap_or_default()
    }

    pub(super) fn who(&self, id: u32) -> Option<(&Who, Option<&PrincipalElement>)> {
        (self.whos.get(id)).map(|(who, written)| (&**who, written.as_ref()))
    }

    pub(super) fn action(&self, id: u32) -> Option<(&Actions, &Action)> {
        (self.actions.get(id)).map(|(actions, written)| (&**actions, written))
    }

    pub(super) fn pattern(&self, id: u32) -> Option<(&Pattern, &Located<Text>)> {
        (self.patterns.get(id)).map(|(pattern, written)| (&**pattern, written))
    }

    pub(super) fn condition(&self, id: u32) -> Option<&Condition> {
        self.conditions.get(id).map(|(_, written)| written)
    }

    fn add(
        &mut self,
        side: usize,
        policy: usize,
        index: usize,
        statement: &Statement,
    ) -> Result<(), AnalysisError> {
        let rules = self.rules.get(side).map_or(0, Vec::len);
        let rule = to_u32(rules).ok_or(AnalysisError::too_large("statements"))?;
        let effect = statement.effect.value;
        let who = self.principal(statement.principal.as_ref(), effect)?;
        let action = (self.actions).intern(Actions::of(&statement.action), "actions", || {
            statement.action.clone()
        })?;
        let places = self.places(policy, &statement.resource)?;
        let mut entries = SmallVec::new();
        for part in parts::parts(statement) {
            let addresses = self.set(part.addresses)?;
            if addresses == EMPTY {
                continue;
            }
            let conditions = self.conditions(&part.conditions, effect)?;
            for resource in &places {
                let entry = self.entry(Guard {
                    is_deny: effect == Effect::Deny,
                    who,
                    action,
                    resource: resource.clone(),
                    conditions: conditions.clone(),
                })?;
                let parts = (self.entries.get_mut(entry.as_usize()))
                    .and_then(|entry| entry.parts.get_mut(side));
                if let Some(parts) = parts
                    && !parts.contains(&(rule, addresses))
                {
                    parts.push((rule, addresses));
                    entries.push(entry);
                }
            }
        }
        if let Some(rules) = self.rules.get_mut(side) {
            rules.push(RuleEntries {
                policy,
                statement: index,
                entries,
            });
        }
        Ok(())
    }

    /// Returns the entry of a guard, which is made if there is none.
    fn entry(&mut self, guard: Guard) -> Result<u32, AnalysisError> {
        if let Some(&known) = self.ids.get(&guard) {
            return Ok(known);
        }
        let entry = to_u32(self.entries.len()).ok_or(AnalysisError::too_large("statements"))?;
        self.ids.insert(guard.clone(), entry);
        self.entries.push(Entry {
            guard,
            sets: [EMPTY; 2],
            parts: [SmallVec::new(), SmallVec::new()],
        });
        Ok(entry)
    }

    fn principal(
        &mut self,
        element: Option<&PrincipalElement>,
        effect: Effect,
    ) -> Result<u32, AnalysisError> {
        let who = Who::of(element, effect);
        (self.whos).intern(who, "principals", || element.cloned())
    }

    fn places(&mut self, policy: usize, element: &Resource) -> Result<Vec<Place>, AnalysisError> {
        let mut ids = SmallVec::new();
        for text in &element.patterns {
            if text.value.raw().starts_with("execute-api:/") {
                return Err(AnalysisError::short_hand(
                    policy,
                    text.value.raw().to_owned(),
                ));
            }
            let pattern = Pattern::of(&text.value);
            ids.push((self.patterns).intern(pattern, "patterns", || text.clone())?);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(if element.negated {
            vec![Place::NotIn(ids)]
        } else {
            ids.into_iter().map(Place::In).collect()
        })
    }

    fn conditions(
        &mut self,
        asked: &[&Condition],
        effect: Effect,
    ) -> Result<SmallVec<[u32; 2]>, AnalysisError> {
        let mut ids = SmallVec::new();
        for &condition in asked {
            let key = ConditionKey::of(condition, effect);
            ids.push((self.conditions).intern(key, "conditions", || condition.clone())?);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}
