//! Statements that match from some addresses or from all, and their conditions on the address.

use core::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::{Kind, PartitionError};
use crate::decision::Effect;
use crate::policy::{
    Condition, Located, Operator, OperatorFamily, PartRef, Policy, Span, Text, Values,
};
use crate::reference;
use crate::request::{Address, Request};

/// A statement that matches where its lists say so.
pub(super) struct Live<'p> {
    pub(super) policy: usize,
    pub(super) statement: usize,
    pub(super) effect: Effect,
    pub(super) span: Span,
    pub(super) lists: Vec<List<'p>>,
}

/// A condition on the source address.
pub(super) struct List<'p> {
    pub(super) prefixes: Prefixes<'p>,
    /// The condition holds for addresses that are in none of the prefixes.
    pub(super) negated: bool,
    /// An explanation names the prefix that matched.
    pub(super) names: bool,
}

pub(super) enum Prefixes<'p> {
    /// As the condition has them.
    Listed(&'p [Located<IpNet>]),
    /// Single addresses, from conditions that compare text.
    Texts(Vec<IpNet>),
}

impl Prefixes<'_> {
    pub(super) fn iter(&self) -> impl Iterator<Item = IpNet> {
        let (listed, texts) = match self {
            Self::Listed(list) => (Some(*list), None),
            Self::Texts(list) => (None, Some(list)),
        };
        let listed = listed.into_iter().flatten().map(|located| located.value);
        listed.chain(texts.into_iter().flatten().copied())
    }
}

/// Returns the statements that match from some addresses or from all.
pub(super) fn live_statements<'p>(
    policies: &'p [Policy],
    request: &Request<'_>,
) -> Result<Vec<Live<'p>>, PartitionError> {
    // Any known address: what its value decides is read from the statement below, and what is
    // left is the same for all of them.
    let somewhere = Request::invoke(Address::from(Ipv4Addr::UNSPECIFIED), request.resource())
        .with_action(request.action())
        .with_principal(request.principal())
        .with_context(request.context());
    let mut live = Vec::new();
    for trace in reference::trace(policies, &somewhere) {
        let policy = policies.get(trace.policy);
        let Some(statement) = policy.and_then(|p| p.statements().get(trace.statement)) else {
            continue;
        };
        let error = |span, kind| PartitionError {
            policy: trace.policy,
            statement: trace.statement,
            span,
            kind,
        };
        let mut resource_patterns = statement.resource.patterns.iter();
        let by_resource = resource_patterns.find(|pattern| names_source_ip(&pattern.value));
        let constant = |(condition, &holds): (&Condition, &bool)| holds || depends(condition);
        if !(trace.principal
            && trace.action
            && (trace.resource || by_resource.is_some())
            && (statement.conditions.iter().zip(&trace.conditions)).all(constant))
        {
            continue;
        }
        if let Some(pattern) = by_resource {
            return Err(error(pattern.span, Kind::ResourceVariable));
        }
        let conditions = statement.conditions.iter();
        let lists = conditions
            .filter(|condition| depends(condition))
            .map(|condition| list(condition).map_err(|(span, kind)| error(span, kind)));
        live.push(Live {
            policy: trace.policy,
            statement: trace.statement,
            effect: trace.effect,
            span: statement.span,
            lists: lists.collect::<Result<_, _>>()?,
        });
    }
    Ok(live)
}

/// Returns whether the value of a known source address decides about the condition.
///
/// The text of an address is no number, date, boolean or base64, whatever the address, and it is
/// never missing.
fn depends(condition: &Condition) -> bool {
    use OperatorFamily::{Arn, Ip, String};
    let family = condition.operator.value.operator.family();
    let on_source_ip = is_source_ip(&condition.key.value) && matches!(family, Arn | Ip | String);
    on_source_ip
        || matches!(&condition.values, Values::Texts(texts)
            if texts.iter().any(|text| names_source_ip(&text.value)))
}

/// Reads a condition that depends on the address as a list of prefixes.
fn list(condition: &Condition) -> Result<List<'_>, (Span, Kind)> {
    let operator = condition.operator.value;
    let prefixes = match &condition.values {
        Values::Prefixes(prefixes) => Prefixes::Listed(prefixes),
        Values::Texts(texts) => {
            let mut addresses = Vec::new();
            for text in texts {
                if !is_source_ip(&condition.key.value) {
                    return Err((condition.key.span, Kind::ConditionVariable));
                }
                let literal = literal(&text.value, operator.operator).ok_or_else(|| {
                    let operator = operator.to_string().into();
                    (text.span, Kind::ConditionText(operator))
                })?;
                addresses.extend(address_of(&literal, operator.operator).map(IpNet::from));
            }
            Prefixes::Texts(addresses)
        }
    };
    Ok(List {
        prefixes,
        negated: operator.operator.is_negated(),
        names: operator.operator == Operator::IpAddress && operator.qualifier.is_none(),
    })
}

/// Returns a text that stands for itself alone, or `None` for one with variables or wildcards.
fn literal(text: &Text, operator: Operator) -> Option<String> {
    let has_wildcards = matches!(operator, Operator::StringLike | Operator::StringNotLike)
        || operator.family() == OperatorFamily::Arn;
    let mut literal = String::new();
    for part in text.parts() {
        match part {
            PartRef::Raw(raw) if has_wildcards && raw.contains(['*', '?']) => return None,
            PartRef::Raw(raw) => literal.push_str(raw),
            PartRef::Escaped(character) => literal.push(character),
            PartRef::Variable { .. } => return None,
        }
    }
    Some(literal)
}

/// Returns the one address whose text matches a literal value, if there is one.
fn address_of(literal: &str, operator: Operator) -> Option<IpAddr> {
    let ignores_case = matches!(
        operator,
        Operator::StringEqualsIgnoreCase | Operator::StringNotEqualsIgnoreCase
    );
    // An ARN has six components; most addresses have fewer.
    if operator.family() == OperatorFamily::Arn && literal.splitn(6, ':').count() < 6 {
        return None;
    }
    let literal = if ignores_case {
        literal.chars().flat_map(char::to_lowercase).collect()
    } else {
        literal.to_owned()
    };
    let ip: IpAddr = literal.parse().ok()?;
    // Only the canonical text is what a request has.
    (ip.to_canonical() == ip && ip.to_string() == literal).then_some(ip)
}

fn names_source_ip(text: &Text) -> bool {
    text.parts()
        .any(|part| matches!(part, PartRef::Variable { key, .. } if is_source_ip(key)))
}

fn is_source_ip(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:SourceIp")
}
