//! Conditions: whether one key under one operator holds.
//!
//! Every operator is built on a match of one request value `r` against one policy value
//! `p`. A positive operator holds for `r` when some `p` matches it (OR), its negated form
//! when none does (NOR). What the key holds, and the qualifier, then say which `r` must
//! satisfy it.

use core::net::IpAddr;

use ipnet::IpNet;

use super::context::{self, AddressState, TextState};
use super::value;
use super::wildcard::{self, Case, Symbol};
use crate::decision::Effect;
use crate::policy::{Condition, ConditionOperator, Located, Operator, Qualifier, Text, Values};
use crate::request::Request;

/// Conditions: returns whether one holds in a statement with `effect`.
pub(super) fn holds(condition: &Condition, effect: Effect, request: &Request<'_>) -> bool {
    let operator = condition.operator.value;
    let key = &*condition.key.value;
    match &condition.values {
        Values::Prefixes(prefixes) => {
            address_holds(operator, prefixes, effect, context::addresses(request, key))
        }
        Values::Texts(values) if operator.operator == Operator::Null => {
            null_holds(operator, values, context::texts(request, key))
        }
        Values::Texts(values) => {
            let state = match context::texts(request, key) {
                TextState::Absent => State::Absent,
                TextState::One(value) => State::One(value),
                TextState::Several(values) => State::Several(values),
            };
            combine(operator, &state, |r| {
                (values.iter()).any(|p| value_matches(operator.operator, &p.value, r, request))
            })
        }
    }
}

/// IP matching: an IPv4 address is never in an IPv6 prefix, nor the reverse.
pub(super) fn prefix_contains(prefix: IpNet, address: IpAddr) -> bool {
    let same_bits = match (prefix.addr(), address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits() ^ address.to_bits()).leading_zeros()
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            (network.to_bits() ^ address.to_bits()).leading_zeros()
        }
        _ => return false,
    };
    same_bits >= u32::from(prefix.prefix_len())
}

/// What a key holds, whatever its type.
enum State<T> {
    Absent,
    One(T),
    Several(Vec<T>),
}

/// Missing key, set operators and several values: `matched` says whether some policy value
/// matches a request value.
fn combine<T>(operator: ConditionOperator, state: &State<T>, matched: impl Fn(&T) -> bool) -> bool {
    let negated = is_negated(operator.operator);
    let satisfied = |r: &T| if negated { !matched(r) } else { matched(r) };
    match (state, operator.qualifier) {
        (State::Absent, _) if operator.if_exists => true,
        (State::Absent, Some(Qualifier::ForAllValues)) => true,
        (State::Absent, Some(Qualifier::ForAnyValue)) => false,
        (State::Absent, None) => negated,
        (State::One(r), _) => satisfied(r),
        (State::Several(list), Some(Qualifier::ForAllValues)) => list.iter().all(satisfied),
        (State::Several(list), Some(Qualifier::ForAnyValue)) => list.iter().any(satisfied),
        // The plain operator does not apply to several values, and answers as for none.
        (State::Several(_), None) => negated,
    }
}

/// Operators: those that hold when no value matches.
fn is_negated(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::StringNotEquals
            | Operator::StringNotEqualsIgnoreCase
            | Operator::StringNotLike
            | Operator::NumericNotEquals
            | Operator::DateNotEquals
            | Operator::NotIpAddress
            | Operator::ArnNotEquals
            | Operator::ArnNotLike
    )
}

/// Operators: returns whether the policy value `p` matches the request value `r`.
///
/// Negated operators match as their positive forms do; [`combine`] turns the answer. A
/// policy value with a variable that has no value matches nothing, and neither does a
/// request value that is not of the operator's type.
fn value_matches(operator: Operator, p: &Text, r: &str, request: &Request<'_>) -> bool {
    match operator {
        Operator::StringEquals | Operator::StringNotEquals => {
            context::substituted(p, request).is_some_and(|p| p == r)
        }
        Operator::StringEqualsIgnoreCase | Operator::StringNotEqualsIgnoreCase => {
            context::substituted(p, request).is_some_and(|p| equal_ignoring_case(&p, r))
        }
        Operator::StringLike | Operator::StringNotLike => {
            context::pattern(p, request).is_some_and(|p| wildcard::matches(&p, r, Case::Counts))
        }
        Operator::ArnEquals | Operator::ArnLike | Operator::ArnNotEquals | Operator::ArnNotLike => {
            context::pattern(p, request).is_some_and(|p| arn_matches(&p, r))
        }
        Operator::Bool => context::substituted(p, request).is_some_and(|p| bool_matches(&p, r)),
        Operator::BinaryEquals => match (value::base64(p.raw()), value::base64(r)) {
            (Some(p), Some(r)) => p == r,
            _ => false,
        },
        Operator::NumericEquals
        | Operator::NumericNotEquals
        | Operator::NumericLessThan
        | Operator::NumericLessThanEquals
        | Operator::NumericGreaterThan
        | Operator::NumericGreaterThanEquals => match (value::number(p.raw()), value::number(r)) {
            (Some(p), Some(r)) => compares(operator, &r, &p),
            _ => false,
        },
        Operator::DateEquals
        | Operator::DateNotEquals
        | Operator::DateLessThan
        | Operator::DateLessThanEquals
        | Operator::DateGreaterThan
        | Operator::DateGreaterThanEquals => match (value::date(p.raw()), value::date(r)) {
            (Some(p), Some(r)) => compares(operator, &r, &p),
            _ => false,
        },
        // These do not compare text; `holds` has answered for them.
        Operator::IpAddress | Operator::NotIpAddress | Operator::Null => false,
    }
}

/// Numeric and date operators: the request's value stands on the left.
fn compares<T: Ord>(operator: Operator, r: &T, p: &T) -> bool {
    match operator {
        Operator::NumericLessThan | Operator::DateLessThan => r < p,
        Operator::NumericLessThanEquals | Operator::DateLessThanEquals => r <= p,
        Operator::NumericGreaterThan | Operator::DateGreaterThan => r > p,
        Operator::NumericGreaterThanEquals | Operator::DateGreaterThanEquals => r >= p,
        _ => r == p,
    }
}

/// `StringEqualsIgnoreCase`: equal once every character is in lower case, one by one.
fn equal_ignoring_case(left: &str, right: &str) -> bool {
    let lower = |text: &str| -> String { text.chars().flat_map(char::to_lowercase).collect() };
    lower(left) == lower(right)
}

/// `Bool`: exactly `true` or `false` on both sides.
fn bool_matches(p: &str, r: &str) -> bool {
    matches!((p, r), ("true", "true") | ("false", "false"))
}

/// ARN operators: six components compared one by one; the sixth has all that is left.
///
/// An ARN or a pattern with fewer components matches nothing.
fn arn_matches(pattern: &[Symbol], arn: &str) -> bool {
    let patterns: Vec<&[Symbol]> = pattern
        .splitn(6, |symbol| *symbol == Symbol::Char(':'))
        .collect();
    let components: Vec<&str> = arn.splitn(6, ':').collect();
    patterns.len() == 6
        && components.len() == 6
        && (patterns.iter().zip(&components))
            .all(|(pattern, component)| wildcard::matches(pattern, component, Case::Counts))
}

/// `Null`: `true` asks for a missing key and `false` for one that is there.
///
/// With `ForAllValues` it always holds, with `ForAnyValue` never.
fn null_holds(operator: ConditionOperator, values: &[Located<Text>], state: TextState) -> bool {
    let wanted = match state {
        TextState::Absent => "true",
        TextState::One(_) | TextState::Several(_) => "false",
    };
    match operator.qualifier {
        Some(Qualifier::ForAllValues) => true,
        Some(Qualifier::ForAnyValue) => false,
        None => values.iter().any(|value| value.value.raw() == wanted),
    }
}

/// IP operators: an address that cannot be read satisfies every condition of a Deny and none
/// of an Allow.
fn address_holds(
    operator: ConditionOperator,
    prefixes: &[Located<IpNet>],
    effect: Effect,
    state: AddressState,
) -> bool {
    let state = match state {
        AddressState::Unreadable => return effect == Effect::Deny,
        AddressState::Absent => State::Absent,
        AddressState::Known(address) => State::One(address),
        AddressState::Several(addresses) => State::Several(addresses),
    };
    combine(operator, &state, |address| {
        (prefixes.iter()).any(|prefix| prefix_contains(prefix.value, *address))
    })
}
