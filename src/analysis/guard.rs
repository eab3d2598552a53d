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
//! # Invariants
//!
//! A request matches a statement exactly if, for one of its guards, the state of
//! `aws:SourceIp` is in the guard's set and the guard holds.

use core::hash::Hash;
use std::collections::HashMap;
use std::sync::Arc;

use ipnet::IpNet;
use smallvec::SmallVec;

use super::error::AnalysisError;
use super::globs::Glob;
use super::line::{AddressSet, States};
use crate::decision::Effect;
use crate::policy::{
    Action, Condition, Located, Operator, OperatorFamily, PartRef, Policy, PrincipalElement,
    PrincipalEntry, Qualifier, Statement, Text, Values,
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

/// Callers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Who {
    pub(super) kind: WhoKind,
    /// Each once; in one order.
    pub(super) entries: Vec<PrincipalEntry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum WhoKind {
    Everyone,
    Nobody,
    Listed,
    NotListed,
    NotExempt,
}

/// Actions, patterns in ASCII lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Actions {
    pub(super) negated: bool,
    /// Sorted, each once.
    pub(super) patterns: Vec<Glob>,
}

/// A resource pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    /// With a `*` for each variable: what it may match at most.
    pub(super) glob: Glob,
    /// The text, where it has variables: what tells it from others with the same `glob`.
    pub(super) variable: Option<Text>,
}

/// A condition, in one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ConditionKey {
    operator: crate::policy::ConditionOperator,
    key: Box<str>,
    values: ConditionValues,
    /// The effect, where an unreadable address makes it count.
    effect: Option<Effect>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum ConditionValues {
    Prefixes(AddressSet),
    /// Sorted, each once, and whether it has parts that are not plain.
    Texts(Vec<(Box<str>, bool)>),
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
        for index in 0..table.entries.len() {
            for side in 0..2 {
                let parts = (table
                    .entries
                    .get(index)
                    .and_then(|entry| entry.parts.get(side)))
                .map(|parts| parts.iter().map(|(_, set)| *set).collect())
                .unwrap_or_default();
                let set = table.union(parts)?;
                if let Some(slot) =
                    (table.entries.get_mut(index)).and_then(|entry| entry.sets.get_mut(side))
                {
                    *slot = set;
                }
            }
        }
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
        let too_large = AnalysisError::too_large("statements");
        let rules = self.rules.get(side).map_or(0, Vec::len);
        let rule = to_u32(rules).ok_or(too_large.clone())?;
        let mut entries = SmallVec::new();
        for (conditions, addresses) in conditions(statement) {
            let addresses = self.set(addresses)?;
            if addresses == EMPTY {
                continue;
            }
            let mut ids = SmallVec::new();
            for condition in conditions {
                let key = condition_key(condition, statement.effect.value);
                ids.push(
                    self.conditions
                        .intern(key, "conditions", || condition.clone())?,
                );
            }
            ids.sort_unstable();
            ids.dedup();
            for resource in self.places(policy, statement)? {
                let guard = Guard {
                    is_deny: statement.effect.value == Effect::Deny,
                    who: self.principal(statement)?,
                    action: self.actions_of(statement)?,
                    resource,
                    conditions: ids.clone(),
                };
                let next = to_u32(self.entries.len()).ok_or(too_large.clone())?;
                let entry = *self.ids.entry(guard.clone()).or_insert(next);
                if entry == next {
                    self.entries.push(Entry {
                        guard,
                        sets: [EMPTY; 2],
                        parts: [SmallVec::new(), SmallVec::new()],
                    });
                }
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

    fn principal(&mut self, statement: &Statement) -> Result<u32, AnalysisError> {
        let element = statement.principal.as_ref();
        let who = who(element, statement.effect.value);
        self.whos.intern(who, "principals", || element.cloned())
    }

    fn actions_of(&mut self, statement: &Statement) -> Result<u32, AnalysisError> {
        let written = &statement.action;
        let mut patterns: Vec<Glob> = (written.patterns.iter())
            .map(|pattern| Glob::without_case(&pattern.value))
            .collect();
        patterns.sort_unstable();
        patterns.dedup();
        let actions = Actions {
            negated: written.negated,
            patterns,
        };
        (self.actions).intern(actions, "actions", || written.clone())
    }

    fn places(
        &mut self,
        policy: usize,
        statement: &Statement,
    ) -> Result<Vec<Place>, AnalysisError> {
        let mut ids = SmallVec::new();
        for text in &statement.resource.patterns {
            if text.value.raw().starts_with("execute-api:/") {
                return Err(AnalysisError::short_hand(
                    policy,
                    text.value.raw().to_owned(),
                ));
            }
            let key = pattern(&text.value);
            ids.push(self.patterns.intern(key, "patterns", || text.clone())?);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(if statement.resource.negated {
            vec![Place::NotIn(ids)]
        } else {
            ids.into_iter().map(Place::In).collect()
        })
    }

    /// Returns whether every request for which `narrow` holds is one for which `wide` does.
    ///
    /// `false` where that is not known.
    pub(super) fn covers(&self, wide: &Guard, narrow: &Guard) -> bool {
        (wide.conditions.iter()).all(|condition| narrow.conditions.contains(condition))
            && self.who_covers(wide.who, narrow.who)
            && self.action_covers(wide.action, narrow.action)
            && self.place_covers(&wide.resource, &narrow.resource)
    }

    /// Returns whether there is no request for which both hold; `false` where that is not known.
    pub(super) fn are_disjoint(&self, one: &Guard, other: &Guard) -> bool {
        self.places_disjoint(&one.resource, &other.resource)
            || self.whos_disjoint(one.who, other.who)
            || self.actions_disjoint(one.action, other.action)
            || (one.conditions.iter())
                .any(|c| (other.conditions.iter()).any(|d| self.are_opposite(*c, *d)))
    }

    pub(super) fn who_covers(&self, wide: u32, narrow: u32) -> bool {
        if wide == narrow {
            return true;
        }
        let (Some((wide, _)), Some((narrow, _))) = (self.who(wide), self.who(narrow)) else {
            return false;
        };
        match (wide.kind, narrow.kind) {
            (WhoKind::Everyone, _) | (_, WhoKind::Nobody) => true,
            (WhoKind::Listed, WhoKind::Listed) => narrow.is_in(wide),
            (WhoKind::NotListed, WhoKind::NotListed) | (WhoKind::NotExempt, WhoKind::NotExempt) => {
                wide.is_in(narrow)
            }
            // Who is not listed is exempt even less.
            (WhoKind::NotExempt, WhoKind::NotListed) => wide.is_in(narrow),
            _ => false,
        }
    }

    fn whos_disjoint(&self, one: u32, other: u32) -> bool {
        let (Some((one, _)), Some((other, _))) = (self.who(one), self.who(other)) else {
            return false;
        };
        match (one.kind, other.kind) {
            (WhoKind::Nobody, _) | (_, WhoKind::Nobody) => true,
            (WhoKind::Listed, WhoKind::NotListed) => one.is_in(other),
            (WhoKind::NotListed, WhoKind::Listed) => other.is_in(one),
            _ => false,
        }
    }

    pub(super) fn action_covers(&self, wide: u32, narrow: u32) -> bool {
        if wide == narrow {
            return true;
        }
        let (Some((wide, _)), Some((narrow, _))) = (self.action(wide), self.action(narrow)) else {
            return false;
        };
        let holds = |glob: &Glob, list: &[Glob]| list.iter().any(|other| other.covers(glob));
        match (wide.negated, narrow.negated) {
            (false, false) => narrow
                .patterns
                .iter()
                .all(|glob| holds(glob, &wide.patterns)),
            (true, true) => wide
                .patterns
                .iter()
                .all(|glob| holds(glob, &narrow.patterns)),
            (false, true) => wide.patterns.iter().any(Glob::is_any),
            (true, false) => (wide.patterns.iter())
                .all(|glob| narrow.patterns.iter().all(|other| glob.is_disjoint(other))),
        }
    }

    fn actions_disjoint(&self, one: u32, other: u32) -> bool {
        if one == other {
            return false;
        }
        let (Some((one, _)), Some((other, _))) = (self.action(one), self.action(other)) else {
            return false;
        };
        let inside = |list: &Actions, of: &Actions| {
            (list.patterns.iter()).all(|glob| of.patterns.iter().any(|wide| wide.covers(glob)))
        };
        match (one.negated, other.negated) {
            (false, false) => (one.patterns.iter())
                .all(|glob| other.patterns.iter().all(|other| glob.is_disjoint(other))),
            (false, true) => inside(one, other),
            (true, false) => inside(other, one),
            (true, true) => false,
        }
    }

    pub(super) fn place_covers(&self, wide: &Place, narrow: &Place) -> bool {
        if wide == narrow {
            return true;
        }
        let covers = |wide: u32, narrow: u32| self.pattern_covers(wide, narrow);
        match (wide, narrow) {
            (Place::In(wide), Place::In(narrow)) => covers(*wide, *narrow),
            (Place::In(wide), Place::NotIn(_)) => {
                (self.pattern(*wide)).is_some_and(|(pattern, _)| pattern.is_any())
            }
            (Place::NotIn(wide), Place::In(narrow)) => wide
                .iter()
                .all(|wide| self.patterns_disjoint(*wide, *narrow)),
            (Place::NotIn(wide), Place::NotIn(narrow)) => {
                (wide.iter()).all(|wide| narrow.iter().any(|narrow| covers(*narrow, *wide)))
            }
        }
    }

    pub(super) fn places_disjoint(&self, one: &Place, other: &Place) -> bool {
        match (one, other) {
            (Place::In(one), Place::In(other)) => self.patterns_disjoint(*one, *other),
            (Place::In(one), Place::NotIn(list)) | (Place::NotIn(list), Place::In(one)) => {
                list.iter().any(|wide| self.pattern_covers(*wide, *one))
            }
            (Place::NotIn(one), Place::NotIn(other)) => (one.iter().chain(other)).any(|id| {
                self.pattern(*id)
                    .is_some_and(|(pattern, _)| pattern.is_any())
            }),
        }
    }

    /// A pattern with variables is told from others by its text alone, as the wider one.
    fn pattern_covers(&self, wide: u32, narrow: u32) -> bool {
        if wide == narrow {
            return true;
        }
        let (Some((wide, _)), Some((narrow, _))) = (self.pattern(wide), self.pattern(narrow))
        else {
            return false;
        };
        wide.variable.is_none() && wide.glob.covers(&narrow.glob)
    }

    fn patterns_disjoint(&self, one: u32, other: u32) -> bool {
        let (Some((one, _)), Some((other, _))) = (self.pattern(one), self.pattern(other)) else {
            return false;
        };
        one.glob.is_disjoint(&other.glob)
    }

    /// Returns whether of two conditions exactly one holds, whatever the request.
    pub(super) fn are_opposite(&self, one: u32, other: u32) -> bool {
        let (Some((one, _)), Some((other, _))) =
            (self.conditions.get(one), self.conditions.get(other))
        else {
            return false;
        };
        if one.key != other.key {
            return false;
        }
        let (a, b) = (one.operator, other.operator);
        if a.qualifier.is_some() || b.qualifier.is_some() || a.if_exists || b.if_exists {
            return false;
        }
        if a.operator == Operator::Null && b.operator == Operator::Null {
            return one.values != other.values;
        }
        one.values == other.values && opposite(a.operator) == Some(b.operator)
    }
}

impl Who {
    fn is_in(&self, other: &Self) -> bool {
        self.entries
            .iter()
            .all(|entry| other.entries.contains(entry))
    }
}

impl Actions {
    /// Returns whether the element matches an action.
    pub(super) fn matches(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.patterns.iter().any(|glob| glob.matches(&action)) != self.negated
    }
}

impl Pattern {
    fn is_any(&self) -> bool {
        self.variable.is_none() && self.glob.is_any()
    }
}

/// Returns the operator that holds exactly where `operator` does not, for every request.
const fn opposite(operator: Operator) -> Option<Operator> {
    Some(match operator {
        Operator::StringEquals => Operator::StringNotEquals,
        Operator::StringNotEquals => Operator::StringEquals,
        Operator::StringEqualsIgnoreCase => Operator::StringNotEqualsIgnoreCase,
        Operator::StringNotEqualsIgnoreCase => Operator::StringEqualsIgnoreCase,
        Operator::StringLike => Operator::StringNotLike,
        Operator::StringNotLike => Operator::StringLike,
        Operator::NumericEquals => Operator::NumericNotEquals,
        Operator::NumericNotEquals => Operator::NumericEquals,
        Operator::DateEquals => Operator::DateNotEquals,
        Operator::DateNotEquals => Operator::DateEquals,
        // `ArnLike` and `ArnEquals` are one, and are brought to one form.
        Operator::ArnEquals | Operator::ArnLike => Operator::ArnNotEquals,
        Operator::ArnNotEquals | Operator::ArnNotLike => Operator::ArnEquals,
        _ => return None,
    })
}

fn who(element: Option<&PrincipalElement>, effect: Effect) -> Who {
    let Some(element) = element else {
        return Who {
            kind: WhoKind::Everyone,
            entries: Vec::new(),
        };
    };
    let mut entries: Vec<PrincipalEntry> = (element.entries.iter())
        .map(|entry| entry.value.clone())
        .collect();
    let everyone = entries.contains(&PrincipalEntry::Everyone);
    let kind = match (element.negated, everyone, effect) {
        (false, true, _) => WhoKind::Everyone,
        (true, true, _) => WhoKind::Nobody,
        (false, false, _) => WhoKind::Listed,
        (true, false, Effect::Allow) => WhoKind::NotListed,
        (true, false, Effect::Deny) => WhoKind::NotExempt,
    };
    if everyone {
        entries.clear();
    }
    if entries.len() > 1 {
        // Any order will do, if it is always the same.
        entries.sort_by_cached_key(|entry| format!("{entry:?}"));
        entries.dedup();
    }
    Who { kind, entries }
}

fn pattern(text: &Text) -> Pattern {
    Pattern {
        glob: Glob::with_any_values(text),
        variable: text.has_variables().then(|| text.clone()),
    }
}

fn condition_key(condition: &Condition, effect: Effect) -> ConditionKey {
    let mut operator = condition.operator.value;
    operator.operator = match operator.operator {
        Operator::ArnLike => Operator::ArnEquals,
        Operator::ArnNotLike => Operator::ArnNotEquals,
        other => other,
    };
    let values = match &condition.values {
        Values::Prefixes(prefixes) => {
            ConditionValues::Prefixes(AddressSet::of_prefixes(nets(prefixes)))
        }
        Values::Texts(texts) => {
            let mut texts: Vec<(Box<str>, bool)> = texts
                .iter()
                .map(|text| {
                    let parts = text
                        .value
                        .parts()
                        .any(|part| !matches!(part, PartRef::Raw(_)));
                    (text.value.raw().into(), parts)
                })
                .collect();
            texts.sort_unstable();
            texts.dedup();
            ConditionValues::Texts(texts)
        }
    };
    ConditionKey {
        operator,
        key: condition.key.value.to_ascii_lowercase().into(),
        effect: (operator.operator.family() == OperatorFamily::Ip).then_some(effect),
        values,
    }
}

fn nets(prefixes: &[Located<IpNet>]) -> impl Iterator<Item = IpNet> + '_ {
    prefixes.iter().map(|prefix| prefix.value)
}

/// Returns the residual conditions of a statement with the states of `aws:SourceIp` they are asked in.
fn conditions(statement: &Statement) -> Vec<(Vec<&Condition>, AddressSet)> {
    let is_deny = statement.effect.value == Effect::Deny;
    let mut residual: Vec<&Condition> = Vec::new();
    let mut qualified: Vec<&Condition> = Vec::new();
    let mut addresses: Option<AddressSet> = None;
    let mut states = States::ABSENT
        .with(States::UNREADABLE)
        .with(States::SEVERAL);
    for condition in &statement.conditions {
        let operator = condition.operator.value;
        let is_null = operator.operator == Operator::Null;
        match operator.qualifier {
            Some(Qualifier::ForAllValues) if is_null => continue,
            Some(Qualifier::ForAnyValue) if is_null => return Vec::new(),
            _ => {}
        }
        let wanted = |value| has_text(condition, value);
        if is_null && wanted("true") && wanted("false") {
            continue;
        }
        if !condition.key.value.eq_ignore_ascii_case("aws:SourceIp") {
            residual.push(condition);
            continue;
        }
        match &condition.values {
            Values::Prefixes(prefixes) => {
                let negated = operator.operator.is_negated();
                let listed = AddressSet::of_prefixes(nets(prefixes));
                let listed = if negated {
                    listed.complement(States::NONE)
                } else {
                    listed
                };
                addresses = Some(match addresses {
                    None => listed,
                    Some(before) => before.intersection(&listed),
                });
                let absent = match operator.qualifier {
                    _ if operator.if_exists => true,
                    Some(qualifier) => qualifier == Qualifier::ForAllValues,
                    None => negated,
                };
                if !absent {
                    states = states.without(States::ABSENT);
                }
                if !is_deny {
                    states = states.without(States::UNREADABLE);
                }
                match operator.qualifier {
                    Some(_) => qualified.push(condition),
                    None if !negated => states = states.without(States::SEVERAL),
                    None => {}
                }
            }
            Values::Texts(_) if is_null && wanted("true") => {
                addresses = Some(AddressSet::default());
                states = states.only(States::ABSENT);
            }
            Values::Texts(_) if is_null => states = states.without(States::ABSENT),
            Values::Texts(_) => residual.push(condition),
        }
    }
    let addresses = addresses.unwrap_or_else(AddressSet::all);
    if qualified.is_empty() || !states.contains(States::SEVERAL) {
        return vec![(residual, addresses.with_states(states))];
    }
    let mut with_qualified = residual.clone();
    with_qualified.extend(qualified);
    vec![
        (
            residual,
            addresses.with_states(states.without(States::SEVERAL)),
        ),
        (with_qualified, AddressSet::of_states(States::SEVERAL)),
    ]
}

fn has_text(condition: &Condition, wanted: &str) -> bool {
    match &condition.values {
        Values::Texts(texts) => texts.iter().any(|text| text.value.raw() == wanted),
        Values::Prefixes(_) => false,
    }
}
