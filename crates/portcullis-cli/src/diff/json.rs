//! The answer as one line of JSON.

use portcullis::Principal;
use portcullis::analysis::Difference;
use portcullis::analysis::diff::{Addresses, Example, Region, Term, Totals};
use serde_json::{Map, Value as Json, json};

use crate::diagnostics::json_line;

pub(super) fn answer(difference: &Difference) -> String {
    json_line(&json!({
        "equal": difference.is_empty(),
        "gained": totals(difference.gained()),
        "lost": totals(difference.lost()),
        "regions": difference.regions().iter().map(region).collect::<Vec<_>>(),
    }))
}

fn totals(totals: Totals) -> Json {
    json!({ "ipv4": totals.v4.to_string(), "ipv6": totals.v6.to_string() })
}

fn region(region: &Region) -> Json {
    json!({
        "before": region.before().as_str(),
        "after": region.after().as_str(),
        "proven": region.is_proven(),
        "when": terms(region.terms()),
        "except": region.exceptions().iter().map(|list| terms(list)).collect::<Vec<_>>(),
        "addresses": addresses(region.addresses()),
        "example": region.example().map(example),
    })
}

fn terms(list: &[Term]) -> Vec<Json> {
    let element = |element: &str, negated: bool, values: &[String]| json!({ "element": element, "negated": negated, "values": values });
    (list.iter())
        .map(|term| match term {
            Term::Principal { negated, entries } => element("principal", *negated, entries),
            Term::Action { negated, patterns } => element("action", *negated, patterns),
            Term::Resource { negated, patterns } => element("resource", *negated, patterns),
            Term::Condition {
                operator,
                key,
                values,
            } => json!({ "element": "condition", "operator": operator, "key": key, "values": values }),
            other => json!({ "element": "other", "values": [other.to_string()] }),
        })
        .collect()
}

fn addresses(addresses: &Addresses) -> Json {
    let v4: Vec<String> = addresses.v4().iter().map(ToString::to_string).collect();
    let v6: Vec<String> = addresses.v6().iter().map(ToString::to_string).collect();
    json!({
        "ipv4": v4,
        "ipv6": v6,
        "ipv4_count": addresses.v4_count().to_string(),
        "ipv6_count": addresses.v6_count().to_string(),
        "absent": addresses.absent(),
        "unreadable": addresses.unreadable(),
        "several": addresses.several(),
    })
}

fn example(example: &Example) -> Json {
    let principal = match example.principal() {
        Principal::Aws(arn) => json!(arn),
        Principal::Service(name) => json!({ "Service": name }),
        Principal::Federated(name) => json!({ "Federated": name }),
        Principal::CanonicalUser(id) => json!({ "CanonicalUser": id }),
        _ => Json::Null,
    };
    let mut context = Map::new();
    if let Some(ip) = example.source_ip() {
        context.insert("aws:SourceIp".to_owned(), json!(ip.to_string()));
    } else if example.has_unreadable_source_ip() {
        context.insert("aws:SourceIp".to_owned(), json!("unknown"));
    }
    for (key, values) in example.context() {
        let value = match values {
            [one] => json!(one),
            several => json!(several),
        };
        context.insert(key.to_owned(), value);
    }
    json!({
        "principal": principal,
        "action": example.action(),
        "resource": example.resource(),
        "context": context,
    })
}
