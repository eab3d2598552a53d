//! Calls to try on a statement, and the statements that may match them.

use std::collections::{BTreeSet, HashMap};

use ipnet::IpNet;

use super::case::{Case, Point};
use crate::analysis::lint::glob::{Glob, STRANGE};
use crate::analysis::lint::subject::texts;
use crate::decision::Decision;
use crate::policy::{Condition, OperatorFamily, PartRef, Policy, PrincipalEntry, Text};
use crate::reference;
use crate::request::{Address, Principal, Request, Value};

/// A call without the address that is varied.
#[derive(Clone, Debug)]
pub(super) struct Call {
    caller: Caller,
    action: String,
    pub(super) resource: String,
    context: Vec<(String, String)>,
    /// Keys of addresses besides the one that is varied.
    points: Vec<(String, Point)>,
}

#[derive(Clone, Debug)]
enum Caller {
    Anonymous,
    Aws(String),
    Service(String),
    Federated(String),
    CanonicalUser(String),
}

impl Call {
    /// Returns whether the statement matches the call, whatever it wants of the varied key.
    pub(super) fn is_matched_by(&self, case: &Case<'_>, varied: &str) -> bool {
        let others = self.points.iter().filter(|(key, _)| key != varied);
        let mut fits = others.map(|(key, point)| case.holds_at(key, *point));
        // A key that the call does not have is absent.
        let missing = |key: &str| key != varied && !self.points.iter().any(|(k, _)| k == key);
        let absent =
            (case.keys().filter(|key| missing(key))).all(|key| case.holds_at(key, Point::Absent));
        fits.all(|fits| fits) && absent && self.decides(case.rest())
    }

    fn decides(&self, policy: &Policy) -> bool {
        let context: Vec<(&str, Value<'_>)> = (self.context.iter())
            .map(|(key, value)| (key.as_str(), Value::Text(value)))
            .collect();
        let caller = match &self.caller {
            Caller::Anonymous => Principal::Anonymous,
            Caller::Aws(arn) => Principal::Aws(arn),
            Caller::Service(name) => Principal::Service(name),
            Caller::Federated(name) => Principal::Federated(name),
            Caller::CanonicalUser(id) => Principal::CanonicalUser(id),
        };
        let request = Request::invoke(Address::Absent, &self.resource)
            .with_action(&self.action)
            .with_principal(caller)
            .with_context(&context);
        reference::decide(core::slice::from_ref(policy), &request) != Decision::ImplicitDeny
    }
}

/// The calls to try on one part of a statement, the strangest first.
#[derive(Debug)]
pub(super) struct Calls {
    calls: std::vec::IntoIter<Call>,
}

impl Calls {
    pub(super) fn new(case: &Case<'_>, part: usize) -> Self {
        let mut calls = Vec::new();
        let contexts = contexts(case);
        let points: Vec<(String, Point)> = case
            .keys()
            .filter_map(|key| Some((key.to_owned(), case.states(key).pick()?)))
            .collect();
        for resource in resources(case, part) {
            for action in actions(case) {
                for caller in callers(case) {
                    for context in &contexts {
                        if calls.len() < CALLS {
                            calls.push(Call {
                                caller: caller.clone(),
                                action: action.clone(),
                                resource: resource.clone(),
                                context: context.clone(),
                                points: points.clone(),
                            });
                        }
                    }
                }
            }
        }
        Self {
            calls: calls.into_iter(),
        }
    }
}

impl Iterator for Calls {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        self.calls.next()
    }
}

fn resources(case: &Case<'_>, part: usize) -> Vec<String> {
    if case.statement.resource.negated {
        return vec![
            format!("arn:aws:execute-api:{STRANGE}:{STRANGE}:{STRANGE}/{STRANGE}/GET/{STRANGE}"),
            STRANGE.to_owned(),
        ];
    }
    let Some(pattern) = case.resources.get(part) else {
        return Vec::new();
    };
    vec![pattern.glob.example(STRANGE), pattern.glob.example("")]
}

fn actions(case: &Case<'_>) -> Vec<String> {
    if case.statement.action.negated {
        return vec![format!("{STRANGE}:{STRANGE}"), Request::INVOKE.to_owned()];
    }
    let examples = case
        .actions
        .iter()
        .take(FEW)
        .map(|glob| glob.example(STRANGE));
    let mut actions: Vec<String> = examples.collect();
    actions.push(Request::INVOKE.to_owned());
    actions
}

fn callers(case: &Case<'_>) -> Vec<Caller> {
    let stranger = |partition: &str, account: &str| {
        Caller::Aws(format!("arn:{partition}:iam::{account}:user/{STRANGE}"))
    };
    let anyone = vec![stranger("aws", "000000000000"), Caller::Anonymous];
    let Some(element) = &case.statement.principal else {
        return anyone;
    };
    if element.negated {
        return anyone;
    }
    let named = |name: &str| {
        if name == "*" {
            STRANGE.to_owned()
        } else {
            name.to_owned()
        }
    };
    let mut callers = Vec::new();
    for entry in element.entries.iter().take(FEW) {
        match &entry.value {
            PrincipalEntry::Everyone => return anyone,
            PrincipalEntry::Account { partition, account } => {
                callers.push(stranger(partition.as_deref().unwrap_or("aws"), account));
            }
            PrincipalEntry::Arn(arn) => callers.push(Caller::Aws(arn.to_string())),
            PrincipalEntry::Service(name) => callers.push(Caller::Service(named(name))),
            PrincipalEntry::Federated(name) => callers.push(Caller::Federated(named(name))),
            PrincipalEntry::CanonicalUser(id) => callers.push(Caller::CanonicalUser(named(id))),
        }
    }
    callers
}

/// Returns up to two contexts in which the statement's conditions hold.
fn contexts(case: &Case<'_>) -> Vec<Vec<(String, String)>> {
    let mut keys: Vec<String> = Vec::new();
    for condition in &case.others {
        let key = condition.key.value.to_ascii_lowercase();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let mut both: [Vec<(String, String)>; 2] = [Vec::new(), Vec::new()];
    for key in keys {
        let own: Vec<Condition> = (case.others.iter())
            .filter(|condition| condition.key.value.eq_ignore_ascii_case(&key))
            .map(|&condition| condition.clone())
            .collect();
        let candidates = candidates(&own);
        let judge = case.only(own);
        let fitting: Vec<Option<String>> = candidates
            .into_iter()
            .filter(|value| {
                let context: Vec<(&str, Value<'_>)> = (value.iter())
                    .map(|value| (key.as_str(), Value::Text(value)))
                    .collect();
                let request = Request::invoke(Address::Absent, "any").with_context(&context);
                reference::decide(core::slice::from_ref(&judge), &request) != Decision::ImplicitDeny
            })
            .take(2)
            .collect();
        for (context, which) in both.iter_mut().zip(0..) {
            let value = fitting.get(which).or_else(|| fitting.first());
            if let Some(Some(value)) = value {
                context.push((key.clone(), value.clone()));
            }
        }
    }
    let [first, second] = both;
    if first == second {
        vec![first]
    } else {
        vec![first, second]
    }
}

/// Returns values that may satisfy conditions on one key; `None` for no value.
fn candidates(conditions: &[Condition]) -> Vec<Option<String>> {
    let mut values = vec![Some(STRANGE.to_owned())];
    for condition in conditions {
        let operator = condition.operator.value.operator;
        let wild = operator.family() == OperatorFamily::Arn || operator.as_str().ends_with("Like");
        for text in texts(condition).iter().take(FEW) {
            values.push(Some(if wild {
                Glob::with_any_values(&text.value).example(STRANGE)
            } else {
                literal(&text.value)
            }));
        }
    }
    // Beside whatever numbers and dates there are.
    let edges = [
        "true",
        "false",
        "-1e300",
        "1e300",
        "0001-01-01",
        "9998-01-01",
    ];
    values.extend(edges.map(|edge| Some(edge.to_owned())));
    values.push(Some("arn:aws:iam::000000000000:user/none".to_owned()));
    values.push(None);
    values
}

fn literal(text: &Text) -> String {
    let mut plain = String::new();
    for part in text.parts() {
        match part {
            PartRef::Raw(raw) => plain.push_str(raw),
            PartRef::Escaped(character) => plain.push(character),
            PartRef::Variable { default, .. } => plain.push_str(default.unwrap_or(STRANGE)),
        }
    }
    plain
}

/// Finds the statements that may match a call, without looking at all of them.
#[derive(Debug)]
pub(super) struct Index {
    /// By the text before the first wildcard of a resource.
    heads: HashMap<String, Vec<usize>>,
    lengths: BTreeSet<usize>,
    /// Those with `NotResource`.
    always: Vec<usize>,
    /// Statements by a prefix that the address must be in.
    by_prefix: HashMap<(String, IpNet), Vec<usize>>,
    /// The lengths of those prefixes, for IPv4 and IPv6.
    prefix_lengths: [BTreeSet<u8>; 2],
}

impl Index {
    pub(super) fn new(cases: &[Case<'_>]) -> Self {
        let mut index = Self {
            heads: HashMap::new(),
            lengths: BTreeSet::new(),
            always: Vec::new(),
            by_prefix: HashMap::new(),
            prefix_lengths: [BTreeSet::new(), BTreeSet::new()],
        };
        for (at, case) in cases.iter().enumerate() {
            if case.statement.resource.negated {
                index.always.push(at);
                continue;
            }
            for pattern in &case.resources {
                let head = pattern.glob.head();
                index.lengths.insert(head.len());
                let same = index.heads.entry(head).or_default();
                if same.last() != Some(&at) {
                    same.push(at);
                }
            }
        }
        if cases.len() > MANY {
            for (at, case) in cases.iter().enumerate() {
                index.add_prefixes(at, case);
            }
        }
        index
    }

    fn add_prefixes(&mut self, at: usize, case: &Case<'_>) {
        let Some((key, list)) = listed(case) else {
            return;
        };
        for prefix in list {
            let (which, length) = match prefix.value {
                IpNet::V4(net) => (0, net.prefix_len()),
                IpNet::V6(net) => (1, net.prefix_len()),
            };
            if let Some(lengths) = self.prefix_lengths.get_mut(which) {
                lengths.insert(length);
            }
            let same = self
                .by_prefix
                .entry((key.clone(), prefix.value))
                .or_default();
            if same.last() != Some(&at) {
                same.push(at);
            }
        }
    }

    /// Returns the statements with a resource whose literal start is that of `resource`.
    pub(super) fn candidates(&self, resource: &str) -> Vec<usize> {
        let mut found = self.always.clone();
        for &length in &self.lengths {
            if let Some(head) = resource.get(..length)
                && let Some(at) = self.heads.get(head)
            {
                found.extend(at);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Returns those of `candidates` that `point` does not rule out at a glance.
    pub(super) fn near(
        &self,
        cases: &[Case<'_>],
        candidates: &[usize],
        key: &str,
        point: Point,
    ) -> Vec<usize> {
        let Point::Known(ip) = point else {
            return candidates.to_vec();
        };
        if cases.len() <= MANY || candidates.len() <= FEW {
            return candidates.to_vec();
        }
        let lengths = self.prefix_lengths.get(usize::from(ip.is_ipv6()));
        let mut listing: Vec<usize> = Vec::new();
        for &length in lengths.into_iter().flatten() {
            if let Ok(net) = IpNet::new(ip, length)
                && let Some(at) = self.by_prefix.get(&(key.to_owned(), net.trunc()))
            {
                listing.extend(at);
            }
        }
        listing.sort_unstable();
        // PERF: a statement that lists no addresses mostly matches, and ends the search.
        let unlisted = candidates.iter().copied().filter(|&at| {
            cases
                .get(at)
                .and_then(listed)
                .is_none_or(|(listed, _)| listed != key)
        });
        let unlisted: Vec<usize> = unlisted.take(UNLISTED).collect();
        listing.retain(|at| candidates.binary_search(at).is_ok());
        listing.extend(unlisted);
        listing
    }
}

/// Returns the list that an address must be in for the statement to match, with its key.
fn listed<'a>(case: &Case<'a>) -> Option<(String, &'a [crate::policy::Located<IpNet>])> {
    case.statement.conditions.iter().find_map(|condition| {
        let operator = condition.operator.value;
        let plain = operator.qualifier.is_none() && !operator.if_exists;
        match &condition.values {
            crate::policy::Values::Prefixes(list) if plain && !operator.operator.is_negated() => {
                Some((condition.key.value.to_ascii_lowercase(), list.as_slice()))
            }
            _ => None,
        }
    })
}

/// Calls tried on a part of a statement.
const CALLS: usize = 24;
/// Values of an element that are tried.
const FEW: usize = 8;
/// Statements from which on there is an index of addresses.
const MANY: usize = 256;
/// Statements without a list that are looked at for one call.
const UNLISTED: usize = 1_000_000;
