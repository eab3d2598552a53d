//! Single prefixes: twice there, covered, not as written, never seen.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::collections::HashMap;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::analysis::lint::finding::Found;
use crate::analysis::lint::fix::Change;
use crate::analysis::lint::rule::{Rule, Severity};
use crate::analysis::lint::subject::{Subject, compares_source_ip, count, quoted};
use crate::policy::{Located, Operator};

pub(super) const DUPLICATE: Rule = Rule {
    id: "duplicate-cidr",
    severity: Severity::Warning,
    summary: "A CIDR that stands in the same list twice",
    why: "The second entry does nothing. It costs characters of a document that has a limit, and whoever \
        removes an address later may remove only one of the two and believe it gone.\n\n\
        Entries are compared by what they mean: `203.0.113.7` is `203.0.113.7/32`, `198.51.100.9/24` is \
        `198.51.100.0/24`, and `::ffff:192.0.2.1` is `192.0.2.1`.",
    mend: "Remove the later entry. `--fix` does.",
    quiet: "The same CIDR in lists of different statements or keys is not told: each list is judged alone.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": ["203.0.113.7", "198.51.100.0/24", "203.0.113.7/32", "2001:db8::/32"]
        }
      }
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
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": ["203.0.113.7", "198.51.100.0/24", "2001:db8::/32"]
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
      "Resource": "execute-api:/prod/GET/pets",
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.7", "2001:db8::/32"]}}
    },
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/GET/toys",
      "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.7", "203.0.113.8"]}}
    }
  ]
}"#,
    check: duplicates,
};

fn duplicates(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, _, list) in subject.prefix_lists() {
        let mut first: HashMap<IpNet, &Located<IpNet>> = HashMap::with_capacity(list.len());
        for prefix in list {
            let Some(earlier) = first.get(&prefix.value) else {
                first.insert(prefix.value, prefix);
                continue;
            };
            let position = subject.policy().position(earlier.span);
            found
                .tell(
                    Some(at),
                    prefix.span,
                    format!(
                        "{} is in this list already",
                        quoted(&subject.written(prefix.span))
                    ),
                )
                .help(format!("remove it: the entry at {position} does its work"))
                .also(subject.policy(), earlier.span, "the first of them")
                .fixed_by("remove the duplicate", Change::Remove(prefix.span));
        }
    }
}

pub(super) const SHADOWED: Rule = Rule {
    id: "shadowed-cidr",
    severity: Severity::Warning,
    summary: "A CIDR inside of another one of the same list",
    why: "The larger block holds every address of the smaller one, so the smaller one does nothing, under \
        `IpAddress` and `NotIpAddress` alike. Often the larger one is a mistake (`/8` for `/28`), or the smaller \
        one was meant as an exception, which a list cannot express.",
    mend: "Remove the smaller block (`--fix` does), or make the larger one as small as it was meant. For an exception, \
        put the smaller block into a `NotIpAddress` beside the `IpAddress` of the same statement: both must hold.",
    quiet: "Blocks that only together cover another are not told, and neither are neighbours that could be one block.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": ["198.51.100.0/24", "198.51.100.16/28", "2001:db8::/32"]
        }
      }
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
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": ["198.51.100.0/24", "2001:db8::/32"]
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
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "2001:db8::/32"]},
        "NotIpAddress": {"aws:SourceIp": ["198.51.100.16/28", "2001:db8:1::/48"]}
      }
    }
  ]
}"#,
    check: shadowed,
};

fn shadowed(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, _, list) in subject.prefix_lists() {
        let mut sorted: Vec<&Located<IpNet>> = list.iter().collect();
        // Of one network the shortest prefix first; of families one after the other.
        sorted.sort_by_key(|prefix| {
            (
                prefix.value.network(),
                prefix.value.prefix_len(),
                prefix.span.start,
            )
        });
        let mut widest: Option<&Located<IpNet>> = None;
        let mut covered = Vec::new();
        for prefix in sorted {
            match widest {
                Some(cover) if cover.value.contains(&prefix.value) => {
                    if cover.value != prefix.value {
                        covered.push((prefix, cover));
                    }
                }
                _ => widest = Some(prefix),
            }
        }
        covered.sort_by_key(|(prefix, _)| prefix.span.start);
        for (prefix, cover) in covered {
            let (small, large) = (subject.written(prefix.span), subject.written(cover.span));
            found
                .tell(
                    Some(at),
                    prefix.span,
                    format!(
                        "{} is inside of {}, which is in the same list",
                        quoted(&small),
                        quoted(&large)
                    ),
                )
                .help("remove it, or make the larger block smaller")
                .also(subject.policy(), cover.span, "holds all of its addresses")
                .fixed_by("remove the smaller block", Change::Remove(prefix.span));
        }
    }
}

pub(super) const HOST_BITS: Rule = Rule {
    id: "host-bits-set",
    severity: Severity::Warning,
    summary: "A CIDR whose address is not the first of its block",
    why: "The bits behind the prefix length are ignored: `203.0.113.7/24` is all 256 addresses of `203.0.113.0/24`. \
        Whoever reads the policy may take it for one address, and sometimes the author did.",
    mend: "Write the block as it is read (`--fix` does), or `/32` (`/128` for IPv6) where one address was meant.",
    quiet: "An address without a prefix length is one address, and fine.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": ["203.0.113.7/24", "2001:db8::1/32"]
        }
      }
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
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]
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
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": ["203.0.113.7", "198.51.100.7/32", "2001:db8::1/128"]
        }
      }
    }
  ]
}"#,
    check: host_bits,
};

fn host_bits(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, _, list) in subject.prefix_lists() {
        for prefix in list {
            let written = subject.written(prefix.span);
            let Some((address, _)) = written.split_once('/') else {
                continue;
            };
            let Ok(address) = address.parse::<core::net::IpAddr>() else {
                continue;
            };
            if address.to_canonical() == prefix.value.network() {
                continue;
            }
            let meant = prefix.value.to_string();
            let size = match prefix.value {
                IpNet::V4(net) => 32 - net.prefix_len(),
                IpNet::V6(net) => 128 - net.prefix_len(),
            };
            let size = if size < 32 {
                format!("{} addresses", 1_u64 << size)
            } else {
                format!("2^{size} addresses")
            };
            found
                .tell(
                    Some(at),
                    prefix.span,
                    format!("{} is read as `{meant}`, which is {size}", quoted(&written)),
                )
                .help(format!("write `{meant}`, or `{address}` for one address"))
                .fixed_by(
                    "write the block as it is read",
                    Change::Replace(prefix.span, meant),
                );
        }
    }
}

pub(super) const PRIVATE: Rule = Rule {
    id: "private-source-range",
    severity: Severity::Warning,
    summary: "A private or reserved range under `aws:SourceIp`",
    why: "`aws:SourceIp` is the public address from which a call arrives, as the internet sees it. Private addresses \
        (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16), carrier NAT, loopback, link-local and multicast \
        addresses never arrive there: under `IpAddress` the entry matches nobody, under `NotIpAddress` it exempts nobody.",
    mend: "List the public address of the NAT gateway, proxy or office router. Inside of a VPC, with a private API, \
        compare `aws:VpcSourceIp` or `aws:SourceVpce` instead.",
    quiet: "Ranges set aside for documentation (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) are not told, \
        and neither is a block that holds public addresses besides, such as 0.0.0.0/0. Other keys than `aws:SourceIp` may hold \
        private addresses.",
    bad: r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": ["10.20.0.0/16", "203.0.113.7", "2001:db8::/32"]
        }
      }
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
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": ["203.0.113.7", "2001:db8::/32"]
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
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {
          "aws:VpcSourceIp": ["10.20.0.0/16", "fd00::/8"]
        }
      }
    }
  ]
}"#,
    check: private,
};

fn private(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (at, _, condition, list) in subject.prefix_lists() {
        if !compares_source_ip(condition) {
            continue;
        }
        let mut never: Vec<(&Located<IpNet>, &'static str)> = Vec::new();
        for prefix in list {
            if let Some(what) = reserved(&prefix.value) {
                never.push((prefix, what));
            }
        }
        let all = never.len() == list.len();
        let negated = condition.operator.value.operator == Operator::NotIpAddress;
        for (prefix, what) in never {
            let written = quoted(&subject.written(prefix.span));
            let effect = match (all, negated) {
                (false, false) => "matches nobody",
                (false, true) => "exempts nobody",
                (true, false) => "the condition holds for nobody",
                (true, true) => "the condition holds for every caller",
            };
            let finding = found.tell(
                Some(at),
                prefix.span,
                format!(
                    "{written} is {what}: no call arrives from there, so {}",
                    if all {
                        effect.to_owned()
                    } else {
                        format!("it {effect}")
                    }
                ),
            );
            finding.help(
                "list the public address that the calls arrive from; in a private API compare `aws:VpcSourceIp`",
            );
            if all && list.len() > 1 {
                let all = count(list.len(), "entry", "entries");
                finding.also(
                    subject.policy(),
                    condition.key.span,
                    format!("all {all} are such ranges"),
                );
            }
        }
    }
}

/// Returns why no call arrives from these addresses, if that is so for all of them.
fn reserved(prefix: &IpNet) -> Option<&'static str> {
    match prefix {
        IpNet::V4(net) => (RESERVED_V4.iter())
            .find(|(start, length, _)| {
                Ipv4Net::new(Ipv4Addr::from(*start), *length).is_ok_and(|range| range.contains(net))
            })
            .map(|(_, _, what)| *what),
        IpNet::V6(net) => (RESERVED_V6.iter())
            .find(|(start, length, _)| {
                Ipv6Net::new(Ipv6Addr::from_bits(*start), *length)
                    .is_ok_and(|range| range.contains(net))
            })
            .map(|(_, _, what)| *what),
    }
}

/// IANA's registry of special-purpose addresses, without those for documentation.
const RESERVED_V4: &[([u8; 4], u8, &str)] = &[
    ([10, 0, 0, 0], 8, "a private range"),
    ([172, 16, 0, 0], 12, "a private range"),
    ([192, 168, 0, 0], 16, "a private range"),
    ([100, 64, 0, 0], 10, "a range of carrier NAT"),
    ([127, 0, 0, 0], 8, "a loopback range"),
    ([169, 254, 0, 0], 16, "a link-local range"),
    ([0, 0, 0, 0], 8, "a reserved range"),
    ([192, 0, 0, 0], 24, "a reserved range"),
    ([198, 18, 0, 0], 15, "a range for benchmarks"),
    ([224, 0, 0, 0], 4, "a multicast range"),
    ([240, 0, 0, 0], 4, "a reserved range"),
];

const RESERVED_V6: &[(u128, u8, &str)] = &[
    (0xfc00 << 112, 7, "a private range"),
    (0xfe80 << 112, 10, "a link-local range"),
    (0xff00 << 112, 8, "a multicast range"),
    (0, 127, "the unspecified or the loopback address"),
];
