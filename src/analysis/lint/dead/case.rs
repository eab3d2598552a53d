//! A statement in the form in which it is compared with others.
//!
//! What a key of addresses may hold is a set of states: absent, several values, a value that
//! is no address, or one of a set of addresses. Plain `IpAddress` and `NotIpAddress`
//! conditions become such sets, and so does `Null` on a key that always holds addresses.
//! All other conditions stay as they are.

use core::cell::OnceCell;
use core::net::IpAddr;

use super::is_star;
use crate::analysis::globs::Glob;
use crate::analysis::line::{AddressSet, States};
use crate::analysis::lint::subject::{SHORT_HAND, Subject, texts};
use crate::decision::Effect;
use crate::policy::{Condition, Operator, OperatorFamily, Policy, PrincipalEntry, Statement};
use crate::request::Api;

/// A statement.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) statement: &'a Statement,
    policy: &'a Policy,
    api: Api,
    /// Whether short-hand and full ARNs stand side by side, of APIs that may be one.
    pub(super) mixed: bool,
    pub(super) actions: Vec<Glob>,
    pub(super) resources: Vec<Pattern>,
    /// By key in lower case.
    states: Vec<(String, AddressSet)>,
    /// The conditions that are no states.
    pub(super) others: Vec<&'a Condition>,
    /// The statement without the conditions that are states, to be asked about calls.
    rest: OnceCell<Policy>,
}

/// A pattern of a resource.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) glob: Glob,
    pub(super) text: crate::policy::Text,
    pub(super) short_hand: bool,
}

/// One thing that a key of addresses may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    Absent,
    Several,
    Unreadable,
    Known(IpAddr),
}

impl Point {
    /// Returns something of the set, an address if there is one.
    pub(super) fn of(set: &AddressSet) -> Option<Self> {
        let states = [
            (States::ABSENT, Self::Absent),
            (States::UNREADABLE, Self::Unreadable),
            (States::SEVERAL, Self::Several),
        ];
        let mut states = states.into_iter();
        set.any_address().map(Self::Known).or_else(|| {
            let found = states.find(|(state, _)| set.states.contains(*state));
            found.map(|(_, point)| point)
        })
    }

    pub(super) fn is_in(self, set: &AddressSet) -> bool {
        match self {
            Self::Absent => set.states.contains(States::ABSENT),
            Self::Several => set.states.contains(States::SEVERAL),
            Self::Unreadable => set.states.contains(States::UNREADABLE),
            Self::Known(ip) => set.contains(ip),
        }
    }
}

impl<'a> Case<'a> {
    /// Returns the statement numbered `at`.
    pub(super) fn new(subject: &Subject<'a>, at: usize, api: &Api, mixed: bool) -> Option<Self> {
        let policy = subject.policy();
        let statement = policy.statements().get(at)?;
        let arn = api.to_string();
        let resources = statement.resource.patterns.iter().map(|text| {
            let short_hand = text.value.raw().starts_with(SHORT_HAND);
            let glob = if short_hand {
                behind(&Glob::with_any_values(&text.value), &arn)
            } else {
                Glob::with_any_values(&text.value)
            };
            Pattern {
                glob,
                text: text.value.clone(),
                short_hand,
            }
        });
        let mut states: Vec<(String, AddressSet)> = Vec::new();
        let mut others = Vec::new();
        for (index, condition) in statement.conditions.iter().enumerate() {
            let Some(own) = states_of(subject, at, index, condition, statement.effect.value) else {
                others.push(condition);
                continue;
            };
            let key = condition.key.value.to_ascii_lowercase();
            match states.iter_mut().find(|(known, _)| *known == key) {
                Some((_, all)) => *all = all.intersection(&own),
                None => states.push((key, own)),
            }
        }
        Some(Self {
            statement,
            policy,
            api: api.clone(),
            mixed,
            actions: (statement.action.patterns.iter())
                .map(|pattern| Glob::without_case(&pattern.value))
                .collect(),
            resources: resources.collect(),
            states,
            others,
            rest: OnceCell::new(),
        })
    }

    pub(super) const fn effect(&self) -> Effect {
        self.statement.effect.value
    }

    /// Returns whether a text of it is too long to be compared with others.
    pub(super) fn is_long(&self) -> bool {
        let values = self.others.iter().flat_map(|condition| texts(condition));
        self.actions.iter().any(Glob::is_long)
            || self.resources.iter().any(|pattern| pattern.glob.is_long())
            || values
                .map(|text| text.value.raw().len())
                .any(|length| length > LONG)
    }

    /// Returns how many parts the statement is judged in: one for each resource.
    pub(super) fn parts(&self) -> usize {
        if self.statement.resource.negated {
            1
        } else {
            self.resources.len()
        }
    }

    /// Returns the keys whose states it restricts.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.states.iter().map(|(key, _)| key.as_str())
    }

    /// Returns what a key may hold.
    pub(super) fn states(&self, key: &str) -> AddressSet {
        (self.restricted(key).cloned()).unwrap_or_else(AddressSet::everything)
    }

    /// Returns what a key may hold, if not everything.
    pub(super) fn restricted(&self, key: &str) -> Option<&AddressSet> {
        let found = self.states.iter().find(|(known, _)| known == key);
        found.map(|(_, states)| states)
    }

    pub(super) fn holds_at(&self, key: &str, point: Point) -> bool {
        self.restricted(key)
            .is_none_or(|states| point.is_in(states))
    }

    /// Returns whether no call can match, for a reason that shows at once.
    pub(super) fn matches_nothing(&self) -> bool {
        let statement = self.statement;
        let nobody = statement.principal.as_ref().is_some_and(|element| {
            element.negated
                && (element.entries.iter()).any(|entry| entry.value == PrincipalEntry::Everyone)
        });
        let no_action = statement.action.negated && self.actions.iter().any(Glob::is_any);
        let no_resource =
            statement.resource.negated && self.resources.iter().any(|p| is_star(&p.text));
        nobody || no_action || no_resource || self.states.iter().any(|(_, s)| s.is_empty())
    }

    /// Returns the statement without its states, as a policy, with short-hand written out.
    pub(super) fn rest(&self) -> &Policy {
        self.rest.get_or_init(|| {
            self.policy
                .with_only(Statement {
                    conditions: self.others.iter().map(|&c| c.clone()).collect(),
                    ..self.without_conditions()
                })
                .with_short_hand_expanded(&self.api)
        })
    }

    /// Returns a policy that says only whether `conditions` hold.
    pub(super) fn only(&self, conditions: Vec<Condition>) -> Policy {
        let mut statement = self.without_conditions();
        statement.conditions = conditions;
        statement.principal = None;
        statement.action.negated = true;
        statement.resource.negated = true;
        for pattern in &mut statement.action.patterns {
            pattern.value = "none".into();
        }
        for pattern in &mut statement.resource.patterns {
            pattern.value = crate::policy::Text::plain("none");
        }
        self.policy.with_only(statement)
    }

    fn without_conditions(&self) -> Statement {
        let statement = self.statement;
        Statement {
            span: statement.span,
            sid: None,
            effect: statement.effect,
            principal: statement.principal.clone(),
            action: statement.action.clone(),
            resource: statement.resource.clone(),
            conditions: Vec::new(),
        }
    }
}

/// Returns a short-hand pattern with an API's ARN in place of its start.
fn behind(short: &Glob, arn: &str) -> Glob {
    short.with_start_replaced(SHORT_HAND.chars().count(), arn)
}

/// Returns the states in which a condition holds, if it is one of states.
fn states_of(
    subject: &Subject<'_>,
    at: usize,
    index: usize,
    condition: &Condition,
    effect: Effect,
) -> Option<AddressSet> {
    let operator = condition.operator.value;
    if operator.qualifier.is_some() {
        return None;
    }
    match operator.operator {
        Operator::IpAddress | Operator::NotIpAddress => {
            let listed = subject.set(at, index)?;
            let negated = operator.operator.is_negated();
            let mut states = States::NONE;
            if negated || operator.if_exists {
                states = states.with(States::ABSENT);
            }
            if negated {
                states = states.with(States::SEVERAL);
            }
            if effect == Effect::Deny {
                states = states.with(States::UNREADABLE);
            }
            let addresses = if negated {
                listed.complement(States::NONE)
            } else {
                listed.clone()
            };
            Some(addresses.with_states(states))
        }
        Operator::Null if super::is_typed(&condition.key.value) => {
            debug_assert_eq!(operator.operator.family(), OperatorFamily::Null);
            let lists = |value: &str| texts(condition).iter().any(|t| t.value.raw() == value);
            let present =
                AddressSet::everything().difference(&AddressSet::of_states(States::ABSENT));
            Some(match (lists("true"), lists("false")) {
                (true, true) => AddressSet::everything(),
                (true, false) => AddressSet::of_states(States::ABSENT),
                (false, true) => present,
                (false, false) => AddressSet::default(),
            })
        }
        _ => None,
    }
}

/// Bytes of a value that is compared with others.
const LONG: usize = 4_096;
