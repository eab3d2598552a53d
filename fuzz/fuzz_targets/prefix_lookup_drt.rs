//! Prefix lists and addresses: classes tell apart exactly what the lists do.
//!
//! Each list stands in a Deny of its own resource, so that the decision about that
//! resource is the list's membership.
#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis::{Address, Config, Engine, Policy, Request, Strategy, reference};
use portcullis_fuzz::{address, prefix};
use serde_json::json;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let mut u = Unstructured::new(bytes);
    let mut statements = Vec::new();
    let lists = u.int_in_range(1..=12).unwrap_or(1);
    for list in 0..lists {
        let count = u.int_in_range(1..=40).unwrap_or(1);
        let prefixes: Result<Vec<String>, _> = (0..count).map(|_| prefix(&mut u)).collect();
        let Ok(prefixes) = prefixes else {
            return Corpus::Reject;
        };
        let operator = if u.arbitrary().unwrap_or(false) {
            "IpAddress"
        } else {
            "NotIpAddress"
        };
        statements.push(json!({
            "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": format!("arn:list/{list}"),
            "Condition": {operator: {"aws:SourceIp": prefixes}},
        }));
    }
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    // A mapped prefix shorter than /96 is refused.
    let Ok(policy) = Policy::from_json(&document) else {
        return Corpus::Reject;
    };
    let policies = [policy];
    for strategy in [Strategy::Auto, Strategy::Lists] {
        let config = Config::default().with_strategy(strategy);
        let Ok(engine) = Engine::builder()
            .policy(policies[0].clone())
            .config(config)
            .build()
        else {
            return Corpus::Reject;
        };
        let mut rest = Unstructured::new(u.peek_bytes(u.len()).unwrap_or_default());
        for _ in 0..16 {
            let Ok(ip) = address(&mut rest) else { break };
            for list in 0..lists {
                let resource = format!("arn:list/{list}");
                let request = Request::invoke(Address::Known(ip), &resource);
                assert_eq!(
                    engine.decide(&request),
                    reference::decide(&policies, &request),
                    "{ip} {list}"
                );
            }
        }
    }
    Corpus::Keep
});
