//! The document as a whole: nothing allowed, too long, two names alike, statements without use.

use std::collections::HashMap;

use crate::analysis::lint::dead::{self, Covers};
use crate::analysis::lint::finding::Found;
use crate::analysis::lint::fix::Change;
use crate::analysis::lint::rule::{Rule, Severity};
use crate::analysis::lint::subject::{SHORT_HAND, Subject, named, quoted};
use crate::decision::Effect;
use crate::policy::{PolicyKind, Span, Statement};

pub(super) const NO_ALLOW: Rule = Rule {
    id: "no-allow",
    severity: Severity::Warning,
    summary: "A resource policy without any Allow",
    why: "With a resource policy every call is denied that no statement allows. One with Denys only denies everyone, the others too, unless a Lambda \
        authorizer or an identity policy of the same account allows them.",
    mend: "Add an Allow for everyone beside the Denys: `\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"execute-api:Invoke\", \"Resource\": \"execute-api:/*\"`.",
    quiet: "Identity policies, where Denys alone are usual, are not told.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:bad::/48"]}}
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
      "Condition": {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:bad::/48"]}}
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Deny",
      "Action": "execute-api:Invoke",
      "Resource": "arn:aws:execute-api:eu-central-1:123456789012:abc123/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:bad::/48"]}}
    }
  ]
}"#,
    check: no_allow,
};

fn no_allow(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.policy().kind() != PolicyKind::Resource
        || subject.with_effect(Effect::Allow).next().is_some()
    {
        return;
    }
    if let Some((at, statement)) = subject.statements().next() {
        found
            .tell(
                Some(at),
                statement.effect.span,
                "no statement allows anything, so every call is denied",
            )
            .help("add an Allow for everyone beside the Denys, if the others are to come in");
    }
}

pub(super) const TOO_LONG: Rule = Rule {
    id: "policy-too-long",
    severity: Severity::Error,
    summary: "A resource policy of more than 8 192 characters",
    why: "API Gateway takes resource policies of 8 192 characters (a quota that can be raised on request). Counted is the text without white space, after \
        short-hand resources (`execute-api:/…`) are written out as full ARNs, which is what is stored: some 40 characters more for each.",
    mend: "`portcullis fit` makes a policy shorter without changing a decision. Otherwise merge statements that differ only in their resources, \
        and join neighbouring blocks.",
    quiet: "Identity policies have other limits and are not told. (In the example `\"…600 more…\"` stands for as many addresses.)",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32", "…600 more…"]}}
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
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32", "…300 more…"]}}
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
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32", "…600 more…"]}}
    }
  ]
}"#,
    check: too_long,
};

fn too_long(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.policy().kind() != PolicyKind::Resource {
        return;
    }
    let written = compact_length(subject.policy().document());
    let arn = (subject.api()).map_or(TYPICAL_API.len(), |api| api.to_string().chars().count());
    let short_hands = subject
        .statements()
        .flat_map(|(_, statement)| &statement.resource.patterns)
        .filter(|text| text.value.raw().starts_with(SHORT_HAND))
        .count();
    let length = written + short_hands * arn.saturating_sub(SHORT_HAND.len());
    if length <= LIMIT {
        return;
    }
    let expanded = match short_hands {
        0 => String::new(),
        1 => ", with 1 short-hand resource written out".to_owned(),
        more => format!(", with {more} short-hand resources written out"),
    };
    found
        .tell(
            None,
            Span { start: 0, end: 1 },
            format!("the policy has {length} characters without white space{expanded}; API Gateway takes {LIMIT}"),
        )
        .help("`portcullis fit` makes it shorter without changing a decision");
}

/// Returns the characters of a JSON text without the white space outside of strings.
fn compact_length(document: &str) -> usize {
    let (mut length, mut in_string, mut escaped) = (0, false, false);
    for character in document.chars() {
        if in_string {
            length += 1;
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if !character.is_ascii_whitespace() {
            length += 1;
            in_string = character == '"';
        }
    }
    length
}

pub(super) const SID: Rule = Rule {
    id: "duplicate-sid",
    severity: Severity::Warning,
    summary: "Two statements with the same Sid",
    why: "Sids name statements in logs, in answers of this tool and in configuration, and IAM wants them to be unique in a policy. With two of a name nobody can tell \
        which one denied a call.",
    mend: "Give each statement a name of its own, or none.",
    quiet: "Empty Sids (`\"Sid\": \"\"`, which some tools write) are as good as none. Case counts.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Office",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/pets"
    },
    {
      "Sid": "Office",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/toys"
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "OfficePets",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/pets"
    },
    {
      "Sid": "OfficeToys",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/toys"
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/pets"
    },
    {
      "Sid": "",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/toys"
    }
  ]
}"#,
    check: duplicate_sid,
};

fn duplicate_sid(subject: &Subject<'_>, found: &mut Found<'_>) {
    let mut first: HashMap<&str, (usize, Span)> = HashMap::new();
    for (at, statement) in subject.statements() {
        let Some(sid) = statement.sid.as_ref().filter(|sid| !sid.value.is_empty()) else {
            continue;
        };
        let Some(&(other, span)) = first.get(&*sid.value) else {
            first.insert(&sid.value, (at, sid.span));
            continue;
        };
        found
            .tell(
                Some(at),
                sid.span,
                format!(
                    "{} is the name of statement {other} already",
                    quoted(&sid.value)
                ),
            )
            .help("give each statement a name of its own")
            .also(subject.policy(), span, "the first of them");
    }
}

pub(super) const DEAD: Rule = Rule {
    id: "dead-statement",
    severity: Severity::Warning,
    summary: "A statement that can change no decision",
    why: "Every call that the statement matches gets the same decision without it: an Allow where others allow or deny all of them, a Deny where others deny them all, \
        or any statement that no call matches. It costs characters and hides what the policy does; and often it is the sign of a mistake, when an exception was \
        written as an Allow (a Deny always wins).",
    mend: "Remove the statement (`--fix` does), or mend what makes it useless.",
    quiet: "A statement is told only if it is proven to be useless for every call, whatever its caller, address, resource and context. Where that cannot be decided within \
        a bounded time, it is not told. Of equal statements the first one is kept.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Blocked",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:bad::/48"]}}
    },
    {
      "Sid": "Everyone",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    },
    {
      "Sid": "ButThisOne",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/*",
      "Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.7"}}
    }
  ]
}"#,
    good: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Blocked",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:bad::/48"]},
        "NotIpAddress": {"aws:SourceIp": "198.51.100.7"}
      }
    },
    {
      "Sid": "Everyone",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    }
  ]
}"#,
    near_miss: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:bad::/48"]}}
    },
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["198.51.0.0/16", "2001:db8::/32"]}}
    }
  ]
}"#,
    check: dead_statement,
};

fn dead_statement(subject: &Subject<'_>, found: &mut Found<'_>) {
    let verdict = dead::find(subject);
    let statements = subject.policy().statements();
    // A policy needs a statement, so where all are dead the first one stays.
    let all = verdict.dead.len() == statements.len();
    for dead in verdict.dead {
        let Some(statement) = statements.get(dead.statement) else {
            continue;
        };
        let message = match &dead.covers {
            Covers::Nothing => {
                "no call can match this statement: what it asks for excludes itself".to_owned()
            }
            Covers::Together => {
                "this statement changes no decision: every call it matches is decided \
                 alike by the others together"
                    .to_owned()
            }
            Covers::By(covers) => format!(
                "this statement changes no decision: every call it matches is {} by {} too",
                fate(statements, covers),
                list_of(statements, covers)
            ),
        };
        let finding = found.tell(Some(dead.statement), statement.effect.span, message);
        if !all || dead.statement > 0 {
            finding
                .help("remove it, or mend what makes it useless")
                .fixed_by(
                    "remove the statement",
                    Change::RemoveStatement(statement.span),
                );
        } else {
            finding.help("mend what excludes itself");
        }
        let covers = match &dead.covers {
            Covers::By(covers) => covers.as_slice(),
            Covers::Nothing | Covers::Together => &[],
        };
        if let Some(first) = covers.first().and_then(|&at| statements.get(at)) {
            finding.also(
                subject.policy(),
                first.effect.span,
                "matches all of these calls, or some of them",
            );
        }
    }
    for statement in verdict.open {
        found.leave_open(statement);
    }
}

/// Says what statements do to calls.
fn fate(statements: &[Statement], covers: &[usize]) -> &'static str {
    let all = |effect: Effect| {
        covers
            .iter()
            .all(|&at| statements.get(at).is_some_and(|s| s.effect.value == effect))
    };
    if all(Effect::Deny) {
        "denied"
    } else if all(Effect::Allow) {
        "allowed"
    } else {
        "decided"
    }
}

/// Names some statements.
fn list_of(statements: &[Statement], covers: &[usize]) -> String {
    let mut names: Vec<String> = (covers.iter().take(NAMED))
        .filter_map(|&at| Some(named(at, statements.get(at)?)))
        .collect();
    if covers.len() > NAMED {
        names.push(format!("{} more", covers.len() - NAMED));
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() {
        last
    } else {
        format!("{} and {last}", names.join(", "))
    }
}

/// Characters of a resource policy that API Gateway takes.
const LIMIT: usize = 8_192;
/// What short-hand is taken to stand for, where the API is not known.
const TYPICAL_API: &str = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/";
/// Covering statements that a finding names.
const NAMED: usize = 3;
