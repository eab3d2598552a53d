//! Keys that a call does not have: what holds without them.

use crate::analysis::lint::finding::Found;
use crate::analysis::lint::rule::{Rule, Severity};
use crate::analysis::lint::subject::{
    SOURCE_IP, Subject, demands_key, holds_without_key, is_for_everyone, is_key,
};
use crate::decision::Effect;
use crate::policy::{Condition, Operator, OperatorFamily, PolicyKind, Qualifier};

pub(super) const DENY_KEY: Rule = Rule {
    id: "deny-when-key-missing",
    severity: Severity::Warning,
    summary: "A Deny that also fires where its key is missing from the call",
    why: "A negated operator (`StringNotEquals`, `ArnNotLike`, …), an `…IfExists` and a `ForAllValues:` hold where the key is missing. A Deny \
        on a key that only some calls have then denies all others: `StringNotEquals` on `aws:PrincipalOrgID` denies every \
        anonymous caller, and on `aws:Referer` every caller that sends no such header.",
    mend: "If calls without the key are to pass this Deny, add `\"Null\": {KEY: \"false\"}` to the same Condition. If they are to be \
        denied, switch the rule off for the statement. `…IfExists` does not help: it holds without the key too.",
    quiet: "Keys that every call has (`aws:CurrentTime`, `aws:EpochTime`, `aws:SecureTransport`) are not told, nor `aws:SourceVpc`, `aws:SourceVpce` \
        and `aws:VpcSourceIp`, where to deny what is not from the VPC is the purpose, nor `aws:SourceIp`, which has a rule of its own. \
        A statement that demands the key by another condition is fine. `aws:Principal…` keys are fine where `Principal` lists only IAM identities, \
        and in identity policies, whose callers have them.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/app/*",
      "Condition": {"StringNotLike": {"aws:Referer": "https://app.example.com/*"}}
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/app/*",
      "Condition": {
        "StringNotLike": {"aws:Referer": "https://app.example.com/*"},
        "Null": {"aws:Referer": "false"}
      }
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}
    }
  ]
}"#,
    check: deny_key,
};

fn deny_key(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, statement) in subject.with_effect(Effect::Deny) {
        let signed = subject.policy().kind() == PolicyKind::Identity
            || (statement.principal.is_some()
                && !is_for_everyone(statement)
                && !statement.principal.as_ref().is_some_and(|p| p.negated));
        for condition in &statement.conditions {
            let key = &*condition.key.value;
            if !holds_without_key(condition.operator.value)
                || UNSUSPICIOUS.iter().any(|known| is_key(condition, known))
                || (signed && is_of_principal(key))
                || demands_key(statement, key)
            {
                continue;
            }
            let operator = condition.operator.value;
            found
                .tell(
                    Some(at),
                    condition.operator.span,
                    format!("`{operator}` holds for calls without `{key}`, so this Deny denies them"),
                )
                .help(format!(
                    "add `\"Null\": {{\"{key}\": \"false\"}}` if calls without the key are to pass this Deny"
                ))
                .also(subject.policy(), condition.key.span, "not every call has this key");
        }
    }
}

/// Returns whether calls signed with IAM have the key.
fn is_of_principal(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    (key.starts_with("aws:principal") && !key.starts_with("aws:principaltag/"))
        || key == "aws:userid"
}

pub(super) const DENY_SOURCE_IP: Rule = Rule {
    id: "deny-without-source-ip",
    severity: Severity::Note,
    summary: "A Deny with `NotIpAddress` that also denies calls without `aws:SourceIp`",
    why: "Calls through a VPC endpoint have no `aws:SourceIp`, and `NotIpAddress` holds without it: the Deny refuses them all. Mostly that is \
        what is wanted, since who has no known address is not on the list; but it locks out clients inside of a VPC with an endpoint for API Gateway.",
    mend: "Leave it, if calls from inside of a VPC are to be denied. Otherwise add `\"Null\": {\"aws:SourceIp\": \"false\"}` to the same Condition, \
        or allow the endpoint by `aws:SourceVpce`. `NotIpAddressIfExists` behaves the same as `NotIpAddress`.",
    quiet: "A statement that demands `aws:SourceIp` by another condition is not told. Told once for each policy.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]},
        "Null": {"aws:SourceIp": "false"}
      }
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    }
  ]
}"#,
    check: deny_source_ip,
};

fn deny_source_ip(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, statement) in subject.with_effect(Effect::Deny) {
        let condition = statement.conditions.iter().find(|condition| {
            is_key(condition, SOURCE_IP) && holds_without_key(condition.operator.value)
        });
        let Some(condition) = condition.filter(|_| !demands_key(statement, SOURCE_IP)) else {
            continue;
        };
        let operator = condition.operator.value;
        found
            .tell(
                Some(at),
                condition.operator.span,
                format!("`{operator}` holds for calls without `aws:SourceIp`: those through a VPC endpoint are all denied"),
            )
            .help("add `\"Null\": {\"aws:SourceIp\": \"false\"}` if they are to pass this Deny");
    }
}

pub(super) const FOR_ALL_VALUES: Rule = Rule {
    id: "for-all-values-allow",
    severity: Severity::Warning,
    summary: "`ForAllValues:` in an Allow, which also holds where the key is missing",
    why: "`ForAllValues:` asks whether every value of the key is listed. Where the key is missing there is none that is not, so the \
        condition holds: the Allow lets in whoever leaves the key out.",
    mend: "Add `\"Null\": {KEY: \"false\"}` to the same Condition. For a key with one value (`aws:SourceIp`, `aws:SourceVpce`) use the operator without \
        `ForAllValues:`.",
    quiet: "A statement that demands the key by another condition is fine. In a Deny the same is told by `deny-when-key-missing`.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"ForAllValues:StringEquals": {"aws:SourceVpce": ["vpce-0123456789abcdef0"]}}
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"StringEquals": {"aws:SourceVpce": ["vpce-0123456789abcdef0"]}}
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
        "Null": {"aws:TagKeys": "false"}
      }
    }
  ]
}"#,
    check: for_all_values,
};

fn for_all_values(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, statement) in subject.with_effect(Effect::Allow) {
        for condition in &statement.conditions {
            let operator = condition.operator.value;
            let key = &*condition.key.value;
            if operator.qualifier != Some(Qualifier::ForAllValues)
                || operator.if_exists
                || demands_key(statement, key)
            {
                continue;
            }
            found
                .tell(
                    Some(at),
                    condition.operator.span,
                    format!(
                        "`{operator}` holds for calls without `{key}`, so this Allow lets them in"
                    ),
                )
                .help(format!(
                    "add `\"Null\": {{\"{key}\": \"false\"}}` to this Condition"
                ));
        }
    }
}

pub(super) const ALLOW_IF_EXISTS: Rule = Rule {
    id: "allow-without-address",
    severity: Severity::Warning,
    summary: "An Allow by address that also lets in calls without an address",
    why: "`IpAddressIfExists` and `NotIpAddress` hold where the key is missing. `aws:SourceIp` is missing from calls through a VPC endpoint, \
        `aws:VpcSourceIp` from all others: an Allow on them lets such calls in from wherever they come.",
    mend: "Use `IpAddress` with the list of those who may come in. To block a few, allow everyone and add a Deny with `IpAddress`.",
    quiet: "A statement that demands the key by another condition is fine.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddressIfExists": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]},
        "NotIpAddress": {"aws:SourceIp": ["203.0.113.66", "2001:db8::66"]}
      }
    }
  ]
}"#,
    check: allow_if_exists,
};

fn allow_if_exists(subject: &Subject<'_>, found: &mut Found<'_>) {
    let by_address = |condition: &Condition| {
        condition.operator.value.operator.family() == OperatorFamily::Ip
            && condition.operator.value.qualifier.is_none()
    };
    for (at, statement) in subject.with_effect(Effect::Allow) {
        for condition in statement.conditions.iter().filter(|c| by_address(c)) {
            let operator = condition.operator.value;
            let key = &*condition.key.value;
            if !holds_without_key(operator) || demands_key(statement, key) {
                continue;
            }
            let instead = if operator.operator == Operator::IpAddress {
                "use `IpAddress`, which does not hold without the key"
            } else {
                "to block a few, allow everyone and add a Deny with `IpAddress`"
            };
            found
                .tell(
                    Some(at),
                    condition.operator.span,
                    format!(
                        "`{operator}` holds for calls without `{key}`, so this Allow lets them in"
                    ),
                )
                .help(instead);
        }
    }
}

/// Keys that every call has, or whose absence is what the Deny is for, or that another rule is about.
const UNSUSPICIOUS: &[&str] = &[
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:SecureTransport",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    SOURCE_IP,
];
