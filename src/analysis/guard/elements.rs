//! The elements of a statement, each in one form, so that elements that mean the same are equal.

use crate::analysis::globs::Glob;
use crate::analysis::line::AddressSet;
use crate::decision::Effect;
use crate::policy::{
    Action, Condition, ConditionOperator, Operator, OperatorFamily, PartRef, PrincipalElement,
    PrincipalEntry, Text, Values,
};

/// Callers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::analysis) struct Who {
    pub(in crate::analysis) kind: WhoKind,
    /// Each once; in one order.
    pub(in crate::analysis) entries: Vec<PrincipalEntry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::analysis) enum WhoKind {
    Everyone,
    Nobody,
    Listed,
    NotListed,
    NotExempt,
}

/// Actions, patterns in ASCII lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::analysis) struct Actions {
    pub(in crate::analysis) negated: bool,
    /// Sorted, each once.
    pub(in crate::analysis) patterns: Vec<Glob>,
}

/// A resource pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::analysis) struct Pattern {
    /// With a `*` for each variable: what it may match at most.
    pub(in crate::analysis) glob: Glob,
    /// The text, where it has variables: what tells it from others with the same `glob`.
    pub(in crate::analysis) variable: Option<Text>,
}

/// A condition, in one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::analysis) struct ConditionKey {
    pub(in crate::analysis) operator: ConditionOperator,
    pub(in crate::analysis) key: Box<str>,
    pub(in crate::analysis) values: ConditionValues,
    /// The effect, where an unreadable address makes it count.
    effect: Option<Effect>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::analysis) enum ConditionValues {
    Prefixes(AddressSet),
    /// Sorted, each once, and whether it has parts that are not plain.
    Texts(Vec<(Box<str>, bool)>),
}

impl Who {
    /// Brings an element to its form; no element is for everyone.
    pub(super) fn of(element: Option<&PrincipalElement>, effect: Effect) -> Self {
        let Some(element) = element else {
            return Self {
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
        Self { kind, entries }
    }

    pub(super) fn is_in(&self, other: &Self) -> bool {
        self.entries
            .iter()
            .all(|entry| other.entries.contains(entry))
    }
}

impl Actions {
    pub(super) fn of(written: &Action) -> Self {
        let mut patterns: Vec<Glob> = (written.patterns.iter())
            .map(|pattern| Glob::without_case(&pattern.value))
            .collect();
        patterns.sort_unstable();
        patterns.dedup();
        Self {
            negated: written.negated,
            patterns,
        }
    }

    /// Returns whether the element matches an action.
    pub(in crate::analysis) fn matches(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.patterns.iter().any(|glob| glob.matches(&action)) != self.negated
    }
}

impl Pattern {
    pub(super) fn of(text: &Text) -> Self {
        Self {
            glob: Glob::with_any_values(text),
            variable: text.has_variables().then(|| text.clone()),
        }
    }

    pub(super) fn is_any(&self) -> bool {
        self.variable.is_none() && self.glob.is_any()
    }
}

impl ConditionKey {
    pub(super) fn of(condition: &Condition, effect: Effect) -> Self {
        let mut operator = condition.operator.value;
        operator.operator = match operator.operator {
            Operator::ArnLike => Operator::ArnEquals,
            Operator::ArnNotLike => Operator::ArnNotEquals,
            other => other,
        };
        let values = match &condition.values {
            Values::Prefixes(prefixes) => ConditionValues::Prefixes(AddressSet::of_list(prefixes)),
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
        Self {
            operator,
            key: condition.key.value.to_ascii_lowercase().into(),
            effect: (operator.operator.family() == OperatorFamily::Ip).then_some(effect),
            values,
        }
    }
}
