//! A set of addresses → what an example request comes from.

use core::net::IpAddr;

use super::example::Source;
use crate::analysis::line::{AddressSet, States};
use crate::policy::{Condition, Values};

/// Addresses of documentation, which no reader takes for somebody's.
const USUAL: [&str; 4] = ["203.0.113.7", "198.51.100.7", "192.0.2.7", "2001:db8::7"];

/// Returns sources of the set, the most readable first; more than one where conditions compare the text.
pub(super) fn of(set: &AddressSet, conditions: &[&Condition]) -> Vec<Source> {
    let mut sources = Vec::new();
    let named = (conditions.iter())
        .filter(|condition| condition.key.value.eq_ignore_ascii_case("aws:SourceIp"));
    let mut texts: Vec<String> = Vec::new();
    for condition in named {
        match &condition.values {
            Values::Texts(values) => {
                texts.extend(values.iter().map(|value| value.value.raw().to_owned()));
            }
            Values::Prefixes(prefixes) => {
                texts.extend(
                    prefixes
                        .iter()
                        .take(4)
                        .map(|net| net.value.network().to_string()),
                );
            }
        }
    }
    let addresses = texts.iter().filter_map(|text| text.parse::<IpAddr>().ok());
    let usual = USUAL.iter().filter_map(|text| text.parse::<IpAddr>().ok());
    let first_v4 = set.v4().first().map(|net| {
        let first = net.network();
        // The second looks more like somebody's than the address of the network.
        let second = first.to_bits().saturating_add(1).into();
        IpAddr::V4(if net.prefix_len() <= 30 {
            second
        } else {
            first
        })
    });
    let first_v6 = set.v6().first().map(|net| {
        let first = net.network();
        let second = first.to_bits().saturating_add(1).into();
        IpAddr::V6(if net.prefix_len() <= 126 {
            second
        } else {
            first
        })
    });
    let known: Vec<IpAddr> = usual
        .chain(first_v4)
        .chain(first_v6)
        .chain(addresses)
        .filter(|ip| set.contains(*ip))
        .collect();
    sources.extend(known.into_iter().map(Source::Known));
    if set.states.contains(States::ABSENT) {
        sources.push(Source::Absent);
    }
    if set.states.contains(States::UNREADABLE) {
        sources.push(Source::Unreadable);
    }
    if set.states.contains(States::SEVERAL) {
        texts.retain(|text| text.parse::<IpAddr>().is_ok());
        texts.extend(USUAL.iter().map(|&text| text.to_owned()));
        texts.truncate(SEVERAL_LIMIT);
        for one in &texts {
            for other in &texts {
                sources.push(Source::Several(vec![one.clone(), other.clone()]));
            }
        }
    }
    let is_compared = !texts.is_empty() || !conditions.is_empty();
    if !is_compared {
        sources.truncate(1);
    }
    sources.truncate(SOURCE_LIMIT);
    sources
}

const SEVERAL_LIMIT: usize = 10;
const SOURCE_LIMIT: usize = 100;
