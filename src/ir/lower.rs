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
use crate::util::beside::both;
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
    let mut few = BESIDE_FROM;
    let pays = written_lists(policies).any(|list| {
        few = few.saturating_sub(list.len());
        few == 0
    });
    let (lowering, lists) = both(pays, || rules(policies, statements), || lists(policies))?;
    lowering.finish(policies, lists)
}

/// From this many prefixes on their lists are lowered beside the rest.
const BESIDE_FROM: usize = 4096;

/// Returns the prefix lists as they are written, in order.
fn written_lists(policies: &[Policy]) -> impl Iterator<Item = &[Located<IpNet>]> {
    let statements = policies.iter().flat_map(Policy::statements);
    let conditions = statements.flat_map(|statement| &statement.conditions);
    conditions.filter_map(|condition| match &condition.values {
        Values::Prefixes(prefixes) => Some(prefixes.as_slice()),
        Values::Texts(_) => None,
    })
}

/// Lowers all but the conditions, of which only the values are, and prefix lists not at all.
fn rules(policies: &[Policy], statements: usize) -> Result<Lowering<'_>, BuildError> {
    let mut lowering = Lowering {
        rules: Vec::with_capacity(statements),
        values: Vec::with_capacity(statements),
        ..Lowering::default()
    };
    for (policy_index, policy) in policies.iter().enumerate() {
        let mut place = Place {
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
    Ok(lowering)
}

/// The distinct prefix lists, and the list of each condition that has one, in order.
struct Lists {
    distinct: Vec<PrefixSet>,
    numbers: Vec<ListId>,
}

fn lists(policies: &[Policy]) -> Result<Lists, BuildError> {
    let mut lists: Interner<PrefixSet> = Interner::default();
    let mut numbers = Vec::new();
    for prefixes in written_lists(policies) {
        let set = PrefixSet::new(prefixes.iter().map(|prefix| prefix.value));
        numbers.push(ListId::from_u32(lists.intern(set, "prefix lists")?));
    }
    Ok(Lists {
        distinct: lists.items,
        numbers,
    })
}

/// The statement at hand.
struct Place<'p> {
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
    patterns: Interner<PatternSource<'p>>,
    actions: Interner<ActionSet>,
    principals: Interner<Principals>,
    /// What each condition compares with, in order; `None` where that is a prefix list.
    values: Vec<Option<Vec<TextParts>>>,
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
        for condition in &statement.conditions {
            let values = values(place, condition)?;
            self.values.push(values);
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
            conditions: SmallVec::new(),
            notes: SmallVec::new(),
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

    /// Gives the rules their conditions.
    fn finish(self, policies: &'p [Policy], lists: Lists) -> Result<RuleSet<'p>, BuildError> {
        let mut rules = self.rules;
        let mut conditions: Interner<Condition> = Interner::default();
        let mut values = self.values.into_iter();
        let mut numbers = lists.numbers.into_iter();
        let statements = policies
            .iter()
            .flat_map(|policy| policy.statements().iter().map(move |of| (policy, of)));
        for (rule, (policy, statement)) in rules.iter_mut().zip(statements) {
            for (condition, values) in statement.conditions.iter().zip(&mut values) {
                let operator = condition.operator.value;
                let lowered = Condition {
                    qualifier: operator.qualifier,
                    operator: operator.operator,
                    if_exists: operator.if_exists,
                    key: condition.key.value.to_ascii_lowercase().into(),
                    values: match values {
                        Some(texts) => ConditionValues::Texts(texts),
                        None => ConditionValues::List(numbers.next().unwrap_or_default()),
                    },
                };
                let id = conditions.intern(lowered, "conditions")?;
                rule.conditions.push(id);
                if let Values::Prefixes(prefixes) = &condition.values
                    && !operator.operator.is_negated()
                    && operator.qualifier.is_none()
                {
                    rule.notes.push(Note {
                        policy,
                        condition: id,
                        key: &condition.key.value,
                        prefixes,
                    });
                }
            }
        }
        Ok(RuleSet {
            rules,
            lists: lists.distinct,
            patterns: self.patterns.items,
            actions: self.actions.items,
            principals: self.principals.items,
            conditions: conditions.items,
        })
    }
}

/// Lowers what a condition compares with; `None` of a prefix list.
fn values(
    place: &Place<'_>,
    condition: &policy::Condition,
) -> Result<Option<Vec<TextParts>>, BuildError> {
    let Values::Texts(texts) = &condition.values else {
        return Ok(None);
    };
    let wildcards = has_wildcards(condition.operator.value.operator);
    let texts = texts
        .iter()
        .map(|text| text_parts(place, &text.value, wildcards));
    texts.collect::<Result<_, _>>().map(Some)
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
