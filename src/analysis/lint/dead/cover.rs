//! Whether one statement holds all that another holds, element by element.
//!
//! Sound: a yes is a proof. A no may be wrong, where elements hang together or where more than
//! containment of lists would have to be understood; then the statement is not told as dead.

use std::collections::HashSet;

use super::case::{Case, Pattern};
use crate::analysis::globs::Glob;
use crate::analysis::search::is_within;
use crate::policy::{Condition, Operator, PrincipalElement, PrincipalEntry, Text, Values};

/// Returns whether `other` matches every call that the part of `case` matches, as far as callers,
/// actions, resources and conditions go; the states of `key` are for the caller to compare.
pub(super) fn covers_but(
    other: &Case<'_>,
    case: &Case<'_>,
    part: usize,
    key: &str,
    budget: &mut usize,
) -> bool {
    *budget = budget.saturating_sub(COST * (1 + other.resources.len()));
    covers_callers(
        other.statement.principal.as_ref(),
        case.statement.principal.as_ref(),
    ) && covers_actions(other, case)
        && covers_resources(other, case, part)
        && covers_states(other, case, key)
        && (other.others.iter()).all(|wanted| case.others.iter().any(|have| implies(have, wanted)))
}

fn covers_callers(other: Option<&PrincipalElement>, own: Option<&PrincipalElement>) -> bool {
    let (Some(other), Some(own)) = (other, own) else {
        return other.is_none();
    };
    if other.negated {
        // NOTE: the exceptions of a Deny are not those of an Allow, so no lists are compared.
        return false;
    }
    let everyone = |entry: &PrincipalEntry| *entry == PrincipalEntry::Everyone;
    if other.entries.iter().any(|entry| everyone(&entry.value)) {
        return true;
    }
    !own.negated
        && own.entries.iter().all(|entry| {
            (other.entries.iter()).any(|cover| covers_caller(&cover.value, &entry.value))
        })
}

fn covers_caller(cover: &PrincipalEntry, entry: &PrincipalEntry) -> bool {
    use PrincipalEntry::{Account, Arn, CanonicalUser, Federated, Service};
    if cover == entry {
        return true;
    }
    match (cover, entry) {
        (
            Account {
                partition: None,
                account,
            },
            Account { account: own, .. },
        ) => account == own,
        (Account { partition, account }, Arn(arn)) => {
            let mut fields = arn.split(':').skip(1);
            let (own, of) = (fields.next(), fields.nth(2));
            of == Some(&**account) && partition.as_deref().is_none_or(|p| own == Some(p))
        }
        (Service(any), Service(_))
        | (Federated(any), Federated(_))
        | (CanonicalUser(any), CanonicalUser(_)) => &**any == "*",
        _ => false,
    }
}

fn covers_actions(other: &Case<'_>, case: &Case<'_>) -> bool {
    let (cover, own) = (&other.statement.action, &case.statement.action);
    match (cover.negated, own.negated) {
        (false, false) => {
            let covers: Vec<&Glob> = other.actions.iter().collect();
            (case.actions.iter())
                .all(|action| is_within(action, &covers, GLOB_BUDGET) == Some(true))
        }
        (false, true) => other.actions.iter().any(Glob::is_any),
        (true, false) => {
            (case.actions.iter()).all(|action| other.actions.iter().all(|o| o.is_disjoint(action)))
        }
        (true, true) => {
            let covers: Vec<&Glob> = case.actions.iter().collect();
            (other.actions.iter())
                .all(|action| is_within(action, &covers, GLOB_BUDGET) == Some(true))
        }
    }
}

fn covers_resources(other: &Case<'_>, case: &Case<'_>, part: usize) -> bool {
    // What short-hand stands for may have any length, and may be one of the others.
    if other.mixed && (other.statement.resource.negated || has_one(&other.resources)) {
        return false;
    }
    match (
        other.statement.resource.negated,
        case.statement.resource.negated,
    ) {
        (false, false) => {
            let Some(own) = case.resources.get(part) else {
                return false;
            };
            are_covered(&[own], &other.resources)
        }
        (false, true) => {
            (other.resources.iter()).any(|p| p.glob.is_any() && !p.text.has_variables())
        }
        (true, false) => {
            let Some(own) = case.resources.get(part) else {
                return false;
            };
            other
                .resources
                .iter()
                .all(|p| p.glob.is_disjoint(&own.glob))
        }
        // An exception without a value excepts nothing, so variables are left alone.
        (true, true) => {
            let excepted: Vec<&Pattern> = other.resources.iter().collect();
            are_covered(&excepted, &case.resources)
        }
    }
}

/// Returns whether every text of `own` is matched by `covers`. A variable has one value for both, so
/// texts with the same variables compare as written; besides, what is plain may cover what is not.
fn are_covered(own: &[&Pattern], covers: &[Pattern]) -> bool {
    let plain: Vec<&Glob> = covers
        .iter()
        .filter(|cover| !cover.text.has_variables())
        .map(|cover| &cover.glob)
        .collect();
    own.iter().all(|pattern| {
        let same =
            |cover: &Pattern| cover.text == pattern.text && cover.short_hand == pattern.short_hand;
        covers.iter().any(same) || is_within(&pattern.glob, &plain, GLOB_BUDGET) == Some(true)
    })
}

fn has_one(patterns: &[Pattern]) -> bool {
    patterns
        .iter()
        .any(|pattern| pattern.text.raw().contains('?'))
}

fn covers_states(other: &Case<'_>, case: &Case<'_>, key: &str) -> bool {
    other.keys().filter(|known| *known != key).all(|known| {
        (other.restricted(known)).is_none_or(|states| case.states(known).is_within(states))
    })
}

/// Returns whether `wanted` holds wherever `have` does: same key and operator, and a list that
/// makes it weaker.
fn implies(have: &Condition, wanted: &Condition) -> bool {
    let (own, other) = (have.operator.value, wanted.operator.value);
    if !have.key.value.eq_ignore_ascii_case(&wanted.key.value)
        || own.operator != other.operator
        || own.qualifier != other.qualifier
        || (own.if_exists && !other.if_exists)
    {
        return false;
    }
    let (fewer, more) = if own.operator.is_negated() {
        (&wanted.values, &have.values)
    } else {
        (&have.values, &wanted.values)
    };
    match (fewer, more) {
        (Values::Texts(fewer), Values::Texts(more)) => {
            let known: HashSet<&Text> = more.iter().map(|text| &text.value).collect();
            let has_wildcards =
                matches!(own.operator, Operator::StringLike | Operator::StringNotLike)
                    && fewer.len().saturating_mul(more.len()) <= PAIRS;
            let globs: Vec<Glob> = (more.iter())
                .filter(|text| has_wildcards && !text.value.has_variables())
                .map(|text| Glob::with_any_values(&text.value))
                .collect();
            let globs: Vec<&Glob> = globs.iter().collect();
            fewer.iter().all(|text| {
                known.contains(&text.value)
                    || (has_wildcards
                        && !text.value.has_variables()
                        && is_within(&Glob::with_any_values(&text.value), &globs, GLOB_BUDGET)
                            == Some(true))
            })
        }
        _ => have.values == wanted.values,
    }
}

/// What comparing two patterns costs, in looks at a statement.
const COST: usize = 16;
/// Values of two conditions that are compared as patterns, each with each.
const PAIRS: usize = 10_000;
/// Steps of deciding whether one pattern is within others.
const GLOB_BUDGET: usize = 20_000;
