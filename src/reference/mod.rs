//! The executable specification: what a set of policies means, as a loop over statements.
//!
//! ```text
//! (&[Policy], &Request) ──▶ Decision | Explanation | Vec<StatementTrace>
//! ```
//!
//! This evaluator is the oracle that the compiled engine is tested against, so it is
//! written to be obviously right and not to be fast: it reads the document as written,
//! one function for each rule, and shares nothing with the engine. Patterns, numbers,
//! dates, base64 and prefixes are all read and compared by code of its own.
//!
//! A statement matches when its principal, action and resource elements match and every
//! condition holds. One matching Deny anywhere is an explicit deny; otherwise one
//! matching Allow is an allow; otherwise the request is implicitly denied. The order of
//! statements and policies does not count.
//!
//! It answers for every policy that parses and every request: it never panics, and takes
//! at most the product of the sizes of policy and request. Short-hand resources
//! (`execute-api:/…`) that were not expanded are plain text here, which matches no ARN.
//!
//! See also: [`crate::policy`], which reads the document, and [`crate::request`], whose
//! header says how the request is read.

mod condition;
mod context;
mod principal;
mod value;
mod wildcard;

use core::net::IpAddr;

use ipnet::IpNet;

use self::context::AddressState;
use self::wildcard::Case;
use crate::decision::{Decision, Determining, Effect, Explanation, MatchedPattern, MatchedPrefix};
use crate::policy::{
    Action, Condition, Located, Operator, Policy, Resource, Statement, Text, Values,
};
use crate::request::Request;

/// Returns what `request` gets under `policies` taken together.
///
/// # Example
///
/// ```
/// use portcullis::{Address, Decision, Policy, Request, reference};
///
/// let policy = Policy::from_json(
///     r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
///         "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}}"#,
/// )?;
/// let arn = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/pets";
/// let inside = Request::invoke(Address::read("203.0.113.7"), arn);
/// let outside = Request::invoke(Address::read("198.51.100.1"), arn);
/// assert_eq!(reference::decide(&[policy.clone()], &inside), Decision::Allow);
/// assert_eq!(reference::decide(&[policy], &outside), Decision::ImplicitDeny);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decide(policies: &[Policy], request: &Request<'_>) -> Decision {
    let mut allowed = false;
    for policy in policies {
        for statement in policy.statements() {
            if !statement_matches(statement, request) {
                continue;
            }
            match statement.effect.value {
                Effect::Deny => return Decision::ExplicitDeny,
                Effect::Allow => allowed = true,
            }
        }
    }
    if allowed {
        Decision::Allow
    } else {
        Decision::ImplicitDeny
    }
}

/// Returns what `request` gets under `policies`, and the statements that caused it.
///
/// These are all matching statements with the effect of the decision, in order of policy
/// and statement; an implicit deny has none.
pub fn explain(policies: &[Policy], request: &Request<'_>) -> Explanation {
    let decision = decide(policies, request);
    let effect = match decision {
        Decision::Allow => Effect::Allow,
        Decision::ExplicitDeny => Effect::Deny,
        Decision::ImplicitDeny => return Explanation::new(decision, Vec::new()),
    };
    let mut determining = Vec::new();
    for (policy_index, policy) in policies.iter().enumerate() {
        for (statement_index, statement) in policy.statements().iter().enumerate() {
            if statement.effect.value != effect || !statement_matches(statement, request) {
                continue;
            }
            determining.push(Determining {
                policy: policy_index,
                statement: statement_index,
                sid: statement.sid.as_ref().map(|sid| sid.value.to_string()),
                effect,
                position: policy.position(statement.span),
                resource: matched_resource(policy, &statement.resource, request),
                prefixes: matched_prefixes(policy, &statement.conditions, request),
            });
        }
    }
    Explanation::new(decision, determining)
}

/// Returns, for every statement in order of policy and statement, which of its elements match.
///
/// Where [`explain`] says why a request got its decision, this says how near every other
/// statement came to taking part in it.
pub fn trace(policies: &[Policy], request: &Request<'_>) -> Vec<StatementTrace> {
    let mut traces = Vec::new();
    for (policy_index, policy) in policies.iter().enumerate() {
        for (statement_index, statement) in policy.statements().iter().enumerate() {
            let mut trace = trace_statement(statement, request);
            trace.policy = policy_index;
            trace.statement = statement_index;
            traces.push(trace);
        }
    }
    traces
}

/// Returns which elements of one statement match, as policy 0 and statement 0.
///
/// For callers that ask about a few statements of many.
pub fn trace_statement(statement: &Statement, request: &Request<'_>) -> StatementTrace {
    StatementTrace {
        policy: 0,
        statement: 0,
        effect: statement.effect.value,
        matches: statement_matches(statement, request),
        principal: principal_matches(statement, request),
        action: action_matches(&statement.action, request),
        resource: resource_matches(&statement.resource, request),
        conditions: (statement.conditions.iter())
            .map(|condition| condition_holds(condition, statement, request))
            .collect(),
    }
}

/// Which elements of a statement match a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatementTrace {
    /// Which policy, in the order they were given, from 0.
    pub policy: usize,
    /// Which statement of that policy, from 0.
    pub statement: usize,
    /// The statement's effect.
    pub effect: Effect,
    /// Whether the statement matches: all of the following are true.
    pub matches: bool,
    /// Whether `Principal` or `NotPrincipal` matches; true where there is none.
    pub principal: bool,
    /// Whether `Action` or `NotAction` matches.
    pub action: bool,
    /// Whether `Resource` or `NotResource` matches.
    pub resource: bool,
    /// Whether each condition holds, in document order.
    pub conditions: Vec<bool>,
}

/// Statements: one matches when all its elements do.
fn statement_matches(statement: &Statement, request: &Request<'_>) -> bool {
    principal_matches(statement, request)
        && action_matches(&statement.action, request)
        && resource_matches(&statement.resource, request)
        && (statement.conditions.iter())
            .all(|condition| condition_holds(condition, statement, request))
}

/// Principals: an identity policy has none and matches the caller it is attached to.
fn principal_matches(statement: &Statement, request: &Request<'_>) -> bool {
    let Some(element) = &statement.principal else {
        return true;
    };
    principal::matches(element, statement.effect.value, request.principal())
}

/// Actions: `*` and `?` are wildcards, ASCII case is ignored, `NotAction` is all that is not listed.
fn action_matches(action: &Action, request: &Request<'_>) -> bool {
    let listed = action.patterns.iter().any(|pattern| {
        let pattern = wildcard::read(&pattern.value);
        wildcard::matches(&pattern, request.action(), Case::AsciiIgnored)
    });
    listed != action.negated
}

/// Resources: `NotResource` is every resource that is not listed.
fn resource_matches(resource: &Resource, request: &Request<'_>) -> bool {
    let listed =
        (resource.patterns.iter()).any(|pattern| resource_pattern_matches(&pattern.value, request));
    listed != resource.negated
}

/// Wildcards in resources: one pattern over the whole ARN, `*` crosses `/` and `:`, case counts.
///
/// A pattern with a policy variable that has no value matches no resource.
fn resource_pattern_matches(pattern: &Text, request: &Request<'_>) -> bool {
    context::pattern(pattern, request)
        .is_some_and(|pattern| wildcard::matches(&pattern, request.resource(), Case::Counts))
}

/// Conditions: see the module of that name; an address condition asks for the statement's effect.
fn condition_holds(condition: &Condition, statement: &Statement, request: &Request<'_>) -> bool {
    condition::holds(condition, statement.effect.value, request)
}

/// Explanations: the first `Resource` pattern that matches; `NotResource` has none.
fn matched_resource(
    policy: &Policy,
    resource: &Resource,
    request: &Request<'_>,
) -> Option<MatchedPattern> {
    if resource.negated {
        return None;
    }
    let first = (resource.patterns.iter())
        .find(|pattern| resource_pattern_matches(&pattern.value, request))?;
    Some(MatchedPattern {
        pattern: first.value.raw().to_owned(),
        position: policy.position(first.span),
    })
}

/// Explanations: for each `IpAddress` condition that a known address satisfies, the longest prefix.
fn matched_prefixes(
    policy: &Policy,
    conditions: &[Condition],
    request: &Request<'_>,
) -> Vec<MatchedPrefix> {
    let mut matched = Vec::new();
    for condition in conditions {
        let operator = condition.operator.value;
        if operator.operator != Operator::IpAddress || operator.qualifier.is_some() {
            continue;
        }
        let Values::Prefixes(prefixes) = &condition.values else {
            continue;
        };
        let AddressState::Known(address) = context::addresses(request, &condition.key.value) else {
            continue;
        };
        if let Some(longest) = longest_prefix(prefixes, address) {
            matched.push(MatchedPrefix {
                key: condition.key.value.to_string(),
                prefix: longest.value,
                position: policy.position(longest.span),
            });
        }
    }
    matched
}

/// Returns the longest of `prefixes` that contains `address`; of several as long, the first.
fn longest_prefix(prefixes: &[Located<IpNet>], address: IpAddr) -> Option<&Located<IpNet>> {
    let mut longest: Option<&Located<IpNet>> = None;
    for prefix in prefixes {
        let longer = longest.is_none_or(|best| prefix.value.prefix_len() > best.value.prefix_len());
        if longer && condition::prefix_contains(prefix.value, address) {
            longest = Some(prefix);
        }
    }
    longest
}

#[cfg(test)]
mod tests;
