//! Calls to try on a statement, and the statements that may match them.

use core::ops::ControlFlow;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use ipnet::IpNet;

use super::case::{Case, Point};
use crate::analysis::globs::{Glob, STRANGE};
use crate::analysis::lint::subject::texts;
use crate::decision::Decision;
use crate::policy::{
    Condition, Located, Operator, OperatorFamily, PartRef, Policy, PrincipalEntry, Text, Values,
};
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

    /// Returns whether a text of the call shows at once that the statement does not match it.
    ///
    /// PERF: a thirtieth of the time that the whole question takes.
    pub(super) fn is_refused_by(&self, case: &Case<'_>) -> bool {
        case.others.iter().any(|condition| {
            let operator = condition.operator.value;
            let is_like = operator.operator == Operator::StringLike;
            let is_plain = (is_like || operator.operator == Operator::StringEquals)
                && operator.qualifier.is_none()
                && !operator.if_exists;
            let Values::Texts(list) = &condition.values else {
                return false;
            };
            if !is_plain || list.len() > FEW {
                return false;
            }
            let own = (self.context.iter())
                .find(|(key, _)| key.eq_ignore_ascii_case(&condition.key.value));
            list.iter().all(|value| {
                let mut parts = value.value.parts();
                let (Some(PartRef::Raw(raw)), None) = (parts.next(), parts.next()) else {
                    return false;
                };
                let head = if is_like {
                    raw.split(['*', '?']).next()
                } else {
                    Some(raw)
                };
                let fits = |text: &str| head.is_none_or(|head| text.starts_with(head));
                !own.is_some_and(|(_, text)| fits(text))
            })
        })
    }

    /// Returns the text of a condition key, if the call has the key.
    fn text(&self, key: &str) -> Option<&str> {
        let own = self.context.iter().find(|(known, _)| known == key);
        own.map(|(_, text)| text.as_str())
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
            .filter_map(|key| Some((key.to_owned(), Point::of(&case.states(key))?)))
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
    /// By the text before the first wildcard of a resource; those with `NotResource` by none.
    heads: HashMap<String, Vec<usize>>,
    lengths: BTreeSet<usize>,
    /// Statements by a prefix that the varied key must be in.
    by_prefix: HashMap<IpNet, Vec<usize>>,
    /// The lengths of those prefixes, for IPv4 and IPv6.
    prefix_lengths: [BTreeSet<u8>; 2],
    /// The statements without such a prefix.
    unlisted: Vec<usize>,
    /// Statements by a text that another key must have; the key is that of most.
    by_text: HashMap<String, Vec<usize>>,
    text_key: String,
    /// The statements without such a text.
    without_text: Vec<usize>,
}

impl Index {
    /// Indexes statements by resource, and by the addresses of `key` where there are many.
    pub(super) fn new(cases: &[Case<'_>], key: &str) -> Self {
        let mut index = Self {
            heads: HashMap::new(),
            lengths: BTreeSet::new(),
            by_prefix: HashMap::new(),
            prefix_lengths: [BTreeSet::new(), BTreeSet::new()],
            unlisted: Vec::new(),
            by_text: HashMap::new(),
            text_key: text_key(cases),
            without_text: Vec::new(),
        };
        for (at, case) in cases.iter().enumerate() {
            if case.statement.resource.negated {
                index.add_head(at, String::new());
                continue;
            }
            for pattern in &case.resources {
                index.add_head(at, pattern.glob.head());
            }
        }
        if cases.len() > MANY {
            for (at, case) in cases.iter().enumerate() {
                index.add_prefixes(at, case, key);
                index.add_texts(at, case);
            }
        }
        index
    }

    fn add_head(&mut self, at: usize, head: String) {
        self.lengths.insert(head.len());
        let same = self.heads.entry(head).or_default();
        if same.last() != Some(&at) {
            same.push(at);
        }
    }

    fn add_prefixes(&mut self, at: usize, case: &Case<'_>, key: &str) {
        let Some(list) = listed(case, key) else {
            self.unlisted.push(at);
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
            let same = self.by_prefix.entry(prefix.value).or_default();
            if same.last() != Some(&at) {
                same.push(at);
            }
        }
    }

    fn add_texts(&mut self, at: usize, case: &Case<'_>) {
        let listed = exact_texts(case).find(|(key, _)| key.eq_ignore_ascii_case(&self.text_key));
        let Some((_, list)) = listed else {
            self.without_text.push(at);
            return;
        };
        for text in list {
            let same = self.by_text.entry(literal(&text.value)).or_default();
            if same.last() != Some(&at) {
                same.push(at);
            }
        }
    }

    /// Returns the statements with a resource whose literal start is that of `resource`, ascending.
    pub(super) fn candidates(&self, resource: &str) -> Cow<'_, [usize]> {
        let matching = self.lengths.iter().filter_map(|&length| {
            let head = resource.get(..length)?;
            self.heads.get(head).map(Vec::as_slice)
        });
        let lists: Vec<&[usize]> = matching.collect();
        match lists.as_slice() {
            [] => Cow::Borrowed(&[]),
            [one] => Cow::Borrowed(one),
            several => {
                let mut all = several.concat();
                all.sort_unstable();
                all.dedup();
                Cow::Owned(all)
            }
        }
    }

    /// Calls `look` with those of `candidates` that `point` and the texts of `call` do not rule out at a
    /// glance, until it says to stop.
    pub(super) fn near(
        &self,
        candidates: &[usize],
        call: &Call,
        point: Point,
        look: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) {
        let address = match point {
            Point::Known(ip) if !self.by_prefix.is_empty() => Some(ip),
            _ => None,
        };
        let is_by_text = !self.by_text.is_empty();
        if candidates.len() <= FEW || (address.is_none() && !is_by_text) {
            let _ = candidates.iter().try_for_each(|&at| look(at));
            return;
        }
        let is_candidate = |at: &usize| candidates.binary_search(at).is_ok();
        // What leaves fewer to be looked at in any case.
        let by_text = is_by_text && self.without_text.len() < self.unlisted.len();
        if let Some(ip) = address.filter(|_| !by_text) {
            let lengths = self.prefix_lengths.get(usize::from(ip.is_ipv6()));
            let listing = lengths.into_iter().flatten().filter_map(|&length| {
                let net = IpNet::new(ip, length).ok()?;
                self.by_prefix.get(&net.trunc())
            });
            let all = listing.flatten().chain(&self.unlisted).copied();
            let _ = all.filter(is_candidate).try_for_each(look);
        } else if is_by_text {
            let text = call.text(&self.text_key);
            let listing = text.and_then(|text| self.by_text.get(text));
            let all = (listing.into_iter().flatten()).chain(&self.without_text);
            let _ = all.copied().filter(is_candidate).try_for_each(look);
        } else {
            let _ = candidates.iter().try_for_each(|&at| look(at));
        }
    }
}

/// Returns the key, in lower case, that most statements ask for by whole texts.
fn text_key(cases: &[Case<'_>]) -> String {
    let mut uses: HashMap<String, usize> = HashMap::new();
    for (key, _) in cases.iter().flat_map(exact_texts) {
        *uses.entry(key.to_ascii_lowercase()).or_default() += 1;
    }
    let most = (uses.into_iter()).max_by(|(a, m), (b, n)| m.cmp(n).then_with(|| b.cmp(a)));
    most.map(|(key, _)| key).unwrap_or_default()
}

/// Returns the keys that must have one of some texts, whole, for the statement to match.
fn exact_texts<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a str, &'a [Located<Text>])> {
    (case.others.iter()).filter_map(|condition| {
        let operator = condition.operator.value;
        let is_plain = operator.operator == Operator::StringEquals
            && operator.qualifier.is_none()
            && !operator.if_exists;
        match &condition.values {
            Values::Texts(list) if is_plain && !list.iter().any(|t| t.value.has_variables()) => {
                Some((&*condition.key.value, list.as_slice()))
            }
            _ => None,
        }
    })
}

/// Returns a list that an address of `key` must be in for the statement to match.
fn listed<'a>(case: &Case<'a>, key: &str) -> Option<&'a [Located<IpNet>]> {
    case.statement.conditions.iter().find_map(|condition| {
        let operator = condition.operator.value;
        let plain = operator.qualifier.is_none()
            && !operator.operator.is_negated()
            && condition.key.value.eq_ignore_ascii_case(key);
        match &condition.values {
            Values::Prefixes(list) if plain => Some(list.as_slice()),
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
