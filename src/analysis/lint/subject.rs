//! A policy as the rules look at it, with what several of them need made once.

use core::cell::OnceCell;

use crate::analysis::globs::Glob;
use crate::analysis::line::AddressSet;
use crate::decision::Effect;
use crate::policy::{
    Condition, ConditionOperator, Located, Operator, OperatorFamily, Policy, PrincipalEntry, Span,
    Statement, Text, Values, Version,
};
use crate::request::Api;

/// A policy to look at.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    policy: &'a Policy,
    api: Option<&'a Api>,
    /// For each statement and condition, the addresses of its prefixes.
    sets: OnceCell<Vec<Vec<AddressSet>>>,
}

impl<'a> Subject<'a> {
    pub(super) const fn new(policy: &'a Policy, api: Option<&'a Api>) -> Self {
        Self {
            policy,
            api,
            sets: OnceCell::new(),
        }
    }

    pub(super) const fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// Returns the API that short-hand resources belong to, if it is known.
    pub(super) const fn api(&self) -> Option<&'a Api> {
        self.api
    }

    /// Returns the statements with their numbers.
    pub(super) fn statements(&self) -> impl Iterator<Item = (usize, &'a Statement)> + use<'a> {
        self.policy.statements().iter().enumerate()
    }

    pub(super) fn with_effect(
        &self,
        effect: Effect,
    ) -> impl Iterator<Item = (usize, &'a Statement)> + use<'a> {
        self.statements()
            .filter(move |(_, statement)| statement.effect.value == effect)
    }

    /// Returns every condition with its statement's number.
    pub(super) fn conditions(
        &self,
    ) -> impl Iterator<Item = (usize, &'a Statement, &'a Condition)> + use<'a> {
        self.statements()
            .flat_map(|(at, s)| s.conditions.iter().map(move |c| (at, s, c)))
    }

    /// Returns every list of prefixes with its condition.
    pub(super) fn prefix_lists(
        &self,
    ) -> impl Iterator<
        Item = (
            usize,
            &'a Statement,
            &'a Condition,
            &'a [Located<ipnet::IpNet>],
        ),
    > + use<'a> {
        self.conditions().filter_map(|(at, s, c)| match &c.values {
            Values::Prefixes(list) => Some((at, s, c, list.as_slice())),
            Values::Texts(_) => None,
        })
    }

    /// Returns the addresses of a statement's condition; none where it has texts.
    pub(super) fn set(&self, statement: usize, condition: usize) -> Option<&AddressSet> {
        let sets = self.sets.get_or_init(|| {
            let of = |condition: &Condition| match &condition.values {
                Values::Prefixes(list) => AddressSet::of_list(list),
                Values::Texts(_) => AddressSet::default(),
            };
            let statements = self.policy.statements().iter();
            statements
                .map(|s| s.conditions.iter().map(of).collect())
                .collect()
        });
        sets.get(statement)?.get(condition)
    }

    /// Returns what stands between the quotes of a string, without escapes.
    pub(super) fn written(&self, span: Span) -> String {
        let range = usize::try_from(span.start).unwrap_or(usize::MAX)
            ..usize::try_from(span.end).unwrap_or(usize::MAX);
        let quoted = self.policy.document().get(range).unwrap_or_default();
        if quoted.contains('\\')
            && let Ok(text) = serde_json::from_str(quoted)
        {
            return text;
        }
        quoted.trim_matches('"').to_owned()
    }

    /// Returns whether policy variables are variables.
    pub(super) fn has_variables(&self) -> bool {
        self.policy.version() == Some(Version::V2012)
    }
}

/// How a short-hand resource starts.
pub(super) const SHORT_HAND: &str = "execute-api:/";

/// Returns what is behind the API of a resource, `stage/METHOD/path`: of a short-hand, or of an
/// ARN whose API is written without wildcards or as a lone `*`.
pub(super) fn behind_api(raw: &str) -> Option<(usize, &str)> {
    if let Some(rest) = raw.strip_prefix(SHORT_HAND) {
        return Some((SHORT_HAND.len(), rest));
    }
    let mut fields = raw.splitn(6, ':');
    if fields.next() != Some("arn") {
        return None;
    }
    let rest = fields.nth(4)?;
    let (id, behind) = rest.split_once('/')?;
    let plain = !id.is_empty() && !id.contains(['*', '?', ':', '$']);
    (plain || id == "*").then_some((raw.len() - behind.len(), behind))
}

/// Returns whether a key is another, whatever its case.
pub(super) fn is_key(condition: &Condition, key: &str) -> bool {
    condition.key.value.eq_ignore_ascii_case(key)
}

/// Returns whether a condition is on `aws:SourceIp` and compares addresses.
pub(super) fn compares_source_ip(condition: &Condition) -> bool {
    is_key(condition, SOURCE_IP) && condition.operator.value.operator.family() == OperatorFamily::Ip
}

/// Returns whether a condition holds where its key is missing.
pub(super) fn holds_without_key(operator: ConditionOperator) -> bool {
    use crate::policy::Qualifier::{ForAllValues, ForAnyValue};
    if operator.operator == Operator::Null {
        return false;
    }
    match operator.qualifier {
        _ if operator.if_exists => true,
        Some(ForAllValues) => true,
        Some(ForAnyValue) => false,
        None => operator.operator.is_negated(),
    }
}

/// Returns whether a statement cannot match where `key` is missing: another condition asks for it.
pub(super) fn demands_key(statement: &Statement, key: &str) -> bool {
    statement.conditions.iter().any(|condition| {
        let operator = condition.operator.value;
        is_key(condition, key)
            && match operator.operator {
                Operator::Null => operator.qualifier.is_none() && only_value_is(condition, "false"),
                _ => !holds_without_key(operator),
            }
    })
}

/// Returns whether a condition has no value but this one.
pub(super) fn only_value_is(condition: &Condition, wanted: &str) -> bool {
    match &condition.values {
        Values::Texts(list) => list.iter().all(|text| text.value.raw() == wanted),
        Values::Prefixes(_) => false,
    }
}

/// Returns the texts of a condition that compares no addresses.
pub(super) fn texts(condition: &Condition) -> &[Located<Text>] {
    match &condition.values {
        Values::Texts(list) => list,
        Values::Prefixes(_) => &[],
    }
}

/// Returns whether a statement is for everyone, anonymous callers included.
pub(super) fn is_for_everyone(statement: &Statement) -> bool {
    statement.principal.as_ref().is_none_or(|element| {
        !element.negated
            && (element.entries.iter()).any(|entry| entry.value == PrincipalEntry::Everyone)
    })
}

/// Returns whether a statement is about calls of an API.
pub(super) fn is_for_invoke(statement: &Statement) -> bool {
    let listed = (statement.action.patterns.iter())
        .any(|pattern| Glob::without_case(&pattern.value).matches("execute-api:invoke"));
    listed != statement.action.negated
}

/// Returns a text in backticks, cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTE_LIMIT) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or(text)),
        None => format!("`{text}`"),
    }
}

/// Names a statement: by number, and by Sid if it has one.
pub(super) fn named(at: usize, statement: &Statement) -> String {
    match &statement.sid {
        Some(sid) if !sid.value.is_empty() => format!("statement {at} {}", quoted(&sid.value)),
        _ => format!("statement {at}"),
    }
}

/// Returns a number with its noun.
pub(super) fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// The key of the caller's address.
pub(super) const SOURCE_IP: &str = "aws:SourceIp";
/// Characters of a quoted text.
const QUOTE_LIMIT: usize = 100;
