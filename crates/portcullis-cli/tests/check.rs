//! `check`, `explain` and `inspect`: answers, drawings, errors and exit codes.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::fs;

use serde_json::{Value as Json, json};

use crate::run::{Outcome, run, run_args, run_with};

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

#[test]
fn faults_are_drawn_on_the_policy() {
    let outcome = run(
        "check -p broken/block-list-placeholder.json -p office-allow-list.json -X GET --path /",
    );
    assert_eq!(
        no_answer(&outcome),
        "\
error: an empty text is no address
  --> broken/block-list-placeholder.json:17:28
   |
17 |           \"aws:SourceIp\": [\"\", \"\"]
   |                            ^^ Statement[1].Condition.IpAddress.aws:SourceIp[0]
   |
   = help: write an address such as `203.0.113.7` or a prefix such as `203.0.113.0/24`, or remove the entry

error: an empty text is no address
  --> broken/block-list-placeholder.json:17:32
   |
17 |           \"aws:SourceIp\": [\"\", \"\"]
   |                                ^^ Statement[1].Condition.IpAddress.aws:SourceIp[1]
   |
   = help: write an address such as `203.0.113.7` or a prefix such as `203.0.113.0/24`, or remove the entry
"
    );
}

#[test]
fn faults_as_json() {
    let outcome = run(
        "check --format json -p broken/partner-by-iam-placeholder.json -p broken/block-list-placeholder.json -X GET --path /",
    );
    let error = json(no_answer(&outcome));
    let error = &error["error"];
    let places: Vec<(&str, u64, u64)> = error["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["policy"].as_str().unwrap(),
                fault["line"].as_u64().unwrap(),
                fault["column"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("broken/partner-by-iam-placeholder.json", 10, 27),
            ("broken/block-list-placeholder.json", 17, 28),
            ("broken/block-list-placeholder.json", 17, 32),
        ]
    );
    assert_eq!(error["policy"], "broken/partner-by-iam-placeholder.json");
    assert_eq!((&error["line"], &error["column"]), (&json!(10), &json!(27)));
    assert_eq!(
        error["path"],
        "Statement[0].Condition.IpAddress.aws:SourceIp"
    );
    assert_eq!(error["omitted"], 0);
    for text in ["message", "help"] {
        assert!(error[text].is_string());
    }
}

#[test]
fn many_faults_are_counted_and_long_lines_cut() {
    let blocks = (0..50_000).map(|n| format!("\"10.{}.{}.0/24\"", n / 250, n % 250));
    let mut blocks: Vec<String> = blocks.collect();
    for index in 0..30 {
        blocks[1_000 * index + 500] = format!("\"bad{index}\"");
    }
    let policy = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {{"IpAddress": {{"aws:SourceIp": [{}]}}}}}}}}"#,
        blocks.join(", ")
    );
    let human = run_with("check -p - -X GET --path /", &policy);
    let stderr = no_answer(&human);
    assert_eq!(stderr.matches("error: `bad").count(), 20, "{stderr}");
    assert!(stderr.contains("`bad19`") && !stderr.contains("`bad20`"));
    assert!(stderr.ends_with("error: and 10 more\n"), "{stderr}");
    assert!(stderr.len() < 20_000, "{} bytes", stderr.len());
    // The column is that of the text, not that of what is drawn.
    let column = 1 + policy.find("\"bad7\"").unwrap();
    assert!(stderr.contains(&format!("--> <stdin>:1:{column}\n")));
    let report = run_with("check --format json -p - -X GET --path /", &policy);
    let report = json(no_answer(&report));
    assert_eq!(report["error"]["faults"].as_array().unwrap().len(), 20);
    assert_eq!(report["error"]["omitted"], 10);
}

#[test]
fn what_cannot_be_answered() {
    for (args, said) in [
        (
            "check -p missing.json -X GET --path /",
            "missing.json: No such file",
        ),
        ("check -p . -X GET --path /", ".: Is a directory"),
        ("check -X GET --path /", "--policy <FILE>"),
        (
            "check -p missing.json",
            "error: what is called is missing\n\
             help: give --method METHOD and --path PATH together, or --resource ARN in place of both\n",
        ),
        (
            "check -p block-list.json --region r --stage s",
            "what is called is missing",
        ),
        (
            "check -p block-list.json --path /",
            "error: --method is missing beside --path\nhelp: give --method METHOD and --path PATH ",
        ),
        (
            "explain -p block-list.json --stage prod -X GET",
            "error: --path is missing beside --method\nhelp: give --method METHOD and --path PATH ",
        ),
        (
            "check",
            "Usage: portcullis check [OPTIONS] --policy <FILE> --method <METHOD> --path <PATH>\n       \
             portcullis check [OPTIONS] --policy <FILE> --resource <ARN>\n",
        ),
        (
            "check -p block-list.json -X GET --path / --resource arn:x",
            "cannot be used with",
        ),
        (
            "check -p - -p - -X GET --path /",
            "stdin is given as a policy twice",
        ),
        (
            "check -p block-list.json -X GET --path / --nonsense",
            "unexpected argument",
        ),
        (
            "check -p block-list.json -X GET --path / --source-ip 203.0.113.007",
            "--source-ip `203.0.113.007` is no IP address",
        ),
        (
            "check -p block-list.json -X GET --path / --source-ip 203.0.113.0/24",
            "is no IP address",
        ),
        (
            "check -p block-list.json -X GET --path / --context AWS:sourceip=here",
            "--context AWS:sourceip `here` is no IP address",
        ),
        (
            "check -p block-list.json -X GET --path / --context aws:SourceIp=",
            "is no IP address",
        ),
        (
            "check -p block-list.json -X GET --path / --context aws:SourceIp=10.0.0.1 --source-ip 10.0.0.1",
            "given twice",
        ),
        (
            "check -p block-list.json -X GET --path / --context aws:UserAgent",
            "write KEY=VALUE",
        ),
        (
            "check -p block-list.json -X GET --path / --principal *",
            "names no caller",
        ),
        (
            "check -p block-list.json -X GET --path /?a=1",
            "--path has a query",
        ),
        (
            "check -p block-list.json --resource execute-api:/prod/GET/",
            "is short-hand",
        ),
        (
            "check -p block-list.json --resource arn:aws:s3:::bucket/key",
            "give --region, --account and --api-id",
        ),
        (
            "check -p block-list.json -X GET --path / --region *",
            "--region: the API's region has a `*` in it; give the region of one API",
        ),
        (
            "check -p block-list.json --resource arn:aws:execute-api:r::a/s/GET/ --api-id b",
            "--account: the API's account is empty",
        ),
        (
            "inspect block-list.json --api-id a/b",
            "--api-id: the API's id has a `/` in it",
        ),
        (
            "check -p mock-api.json -X GET --path /hello",
            "--region, --account, --api-id and --stage must be given",
        ),
        (
            "check -p mock-api.json -X GET --path /hello --stage dev --region us-east-1 --account 123456789012",
            "--api-id must be given",
        ),
        (
            "check --kind identity -p block-list.json -X GET --path /",
            "Principal",
        ),
        (
            "check --kind resource -p partner-by-iam.json -X GET --path /",
            "Principal",
        ),
        ("inspect", "POLICY"),
        ("inspect missing.json", "missing.json: No such file"),
        (
            "eval missing.jsonl -p block-list.json",
            "missing.jsonl: No such file",
        ),
        (
            "eval -p -",
            "both the policy and the lines are to come from stdin",
        ),
        (
            "eval --kind identity",
            "error: --kind is given without --policy, whose policies it is about\nhelp: give --policy FILE, or ",
        ),
        ("completions cmd.exe", "invalid value"),
        ("man --command nonsense", "there is no command `nonsense`"),
        ("nonsense", "unrecognized subcommand"),
        ("", "Usage: portcullis"),
    ] {
        let outcome = run(args);
        let stderr = no_answer(&outcome);
        assert!(stderr.contains(said), "{args}: {stderr}");
    }
}

#[test]
fn usage_errors_as_json() {
    let outcome = run("check --format json -p block-list.json -X GET --path / --source-ip here");
    let error = json(no_answer(&outcome));
    assert_eq!(
        error["error"]["message"],
        "--source-ip `here` is no IP address"
    );
    assert!(error["error"]["help"].is_string());
    assert_eq!(error["error"]["faults"], json!([]));
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
fn nothing_of_a_policy_is_obeyed_by_the_terminal() {
    let policy = "{\"Statement\": {\"Sid\": \"\\u001b[2J\\u202eallow\\nallow\", \"Effect\": \"Deny\", \
                  \"Principal\": \"*\", \"Action\": \"*\", \"Resource\": [\"*\", \"arn:a:b:c:d:\u{9b}31m\u{202e}\"]}}";
    for command in ["check", "explain"] {
        let outcome = run_with(
            &format!(
                "{command} -p - -X GET --path / --stage a --api-id a --region a --account a --partition a"
            ),
            policy,
        );
        let lines: Vec<&str> = outcome.stdout.lines().collect();
        assert_eq!(lines[0], "explicit deny", "{outcome:?}");
        assert!(!lines[1..].contains(&"allow"));
        assert!(
            !outcome.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}']),
            "{}",
            outcome.stdout
        );
        assert!(outcome.stdout.contains(r"`\u{1b}[2J\u{202e}allow\nallow`"));
    }
    let args = ["check", "-p", "\u{1b}[2J.json", "-X", "GET", "--path", "/"];
    let outcome = run_args(&args, "");
    assert!(!no_answer(&outcome).contains('\u{1b}'));
}

#[test]
fn colour_only_where_it_is_wanted() {
    for (color, coloured) in [
        ("", false),
        ("--color never", false),
        ("--color always", true),
    ] {
        for args in [
            "check -p block-list.json -X GET --path /",
            "explain -p block-list.json -X GET --path /",
            "check -p broken/block-list-placeholder.json -X GET --path /",
        ] {
            let outcome = run(&format!("{args} {color}"));
            let text = outcome.stdout + &outcome.stderr;
            assert_eq!(text.contains("\u{1b}["), coloured, "{args} {color}: {text}");
        }
    }
}

#[test]
fn a_policy_may_be_huge_and_on_one_line() {
    let blocks: Vec<String> = (0..200_000)
        .map(|n| format!("\"10.{}.{}.{}/32\"", n >> 16, n >> 8 & 255, n & 255))
        .collect();
    let policy = format!(
        r#"{{"Statement": {{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {{"IpAddress": {{"aws:SourceIp": [{}]}}}}}}}}"#,
        blocks.join(",")
    );
    let outcome = run_with("explain -p - -X GET --path / --source-ip 10.1.2.3", &policy);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("\"10.1.2.3/32\""));
    assert!(outcome.stdout.len() < 3_000, "{}", outcome.stdout);
}

#[test]
fn a_policy_without_end_is_not_read_to_it() {
    let outcome = run("check -p /dev/zero -X GET --path /");
    let said = "/dev/zero: longer than the 67108864 bytes that a policy may have";
    assert!(no_answer(&outcome).contains(said), "{outcome:?}");
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

#[test]
fn a_byte_order_mark_is_no_fault_and_other_bytes_are() {
    let folder = std::env::temp_dir().join(format!("portcullis-check-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("policy.json");
    let policy = fs::read(run::policies().join("block-list.json")).unwrap();
    let args = [
        "check",
        "-p",
        file.to_str().unwrap(),
        "-X",
        "GET",
        "--path",
        "/",
    ];
    fs::write(&file, [b"\xef\xbb\xbf", policy.as_slice()].concat()).unwrap();
    assert_eq!(run_args(&args, "").code, Some(0));
    fs::write(&file, [policy.as_slice(), b"\xff"].concat()).unwrap();
    let outcome = run_args(&args, "");
    assert!(no_answer(&outcome).contains("UTF-8"), "{outcome:?}");
    fs::remove_dir_all(&folder).unwrap();
}
