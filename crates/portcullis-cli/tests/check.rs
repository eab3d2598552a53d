//! `check` and `inspect`: answers, warnings and exit codes.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use serde_json::{Value as Json, json};

use crate::run::{Outcome, run, run_with};

const OFFICE: &str = "-p office-allow-list.json -X GET --path /pets";

fn json(text: &str) -> Json {
    assert_eq!(text.matches('\n').count(), 1, "one line: {text}");
    serde_json::from_str(text).unwrap()
}

/// Asserts that there is no answer, and returns what is said about it.
fn no_answer(outcome: &Outcome) -> &str {
    assert_eq!(
        (outcome.stdout.as_str(), outcome.code),
        ("", Some(2)),
        "{outcome:?}"
    );
    &outcome.stderr
}

#[test]
fn the_answer_of_check() {
    let allowed = run(&format!("check {OFFICE} --source-ip 203.0.113.7"));
    assert_eq!(
        allowed.stdout,
        "allow\n\
         policy office-allow-list.json, statement 0 `OfficesOnly` (line 4): allows \
         `arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*/*/*` from `203.0.113.7/32` \
         (aws:SourceIp, line 13, column 13)\n"
    );
    assert_eq!((allowed.stderr.as_str(), allowed.code), ("", Some(0)));
    let denied = run(&format!("check {OFFICE} --source-ip 192.0.2.1"));
    assert_eq!(
        denied.stdout,
        "implicit deny\nno statement matches; `portcullis explain` shows the nearest miss\n"
    );
    assert_eq!((denied.stderr.as_str(), denied.code), ("", Some(1)));
    let blocked = run("check -p block-list.json --source-ip 198.51.100.1 -X GET --path /pets");
    assert!(blocked.stdout.starts_with(
        "explicit deny\npolicy block-list.json, statement 1 `BlockList` (line 10): denies "
    ));
    assert_eq!((blocked.stderr.as_str(), blocked.code), ("", Some(1)));
}

#[test]
fn the_answer_of_check_as_json() {
    for (args, stdout, code) in [
        (
            "-p office-allow-list.json --source-ip 203.0.113.7 -X GET --path /",
            r#"{"decision":"allow","determining":[{"policy":"office-allow-list.json","statement":0,"sid":"OfficesOnly"}]}"#,
            0,
        ),
        (
            "-p office-allow-list.json --source-ip 192.0.2.1 -X GET --path /",
            r#"{"decision":"implicit_deny","determining":[]}"#,
            1,
        ),
        (
            "-p block-list.json --source-ip 198.51.100.1 -X GET --path /",
            r#"{"decision":"explicit_deny","determining":[{"policy":"block-list.json","statement":1,"sid":"BlockList"}]}"#,
            1,
        ),
        (
            "-p block-list.json -p office-allow-list.json --source-ip 203.0.113.7 -X GET --path /",
            r#"{"decision":"allow","determining":[{"policy":"block-list.json","statement":0,"sid":null},{"policy":"office-allow-list.json","statement":0,"sid":"OfficesOnly"}]}"#,
            0,
        ),
    ] {
        let outcome = run(&format!("check --format json {args}"));
        assert_eq!(outcome.stdout, format!("{stdout}\n"), "{args}");
        assert_eq!((outcome.stderr.as_str(), outcome.code), ("", Some(code)));
    }
}

/// A block list lets a request without an address in, which is said.
#[test]
fn a_missing_address_is_told_where_it_decides() {
    let request = "-X GET --path /pets";
    let outcome = run(&format!("check -p block-list.json {request}"));
    assert_eq!(outcome.code, Some(0));
    let said = "block-list.json decides by `aws:SourceIp`, which this request does not have";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    for given in ["--source-ip 10.0.0.1", "--context aws:sourceip=10.0.0.1"] {
        let outcome = run(&format!("check -p block-list.json {request} {given}"));
        assert_eq!(outcome.stderr, "", "{given}");
    }
    let open =
        r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
    assert_eq!(run_with(&format!("check -p - {request}"), open).stderr, "");
}

#[test]
fn a_method_that_is_not_upper_case_is_a_warning() {
    let human = run("check -p block-list.json --source-ip 10.0.0.1 -X get --path /");
    assert_eq!(human.code, Some(0));
    assert_eq!(
        human.stderr,
        "warning: --method `get` is taken as it stands, and methods are upper case in ARNs: `GET`?\n"
    );
    let report = run("check --format json -p block-list.json --source-ip 10.0.0.1 -X get --path /");
    assert!(json(&report.stderr)["warning"]["message"].is_string());
}

#[test]
fn an_identity_policy_that_nobody_called_one_is_a_warning() {
    let message = "partner-by-iam.json has no Principal, so it is read as an identity policy, attached to an \
                   anonymous caller; --principal ARN names the caller, --kind identity says that an anonymous \
                   one is meant, --kind resource that the policy is an API's";
    let asked = "-p partner-by-iam.json -X GET --path /pets --source-ip 203.0.113.7";
    for command in ["check", "explain"] {
        let human = run(&format!("{command} {asked}"));
        assert_eq!(human.stderr, format!("warning: {message}\n"));
        assert!(human.stdout.starts_with("allow\n"), "{human:?}");
        assert_eq!(human.code, Some(0));
        let report = run(&format!("{command} --format json {asked}"));
        assert_eq!(
            json(&report.stderr),
            json!({"warning": {"message": message}})
        );
        let silent = run(&format!("{command} --format json --kind identity {asked}"));
        assert_eq!((silent.stderr.as_str(), silent.code), ("", Some(0)));
        assert_eq!(report.stdout, silent.stdout);
        for settled in [
            "--kind identity",
            "--principal arn:aws:iam::123456789012:user/partner",
        ] {
            let outcome = run(&format!("{command} {asked} {settled}"));
            assert_eq!((outcome.stderr.as_str(), outcome.code), ("", Some(0)));
        }
        let resource = run(&format!("{command} {asked} --kind resource"));
        assert!(no_answer(&resource).contains("Principal"), "{resource:?}");
    }
    // Each file is told apart; one with a Principal is none of them.
    let two = run(&format!("check -p block-list.json {asked}"));
    assert_eq!(two.stderr, format!("warning: {message}\n"));
}

#[test]
fn keys_of_the_context() {
    let policy = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"ForAnyValue:StringEquals": {"x:tags": "b"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}}"#;
    for (args, code) in [
        (
            "--context x:tags=a --context X:Tags=b --source-ip 10.0.0.1",
            0,
        ),
        ("--context x:tags=b --context aws:sourceIP=10.0.0.1", 0),
        ("--context x:tags=a --source-ip 10.0.0.1", 1),
        ("--context x:tags=b", 1),
        // Several addresses are not one.
        (
            "--context x:tags=b --context aws:SourceIp=10.0.0.1 --context aws:SourceIp=10.0.0.2",
            1,
        ),
    ] {
        let outcome = run_with(
            &format!("check -p - --resource arn:aws:a:b:c:d {args}"),
            policy,
        );
        assert_eq!(outcome.code, Some(code), "{args}: {outcome:?}");
    }
}

#[test]
fn short_hand_belongs_to_the_api_of_the_request_or_of_the_flags() {
    let arn = "--resource arn:aws-cn:execute-api:cn-north-1:210987654321:abc/prod/GET/";
    for (args, code) in [
        ("", 0),
        ("--api-id abc", 0),
        ("--api-id def", 1),
        ("--partition aws", 1),
        (
            "--region cn-north-1 --account 210987654321 --partition aws-cn",
            0,
        ),
    ] {
        let outcome = run(&format!("check -p block-list.json {arn} {args}"));
        assert_eq!(outcome.code, Some(code), "{args}: {outcome:?}");
    }
}

#[test]
fn inspect_shows_what_was_built() {
    let human = run("inspect block-list.json -p partner-by-iam.json");
    assert_eq!(human.code, Some(0));
    assert!(human.stdout.starts_with(
        "policy partner-by-iam.json: identity, 1 statement\n\
         policy block-list.json: resource, 2 statements, short-hand resources\n\n\
         strategy"
    ));
    assert_eq!(
        human.stderr,
        "warning: short-hand resources are compiled for a placeholder, `arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/`\n"
    );
    let report = run("inspect --format json partner-by-iam.json");
    assert_eq!((report.stderr.as_str(), report.code), ("", Some(0)));
    let report = json(&report.stdout);
    assert_eq!(
        report["policies"],
        json!([{"policy": "partner-by-iam.json", "kind": "identity", "statements": 1, "short_hand": false}])
    );
    assert!(report["strategy"].is_string());
    assert_eq!(report["counts"]["statements"], 1);
    assert_eq!(report["counts"]["rows_lists_of_rules"], 0);
    let section = &report["sections"][0];
    assert!(section["name"].is_string() && section["items"].is_u64() && section["bytes"].is_u64());
    let named = run("inspect block-list.json --region r --account 1 --api-id i");
    assert_eq!(named.stderr, "");
}
