//! Operators, keys and values that do not go together.

use crate::analysis::lint::finding::Found;
use crate::analysis::lint::keys::{KNOWN, is_known};
use crate::analysis::lint::rule::{Rule, Severity};
use crate::analysis::lint::subject::{Subject, quoted, texts};
use crate::policy::names::nearest;
use crate::policy::{Operator, OperatorFamily};
use crate::request::is_address_key;

pub(super) const TEXT_ON_ADDRESS: Rule = Rule {
    id: "text-operator-on-address",
    severity: Severity::Error,
    summary: "A text operator on an address key",
    why: "`StringEquals` and `StringLike` compare an address letter by letter. A block such as `203.0.113.0/24` is then equal to no address, \
        `203.0.113.*` matches more than it seems once the last part is longer than meant, and an IPv6 address has many spellings.",
    mend: "Use `IpAddress` in place of the positive operators and `NotIpAddress` in place of the negated ones.",
    quiet: "`Null`, which asks whether the key is there, goes with every key. `aws:SourceVpc` and `aws:SourceVpce` are texts.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"StringEquals": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
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
        "StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"},
        "Null": {"aws:VpcSourceIp": "false"}
      }
    }
  ]
}"#,
    check: text_on_address,
};

fn text_on_address(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, condition) in subject.conditions() {
        let operator = condition.operator.value;
        let family = operator.operator.family();
        if !is_address_key(&condition.key.value)
            || matches!(family, OperatorFamily::Ip | OperatorFamily::Null)
        {
            continue;
        }
        let mut instead = operator;
        instead.operator = if operator.operator.is_negated() {
            Operator::NotIpAddress
        } else {
            Operator::IpAddress
        };
        let block = texts(condition)
            .iter()
            .find(|text| text.value.raw().contains('/'));
        let key = &condition.key.value;
        let message = match block {
            Some(block) => format!(
                "`{operator}` compares `{key}` as text, and no address is the text {}",
                quoted(block.value.raw())
            ),
            None => format!("`{operator}` compares `{key}` as text, letter by letter"),
        };
        let span = block.map_or(condition.key.span, |block| block.span);
        found
            .tell(Some(at), span, message)
            .help(format!("use `{instead}`"))
            .also(subject.policy(), condition.operator.span, "compares text");
    }
}

pub(super) const ADDRESS_ON_TEXT: Rule = Rule {
    id: "address-operator-on-text",
    severity: Severity::Error,
    summary: "`IpAddress` or `NotIpAddress` on a key that is no address",
    why: "The value of such a key is never an address. In a Deny what cannot be read as an address is denied, in an Allow it is not let in, whatever \
        the list says.",
    mend: "Compare `aws:SourceIp`, or inside of a VPC `aws:VpcSourceIp`.",
    quiet: "Only keys that AWS documents as something else are told.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceVpc": ["10.20.0.0/16"]}}
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
      "Condition": {"IpAddress": {"aws:VpcSourceIp": ["10.20.0.0/16"]}}
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
      "Condition": {"IpAddress": {"aws:Ec2InstanceSourcePrivateIPv4": ["10.20.0.0/16"]}}
    }
  ]
}"#,
    check: address_on_text,
};

fn address_on_text(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, condition, _) in subject.prefix_lists() {
        let key = &*condition.key.value;
        if is_address_key(key)
            || key.eq_ignore_ascii_case("aws:Ec2InstanceSourcePrivateIPv4")
            || !is_known(key)
        {
            continue;
        }
        let operator = condition.operator.value;
        found
            .tell(
                Some(at),
                condition.key.span,
                format!("`{operator}` compares addresses, and `{key}` is none"),
            )
            .help("compare `aws:SourceIp`, or inside of a VPC `aws:VpcSourceIp`");
    }
}

pub(super) const UNKNOWN: Rule = Rule {
    id: "unknown-condition-key",
    severity: Severity::Warning,
    summary: "A condition key that AWS does not know",
    why: "A key that no call has makes a positive condition hold for nobody and a negated one for everybody. A misspelt key in a Deny with `IpAddress` \
        blocks no one, and nothing says so.",
    mend: "Correct the spelling; case does not count.",
    quiet: "Known are AWS's global keys, with tags (`aws:PrincipalTag/team`). Keys of other services and of identity providers (`s3:prefix`, \
        `accounts.google.com:aud`) are told only if they are nearly a global key. API Gateway has no keys of its own for resource policies.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIpAddress": ["203.0.113.0/24", "2001:db8::/32"]}}
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
        "IpAddress": {"AWS:sourceip": ["203.0.113.0/24", "2001:db8::/32"]},
        "StringEquals": {"aws:PrincipalTag/team": "blue"}
      }
    }
  ]
}"#,
    check: unknown,
};

fn unknown(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, condition) in subject.conditions() {
        let key = &*condition.key.value;
        if is_known(key) {
            continue;
        }
        let near = nearest(
            key,
            KNOWN.iter().copied().filter(|known| !known.ends_with('/')),
        );
        let service = key.split_once(':').map(|(service, _)| service);
        let foreign = match service {
            Some(service) => {
                !service.eq_ignore_ascii_case("aws") && !service.eq_ignore_ascii_case("execute-api")
            }
            None => false,
        };
        if foreign && near.is_none_or(|near| strsim::damerau_levenshtein(near, key) > 2) {
            continue;
        }
        let finding = found.tell(
            Some(at),
            condition.key.span,
            format!("{} is no condition key that AWS knows", quoted(key)),
        );
        match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("keys look like `aws:SourceIp`; case does not count"),
        };
    }
}

pub(super) const SHORT_ARN: Rule = Rule {
    id: "short-arn-value",
    severity: Severity::Warning,
    summary: "An ARN operator with a value of fewer than six parts",
    why: "ARN operators compare the six parts of an ARN one by one. A value with fewer parts equals none, not even `*`: the condition holds for \
        nobody, or, negated, for everybody.",
    mend: "Write all six parts, with `*` for those that do not matter: `arn:aws:iam::123456789012:role/*`. To match any text use `StringLike`.",
    quiet: "Values with policy variables are not told.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam:*"}}
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
      "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:*"}}
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
      "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam:*"}}
    }
  ]
}"#,
    check: short_arn,
};

fn short_arn(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, condition) in subject.conditions() {
        let operator = condition.operator.value;
        if operator.operator.family() != OperatorFamily::Arn {
            continue;
        }
        for text in texts(condition) {
            let parts = text.value.raw().split(':').count();
            if parts >= 6 || text.value.has_variables() {
                continue;
            }
            let effect = if operator.operator.is_negated() {
                "excludes nothing"
            } else {
                "matches nothing"
            };
            found
                .tell(
                    Some(at),
                    text.span,
                    format!(
                        "{} has {parts} of the six parts of an ARN, so it {effect}",
                        quoted(text.value.raw())
                    ),
                )
                .help("write all parts, such as `arn:aws:iam::123456789012:role/*`");
        }
    }
}

pub(super) const BOTH_BOOLS: Rule = Rule {
    id: "bool-with-both-values",
    severity: Severity::Warning,
    summary: "`Bool` or `Null` with both `true` and `false`",
    why: "One of the two always holds where the key is there, so the condition says no more than that the key is there; under `Null` it says nothing at all. \
        IAM's own checks refuse several values for `Bool`.",
    mend: "Keep the value that is meant.",
    quiet: "The same value twice is not told.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"Bool": {"aws:SecureTransport": ["true", "false"]}}
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
      "Condition": {"Bool": {"aws:SecureTransport": "true"}}
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
      "Condition": {"StringEquals": {"aws:UserAgent": ["true", "false"]}}
    }
  ]
}"#,
    check: both_bools,
};

fn both_bools(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, condition) in subject.conditions() {
        let operator = condition.operator.value;
        if !matches!(operator.operator, Operator::Bool | Operator::Null) {
            continue;
        }
        let with = |value: &str| texts(condition).iter().find(|t| t.value.raw() == value);
        let (Some(yes), Some(no)) = (with("true"), with("false")) else {
            continue;
        };
        let key = &condition.key.value;
        let later = if yes.span.start < no.span.start {
            no
        } else {
            yes
        };
        let effect = if operator.operator == Operator::Null {
            "the condition always holds".to_owned()
        } else {
            format!("the condition holds whatever `{key}` is")
        };
        found
            .tell(
                Some(at),
                later.span,
                format!("both `true` and `false` are listed, so {effect}"),
            )
            .help("keep the value that is meant");
    }
}

pub(super) const VARIABLE_2008: Rule = Rule {
    id: "variable-without-2012",
    severity: Severity::Warning,
    summary: "`${…}` in a policy whose version has no variables",
    why: "Policy variables work only under `\"Version\": \"2012-10-17\"`. Without that element, or with `2008-10-17`, `${aws:username}` is those very characters, and \
        the `*` of `${*}` is a wildcard.",
    mend: "Add `\"Version\": \"2012-10-17\"` as the first element.",
    quiet: "Only resources and values of operators that take variables are looked at.",
    bad: r#"{
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/users/${aws:username}"
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
      "Resource": "execute-api:/prod/GET/users/${aws:username}"
    }
  ]
}"#,
    near_miss: r#"{
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/prices/$*"
    }
  ]
}"#,
    check: variable_2008,
};

fn variable_2008(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.has_variables() {
        return;
    }
    for (at, statement) in subject.statements() {
        let values = statement.conditions.iter().flat_map(|condition| {
            let takes = condition.operator.value.operator.takes_variables();
            texts(condition).iter().filter(move |_| takes)
        });
        for text in statement.resource.patterns.iter().chain(values) {
            let Some((_, behind)) = text.value.raw().split_once("${") else {
                continue;
            };
            let name = behind.split(['}', ',']).next().unwrap_or_default();
            let variable = format!("${{{name}}}");
            found
                .tell(
                    Some(at),
                    text.span,
                    format!(
                        "{} is no variable here, but those characters",
                        quoted(&variable)
                    ),
                )
                .help("add `\"Version\": \"2012-10-17\"`: only then are there variables");
        }
    }
}
