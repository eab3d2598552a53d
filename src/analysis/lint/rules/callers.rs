//! Principals: who is meant, and who is meant by mistake.

use crate::analysis::lint::finding::Found;
use crate::analysis::lint::rule::{Rule, Severity};
use crate::analysis::lint::subject::{Subject, is_for_everyone, is_for_invoke, quoted};
use crate::decision::Effect;
use crate::policy::PrincipalEntry;

pub(super) const NEEDS_IAM: Rule = Rule {
    id: "principal-needs-iam",
    severity: Severity::Note,
    summary: "A Principal that lists accounts, users or roles, which only signed calls have",
    why: "A call has an account, user or role only where the method's authorization is `AWS_IAM`. On any other method the caller is anonymous, \
        and matches no Principal but `*`: the Allow lets nobody in, and the Deny refuses nobody.",
    mend: "Set the method's authorization to `AWS_IAM`, or use `\"Principal\": \"*\"` with a condition on the address.",
    quiet: "How a method authorizes cannot be read from a policy, so this is a note, told once for each policy. \
        A list that holds `*` besides is not told.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
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
      "Principal": {"AWS": ["*", "arn:aws:iam::123456789012:root"]},
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    }
  ]
}"#,
    check: needs_iam,
};

fn needs_iam(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, statement) in subject.statements() {
        let Some(element) = statement.principal.as_ref().filter(|p| !p.negated) else {
            continue;
        };
        let Some(entry) = element.entries.iter().find(|entry| is_iam(&entry.value)) else {
            continue;
        };
        if is_for_everyone(statement) || !is_for_invoke(statement) {
            continue;
        }
        let verb = match statement.effect.value {
            Effect::Allow => {
                "allows only signed calls: on a method without IAM authorization it lets nobody in"
            }
            Effect::Deny => {
                "denies only signed calls: on a method without IAM authorization it refuses nobody"
            }
        };
        found
            .tell(Some(at), entry.span, format!("this Principal {verb}"))
            .help("set the method's authorization to `AWS_IAM`, or use `\"*\"` with a condition on the address");
    }
}

const fn is_iam(entry: &PrincipalEntry) -> bool {
    matches!(
        entry,
        PrincipalEntry::Account { .. } | PrincipalEntry::Arn(_)
    )
}

pub(super) const NOT_PRINCIPAL_ALLOW: Rule = Rule {
    id: "allow-not-principal",
    severity: Severity::Warning,
    summary: "An Allow with `NotPrincipal`, which lets everyone else in",
    why: "An Allow with `NotPrincipal` allows every caller that is not listed, in every account of the world, anonymous callers included. \
        It does not even keep out the listed ones: they need only leave their signature away where the method lets them.",
    mend: "List in `Principal` who may come in. To keep someone out, add a Deny with `Principal`.",
    quiet: "`NotPrincipal` in a Deny is not told here.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:user/former"},
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {"AWS": "123456789012"},
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    },
    {
      "Effect": "Deny",
      "Principal": {"AWS": "arn:aws:iam::123456789012:user/former"},
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
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
      "NotPrincipal": {"AWS": "123456789012"},
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    }
  ]
}"#,
    check: not_principal_allow,
};

fn not_principal_allow(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, statement) in subject.with_effect(Effect::Allow) {
        let Some(element) = statement.principal.as_ref().filter(|p| p.negated) else {
            continue;
        };
        if (element.entries.iter()).any(|entry| entry.value == PrincipalEntry::Everyone) {
            continue;
        }
        found
            .tell(
                Some(at),
                element.span,
                "every caller that is not listed here is allowed, anonymous ones included",
            )
            .help("list in `Principal` who may come in, and keep others out by a Deny");
    }
}

pub(super) const NOT_PRINCIPAL_DENY: Rule = Rule {
    id: "not-principal-without-account",
    severity: Severity::Warning,
    summary: "A Deny with `NotPrincipal` that denies those it lists too",
    why: "A Deny with `NotPrincipal` spares a caller only if everything the caller is stands in the list: its account, and, for a session of a \
        role, the role and the session. A user or role listed without its account is denied like everyone else.",
    mend: "List the account beside the user or role (which spares no one else of it), or better: deny `\"Principal\": \"*\"` with \
        `ArnNotEquals` on `aws:PrincipalArn`.",
    quiet: "Entries whose account is listed too are not told, and neither are services and identity providers.",
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
      "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:user/partner"},
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
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
      "NotPrincipal": {
        "AWS": ["arn:aws:iam::123456789012:user/partner", "arn:aws:iam::123456789012:root"]
      },
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
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
      "NotPrincipal": {"AWS": ["arn:aws:iam::123456789012:user/partner", "123456789012"]},
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    }
  ]
}"#,
    check: not_principal_deny,
};

fn not_principal_deny(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, statement) in subject.with_effect(Effect::Deny) {
        let Some(element) = statement.principal.as_ref().filter(|p| p.negated) else {
            continue;
        };
        let listed: Vec<(Option<&str>, &str)> = element
            .entries
            .iter()
            .filter_map(|entry| match &entry.value {
                PrincipalEntry::Account { partition, account } => {
                    Some((partition.as_deref(), &**account))
                }
                _ => None,
            })
            .collect();
        if (element.entries.iter()).any(|entry| entry.value == PrincipalEntry::Everyone) {
            continue;
        }
        for entry in &element.entries {
            let PrincipalEntry::Arn(arn) = &entry.value else {
                continue;
            };
            let mut fields = arn.split(':');
            let (partition, account) = (fields.nth(1).unwrap_or(""), fields.nth(2).unwrap_or(""));
            let spared =
                (listed.iter()).any(|(p, a)| *a == account && p.is_none_or(|p| p == partition));
            if spared {
                continue;
            }
            found
                .tell(
                    Some(at),
                    entry.span,
                    format!("{} is denied too: its account is not listed beside it", quoted(arn)),
                )
                .help(format!(
                    "list `arn:{partition}:iam::{account}:root` as well, or deny by `ArnNotEquals` on `aws:PrincipalArn`"
                ));
        }
    }
}
