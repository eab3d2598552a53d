//! `explain`: drawings, the nearest miss, JSON.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use serde_json::{Value as Json, json};

use crate::run::{run, run_with};

const OFFICE: &str = "-p office-allow-list.json -X GET --path /pets";

fn json(text: &str) -> Json {
    assert_eq!(text.matches('\n').count(), 1, "one line: {text}");
    serde_json::from_str(text).unwrap()
}

#[test]
fn explain_draws_what_matched() {
    let allowed = run(&format!("explain {OFFICE} --source-ip 203.0.113.7"));
    assert_eq!(
        allowed.stdout,
        "\
allow

allow: policy office-allow-list.json, statement 0 `OfficesOnly`
  --> office-allow-list.json:4:5
   |
 6 |       \"Effect\": \"Allow\",
   |                 ^^^^^^^ allows the request
...
 9 |       \"Resource\": \"execute-api:/*/*/*\",
   |                   -------------------- matches `arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/pets`
...
13 |             \"203.0.113.7\",
   |             ------------- contains the request's `aws:SourceIp`
"
    );
    assert_eq!((allowed.stderr.as_str(), allowed.code), ("", Some(0)));
}

#[test]
fn explain_draws_the_nearest_miss() {
    let denied =
        run("explain -p one-endpoint-mixed.json --source-ip 192.0.2.1 -X GET --path /index.html");
    assert_eq!(
        denied.stdout,
        "\
implicit deny

nearest miss: policy one-endpoint-mixed.json, statement 0 `IndexFromOneAddress`: `Condition.IpAddress.aws:SourceIp` does not match
  --> one-endpoint-mixed.json:12:28
   |
 6 |       \"Effect\": \"Allow\",
   |                 ------- would allow
...
12 |           \"aws:SourceIp\": [\"217.128.123.174\"]
   |                            ^^^^^^^^^^^^^^^^^ `192.0.2.1` is not in this block
   |
   = help: `aws:SourceIp` would have to be in `217.128.123.174/32`
"
    );
    assert_eq!((denied.stderr.as_str(), denied.code), ("", Some(1)));
    for (args, said) in [
        (
            "-X GET --path /index.html",
            "the request has no `aws:SourceIp`",
        ),
        (
            "-X GET --path /Index.html --source-ip 217.128.123.174",
            "would match but for upper and lower case",
        ),
        (
            "-X GET --path /other.html --source-ip 217.128.123.174",
            "the resource would have to match",
        ),
        (
            "-X GET --path /reports/1",
            "an anonymous caller is not listed here",
        ),
        (
            "-X GET --path /index.html --source-ip 217.128.123.174 --action execute-api:ManageConnections",
            "the action would have to match `execute-api:Invoke`",
        ),
    ] {
        let outcome = run(&format!("explain -p one-endpoint-mixed.json {args}"));
        assert!(outcome.stdout.contains(said), "{args}: {}", outcome.stdout);
        assert_eq!(outcome.code, Some(1));
    }
}

#[test]
fn explain_says_what_other_conditions_want() {
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
        "Action": "*", "Resource": "*", "Condition": {
            "NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/24"]},
            "StringLike": {"aws:UserAgent": ["curl/*", "wget/*"]},
            "Null": {"aws:PrincipalArn": true}}}]}"#;
    let args = "explain -p - -X GET --path / --source-ip 192.0.2.1 --context aws:UserAgent=lynx --context aws:PrincipalArn=x";
    let outcome = run_with(args, policy);
    for said in [
        "`Condition.StringLike.aws:UserAgent` and `Condition.Null.aws:PrincipalArn` do not match",
        "--> <stdin>:3:61",
        "`192.0.2.1` is in this block",
        "`aws:SourceIp` would have to be outside of `192.0.2.0/24`",
        "the request has `lynx`",
        "`aws:UserAgent` would have to satisfy `StringLike` with `curl/*` or `wget/*`",
        "the request would have to have no `aws:PrincipalArn`",
    ] {
        assert!(outcome.stdout.contains(said), "{said}: {}", outcome.stdout);
    }
}

#[test]
fn explain_as_json() {
    let allowed = run(&format!(
        "explain --format json {OFFICE} --source-ip 198.51.100.9"
    ));
    assert_eq!(
        json(&allowed.stdout),
        json!({
            "decision": "allow",
            "determining": [{
                "policy": "office-allow-list.json", "statement": 0, "sid": "OfficesOnly", "effect": "Allow",
                "line": 4, "column": 5,
                "resource": {
                    "pattern": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*/*/*",
                    "line": 9, "column": 19,
                },
                "prefixes": [{"key": "aws:SourceIp", "prefix": "198.51.100.0/24", "line": 14, "column": 13}],
            }],
            "nearest": null,
        })
    );
    let denied = run(&format!("explain --format json {OFFICE}"));
    assert_eq!(
        json(&denied.stdout),
        json!({
            "decision": "implicit_deny",
            "determining": [],
            "nearest": {
                "policy": "office-allow-list.json", "statement": 0, "sid": "OfficesOnly",
                "line": 4, "column": 5,
                "unmet": [{
                    "element": "Condition.IpAddress.aws:SourceIp",
                    "message": "the request has no `aws:SourceIp`",
                    "help": "the source address would have to be known (--source-ip)",
                    "line": 12, "column": 11,
                }],
            },
        })
    );
    assert_eq!((allowed.code, denied.code), (Some(0), Some(1)));
}

#[test]
fn a_policy_without_allow_has_no_nearest_miss() {
    let policy = r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}}"#;
    let outcome = run_with("explain -p - -X GET --path /", policy);
    assert_eq!(
        outcome.stdout,
        "implicit deny\nno statement of the policies allows anything\n"
    );
}
