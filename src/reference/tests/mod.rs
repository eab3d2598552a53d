//! The rules of the policy language as tables: policy text, request, outcome as a literal.

mod address;
mod explanation;
mod missing;
mod operator;
mod principal;
mod statement;
mod variable;

use super::decide;
use crate::{Address, Decision, Policy, Request, Value};

pub(super) const ALLOW: Decision = Decision::Allow;
pub(super) const EXPLICIT: Decision = Decision::ExplicitDeny;
pub(super) const IMPLICIT: Decision = Decision::ImplicitDeny;

/// The ARN of a stage, method and path of the tests' API.
pub(super) fn arn(rest: &str) -> String {
    format!("arn:aws:execute-api:us-east-1:123456789012:abc/{rest}")
}

pub(super) fn policy(text: &str) -> Policy {
    Policy::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Returns a resource policy of these statements, each a JSON object.
pub(super) fn statements(list: &str) -> Policy {
    policy(&format!(
        r#"{{"Version": "2012-10-17", "Statement": [{list}]}}"#
    ))
}

/// Returns a statement on everything by everyone, with this `Condition` block.
pub(super) fn conditioned(effect: &str, conditions: &str) -> String {
    format!(
        r#"{{"Effect": "{effect}", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {conditions}}}"#
    )
}

/// Returns whether a `Condition` block holds for a request with this context: in a Deny, and in an Allow.
pub(super) fn holds_by_effect(
    conditions: &str,
    source_ip: Address<'_>,
    context: &[(&str, Value<'_>)],
) -> (bool, bool) {
    let resource = arn("prod/GET/pets");
    let request = Request::invoke(source_ip, &resource).with_context(context);
    let answer = |effect| decide(&[statements(&conditioned(effect, conditions))], &request);
    let deny = match answer("Deny") {
        Decision::ExplicitDeny => true,
        Decision::ImplicitDeny => false,
        Decision::Allow => panic!("a Deny allows"),
    };
    let allow = match answer("Allow") {
        Decision::Allow => true,
        Decision::ImplicitDeny => false,
        Decision::ExplicitDeny => panic!("an Allow denies"),
    };
    (deny, allow)
}

/// Returns whether a `Condition` block holds, which must not hang on the statement's effect.
#[track_caller]
pub(super) fn holds(conditions: &str, context: &[(&str, Value<'_>)]) -> bool {
    let (deny, allow) = holds_by_effect(conditions, Address::Absent, context);
    assert_eq!(deny, allow, "{conditions} hangs on the effect");
    allow
}

/// Checks rows of operator, policy values, request value of the key `k` (as text) and outcome.
#[track_caller]
pub(super) fn check_values(rows: &[(&str, &str, &str, bool)]) {
    for &(operator, values, value, expected) in rows {
        let conditions = format!(r#"{{"{operator}": {{"k": {values}}}}}"#);
        assert_eq!(
            holds(&conditions, &[("k", Value::Text(value))]),
            expected,
            "{conditions} on `{value}`"
        );
    }
}
