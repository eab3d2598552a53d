//! Policies and requests: every engine decides and explains as the reference does.
#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis::Policy;
use portcullis_fuzz::{compare, engines, policy, question};
use serde_json::{Value as Json, json};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let mut u = Unstructured::new(bytes);
    let mut policies = Vec::new();
    for _ in 0..=u.int_in_range(0..=1).unwrap_or(0) {
        let document = if u.ratio(1, 3).unwrap_or(false) {
            crowd(&mut u)
        } else {
            policy(&mut u)
        };
        let Ok(document) = document else {
            return Corpus::Reject;
        };
        match Policy::from_json(&document.to_string()) {
            Ok(policy) => policies.push(policy),
            Err(_) => return Corpus::Reject,
        }
    }
    let engines = engines(&policies);
    for _ in 0..8 {
        let Ok(question) = question(&mut u) else {
            return Corpus::Reject;
        };
        compare(&policies, &engines, &question);
        if u.is_empty() {
            break;
        }
    }
    Corpus::Keep
});

/// Makes a document of many statements about one resource: found by other paths than a few are.
fn crowd(u: &mut Unstructured<'_>) -> arbitrary::Result<Json> {
    let mut statements: Vec<Json> = Vec::new();
    let (mut resource, mut not_resource) = (Json::Null, Json::Null);
    for _ in 0..u.int_in_range(3..=9)? {
        let document = policy(u)?;
        statements.extend(
            document["Statement"]
                .as_array()
                .into_iter()
                .flatten()
                .cloned(),
        );
    }
    // Every one of a few bytes more, so that eight and more meet even of short inputs.
    for copy in 0..u.int_in_range(0..=12_usize)? {
        let mut statement = statements[copy % statements.len()].clone();
        statement["Principal"] =
            json!({ "AWS": format!("arn:aws:iam::123456789012:user/u{copy}") });
        statement["Effect"] = json!(u.choose(&["Allow", "Deny"])?);
        statements.push(statement);
    }
    for statement in &mut statements {
        let Some(statement) = statement.as_object_mut() else {
            continue;
        };
        if statement.contains_key("Principal") {
            statement.remove("NotPrincipal");
        } else if !statement.contains_key("NotPrincipal") {
            statement.insert("Principal".into(), json!("*"));
        }
        // One in eight keeps its own resources.
        for (element, shared) in [
            ("Resource", &mut resource),
            ("NotResource", &mut not_resource),
        ] {
            match statement.get_mut(element) {
                Some(own) if shared.is_null() => *shared = own.clone(),
                Some(own) if !u.ratio(1, 8)? => *own = shared.clone(),
                _ => {}
            }
        }
    }
    Ok(json!({ "Version": "2012-10-17", "Statement": statements }))
}
