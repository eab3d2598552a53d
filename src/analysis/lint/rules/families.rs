//! IPv4 and IPv6: a list of one family says nothing about the other.

use ipnet::IpNet;

use crate::analysis::lint::finding::Found;
use crate::analysis::lint::rule::{Rule, Severity};
use crate::analysis::lint::subject::{Subject, compares_source_ip, is_for_everyone};
use crate::decision::Effect;
use crate::policy::{Condition, Operator, Span};

pub(super) const IPV4_ONLY: Rule = Rule {
    id: "ipv4-only-list",
    severity: Severity::Note,
    summary: "A list of allowed addresses without IPv6",
    why: "An IPv4 block never holds an IPv6 address. Once the API answers over IPv6 (dual stack, which takes effect \
        at once and without a deployment; private APIs always are), callers that come over IPv6 are locked out: \
        an Allow with `IpAddress` does not match them, and a Deny with `NotIpAddress` denies every one of them.",
    mend: "Add the IPv6 blocks of the same networks, or leave it if the API is to stay IPv4 only.",
    quiet: "Only `aws:SourceIp` is looked at, and only lists of those who may come in. A list of blocked addresses \
        may well be IPv4 only. A list with 0.0.0.0/0 has a rule of its own (`any-ipv4-without-ipv6`). Told once for each policy.",
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
      "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}
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
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*"
    },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}
    }
  ]
}"#,
    check: ipv4_only,
};

fn ipv4_only(subject: &Subject<'_>, found: &mut Found<'_>) {
    for list in without_ipv6(subject).filter(|list| !list.has_any) {
        let message = match (list.effect, list.condition.operator.value.operator) {
            (Effect::Allow, Operator::IpAddress) => {
                "no IPv6 address matches this Allow: the list has IPv4 blocks only"
            }
            (Effect::Deny, Operator::NotIpAddress) => {
                "every caller over IPv6 is denied: the list has IPv4 blocks only"
            }
            _ => continue,
        };
        found
            .tell(Some(list.statement), list.condition.key.span, message)
            .help("add the IPv6 blocks of the same networks, unless the API is to stay IPv4 only");
    }
}

pub(super) const IPV6_LET_IN: Rule = Rule {
    id: "ipv6-let-in",
    severity: Severity::Warning,
    summary: "An Allow with `NotIpAddress` that lets every IPv6 caller in",
    why: "`NotIpAddress` with IPv4 blocks holds for every IPv6 address. In an Allow that is everyone who comes over IPv6, \
        a listed host with an IPv6 address of its own included.",
    mend: "Block with a Deny and `IpAddress`, beside an Allow without condition, and list the IPv6 blocks too.",
    quiet: "Only `aws:SourceIp` is looked at. A list with an IPv6 block is taken as meant.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}}
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
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8:bad::/48"]}}
    }
  ]
}"#,
    check: ipv6_let_in,
};

fn ipv6_let_in(subject: &Subject<'_>, found: &mut Found<'_>) {
    for list in without_ipv6(subject) {
        // Another condition may keep IPv6 out.
        let kept_out = list.other_family_excluded;
        if list.effect == Effect::Allow
            && list.condition.operator.value.operator == Operator::NotIpAddress
            && !kept_out
        {
            let who = if list.for_everyone {
                "everyone who comes over IPv6 is allowed"
            } else {
                "its callers are allowed from every IPv6 address"
            };
            found
                .tell(
                    Some(list.statement),
                    list.condition.key.span,
                    format!("{who}: the list has IPv4 blocks only"),
                )
                .help("block by a Deny with `IpAddress`, and list the IPv6 blocks too");
        }
    }
}

pub(super) const ANY_IPV4: Rule = Rule {
    id: "any-ipv4-without-ipv6",
    severity: Severity::Warning,
    summary: "`0.0.0.0/0` without `::/0` in the same list",
    why: "`0.0.0.0/0` is every IPv4 address and no IPv6 address. Where \"from anywhere\" is meant, callers over IPv6 are left out; \
        where \"block everyone\" is meant, they get by.",
    mend: "Add `::/0`. Where really everyone is meant, leave the condition out.",
    quiet: "The same is told for `::/0` without `0.0.0.0/0`, and for halves that make up a whole (0.0.0.0/1 and 128.0.0.0/1). \
        A list with IPv6 blocks besides is told too, because they are then likely exceptions that do not work, \
        unless they make up all of IPv6.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/0"]}}
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
      "Condition": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/0", "::/0"]}}
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
      "Condition": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/0", "::/1", "8000::/1"]}}
    }
  ]
}"#,
    check: any_ipv4,
};

fn any_ipv4(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, statement) in subject.statements() {
        for (index, condition) in statement.conditions.iter().enumerate() {
            let Some(set) = subject.set(at, index) else {
                continue;
            };
            let (all, missing) = match set.whole_families() {
                (true, false) => ("0.0.0.0/0", "::/0"),
                (false, true) => ("::/0", "0.0.0.0/0"),
                _ => continue,
            };
            let (here, there) = if missing == "::/0" {
                ("IPv4", "IPv6")
            } else {
                ("IPv6", "IPv4")
            };
            let span = whole_entry(condition).unwrap_or(condition.key.span);
            let rest = match set.whole_families().0 {
                true => set.families().1,
                false => set.families().0,
            };
            let rest = if rest { "not every" } else { "no" };
            found
                .tell(
                    Some(at),
                    span,
                    format!("the list holds every {here} address, and {rest} {there} address: `{all}` stands without `{missing}`"),
                )
                .help(format!("add `{missing}`, or leave the condition out where everyone is meant"));
        }
    }
}

/// A list on `aws:SourceIp` that has IPv4 blocks and no IPv6 block.
struct List<'a> {
    statement: usize,
    effect: Effect,
    condition: &'a Condition,
    for_everyone: bool,
    has_any: bool,
    /// Another condition of the statement holds for no IPv6 address.
    other_family_excluded: bool,
}

fn without_ipv6<'a>(subject: &'a Subject<'_>) -> impl Iterator<Item = List<'a>> {
    subject.statements().flat_map(move |(at, statement)| {
        let on_address = |condition: &Condition| {
            compares_source_ip(condition) && condition.operator.value.qualifier.is_none()
        };
        let conditions = statement.conditions.iter().enumerate();
        conditions.filter_map(move |(index, condition)| {
            let set = subject.set(at, index)?;
            if !on_address(condition) || set.families() != (true, false) {
                return None;
            }
            let others = statement.conditions.iter().enumerate();
            let excluded = others
                .filter(|(other, _)| *other != index)
                .any(|(other, c)| {
                    on_address(c)
                        && c.operator.value.operator == Operator::IpAddress
                        && subject.set(at, other).is_some_and(|set| !set.families().1)
                });
            Some(List {
                statement: at,
                effect: statement.effect.value,
                condition,
                for_everyone: is_for_everyone(statement),
                has_any: set.whole_families().0,
                other_family_excluded: excluded,
            })
        })
    })
}

/// Returns where a prefix of length 0 is written.
fn whole_entry(condition: &Condition) -> Option<Span> {
    match &condition.values {
        crate::policy::Values::Prefixes(list) => list
            .iter()
            .find(|prefix| match prefix.value {
                IpNet::V4(net) => net.prefix_len() == 0,
                IpNet::V6(net) => net.prefix_len() == 0,
            })
            .map(|prefix| prefix.span),
        crate::policy::Values::Texts(_) => None,
    }
}
