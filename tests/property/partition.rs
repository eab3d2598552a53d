//! A partition of the address space tells of every address what the reference tells of it.

use core::net::IpAddr;
use std::collections::BTreeSet;

use ipnet::IpNet;
use portcullis::analysis::{Partition, partition};
use portcullis::{Address, Decision, Policy, Request, reference};

use super::generate::{self, Choices, Draft, Question, SplitMix64};
use crate::support::ask::Reading;

#[test]
fn partitions_decide_as_the_reference() {
    let (mut asked, mut refused, mut cut) = (0, 0, 0);
    for seed in 0..250_u64 {
        let mut choices = SplitMix64(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let Question { drafts, requests } = generate::question(&mut choices, 3);
        let texts: Vec<String> = drafts.iter().map(Draft::text).collect();
        let policies: Vec<Policy> = drafts
            .iter()
            .zip(&texts)
            .map(|(draft, text)| Policy::from_json_as(text, draft.kind).unwrap())
            .collect();
        let nearby: Vec<IpAddr> = requests
            .iter()
            .filter_map(|request| request.source_ip.as_deref()?.parse().ok())
            .collect();
        for request in &requests {
            let mut scopes: Vec<IpNet> = ["0.0.0.0/0", "::/0", "::ffff:0:0/95", "::/1"]
                .map(|scope| scope.parse().unwrap())
                .to_vec();
            scopes.extend(nearby.iter().map(|&ip| {
                let width = if ip.is_ipv4() { 32 } else { 128 };
                IpNet::new(ip, u8::try_from(choices.next() % (width + 1)).unwrap()).unwrap()
            }));
            request.lend(Reading::Plain, |request| {
                for &within in &scopes {
                    asked += 1;
                    match partition(&policies, request, within) {
                        Ok(partition) => {
                            cut += usize::from(partition.regions().len() > 1);
                            check(&policies, request, &partition, &nearby);
                        }
                        Err(error) => {
                            refused += 1;
                            assert!(error.to_string().contains("aws:SourceIp"), "{error}");
                        }
                    }
                }
            });
        }
    }
    // A generator whose questions are refused, or have one answer, would prove nothing.
    assert!(refused * 5 < asked, "{refused} of {asked} refused");
    assert!(
        cut * 20 > asked,
        "{cut} of {asked} have more than one region"
    );
}

/// Asserts that a partition covers its prefix, and asks the reference at all edges of its regions.
fn check(policies: &[Policy], request: &Request<'_>, partition: &Partition, nearby: &[IpAddr]) {
    let within = partition.within();
    let regions = partition.regions();
    assert_eq!(regions.first().unwrap().first, within.network());
    assert_eq!(regions.last().unwrap().last, within.broadcast());
    for pair in regions.windows(2) {
        assert_eq!(
            bits(pair[0].last) + 1,
            bits(pair[1].first),
            "gap or overlap"
        );
        assert!(
            pair[0].decision != pair[1].decision || pair[0].cause != pair[1].cause,
            "neighbours are alike: {pair:?}"
        );
    }
    let counts = [
        Decision::Allow,
        Decision::ExplicitDeny,
        Decision::ImplicitDeny,
    ]
    .map(|decision| partition.count(decision));
    if within.prefix_len() > 0 {
        let width = within.max_prefix_len() - within.prefix_len();
        assert_eq!(counts.iter().sum::<u128>(), 1 << width);
    }
    // A sample of very many.
    let step = regions.len().div_ceil(64);
    let edges = regions.iter().step_by(step).flat_map(|region| {
        let middle = bits(region.first) + (bits(region.last) - bits(region.first)) / 2;
        [
            region.first,
            region.last,
            address(region.first.is_ipv4(), middle),
        ]
    });
    let asked: BTreeSet<IpAddr> = edges
        .chain(nearby.iter().copied())
        .filter(|ip| within.contains(ip))
        .collect();
    for ip in asked {
        let region = partition.region(ip).unwrap();
        let here = Request::invoke(Address::Known(ip), request.resource())
            .with_action(request.action())
            .with_principal(request.principal())
            .with_context(request.context());
        let explanation = reference::explain(policies, &here);
        let told = (
            region.decision,
            region.cause.map(|c| (c.policy, c.statement)),
        );
        let first = explanation.determining.first();
        let expected = (explanation.decision, first.map(|d| (d.policy, d.statement)));
        assert_eq!(told, expected, "{ip} in {within}: {region:?}");
        let (Some(cause), Some(first)) = (region.cause, first) else {
            continue;
        };
        let mut named = first.prefixes.iter();
        let named = named.find(|p| p.key.eq_ignore_ascii_case("aws:SourceIp"));
        let position = |span| policies[cause.policy].position(span);
        assert_eq!(
            cause.prefix.map(|p| (p.value, position(p.span))),
            named.map(|p| (p.prefix, p.position)),
            "{ip} in {within}: {region:?}"
        );
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

fn address(is_v4: bool, bits: u128) -> IpAddr {
    if is_v4 {
        IpAddr::V4(u32::try_from(bits).unwrap().into())
    } else {
        IpAddr::V6(bits.into())
    }
}
