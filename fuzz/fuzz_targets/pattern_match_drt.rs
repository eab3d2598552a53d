//! Many patterns, one text: the automaton names exactly those that the reference's matcher does.
//!
//! One Deny for each pattern, so that the determining statements are the matching patterns.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis::{Address, Engine, Policy, Request, reference};
use serde_json::json;

/// Five colons, behind which any character may stand.
const HEAD: &str = "arn:::::";

fuzz_target!(|input: (Vec<String>, String)| -> Corpus {
    let (patterns, text) = input;
    if patterns.is_empty() {
        return Corpus::Reject;
    }
    // What begins neither like an ARN nor with a wildcard is no resource.
    let patterns: Vec<String> = patterns
        .iter()
        .map(|pattern| match pattern.starts_with(['*', '?']) {
            true => pattern.clone(),
            false => format!("{HEAD}{pattern}"),
        })
        .collect();
    let statements: Vec<_> = patterns
        .iter()
        .map(|pattern| json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": pattern}))
        .collect();
    // The older version, in which `${` is plain text.
    let document = json!({"Version": "2008-10-17", "Statement": statements}).to_string();
    let Ok(policy) = Policy::from_json(&document) else {
        return Corpus::Reject;
    };
    let Ok(engine) = Engine::builder().policy(policy.clone()).build() else {
        return Corpus::Reject;
    };
    let policies = [policy];
    let plain = text.replace(['*', '?'], "");
    let behind_head = [format!("{HEAD}{text}"), format!("{HEAD}{plain}")];
    for text in [
        &text,
        &plain,
        &behind_head[0],
        &behind_head[1],
        &patterns[0],
    ] {
        let request = Request::invoke(Address::Absent, text);
        let expected = reference::explain(&policies, &request);
        assert_eq!(engine.explain(&request), expected);
        assert_eq!(engine.decide(&request), expected.decision);
    }
    Corpus::Keep
});
