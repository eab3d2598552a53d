//! Why: determining statements, and how near the others came.

use super::*;
use crate::decision::{Determining, Effect};
use crate::reference::{StatementTrace, explain, trace};

const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Office", "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
     "Resource": ["arn:aws:s3:::x", "arn:aws:execute-api:*", "*"],
     "Condition": {
       "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/16", "192.0.2.0/24"]},
       "NotIpAddress": {"aws:SourceIp": "10.9.0.0/16"},
       "ForAnyValue:IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
       "IpAddressIfExists": {"AWS:SourceIP": "10.0.0.0/7", "aws:VpcSourceIp": "10.0.0.0/8"}
     }},
    {"Sid": "", "Effect": "Deny", "Principal": "*", "Action": "*", "NotResource": "arn:aws:s3:::x",
     "Condition": {"StringEquals": {"k": "blocked"}}},
    {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:aws:execute-api:*"},
    {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "s3:*", "Resource": "arn:aws:s3:::x",
     "Condition": {"StringEquals": {"k": "v"}, "StringNotEquals": {"k": "v", "l": "v"}}}
  ]
}"#;

fn lines(determining: &[Determining]) -> Vec<(usize, usize, u32, Option<&str>)> {
    (determining.iter())
        .map(|one| {
            (
                one.policy,
                one.statement,
                one.position.line,
                one.sid.as_deref(),
            )
        })
        .collect()
}

#[test]
fn an_allow_is_explained_by_every_allow_that_matches() {
    let resource = arn("prod/GET/");
    let request = Request::invoke(Address::read("10.1.2.3"), &resource);
    let explanation = explain(&[policy(POLICY), policy(POLICY)], &request);
    assert_eq!(explanation.decision, ALLOW);
    assert_eq!(
        lines(&explanation.determining),
        [
            (0, 0, 4, Some("Office")),
            (0, 2, 14, None),
            (1, 0, 4, Some("Office")),
            (1, 2, 14, None)
        ]
    );
    let office = &explanation.determining[0];
    assert_eq!(office.effect, Effect::Allow);
    assert_eq!(office.position.column, 5);
    let pattern = office.resource.as_ref().unwrap();
    assert_eq!(pattern.pattern, "arn:aws:execute-api:*");
    assert_eq!((pattern.position.line, pattern.position.column), (5, 37));
    let prefixes: Vec<_> = (office.prefixes.iter())
        .map(|one| {
            (
                &*one.key,
                one.prefix.to_string(),
                one.position.line,
                one.position.column,
            )
        })
        .collect();
    assert_eq!(
        prefixes,
        [
            ("aws:SourceIp", "10.1.0.0/16".to_owned(), 7, 53),
            ("AWS:SourceIP", "10.0.0.0/7".to_owned(), 10, 46),
        ]
    );
    assert_eq!(explanation.determining[1].prefixes, []);
}

#[test]
fn an_explicit_deny_is_explained_by_denies_alone() {
    let resource = arn("prod/GET/");
    let context = [("k", Value::Text("blocked"))];
    let request = Request::invoke(Address::read("10.1.2.3"), &resource).with_context(&context);
    let explanation = explain(&[policy(POLICY)], &request);
    assert_eq!(explanation.decision, EXPLICIT);
    assert_eq!(lines(&explanation.determining), [(0, 1, 12, Some(""))]);
    assert_eq!(explanation.determining[0].effect, Effect::Deny);
    assert_eq!(explanation.determining[0].resource, None);
    assert_eq!(explanation.determining[0].prefixes, []);
}

#[test]
fn an_implicit_deny_has_no_determining_statement() {
    let request = Request::invoke(Address::read("10.1.2.3"), "arn:aws:s3:::y");
    let explanation = explain(
        &[statements(&conditioned(
            "Allow",
            r#"{"Null": {"k": "false"}}"#,
        ))],
        &request,
    );
    assert_eq!(explanation.decision, IMPLICIT);
    assert_eq!(explanation.determining, []);
    assert_eq!(explain(&[], &request).decision, IMPLICIT);
}

#[test]
fn an_unreadable_or_missing_address_has_no_prefix() {
    let deny = statements(&conditioned(
        "Deny",
        r#"{"IpAddressIfExists": {"aws:SourceIp": "0.0.0.0/0"}}"#,
    ));
    for source_ip in [Address::Absent, Address::read("unknown")] {
        let explanation = explain(
            core::slice::from_ref(&deny),
            &Request::invoke(source_ip, "r"),
        );
        assert_eq!(explanation.decision, EXPLICIT);
        assert_eq!(explanation.determining[0].prefixes, []);
    }
}

#[test]
fn a_trace_shows_every_element_of_every_statement() {
    let context = [("k", Value::Text("v"))];
    let request =
        Request::invoke(Address::read("192.0.2.1"), "arn:aws:s3:::x").with_context(&context);
    let expected = |statement, effect, matches, elements: [bool; 3], conditions: &[bool]| {
        let [principal, action, resource] = elements;
        StatementTrace {
            policy: 0,
            statement,
            effect,
            matches,
            principal,
            action,
            resource,
            conditions: conditions.to_vec(),
        }
    };
    assert_eq!(
        trace(&[policy(POLICY)], &request),
        [
            expected(
                0,
                Effect::Allow,
                false,
                [true, true, true],
                &[true, true, false, false, true]
            ),
            expected(1, Effect::Deny, false, [true, true, false], &[false]),
            expected(2, Effect::Allow, false, [true, true, false], &[]),
            expected(
                3,
                Effect::Allow,
                false,
                [false, false, true],
                &[true, false, true]
            ),
        ]
    );
}

#[test]
fn a_trace_matches_where_all_its_elements_do() {
    let resource = arn("prod/GET/");
    let request = Request::invoke(Address::read("10.1.2.3"), &resource);
    let traces = trace(&[policy(POLICY), policy(POLICY)], &request);
    let matches: Vec<_> = traces
        .iter()
        .map(|one| (one.policy, one.statement, one.matches))
        .collect();
    assert_eq!(
        matches,
        [
            (0, 0, true),
            (0, 1, false),
            (0, 2, true),
            (0, 3, false),
            (1, 0, true),
            (1, 1, false),
            (1, 2, true),
            (1, 3, false),
        ]
    );
}

#[test]
fn an_identity_policy_has_a_matching_principal() {
    let identity = policy(r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#);
    let traces = trace(&[identity], &Request::invoke(Address::Absent, "r"));
    assert!(traces[0].principal && traces[0].matches);
}
