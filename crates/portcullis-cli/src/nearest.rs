//! The nearest miss: which Allow came closest to a request that nothing allowed, or which
//! Deny to one that nothing denied.
//!
//! Nearest is the statement with the fewest elements that do not match; of several, one
//! whose resource matches, then the first. What is said about each such element is what
//! it wants, what the request has, and what would have to change.

use core::net::IpAddr;

use portcullis::policy::{Condition, Operator, OperatorFamily, Resource, Span, Statement, Values};
use portcullis::reference::{self, StatementTrace};
use portcullis::{
    Address, Decision, Effect, ParseOptions, Policy, PolicyKind, Principal, Request, Value,
};

use crate::terminal::shortened;

/// A statement that nearly matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NearestMiss {
    /// Which policy, from 0.
    pub(crate) policy: usize,
    /// Which statement of it, from 0.
    pub(crate) statement: usize,
    /// The elements that do not match; never empty.
    pub(crate) unmet: Vec<Unmet>,
}

/// An element that does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unmet {
    /// Its path in the statement, such as `Condition.IpAddress.aws:SourceIp`.
    pub(crate) element: String,
    /// Why it does not match.
    pub(crate) message: String,
    /// What would have to change.
    pub(crate) help: String,
    /// What to draw it on.
    pub(crate) span: Span,
}

/// Returns the statement of this effect that came closest, or `None` where there is none.
///
/// None that matches may be among them.
pub(crate) fn nearest<'a>(
    policies: impl Iterator<Item = &'a Policy>,
    request: &Request<'_>,
    effect: Effect,
) -> Option<NearestMiss> {
    let mut best: Option<((usize, bool), usize, &Policy, StatementTrace)> = None;
    for (index, policy) in policies.enumerate() {
        for trace in reference::trace(core::slice::from_ref(policy), request) {
            if trace.effect != effect {
                continue;
            }
            let distance = (unmet_count(&trace), !trace.resource);
            if best.as_ref().is_none_or(|(least, ..)| distance < *least) {
                best = Some((distance, index, policy, trace));
            }
        }
    }
    let (_, index, policy, trace) = best?;
    let statement = policy.statements().get(trace.statement)?;
    Some(NearestMiss {
        policy: index,
        statement: trace.statement,
        unmet: unmet(statement, &trace, request),
    })
}

/// Returns the address that a request has under a key, if it has one that can be read.
pub(crate) fn address_of(request: &Request<'_>, key: &str) -> Option<IpAddr> {
    match Told::by(request, key) {
        Told::Address(ip) => Some(ip),
        Told::Nothing | Told::Text(_) | Told::Several(_) => None,
    }
}

fn unmet_count(trace: &StatementTrace) -> usize {
    let elements = [trace.principal, trace.action, trace.resource];
    let all = elements.iter().chain(&trace.conditions);
    all.filter(|&&matches| !matches).count()
}

fn unmet(statement: &Statement, trace: &StatementTrace, request: &Request<'_>) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    if !trace.principal {
        unmet.extend(unmet_principal(statement, request));
    }
    if !trace.action {
        unmet.push(unmet_action(statement, request));
    }
    if !trace.resource {
        unmet.push(unmet_resource(&statement.resource, request));
    }
    for (condition, holds) in statement.conditions.iter().zip(&trace.conditions) {
        if !holds {
            unmet.push(unmet_condition(condition, request));
        }
    }
    unmet
}

fn unmet_principal(statement: &Statement, request: &Request<'_>) -> Option<Unmet> {
    let element = statement.principal.as_ref()?;
    let caller = match request.principal() {
        Principal::Anonymous => "an anonymous caller".to_owned(),
        Principal::Aws(name)
        | Principal::Service(name)
        | Principal::Federated(name)
        | Principal::CanonicalUser(name) => format!("`{name}`"),
        _ => "the caller".to_owned(),
    };
    let anonymous = request.principal() == Principal::Anonymous;
    let (name, message, help) = if element.negated {
        (
            "NotPrincipal",
            format!("{caller} is excepted here"),
            "the caller would have to be one that is not listed",
        )
    } else if anonymous {
        (
            "Principal",
            format!("{caller} is not listed here"),
            "the request would have to be signed by one of the callers listed (--principal)",
        )
    } else {
        (
            "Principal",
            format!("{caller} is not listed here"),
            "the caller would have to be one of those listed",
        )
    };
    Some(Unmet {
        element: name.to_owned(),
        message,
        help: help.to_owned(),
        span: element.span,
    })
}

fn unmet_action(statement: &Statement, request: &Request<'_>) -> Unmet {
    let action = &statement.action;
    let patterns = || action.patterns.iter().map(|pattern| &*pattern.value);
    let asked = request.action();
    let (name, message, help) = if action.negated {
        (
            "NotAction",
            format!("`{asked}` is excepted here"),
            format!(
                "the action would have to match none of {}",
                some(patterns())
            ),
        )
    } else {
        (
            "Action",
            format!("does not match `{asked}`"),
            format!("the action would have to match {}", some(patterns())),
        )
    };
    Unmet {
        element: name.to_owned(),
        message,
        help,
        span: action.span,
    }
}

fn unmet_resource(resource: &Resource, request: &Request<'_>) -> Unmet {
    let patterns = || resource.patterns.iter().map(|pattern| pattern.value.raw());
    let asked = request.resource();
    let (name, message, help) = if resource.negated {
        (
            "NotResource",
            format!("`{asked}` is excepted here"),
            format!(
                "the resource would have to match none of {}",
                some(patterns())
            ),
        )
    } else if let Some(pattern) = patterns()
        .take(PATTERNS_TRIED)
        .find(|pattern| matches_but_for_case(pattern, asked))
    {
        (
            "Resource",
            format!("does not match `{asked}`"),
            format!("`{pattern}` would match but for upper and lower case, which count"),
        )
    } else {
        (
            "Resource",
            format!("does not match `{asked}`"),
            format!("the resource would have to match {}", some(patterns())),
        )
    };
    let span = match resource.patterns.as_slice() {
        [only] => only.span,
        _ => resource.span,
    };
    Unmet {
        element: name.to_owned(),
        message,
        help,
        span,
    }
}

/// Asks the reference about a policy made of the pattern alone, all in lower case.
fn matches_but_for_case(pattern: &str, resource: &str) -> bool {
    let document = serde_json::json!({
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": pattern.to_ascii_lowercase()},
    });
    let options = ParseOptions::default().with_kind(Some(PolicyKind::Identity));
    let Ok(policy) = Policy::from_json_with(&document.to_string(), &options) else {
        return false;
    };
    let resource = resource.to_ascii_lowercase();
    let request = Request::invoke(Address::Absent, &resource);
    reference::decide(&[policy], &request) == Decision::Allow
}

fn unmet_condition(condition: &Condition, request: &Request<'_>) -> Unmet {
    let operator = condition.operator.value;
    let key = &*condition.key.value;
    let told = Told::by(request, key);
    let mut span = match &condition.values {
        Values::Prefixes(list) => lone_span(list).unwrap_or(condition.key.span),
        Values::Texts(list) => lone_span(list).unwrap_or(condition.key.span),
    };
    let plain = operator.qualifier.is_none();
    let (message, help) = match (&told, &condition.values) {
        _ if operator.operator.family() == OperatorFamily::Null => match told {
            Told::Nothing => (
                format!("the request has no `{key}`"),
                format!("the request would have to have a `{key}`"),
            ),
            _ => (
                format!("the request has a `{key}`"),
                format!("the request would have to have no `{key}`"),
            ),
        },
        (Told::Nothing, _) => (
            format!("the request has no `{key}`"),
            if key.eq_ignore_ascii_case("aws:SourceIp") {
                "the source address would have to be known (--source-ip)".to_owned()
            } else {
                format!("the request would have to have a `{key}` (--context {key}=VALUE)")
            },
        ),
        (Told::Address(ip), Values::Prefixes(list)) if plain => {
            let prefixes = || list.iter().map(|prefix| prefix.value.to_string());
            match list.iter().find(|prefix| prefix.value.contains(ip)) {
                Some(inside) if operator.operator == Operator::NotIpAddress => {
                    span = inside.span;
                    (
                        format!("`{ip}` is in this block"),
                        format!("`{key}` would have to be outside of `{}`", inside.value),
                    )
                }
                _ => (
                    match list.len() {
                        1 => format!("`{ip}` is not in this block"),
                        many => format!("`{ip}` is in none of these {many} blocks"),
                    },
                    format!(
                        "`{key}` would have to be in {}",
                        some_owned(prefixes(), list.len())
                    ),
                ),
            }
        }
        (told, values) => {
            let wanted = match values {
                Values::Prefixes(list) => some_owned(
                    list.iter().map(|prefix| prefix.value.to_string()),
                    list.len(),
                ),
                Values::Texts(list) => some_owned(
                    list.iter().map(|text| text.value.raw().to_owned()),
                    list.len(),
                ),
            };
            let has = match told {
                Told::Text(text) => format!("`{}`", shortened(text, VALUE_LIMIT)),
                Told::Address(ip) => format!("`{ip}`"),
                Told::Several(count) => format!("{count} values"),
                Told::Nothing => "nothing".to_owned(),
            };
            (
                format!("the request has {has}"),
                format!("`{key}` would have to satisfy `{operator}` with {wanted}"),
            )
        }
    };
    Unmet {
        element: format!("Condition.{operator}.{key}"),
        message,
        help,
        span,
    }
}

fn lone_span<T>(list: &[portcullis::policy::Located<T>]) -> Option<Span> {
    match list {
        [only] => Some(only.span),
        _ => None,
    }
}

/// What a request tells about a key.
enum Told<'a> {
    Nothing,
    Text(&'a str),
    Address(IpAddr),
    Several(usize),
}

impl<'a> Told<'a> {
    fn by(request: &Request<'a>, key: &str) -> Self {
        if key.eq_ignore_ascii_case("aws:SourceIp") {
            match request.source_ip() {
                Address::Known(ip) => return Self::Address(ip.to_canonical()),
                Address::Unreadable(text) => return Self::Text(text),
                Address::Absent => {}
            }
        }
        let entry = request
            .context()
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key));
        match entry.map(|(_, value)| value) {
            None | Some(Value::Text("") | Value::Texts([])) => Self::Nothing,
            Some(Value::Text(text) | Value::Texts([text])) => match Address::read(text) {
                Address::Known(ip) => Self::Address(ip),
                _ => Self::Text(text),
            },
            Some(Value::Texts(list)) => Self::Several(list.len()),
            Some(Value::Address(ip)) => Self::Address(ip.to_canonical()),
            Some(_) => Self::Several(0),
        }
    }
}

fn some<'a>(items: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = items.len();
    some_owned(items.map(str::to_owned), count)
}

/// Returns the first few of `count` items as a list: `` `a`, `b` or one of 7 more ``.
fn some_owned(items: impl Iterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = items
        .take(LISTED)
        .map(|item| format!("`{}`", shortened(&item, VALUE_LIMIT)))
        .collect();
    match (shown.as_slice(), count.saturating_sub(shown.len())) {
        ([first @ .., last], 0) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        (shown, 0) => shown.concat(),
        (shown, more) => format!("{} or one of {more} more", shown.join(", ")),
    }
}

/// Items of a list that are told.
const LISTED: usize = 3;
/// Characters of a value that are told.
const VALUE_LIMIT: usize = 100;
/// Patterns that are tried without regard to case.
const PATTERNS_TRIED: usize = 1_000;
