//! Policies → rules: every part interned, no decision changed.

use core::hash::Hash;

use ipnet::IpNet;
use smallvec::SmallVec;

use super::error::{BuildError, BuildErrorKind};
use super::rule::{
    ActionSet, Condition, ConditionValues, Note, PatternSource, Principals, Rule, RuleSet,
    TextPart, TextParts,
};
use crate::decision::Effect;
use crate::pattern::{ANY, ONE, glob, program};
use crate::policy::{
    self, Action, Located, OperatorFamily, PartRef, Policy, Positions, PrincipalElement,
    PrincipalEntry, Statement, Text, Values,
};
use crate::prefix::PrefixSet;
use crate::util::ids::{Id, ListId, PatternId};
use crate::util::int::{AsUsize, to_u32};
use crate::util::keyed::{Map, Numbers};
use crate::util::limits::VARIABLE_LIMIT;

/// Lowers `policies`, whose short-hand is expanded.
pub(crate) fn lower(
    policies: &[Policy],
    statement_limit: usize,
) -> Result<RuleSet<'_>, BuildError> {
    let statements: usize = policies
        .iter()
        .map(|policy| policy.statements().len())
        .sum();
    if statements > statement_limit {
        let limit = u64::try_from(statement_limit).unwrap_or(u64::MAX);
        return Err(BuildError::limit("statements", "statement_limit", limit));
    }
    let mut lowering = Lowering {
        rules: Vec::with_capacity(statements),
        ..Lowering::default()
    };
    for (policy_index, policy) in policies.iter().enumerate() {
        let mut place = Place {
            policy,
            positions: policy.positions(),
            policy_index,
            index: 0,
        };
        for (index, statement) in policy.statements().iter().enumerate() {
            place.index = index;
            let rule = lowering.rule(&mut place, statement)?;
            lowering.rules.push(rule);
        }
    }
    Ok(RuleSet {
        rules: lowering.rules,
        lists: lowering.lists.items,
        patterns: lowering.patterns.items,
        actions: lowering.actions.items,
        principals: lowering.principals.items,
        conditions: lowering.conditions.items,
    })
}

/// The statement at hand.
struct Place<'p> {
    policy: &'p Policy,
    positions: Positions<'p>,
    policy_index: usize,
    index: usize,
}

/// Values by content, in the order they first came.
#[derive(Debug)]
struct Interner<T> {
    items: Vec<T>,
    numbers: Numbers,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            numbers: Numbers::default(),
        }
    }
}

impl<T: Eq + Hash> Interner<T> {
    fn intern(&mut self, value: T, what: &'static str) -> Result<u32, BuildError> {
        let next = to_u32(self.items.len())
            .filter(|&id| id != u32::MAX)
            .ok_or(BuildError::too_large(what))?;
        let is_it = |id: u32| self.items.get(id.as_usize()) == Some(&value);
        let id = self.numbers.of(&value, next, is_it);
        if id == next {
            self.items.push(value);
        }
        Ok(id)
    }
}

#[derive(Default)]
struct Lowering<'p> {
    rules: Vec<Rule<'p>>,
    lists: Interner<PrefixSet>,
    patterns: Interner<PatternSource<'p>>,
    actions: Interner<ActionSet>,
    principals: Interner<Principals>,
    conditions: Interner<Condition>,
    /// The numbers of elements by how they are written, which are fewer than the statements.
    known_actions: Map<Element<'p, Box<str>>, u32>,
    known_principals: Map<(Effect, Option<Element<'p, PrincipalEntry>>), u32>,
}

/// Whether an element is negated, and its values as they are written.
type Element<'p, T> = (bool, &'p [Located<T>]);

impl<'p> Lowering<'p> {
    fn rule(
        &mut self,
        place: &mut Place<'p>,
        statement: &'p Statement,
    ) -> Result<Rule<'p>, BuildError> {
        let position = place.positions.of(statement.span);
        let mut patterns = SmallVec::with_capacity(statement.resource.patterns.len());
        for text in &statement.resource.patterns {
            let id = self.pattern(place, text)?;
            patterns.push((id, place.positions.of(text.span)));
        }
        let mut conditions = SmallVec::with_capacity(statement.conditions.len());
        let mut notes = SmallVec::new();
        for condition in &statement.conditions {
            let id = self.condition(place, condition)?;
            conditions.push(id);
            if let Values::Prefixes(prefixes) = &condition.values
                && !condition.operator.value.operator.is_negated()
                && condition.operator.value.qualifier.is_none()
            {
                let key = &*condition.key.value;
                notes.push(Note {
                    policy: place.policy,
                    condition: id,
                    key,
                    prefixes,
                });
            }
        }
        Ok(Rule {
            policy: to_u32(place.policy_index).ok_or(BuildError::too_large("policies"))?,
            statement: to_u32(place.index).ok_or(BuildError::too_large("statements"))?,
            sid: statement.sid.as_ref().map(|sid| &*sid.value),
            effect: statement.effect.value,
            position,
            action: self.action(&statement.action)?,
            principal: self.principals(statement)?,
            not_resource: statement.resource.negated,
            patterns,
            conditions,
            notes,
        })
    }

    fn action(&mut self, element: &'p Action) -> Result<u32, BuildError> {
        let key = (element.negated, &*element.patterns);
        if let Some(&known) = self.known_actions.get(&key) {
            return Ok(known);
        }
        let programs = element.patterns.iter().map(|p| program(&p.value).into());
        let action = ActionSet {
            negated: element.negated,
            programs: programs.collect(),
        };
        let id = self.actions.intern(action, "actions")?;
        self.known_actions.insert(key, id);
        Ok(id)
    }

    fn principals(&mut self, statement: &'p Statement) -> Result<u32, BuildError> {
        let (effect, element) = (statement.effect.value, statement.principal.as_ref());
        let key = (effect, element.map(|e| (e.negated, &*e.entries)));
        if let Some(&known) = self.known_principals.get(&key) {
            return Ok(known);
        }
        let principals = principals(element, effect);
        let id = self.principals.intern(principals, "principals")?;
        self.known_principals.insert(key, id);
        Ok(id)
    }

    fn pattern(
        &mut self,
        place: &Place<'_>,
        text: &'p Located<Text>,
    ) -> Result<PatternId, BuildError> {
        let raw = text.value.raw();
        if raw.starts_with("execute-api:/") {
            let (policy, statement, resource) = (place.policy_index, place.index, raw.to_owned());
            return Err(BuildError {
                kind: BuildErrorKind::ShortHand {
                    policy,
                    statement,
                    resource,
                },
            });
        }
        let parts = text_parts(place, &text.value, true)?;
        let source = PatternSource {
            raw,
            joined: joined(&parts),
            parts,
            has_variables: text.value.has_variables(),
        };
        self.patterns
            .intern(source, "patterns")
            .map(PatternId::from_u32)
    }

    fn condition(
        &mut self,
        place: &Place<'_>,
        condition: &policy::Condition,
    ) -> Result<u32, BuildError> {
        let operator = condition.operator.value;
        let values = match &condition.values {
            Values::Prefixes(prefixes) => ConditionValues::List(self.list(prefixes)?),
            Values::Texts(texts) => {
                let wildcards = has_wildcards(operator.operator);
                let texts = texts
                    .iter()
                    .map(|text| text_parts(place, &text.value, wildcards));
                ConditionValues::Texts(texts.collect::<Result<_, _>>()?)
            }
        };
        let lowered = Condition {
            qualifier: operator.qualifier,
            operator: operator.operator,
            if_exists: operator.if_exists,
            key: condition.key.value.to_ascii_lowercase().into(),
            values,
        };
        self.conditions.intern(lowered, "conditions")
    }

    fn list(&mut self, prefixes: &[Located<IpNet>]) -> Result<ListId, BuildError> {
        let set = PrefixSet::new(prefixes.iter().map(|prefix| prefix.value));
        self.lists.intern(set, "prefix lists").map(ListId::from_u32)
    }
}

/// Returns whether `*` and `?` are wildcards in the operator's values.
fn has_wildcards(operator: policy::Operator) -> bool {
    matches!(
        operator,
        policy::Operator::StringLike | policy::Operator::StringNotLike
    ) || operator.family() == OperatorFamily::Arn
}

/// Joins the parts of a pattern, with runs of wildcards in their one form and variables as `*`;
/// `None` where the only part is that already.
fn joined(parts: &[TextPart]) -> Option<Box<[u8]>> {
    let is_run = |pair: &[u8]| matches!(pair, [ANY, ANY | ONE]);
    if let [TextPart::Literal(literal)] = parts
        && !literal.windows(2).any(is_run)
    {
        return None;
    }
    let mut bytes = Vec::new();
    for part in parts {
        match part {
            TextPart::Literal(literal) => literal.iter().for_each(|&byte| match byte {
                ANY | ONE => glob::push(&mut bytes, byte),
                _ => bytes.push(byte),
            }),
            TextPart::Variable { .. } => glob::push(&mut bytes, ANY),
        }
    }
    Some(bytes.into())
}

/// Takes a text apart; neighbouring literals become one.
fn text_parts(place: &Place<'_>, text: &Text, wildcards: bool) -> Result<TextParts, BuildError> {
    let mut parts = TextParts::new();
    let mut literal = Vec::with_capacity(text.raw().len());
    let mut variables = 0_usize;
    for part in text.parts() {
        match part {
            PartRef::Raw(raw) if wildcards => literal.extend(raw.bytes().map(|byte| match byte {
                b'*' => ANY,
                b'?' => ONE,
                _ => byte,
            })),
            PartRef::Raw(raw) => literal.extend_from_slice(raw.as_bytes()),
            PartRef::Escaped(character) => {
                literal.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            PartRef::Variable { key, default } => {
                variables += 1;
                if !literal.is_empty() {
                    parts.push(TextPart::Literal(core::mem::take(&mut literal).into()));
                }
                parts.push(TextPart::Variable {
                    key: key.to_ascii_lowercase().into(),
                    default: default.map(Into::into),
                });
            }
        }
    }
    if variables > VARIABLE_LIMIT {
        let (policy, statement, limit) = (place.policy_index, place.index, VARIABLE_LIMIT);
        let text = text.raw().to_owned();
        return Err(BuildError {
            kind: BuildErrorKind::Variables {
                policy,
                statement,
                text,
                limit,
            },
        });
    }
    if !literal.is_empty() || parts.is_empty() {
        parts.push(TextPart::Literal(literal.into()));
    }
    Ok(parts)
}

fn principals(element: Option<&PrincipalElement>, effect: Effect) -> Principals {
    let Some(element) = element else {
        return Principals::Everyone;
    };
    let entries: Vec<PrincipalEntry> = element
        .entries
        .iter()
        .map(|entry| entry.value.clone())
        .collect();
    let everyone = entries.contains(&PrincipalEntry::Everyone);
    match (element.negated, everyone, effect) {
        (false, true, _) => Principals::Everyone,
        (true, true, _) => Principals::Nobody,
        (false, false, _) => Principals::Listed(entries),
        (true, false, Effect::Allow) => Principals::NotListed(entries),
        (true, false, Effect::Deny) => Principals::NotExempt(entries),
    }
}
