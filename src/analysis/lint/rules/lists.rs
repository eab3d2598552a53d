//! Address lists in their policy: what else has to be there for them to work.

use crate::analysis::globs::Glob;
use crate::analysis::line::AddressSet;
use crate::analysis::lint::finding::Found;
use crate::analysis::lint::rule::{Rule, Severity};
use crate::analysis::lint::subject::{
    SOURCE_IP, Subject, compares_source_ip, holds_without_key, is_for_everyone, is_for_invoke,
    is_key, named,
};
use crate::decision::Effect;
use crate::policy::{Condition, Operator, PolicyKind, Statement};

pub(super) const ALLOW_ONLY: Rule = Rule {
    id: "allow-only-ip-list",
    severity: Severity::Note,
    summary: "An address list in an Allow alone, which a Lambda authorizer or an IAM identity can get past",
    why: "An Allow with `IpAddress` denies the others only implicitly. On a method with a Lambda authorizer, or with IAM \
        authorization of the same account, one Allow from either side is enough: a caller from an unlisted address whom the \
        authorizer (or the identity policy) allows gets in.",
    mend: "Where such authorization is in use, allow everyone and deny who is not listed: an Allow without condition, and a Deny with \
        `NotIpAddress` and the list. An explicit deny is final, and comes before the authorizer is called.",
    quiet: "Identity policies, and policies with any Deny that compares `aws:SourceIp`, are not told. On methods without authorization, \
        and with Cognito, the Allow alone is enough: switch the rule off there. Told once for each policy.",
    bad: r#"{
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
      "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "execute-api:Invoke",
      "Resource": "arn:aws:execute-api:eu-central-1:123456789012:abc123/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    }
  ]
}"#,
    check: allow_only,
};

fn allow_only(subject: &Subject<'_>, found: &mut Found<'_>) {
    let compares = |statement: &Statement| statement.conditions.iter().any(compares_source_ip);
    if subject.policy().kind() != PolicyKind::Resource
        || subject
            .with_effect(Effect::Deny)
            .any(|(_, deny)| compares(deny))
    {
        return;
    }
    for (at, statement) in subject.with_effect(Effect::Allow) {
        let positive = |condition: &&Condition| {
            compares_source_ip(condition)
                && condition.operator.value.operator == Operator::IpAddress
        };
        let Some(condition) = statement.conditions.iter().find(positive) else {
            continue;
        };
        if is_for_invoke(statement) {
            found
                .tell(
                    Some(at),
                    condition.key.span,
                    "unlisted addresses are denied only implicitly: a Lambda authorizer or an identity policy that allows them lets them in",
                )
                .help("where methods have such authorization, add a Deny with `NotIpAddress` and this list");
        }
    }
}

pub(super) const PRIVATE_API: Rule = Rule {
    id: "source-ip-on-private-api",
    severity: Severity::Warning,
    summary: "`aws:SourceIp` in the policy of a private API",
    why: "Calls of a private API come through a VPC endpoint, and carry no `aws:SourceIp`, or not that of the client. A condition \
        with `IpAddress` then holds for nobody, and a Deny with `NotIpAddress` denies everybody. The client's address \
        is in `aws:VpcSourceIp`.",
    mend: "Compare `aws:VpcSourceIp`, or leave the address out and compare `aws:SourceVpce` or `aws:SourceVpc`.",
    quiet: "That an API is private cannot be read from a policy. Told is a statement that compares both `aws:SourceIp` and one of \
        `aws:SourceVpc`, `aws:SourceVpce` and `aws:VpcSourceIp`, and a resource policy that denies whatever is not from a VPC while it \
        compares `aws:SourceIp` elsewhere. A condition that holds only without the other key (`Null`) is not counted.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["10.20.0.0/16"]}}
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
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:VpcSourceIp": ["10.20.0.0/16", "fd00::/8"]}}
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
      "Condition": {
        "NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]},
        "Null": {"aws:SourceVpce": "true"}
      }
    }
  ]
}"#,
    check: private_api,
};

fn private_api(subject: &Subject<'_>, found: &mut Found<'_>) {
    let on_vpc = |condition: &&Condition| {
        let absent_only = condition.operator.value.operator == Operator::Null;
        !absent_only && VPC_KEYS.iter().any(|key| is_key(condition, key))
    };
    let only_from_vpc = subject
        .with_effect(Effect::Deny)
        .filter(|(_, deny)| {
            subject.policy().kind() == PolicyKind::Resource
                && is_for_everyone(deny)
                && deny.conditions.len() == 1
        })
        .find_map(|(at, deny)| {
            let condition = deny.conditions.iter().find(on_vpc)?;
            let operator = condition.operator.value;
            (operator.operator.is_negated() && holds_without_key(operator))
                .then_some((at, condition))
        });
    for (at, statement) in subject.statements() {
        let vpc = match statement.conditions.iter().find(on_vpc) {
            Some(condition) => Some((at, condition)),
            None => only_from_vpc,
        };
        let (Some((other, vpc)), Some(ip)) = (
            vpc,
            statement.conditions.iter().find(|c| is_key(c, SOURCE_IP)),
        ) else {
            continue;
        };
        let what = if other == at {
            "calls through a VPC endpoint do not carry it"
        } else {
            "only calls through a VPC endpoint are let in, and they do not carry it"
        };
        found
            .tell(
                Some(at),
                ip.key.span,
                format!("`aws:SourceIp` beside `{}`: {what}", vpc.key.value),
            )
            .help("compare `aws:VpcSourceIp`, the client's address inside of the VPC")
            .also(
                subject.policy(),
                vpc.key.span,
                "this key is there only inside of a VPC",
            );
    }
}

pub(super) const DENY_LISTS: Rule = Rule {
    id: "deny-lists-intersect",
    severity: Severity::Warning,
    summary: "Two Denys with `NotIpAddress` of which callers must be in both lists",
    why: "Each Deny refuses whoever is not in its own list, so only who is in both lists gets in. Two statements written as \
        \"the office may come in\" and \"the partner may come in\" together let in neither.",
    mend: "Put all blocks into the list of one Deny. Where an address must really be in both lists, write the common blocks as one list.",
    quiet: "Lists of which one holds the other are not told: a wide list for the whole API and a narrow one for some paths are a \
        usual pair. Neither are Denys that no call can both match, by resource, caller or another condition.",
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
      "Sid": "Office",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8:1::/48"]}}
    },
    {
      "Sid": "Partner",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:2::/48"]}}
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
      "Sid": "OfficeAndPartner",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "NotIpAddress": {
          "aws:SourceIp": ["203.0.113.0/24", "2001:db8:1::/48", "198.51.100.0/24", "2001:db8:2::/48"]
        }
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
      "Resource": "execute-api:/prod/GET/office/*",
      "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8:1::/48"]}}
    },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/partner/*",
      "Condition": {"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:2::/48"]}}
    }
  ]
}"#,
    check: deny_lists,
};

fn deny_lists(subject: &Subject<'_>, found: &mut Found<'_>) {
    let mut scopes = Vec::new();
    for (at, statement) in subject.with_effect(Effect::Deny) {
        for (index, condition) in statement.conditions.iter().enumerate() {
            let operator = condition.operator.value;
            let Some(set) = subject.set(at, index) else {
                continue;
            };
            if operator.operator != Operator::NotIpAddress || operator.qualifier.is_some() {
                continue;
            }
            let patterns = statement.resource.patterns.iter();
            for pattern in patterns.filter(|_| !statement.resource.negated) {
                let glob = Glob::with_any_values(&pattern.value);
                scopes.push(Scope {
                    head: glob.head(),
                    glob,
                    at,
                    statement,
                    condition,
                    set,
                });
            }
        }
    }
    // Two patterns have a text in common only if the literal start of one begins with that of
    // the other, so each is compared with those whose start its own begins with.
    scopes.sort_by(|a, b| (&a.head, a.at).cmp(&(&b.head, b.at)));
    let mut open: Vec<&Scope<'_>> = Vec::new();
    let mut told: Vec<(usize, usize)> = Vec::new();
    let mut pairs: Vec<(&Scope<'_>, &Scope<'_>)> = Vec::new();
    for scope in &scopes {
        open.retain(|other| scope.head.starts_with(&other.head));
        for other in open.iter().rev().take(COMPARED) {
            if scope.clashes(other) {
                let (first, second) = if other.at < scope.at {
                    (*other, scope)
                } else {
                    (scope, *other)
                };
                pairs.push((first, second));
                break;
            }
        }
        // Many Denys with one list are as good as one of them.
        if open.len() < COMPARED || !open.iter().rev().take(COMPARED).any(|o| o.set == scope.set) {
            open.push(scope);
        }
        if open.len() > COMPARED {
            open.remove(0);
        }
    }
    pairs.sort_by_key(|(first, second)| (second.at, first.at));
    for (first, second) in pairs {
        if told.contains(&(second.at, 0)) || told.last() == Some(&(second.at, first.at)) {
            continue;
        }
        told.push((second.at, first.at));
        let other = named(first.at, first.statement);
        let message = if first.set.meets(second.set) {
            format!(
                "only who is in this list and in that of {other} gets in: each Deny refuses whoever its own list lacks"
            )
        } else {
            format!(
                "nobody gets in: no address is in this list and in that of {other}, and each Deny refuses whoever its own list lacks"
            )
        };
        found
            .tell(Some(second.at), second.condition.key.span, message)
            .help("put all blocks into one list, in one Deny")
            .also(
                subject.policy(),
                first.condition.key.span,
                "callers must be in this list too",
            );
    }
}

/// One resource of a Deny with a list of those who are spared.
struct Scope<'a> {
    head: String,
    glob: Glob,
    at: usize,
    statement: &'a Statement,
    condition: &'a Condition,
    set: &'a AddressSet,
}

impl Scope<'_> {
    /// Returns whether some call must be in both lists, and neither list holds the other.
    fn clashes(&self, other: &Self) -> bool {
        let rest = |scope: &Self| -> Vec<Condition> {
            let conditions = scope.statement.conditions.iter();
            conditions
                .filter(|c| *c != scope.condition)
                .cloned()
                .collect()
        };
        self.at != other.at
            && is_key(self.condition, &other.condition.key.value)
            && self.set != other.set
            && self.statement.principal == other.statement.principal
            && self.statement.action == other.statement.action
            && !self.set.is_within(other.set)
            && !other.set.is_within(self.set)
            && !(self.glob.is_long() || other.glob.is_long())
            && !self.glob.is_disjoint(&other.glob)
            && self.statement.conditions.len() == other.statement.conditions.len()
            && self.statement.conditions.len() <= FEW
            && rest(self) == rest(other)
    }
}

/// Keys that are there only where a call comes through a VPC endpoint.
const VPC_KEYS: &[&str] = &["aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp"];
/// Earlier statements that one is compared with at most.
const COMPARED: usize = 32;
/// Conditions of a statement that is compared with others.
const FEW: usize = 8;
