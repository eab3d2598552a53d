//! Statements that differ in one list of alternatives → one statement.

use crate::analysis::line::same_values;
use crate::policy::{Condition, Qualifier, Statement, Values};

/// Merges until no two can be.
pub(super) fn statements(statements: &mut Vec<Statement>) {
    if statements.len() > STATEMENT_LIMIT {
        return;
    }
    let mut at = 0;
    while at < statements.len() {
        let mut changed = false;
        let mut other = at + 1;
        while other < statements.len() {
            let merged = (statements.get(at).zip(statements.get(other)))
                .and_then(|(one, other)| merged(one, other));
            match merged {
                Some(merged) => {
                    if let Some(slot) = statements.get_mut(at) {
                        *slot = merged;
                    }
                    statements.remove(other);
                    changed = true;
                }
                None => other += 1,
            }
        }
        // What it has become may go with one that was passed over, or with one before it.
        at = if changed { 0 } else { at + 1 };
    }
}

/// Returns one statement that matches what either matches, where there is one.
fn merged(one: &Statement, other: &Statement) -> Option<Statement> {
    if one.effect != other.effect {
        return None;
    }
    let same_principal = one.principal == other.principal;
    let same_action = one.action == other.action;
    let same_resource = one.resource == other.resource;
    let different = different_conditions(&one.conditions, &other.conditions)?;
    let differences = [
        !same_principal,
        !same_action,
        !same_resource,
        !different.is_empty(),
    ];
    if differences.iter().filter(|differs| **differs).count() > 1 {
        return None;
    }
    let mut merged = one.clone();
    // Of two names the first stays.
    merged.sid = one.sid.clone().or_else(|| other.sid.clone());
    if !same_resource {
        if one.resource.negated || other.resource.negated {
            return None;
        }
        merged
            .resource
            .patterns
            .extend(other.resource.patterns.iter().cloned());
    }
    if !same_action {
        if one.action.negated || other.action.negated {
            return None;
        }
        merged
            .action
            .patterns
            .extend(other.action.patterns.iter().cloned());
    }
    if !same_principal {
        let element = merged
            .principal
            .as_mut()
            .filter(|element| !element.negated)?;
        let more = other
            .principal
            .as_ref()
            .filter(|element| !element.negated)?;
        element.entries.extend(more.entries.iter().cloned());
    }
    match different.as_slice() {
        [] => {}
        [(index, more)] => {
            let condition = merged.conditions.get_mut(*index)?;
            if !is_alternatives(condition) {
                return None;
            }
            match (&mut condition.values, more) {
                (Values::Prefixes(list), Values::Prefixes(more)) => list.extend(more),
                (Values::Texts(list), Values::Texts(more)) => list.extend(more.iter().cloned()),
                _ => return None,
            }
        }
        _ => return None,
    }
    Some(merged)
}

/// Returns whether a condition with two lists of values joined says the same as either or the other.
///
/// Of a negated operator no value may match, and of `ForAllValues` each value of the request may match
/// another: neither is an "or" of two conditions.
pub(super) fn is_alternatives(condition: &Condition) -> bool {
    let operator = condition.operator.value;
    !operator.operator.is_negated() && operator.qualifier != Some(Qualifier::ForAllValues)
}

/// Returns, for each condition of `one` that has other values in `other`, its index and those; `None`
/// where the operators and keys are not the same.
fn different_conditions(one: &[Condition], other: &[Condition]) -> Option<Vec<(usize, Values)>> {
    if one.len() != other.len() {
        return None;
    }
    let mut different = Vec::new();
    for (index, condition) in one.iter().enumerate() {
        let twin = other.iter().find(|twin| {
            twin.operator == condition.operator
                && twin.key.value.eq_ignore_ascii_case(&condition.key.value)
        })?;
        if !same_values(&condition.values, &twin.values) {
            different.push((index, twin.values.clone()));
        }
    }
    Some(different)
}

/// Above this many statements, which no limit of a policy lets through anyway, none are merged.
const STATEMENT_LIMIT: usize = 3_000;
