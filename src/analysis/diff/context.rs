//! Conditions → values of their keys that are worth trying, and the context that fits.

use super::example::Example;
use crate::policy::{Condition, Operator, OperatorFamily, PartRef, Qualifier, Text, Values};
use crate::request::{Request, Value};

/// Stands in a resource where the text of the address is to be.
pub(super) const SOURCE_IP_MARK: &str = "\u{1}source-ip\u{1}";

/// Returns what stands in a resource for a variable without default.
pub(super) fn stand_in(key: &str) -> String {
    if key.eq_ignore_ascii_case("aws:SourceIp") {
        SOURCE_IP_MARK.to_owned()
    } else {
        "alice".to_owned()
    }
}

/// A key and the values worth trying; no values are an absent key.
#[derive(Debug)]
pub(super) struct KeyChoice {
    key: String,
    values: Vec<Vec<String>>,
}

/// Adds the keys of the variables of a text.
pub(super) fn add_variables(text: &Text, keys: &mut Vec<String>) {
    for part in text.parts() {
        if let PartRef::Variable { key, .. } = part
            && !keys.iter().any(|known| known.eq_ignore_ascii_case(key))
        {
            keys.push(key.to_owned());
        }
    }
}

/// Returns the values worth trying for each key, the absent key first.
pub(super) fn choices(conditions: &[&Condition], variables: &[String]) -> Vec<KeyChoice> {
    let mut choices: Vec<KeyChoice> = Vec::new();
    let mut add = |key: &str, values: Vec<Vec<String>>| {
        if key.eq_ignore_ascii_case("aws:SourceIp") {
            return;
        }
        let at = match choices
            .iter()
            .position(|known| known.key.eq_ignore_ascii_case(key))
        {
            Some(at) => at,
            None => {
                choices.push(KeyChoice {
                    key: key.to_owned(),
                    values: vec![Vec::new()],
                });
                choices.len() - 1
            }
        };
        if let Some(choice) = choices.get_mut(at) {
            for value in values {
                if choice.values.len() < VALUE_LIMIT && !choice.values.contains(&value) {
                    choice.values.push(value);
                }
            }
        }
    };
    for condition in conditions {
        add(&condition.key.value, values(condition));
    }
    for key in variables {
        add(key, vec![vec![stand_in(key)], vec!["bob".to_owned()]]);
    }
    choices
}

/// Keeps the values with which a condition of the key holds, where it asks nothing else.
pub(super) fn keep(
    keys: &mut [KeyChoice],
    condition: &Condition,
    holds: &dyn Fn(&Request<'_>) -> bool,
) {
    let has_variables = match &condition.values {
        Values::Texts(texts) => texts.iter().any(|text| text.value.has_variables()),
        Values::Prefixes(_) => false,
    };
    let Some(choice) = (keys.iter_mut())
        .find(|choice| choice.key.eq_ignore_ascii_case(&condition.key.value))
        .filter(|_| !has_variables)
    else {
        return;
    };
    let key = choice.key.as_str();
    choice.values.retain(|values| {
        let texts: Vec<&str> = values.iter().map(String::as_str).collect();
        let value = match texts.as_slice() {
            [one] => Value::Text(one),
            several => Value::Texts(several),
        };
        holds(&Request::invoke(None, "").with_context(&[(key, value)]))
    });
}

/// Fills in the context with which the request is one that is asked for; `false` where none is found.
pub(super) fn complete(
    example: &mut Example,
    keys: &[KeyChoice],
    is_in: &dyn Fn(&Request<'_>) -> bool,
    attempts: &mut usize,
) -> bool {
    let mut at = vec![0_usize; keys.len()];
    for _ in 0..CONTEXT_LIMIT {
        let Some(left) = attempts.checked_sub(1) else {
            break;
        };
        *attempts = left;
        example.context = (keys.iter().zip(&at))
            .filter_map(|(choice, at)| {
                let values = choice.values.get(*at).filter(|values| !values.is_empty())?;
                Some((choice.key.clone(), values.clone()))
            })
            .collect();
        if example.with_request(is_in) {
            return true;
        }
        // The next combination.
        let mut is_last = true;
        for (choice, at) in keys.iter().zip(&mut at) {
            *at += 1;
            if *at < choice.values.len() {
                is_last = false;
                break;
            }
            *at = 0;
        }
        if is_last {
            break;
        }
    }
    false
}

/// Returns values with which the condition holds, and with which it does not.
fn values(condition: &Condition) -> Vec<Vec<String>> {
    let operator = condition.operator.value;
    let mut singles: Vec<String> = Vec::new();
    match &condition.values {
        Values::Prefixes(prefixes) => {
            singles.extend(
                prefixes
                    .iter()
                    .take(3)
                    .map(|net| net.value.network().to_string()),
            );
            singles.extend(["192.0.2.1", "2001:db8::1", "unknown"].map(str::to_owned));
        }
        Values::Texts(texts) => {
            for text in texts.iter().take(4) {
                around(operator.operator, &filled(&text.value), &mut singles);
            }
            singles.extend(others(operator.operator.family()));
        }
    }
    let mut values: Vec<Vec<String>> = singles.iter().map(|value| vec![value.clone()]).collect();
    if operator.qualifier.is_some() || matches!(condition.values, Values::Prefixes(_)) {
        for one in singles.iter().take(3) {
            values.extend(
                singles
                    .iter()
                    .take(5)
                    .map(|other| vec![one.clone(), other.clone()]),
            );
        }
    } else if let [first, .., last] = singles.as_slice() {
        values.push(vec![first.clone(), last.clone()]);
    }
    if operator.qualifier == Some(Qualifier::ForAllValues) {
        values.reverse();
    }
    values
}

/// Returns the text with something for each wildcard and variable.
fn filled(text: &Text) -> String {
    let mut filled = String::new();
    for part in text.parts() {
        match part {
            PartRef::Raw(raw) => filled.push_str(&raw.replace(['*', '?'], "x")),
            PartRef::Escaped(character) => filled.push(character),
            PartRef::Variable { key, default } => {
                filled.push_str(&default.map_or_else(|| stand_in(key), str::to_owned));
            }
        }
    }
    filled
}

/// Adds a value and what lies beside it.
fn around(operator: Operator, value: &str, values: &mut Vec<String>) {
    match operator.family() {
        OperatorFamily::Numeric => {
            values.push(value.to_owned());
            if let Ok(number) = value.parse::<i64>() {
                values.extend(
                    [number.saturating_sub(1), number.saturating_add(1)].map(|n| n.to_string()),
                );
            }
        }
        OperatorFamily::Null => values.push("x".to_owned()),
        _ => values.push(value.to_owned()),
    }
}

/// Returns values that conditions of the family mostly do not name.
fn others(family: OperatorFamily) -> Vec<String> {
    let others: &[&str] = match family {
        OperatorFamily::Numeric => &["0", "1000000", "-1000000", "x"],
        OperatorFamily::Date => &[
            "1970-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "x",
        ],
        OperatorFamily::Bool => &["true", "false", "x"],
        OperatorFamily::Binary => &["AAAA", "x"],
        OperatorFamily::Arn => &["arn:aws:iam::123456789012:role/other", "x"],
        OperatorFamily::String | OperatorFamily::Ip | OperatorFamily::Null => &["other", "x"],
    };
    others.iter().map(|&text| text.to_owned()).collect()
}

const VALUE_LIMIT: usize = 24;
const CONTEXT_LIMIT: usize = 100;
