//! The same question asked of every rule, with what in it matched.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;
use core::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::condition::text;
use super::context::{self, Addresses};
use super::decide::matches_pattern;
use super::lane::Lanes;
use super::row::conditions_hold;
use crate::decision::{
    Decision, Determining, Effect, Explanation, MatchedPattern, MatchedPrefix, Position,
};
use crate::image::keys::{v6_bits, v6_words};
use crate::image::{EFFECT_ALLOW, EFFECT_DENY, Rule, View};
use crate::request::Request;
use crate::util::ids::Id;
use crate::util::int::AsUsize;

/// Explains.
pub(super) fn explain(image: &View<'_>, request: &Request<'_>) -> Explanation {
    let lanes = Lanes::new(image, request);
    let matching: Vec<&Rule> = image
        .rules
        .iter()
        .filter(|rule| matches(image, request, &lanes, rule))
        .collect();
    let has = |effect| matching.iter().any(|rule| rule.effect == effect);
    let (decision, effect) = if has(EFFECT_DENY) {
        (Decision::ExplicitDeny, EFFECT_DENY)
    } else if has(EFFECT_ALLOW) {
        (Decision::Allow, EFFECT_ALLOW)
    } else {
        return Explanation::new(Decision::ImplicitDeny, Vec::new());
    };
    let caused = matching.iter().filter(|rule| rule.effect == effect);
    Explanation::new(
        decision,
        caused
            .map(|rule| determining(image, request, rule))
            .collect(),
    )
}

fn matches(image: &View<'_>, request: &Request<'_>, lanes: &Lanes<'_, '_>, rule: &Rule) -> bool {
    let mut patterns = rule.patterns.of(image.rule_patterns).iter();
    lanes.contains(rule.lane)
        && patterns.any(|p| matches_pattern(image, request, p.pattern)) != (rule.not_resource == 1)
        && conditions_hold(image, request, rule)
}

fn determining(image: &View<'_>, request: &Request<'_>, rule: &Rule) -> Determining {
    let mut patterns = rule.patterns.of(image.rule_patterns).iter();
    let resource = patterns
        .find(|p| rule.not_resource == 0 && matches_pattern(image, request, p.pattern))
        .and_then(|p| {
            let pattern = image.patterns.get(p.pattern.as_usize())?;
            Some(MatchedPattern {
                pattern: text(image, pattern.raw).to_owned(),
                position: Position {
                    line: p.line,
                    column: p.column,
                },
            })
        });
    let notes = rule.notes.of(image.notes).iter();
    let prefixes = notes.filter_map(|note| {
        let condition = image.conditions.get(note.condition.as_usize())?;
        let Addresses::One(ip) = context::addresses(request, text(image, condition.key)) else {
            return None;
        };
        let (prefix, position) = match ip {
            IpAddr::V4(ip) => longest(
                note.v4.of(image.noted_v4),
                32,
                |p| (p.first, p.prefix.length),
                |length| ip.to_bits() & u32::MAX.checked_shl(32 - length).unwrap_or(0),
            )
            .and_then(|found| {
                let network = core::net::Ipv4Addr::from_bits(found.first);
                let net = Ipv4Net::new(network, u8::try_from(found.prefix.length).ok()?).ok()?;
                Some((
                    IpNet::V4(net),
                    Position {
                        line: found.prefix.line,
                        column: found.prefix.column,
                    },
                ))
            }),
            IpAddr::V6(ip) => longest(
                note.v6.of(image.noted_v6),
                128,
                |p| (p.first, p.prefix.length),
                |length| v6_words(ip.to_bits() & u128::MAX.checked_shl(128 - length).unwrap_or(0)),
            )
            .and_then(|found| {
                let network = core::net::Ipv6Addr::from_bits(v6_bits(found.first));
                let net = Ipv6Net::new(network, u8::try_from(found.prefix.length).ok()?).ok()?;
                Some((
                    IpNet::V6(net),
                    Position {
                        line: found.prefix.line,
                        column: found.prefix.column,
                    },
                ))
            }),
        }?;
        Some(MatchedPrefix {
            key: text(image, note.key).to_owned(),
            prefix,
            position,
        })
    });
    Determining {
        policy: rule.policy.as_usize(),
        statement: rule.statement.as_usize(),
        sid: (rule.has_sid == 1).then(|| text(image, rule.sid).to_owned()),
        effect: if rule.effect == EFFECT_DENY {
            Effect::Deny
        } else {
            Effect::Allow
        },
        position: Position {
            line: rule.line,
            column: rule.column,
        },
        resource,
        prefixes: prefixes.collect(),
    }
}

/// Returns the longest of the sorted prefixes that contains an address; of equal ones the first written.
///
/// `key` gives a prefix's network and length, `network` the address's network of a length.
fn longest<P, T: Ord>(
    prefixes: &[P],
    bits: u32,
    key: impl Fn(&P) -> (T, u32),
    network: impl Fn(u32) -> T,
) -> Option<&P> {
    (0..=bits).rev().find_map(|length| {
        let wanted = (network(length), length);
        let at = prefixes.partition_point(|prefix| key(prefix) < wanted);
        prefixes.get(at).filter(|prefix| key(prefix) == wanted)
    })
}
