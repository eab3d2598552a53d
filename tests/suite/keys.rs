//! Address conditions on several keys: two have classes, the others are tested by themselves.

use core::net::Ipv4Addr;

use portcullis::{Config, Decision, Engine, Policy, Request, Strategy, Value, reference};
use serde_json::{Value as Json, json};

const RESOURCE: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/pets";

fn address(i: u32) -> String {
    Ipv4Addr::from_bits(0x0a00_0000 + i).to_string()
}

/// Statements of one resource, each with an address of its own: by turns on either key, on both,
/// on one but for some addresses, or on a third key; Deny and Allow.
fn policy(count: u32) -> Policy {
    let statements: Vec<Json> = (0..count)
        .map(|i| {
            let own = json!({ "IpAddress": { "aws:SourceIp": address(i) } });
            let in_network = json!({ "IpAddress": { "aws:VpcSourceIp": address(i) } });
            let condition = match i % 6 {
                0 | 1 => own,
                2 | 3 => in_network,
                4 => json!({ "IpAddress": { "aws:VpcSourceIp": address(i), "aws:SourceIp": address(i + 1) } }),
                _ => json!({ "IpAddressIfExists": { "x:peer": address(i) },
                    "NotIpAddressIfExists": { "aws:VpcSourceIp": [address(i + 1), address(i + 2)] } }),
            };
            json!({
                "Effect": if i % 7 == 0 { "Deny" } else { "Allow" },
                "Principal": "*", "Action": "execute-api:Invoke", "Resource": RESOURCE,
                "Condition": condition,
            })
        })
        .collect();
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    Policy::from_json(&document.to_string()).unwrap()
}

#[test]
fn two_address_keys_decide_as_the_reference_does() {
    let policy = policy(120);
    let configs = [
        Config::new(),
        Config::new().with_strategy(Strategy::Cells),
        Config::new().with_strategy(Strategy::Lists),
        Config::new().with_cell_budget(40),
        Config::new().with_class_budget(250),
    ];
    let engines = configs.map(|config| {
        let builder = Engine::builder().policy(policy.clone()).config(config);
        builder.build().unwrap()
    });
    let policies = [policy];
    let mut seen = [0; 3];
    let others = [
        None,
        Some(0),
        Some(1),
        Some(2),
        Some(8),
        Some(119),
        Some(500),
    ];
    for source in 0..121 {
        for near in others {
            for peer in [None, Some(source), Some(5)] {
                let texts = [near.map(|n| address(source + n)), peer.map(address)];
                let names = ["aws:VpcSourceIp", "x:peer"];
                let context: Vec<(&str, Value<'_>)> = names
                    .iter()
                    .zip(&texts)
                    .filter_map(|(name, text)| Some((*name, Value::Text(text.as_deref()?))))
                    .collect();
                let ip = Ipv4Addr::from_bits(0x0a00_0000 + source);
                let request = Request::invoke(ip, RESOURCE).with_context(&context);
                let expected = reference::decide(&policies, &request);
                seen[match expected {
                    Decision::Allow => 0,
                    Decision::ExplicitDeny => 1,
                    Decision::ImplicitDeny => 2,
                }] += 1;
                for (at, engine) in engines.iter().enumerate() {
                    assert_eq!(engine.decide(&request), expected, "{at} {source} {texts:?}");
                }
            }
        }
    }
    assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
}

/// Unreadable and several values of the second key, which classes answer as well.
#[test]
fn states_of_the_second_key_decide_as_the_reference_does() {
    let policies = [policy(60)];
    let engine = Engine::builder()
        .policy(policies[0].clone())
        .build()
        .unwrap();
    let several = ["10.0.0.2", "10.0.0.3"];
    let unreadable = ["10.0.0.2", "here"];
    for value in [
        Value::Text(""),
        Value::Text("10.0.0.02"),
        Value::Text("::ffff:10.0.0.2"),
        Value::Text("2001:db8::1"),
        Value::Texts(&several),
        Value::Texts(&several[..1]),
        Value::Texts(&[]),
        Value::Texts(&unreadable),
    ] {
        for source in [0_u32, 3, 5, 14, 99] {
            let context = [("AWS:vpcsourceip", value)];
            let ip = Ipv4Addr::from_bits(0x0a00_0000 + source);
            let request = Request::invoke(ip, RESOURCE).with_context(&context);
            let expected = reference::decide(&policies, &request);
            assert_eq!(engine.decide(&request), expected, "{value:?} {source}");
        }
    }
}

/// Neither key's conditions are left over to be tested one by one.
#[test]
fn both_keys_have_classes() {
    let statements: Vec<Json> = (0..500)
        .map(|i| {
            let key = ["aws:SourceIp", "aws:VpcSourceIp"][usize::from(i % 2 == 0)];
            json!({ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": RESOURCE,
                "Condition": { "IpAddress": { key: address(i) } } })
        })
        .collect();
    let document = json!({ "Statement": statements }).to_string();
    let engine = Engine::builder().policy(Policy::from_json(&document).unwrap());
    let inspection = engine.build().unwrap().inspect();
    let count = |name: &str| {
        let mut counts = inspection.counts().iter();
        counts.find(|(known, _)| *known == name).unwrap().1
    };
    assert_eq!(inspection.strategy(), "cells");
    assert_eq!(count("residual programs"), 0);
    assert_eq!(count("IPv4 classes"), 251);
    assert_eq!(count("IPv4 classes, second key"), 251);
    assert_eq!(inspection.lookups().len(), 4);
}
