//! Whatever cannot be answered: what is said about it, and that a terminal obeys none of it.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::fs;

use serde_json::{Value as Json, json};

use crate::run::{Outcome, run, run_args, run_with};

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
