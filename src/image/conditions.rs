//! Prefix lists and conditions → tables, with long lists of exact values found by hash.

use super::keys::value_hash;
use super::tables::{Condition, List};
use super::writer::{Writer, append, index};
use crate::ir::{self, BuildError, ConditionValues, RuleSet, TextPart};
use crate::pattern::{ANY, ONE};
use crate::policy::{Operator, Qualifier};
use crate::prefix::PrefixSet;
use crate::util::hash::HashTable;
use crate::util::ids::ListId;

/// From this many exact values on they are found by hash.
const INDEX_FROM: usize = 8;

/// Writes all lists.
pub(super) fn write_lists(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<(), BuildError> {
    let image = &mut writer.image;
    let count = |of: fn(&PrefixSet) -> usize| rules.lists.iter().map(of).sum();
    image.ranges_v4.reserve_exact(count(|set| set.v4().len()));
    image.ranges_v6.reserve_exact(count(|set| set.v6().len()));
    for set in &rules.lists {
        let v4 = set.v4().iter().map(|&range| range.into());
        let v6 = set.v6().iter().map(|&range| range.into());
        let v4 = append(&mut writer.image.ranges_v4, v4, "prefixes")?;
        let v6 = append(&mut writer.image.ranges_v6, v6, "prefixes")?;
        writer.image.lists.push(List { v4, v6 });
    }
    Ok(())
}

/// Writes all conditions.
pub(super) fn write(writer: &mut Writer, rules: &RuleSet<'_>) -> Result<(), BuildError> {
    let mut entries = Vec::new();
    for condition in &rules.conditions {
        let number = index(writer.image.conditions.len(), "conditions")?;
        let operator = Operator::ALL
            .iter()
            .position(|&o| o == condition.operator)
            .unwrap_or_default();
        let mut values = Vec::new();
        let mut indexed = 0;
        let mut list = ListId::default();
        match &condition.values {
            ConditionValues::List(id) => list = *id,
            ConditionValues::Texts(texts) => {
                // Values are alternatives, so their order is free: the exact ones first.
                let (exact, other): (Vec<_>, Vec<_>) = texts
                    .iter()
                    .map(|parts| (exact_value(condition, parts), parts))
                    .partition(|(exact, _)| exact.is_some());
                for (_, parts) in exact.iter().chain(&other) {
                    values.push(writer.parts(parts)?);
                }
                if exact.len() >= INDEX_FROM {
                    indexed = index(exact.len(), "condition values")?;
                    let mut at = index(writer.image.values.len(), "condition values")?;
                    for (value, _) in exact {
                        let hash = value_hash(number, value.unwrap_or_default());
                        entries.push((hash, at));
                        at = at
                            .checked_add(1)
                            .ok_or(BuildError::too_large("condition values"))?;
                    }
                }
            }
        }
        let record = Condition {
            operator: index(operator, "operators")?,
            qualifier: match condition.qualifier {
                None => 0,
                Some(Qualifier::ForAllValues) => 1,
                Some(Qualifier::ForAnyValue) => 2,
            },
            if_exists: u32::from(condition.if_exists),
            key: writer.text(condition.key.as_bytes())?,
            values: append(&mut writer.image.values, values, "condition values")?,
            indexed,
            list,
        };
        writer.image.conditions.push(record);
    }
    writer.image.value_table =
        HashTable::new(&entries).ok_or(BuildError::too_large("condition values"))?;
    Ok(())
}

/// Returns the only text that a value matches, where there is only one and the operator
/// compares it byte for byte.
fn exact_value<'r>(condition: &ir::Condition, parts: &'r [TextPart]) -> Option<&'r [u8]> {
    let [TextPart::Literal(value)] = parts else {
        return None;
    };
    let exact = match condition.operator {
        Operator::StringEquals | Operator::StringNotEquals => true,
        Operator::StringLike | Operator::StringNotLike => is_literal(value),
        // Six literal fields equal, each for itself, are the whole equal.
        Operator::ArnEquals | Operator::ArnLike | Operator::ArnNotEquals | Operator::ArnNotLike => {
            is_literal(value) && value.splitn(6, |&b| b == b':').count() == 6
        }
        _ => false,
    };
    exact.then_some(value)
}

fn is_literal(value: &[u8]) -> bool {
    !value.iter().any(|byte| matches!(*byte, ANY | ONE))
}

/// Returns the values of which the key must have exactly one for the condition to hold, where
/// there are such and few.
pub(super) fn required_values(condition: &ir::Condition) -> Option<Vec<&[u8]>> {
    /// More values than this are not worth an entry each.
    const FEW: usize = 16;
    let ConditionValues::Texts(texts) = &condition.values else {
        return None;
    };
    let plain = condition.qualifier.is_none() && !condition.if_exists;
    if !plain || condition.operator.is_negated() || texts.len() > FEW {
        return None;
    }
    texts
        .iter()
        .map(|parts| exact_value(condition, parts))
        .collect()
}
