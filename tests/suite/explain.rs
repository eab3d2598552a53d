//! What an explanation says of each determining statement: names, texts and places.

use core::net::IpAddr;

use portcullis::decision::{Determining, MatchedPattern, MatchedPrefix};
use portcullis::{Api, Decision, Effect, Explanation, Policy, Position, Request, Value};

use crate::support::evaluator;

const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/pets";

/// Asks every evaluator and returns the answer on which all agree.
fn explain(policies: &[Policy], request: &Request<'_>) -> Explanation {
    let mut answers = evaluator::ALL
        .iter()
        .map(|e| (e.name(), e.prepare(policies).explain(request)));
    let (_, first) = answers.next().unwrap();
    for (name, answer) in answers {
        assert_eq!(answer, first, "{name}");
    }
    first
}

const fn at(line: u32, column: u32) -> Position {
    Position { line, column }
}

fn pattern(text: &str, position: Position) -> MatchedPattern {
    MatchedPattern {
        pattern: text.to_owned(),
        position,
    }
}

fn prefix(key: &str, text: &str, position: Position) -> MatchedPrefix {
    MatchedPrefix {
        key: key.to_owned(),
        prefix: text.parse().unwrap(),
        position,
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn places_are_those_of_the_text() {
    let policy = Policy::from_json(
        r#"{"Statement": [
  {"Sid": "É", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "arn:none"},
  {"Sid": "È", "Effect": "Allow", "Principal": "*", "Action": "*",
   "Resource": ["arn:nothing", "*/GET/*", "*"], "Condition": {
    "StringLikeIfExists": {"x:a": "*"},
    "IpAddress": {"AWS:sourceip": ["2001:db8::/32", "10.0.0.0/8",
      "10.1.0.9/16", "10.1.0.0/16"], "aws:VpcSourceIp": "0.0.0.0/0"}
  }},
	{"Effect": "Allow", "Principal": "*", "Action": "*", "NotResource": "arn:none"}
]}"#,
    )
    .unwrap();
    let context = [("aws:VpcSourceIp", Value::Text("192.0.2.1"))];
    let request = Request::invoke(ip("10.1.2.3"), ARN).with_context(&context);
    let expected = Explanation::new(
        Decision::Allow,
        vec![
            Determining {
                policy: 0,
                statement: 1,
                sid: Some("È".to_owned()),
                effect: Effect::Allow,
                position: at(3, 3),
                resource: Some(pattern("*/GET/*", at(4, 32))),
                prefixes: vec![
                    prefix("AWS:sourceip", "10.1.0.0/16", at(7, 7)),
                    prefix("aws:VpcSourceIp", "0.0.0.0/0", at(7, 57)),
                ],
            },
            Determining {
                policy: 0,
                statement: 2,
                sid: None,
                effect: Effect::Allow,
                position: at(9, 2),
                resource: None,
                prefixes: Vec::new(),
            },
        ],
    );
    assert_eq!(explain(&[policy], &request), expected);
}

#[test]
fn only_plain_conditions_of_a_known_address_have_a_prefix() {
    let policy = Policy::from_json(
        r#"{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
  "IpAddressIfExists": {"x:a": "10.0.0.0/8", "x:b": "10.0.0.0/8", "aws:VpcSourceIp": "10.0.0.0/8"},
  "ForAllValues:IpAddress": {"x:a": "10.0.0.0/8"},
  "NotIpAddress": {"x:a": "192.0.2.0/24"}}}}"#,
    )
    .unwrap();
    let context = [
        ("x:a", Value::Address(ip("::ffff:10.1.2.3"))),
        ("aws:VpcSourceIp", Value::Text("unknown")),
    ];
    let request = Request::invoke(None, ARN).with_context(&context);
    let explanation = explain(&[policy], &request);
    assert_eq!(explanation.decision, Decision::ExplicitDeny);
    let [statement] = &*explanation.determining else {
        panic!("{explanation:?}");
    };
    assert_eq!(statement.position, at(1, 15));
    assert_eq!(statement.prefixes, [prefix("x:a", "10.0.0.0/8", at(2, 32))]);
}

#[test]
fn short_hand_is_named_expanded_where_it_stands() {
    let written = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*",
 "Resource": ["execute-api:/dev/*", "execute-api:/*/GET/*"]}}"#;
    let policy = Policy::from_json(written)
        .unwrap()
        .with_short_hand_expanded(&Api::from_arn(ARN).unwrap());
    let explanation = explain(&[policy], &Request::invoke(None, ARN));
    let full = "arn:aws:execute-api:us-east-1:123456789012:abc/*/GET/*";
    assert_eq!(
        explanation.determining[0].resource,
        Some(pattern(full, at(2, 37)))
    );
}

#[test]
fn places_in_an_escaped_document_are_those_of_the_text_as_given() {
    let policy = Policy::from_json(
        r#"
 "{\n \"Statement\": {\"Sid\": \"\", \"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"*\", \"Resource\": \"*\"}}""#,
    )
    .unwrap();
    let explanation = explain(&[policy], &Request::invoke(None, ARN));
    let [statement] = &*explanation.determining else {
        panic!("{explanation:?}");
    };
    assert_eq!(statement.position, at(2, 22));
    assert_eq!(statement.sid.as_deref(), Some(""));
    assert_eq!(statement.resource, Some(pattern("*", at(2, 116))));
}

#[test]
fn policies_are_counted_in_the_order_given() {
    let allow =
        Policy::from_json(r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#)
            .unwrap();
    let silent = Policy::from_json(
        r#"{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "arn:x"}}"#,
    )
    .unwrap();
    let explanation = explain(
        &[silent.clone(), allow.clone(), silent, allow],
        &Request::invoke(None, ARN),
    );
    let places: Vec<usize> = explanation
        .determining
        .iter()
        .map(|statement| statement.policy)
        .collect();
    assert_eq!(places, [1, 3]);
}
