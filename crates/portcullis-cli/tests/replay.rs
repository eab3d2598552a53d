//! `replay`: logs of every form through the binary.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::run::{Outcome, run, run_args, run_with};

fn log(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/logs")
        .join(name);
    path.to_str().unwrap().to_owned()
}

/// Replays a log by the block list and returns the denied as `line address method path`.
fn denied(name: &str, more: &str) -> (Vec<String>, Outcome) {
    let outcome = run(&format!(
        "replay {} -p block-list.json --format jsonl {more}",
        log(name)
    ));
    let denied = outcome.stdout.lines().map(|line| {
        let json: Json = serde_json::from_str(line).unwrap();
        assert_eq!(json["decision"], "explicit_deny", "{name}");
        assert_eq!(json["before"], Json::Null);
        let text = |field: &str| json[field].as_str().unwrap().to_owned();
        format!(
            "{} {} {} {}",
            json["line"],
            text("source_ip"),
            text("method"),
            text("path")
        )
    });
    (denied.collect(), outcome)
}

/// A log, further arguments, the form that it is found to have, its denied requests and its bad lines.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        "apigw.json",
        "",
        "apigw",
        &[
            "2 198.51.100.1 GET /pets/1",
            "3 2001:db8:bad::1 POST /pets/{id}",
            "4 198.51.100.9 GET /pets",
        ],
        &[
            "5: there is no client address",
            "6: no JSON object: EOF while parsing a string at column 79",
        ],
    ),
    (
        "clf.log",
        "",
        "clf",
        &["2 198.51.100.1 GET /pets", "3 2001:db8:bad::1 POST /pets"],
        &["4: there is no time in brackets with a quoted request behind it"],
    ),
    (
        // The first line's X-Forwarded-For is a blocked address, and not the client.
        "cloudfront.log",
        "",
        "cloudfront",
        &[
            "4 198.51.100.1 GET /pets",
            "5 2001:db8:bad::1 POST /pets/a%2520b",
        ],
        &["6: the line has 5 columns and the header 33"],
    ),
    (
        "cloudfront-joined.log",
        "",
        "cloudfront",
        &["3 198.51.100.1 GET /pets", "6 198.51.100.2 GET /joined"],
        &[],
    ),
    (
        "alb.log",
        "",
        "alb",
        &[
            "2 198.51.100.1 GET /pets",
            "3 2001:db8:bad::1 POST /pets",
            "4 2001:db8:bad::2 GET /",
        ],
        &[
            "5: the load balancer could not parse the request",
            "6: there is no quoted request",
        ],
    ),
    (
        "nginx.log",
        "",
        "nginx",
        &["2 198.51.100.1 GET /pets", "3 2001:db8:bad::1 POST /pets"],
        &[
            "4: the request is none of HTTP",
            "5: the quoted request does not end",
        ],
    ),
    (
        "envoy.json",
        "",
        "envoy",
        &["2 198.51.100.1 GET /pets", "3 2001:db8:bad::1 POST /pets"],
        &["4: there is no method"],
    ),
    (
        "calls.csv",
        "",
        "csv",
        &[
            "3 198.51.100.1 GET /pets/a,b",
            "4 2001:db8:bad::1 POST /pets",
        ],
        &[
            "5: the line has 6 columns and the header 5",
            "6: a quoted field does not end on its line",
        ],
    ),
    (
        "own.jsonl",
        "--field source_ip=client.addr --field method=req.verb --field path=req.where",
        "json",
        &["2 198.51.100.1 GET /pets", "4 2001:db8:bad::1 POST /pets"],
        &["5: there is no client address"],
    ),
    (
        "garbage.log",
        "",
        "nginx",
        &["4 198.51.100.1 GET /pets"],
        &["2: the line is not UTF-8", "3: the line is not UTF-8"],
    ),
    (
        "nginx-two-members.log.gz",
        "",
        "nginx",
        &["2 198.51.100.1 GET /pets", "3 2001:db8:bad::1 POST /pets"],
        &[],
    ),
    (
        "nginx-two-frames.log.zst",
        "",
        "nginx",
        &["2 198.51.100.1 GET /pets", "3 2001:db8:bad::1 POST /pets"],
        &[],
    ),
];

#[test]
fn every_form_is_found_and_read() {
    for &(name, more, form, expected, bad) in CASES {
        for given in ["", &format!("--log-format {form}")] {
            let (denied, outcome) = denied(name, &format!("{more} {given}"));
            assert_eq!(denied, expected, "{name}\n{}", outcome.stderr);
            assert_eq!(outcome.code, Some(0), "{name}");
            let told = outcome.stderr.contains(&format!("(--log-format {form})"));
            assert_eq!(told, given.is_empty(), "{name}\n{}", outcome.stderr);
            for bad in bad {
                let line = format!("{}:{bad}", log(name));
                assert!(
                    outcome.stderr.contains(&line),
                    "{name}: {bad}\n{}",
                    outcome.stderr
                );
            }
            let count = match bad.len() {
                0 => String::new(),
                1 => "\n1 line is no request,".to_owned(),
                n => format!("\n{n} lines are no requests,"),
            };
            assert!(
                outcome.stderr.contains(&count),
                "{name}\n{}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn the_user_agent_and_the_time_of_the_line_are_asked() {
    let policy = folder("keys").join("policy.json");
    let statement = |condition: Json| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}]})
    };
    for (name, condition, expected) in [
        (
            "nginx.log",
            json!({"StringEquals": {"aws:UserAgent": "an \"agent\" \""}}),
            "2 ",
        ),
        (
            "alb.log",
            json!({"StringLike": {"aws:UserAgent": "*\"quoted\"*"}}),
            "3 ",
        ),
        (
            "cloudfront.log",
            json!({"StringEquals": {"aws:UserAgent": "Mozilla/5.0 (X11)"}}),
            "3 4 5 ",
        ),
        (
            "apigw.json",
            json!({"StringEquals": {"aws:UserAgent": "a \"b\" A"}}),
            "3 ",
        ),
        (
            "clf.log",
            json!({"DateEquals": {"aws:CurrentTime": "2025-10-10T15:55:37+02:00"}}),
            "2 ",
        ),
        (
            "cloudfront.log",
            json!({"NumericEquals": {"aws:EpochTime": "1760104536"}}),
            "3 4 5 ",
        ),
        (
            "envoy.json",
            json!({"DateEquals": {"aws:CurrentTime": "2025-10-10T13:55:36.186Z"}}),
            "1 2 3 ",
        ),
    ] {
        fs::write(&policy, statement(condition).to_string()).unwrap();
        let outcome = run(&format!(
            "replay {} -p {} --format jsonl",
            log(name),
            policy.display()
        ));
        let lines = outcome.stdout.lines().map(|line| {
            let json: Json = serde_json::from_str(line).unwrap();
            format!("{} ", json["line"])
        });
        assert_eq!(
            lines.collect::<String>(),
            expected,
            "{name}\n{}",
            outcome.stderr
        );
    }
}

#[test]
fn changes_are_counted_and_fail() {
    let outcome = run(&format!(
        "replay {} -p block-list.json --against office-allow-list.json --format json",
        log("nginx.log")
    ));
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    let json: Json = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(json["requests"], 3);
    assert_eq!(json["unreadable"], 2);
    assert_eq!(json["bad_lines"][1]["line"], 5);
    let requests = |of: &Json| of["requests"].as_u64().unwrap();
    let changed: u64 = json["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(requests)
        .sum();
    // The office's list lets 203.0.113.7 in too.
    assert_eq!(changed, 2, "{json:#}");
    for change in json["changes"].as_array().unwrap() {
        assert_eq!(change["statements"][0]["sid"], "BlockList");
        assert_eq!(requests(change), change["explained"].as_u64().unwrap());
    }
    let same = run(&format!(
        "replay {} -p block-list.json --against block-list.json",
        log("nginx.log")
    ));
    assert_eq!(same.code, Some(0), "{}", same.stderr);
    assert!(
        same.stdout.contains("no request changed"),
        "{}",
        same.stdout
    );
}

#[test]
fn fail_on_says_what_fails() {
    let log = log("nginx.log");
    for (against, fail_on, code) in [
        ("", "never", 0),
        ("", "deny", 1),
        ("", "allow", 1),
        ("", "change", 2),
        ("--against office-allow-list.json", "never", 0),
        ("--against office-allow-list.json", "change", 1),
        ("--against office-allow-list.json", "allow", 0),
        ("--against office-allow-list.json", "deny", 1),
        ("--against mock-api.json", "never", 0),
    ] {
        let outcome = run(&format!(
            "replay {log} -p block-list.json {against} --fail-on {fail_on} --region us-east-1 \
             --account 123456789012 --api-id a1b2c3d4e5 --stage prod"
        ));
        assert_eq!(
            outcome.code,
            Some(code),
            "{against} {fail_on}\n{}",
            outcome.stderr
        );
    }
}

#[test]
fn many_lines_are_listed_in_order_from_several_logs_and_stdin() {
    let line = |n: u32| {
        let ip = if n.is_multiple_of(3) {
            "198.51.100.1"
        } else {
            "203.0.113.7"
        };
        format!(
            "{ip} - - [10/Oct/2025:13:55:36 +0000] \"GET /pets/{n} HTTP/1.1\" 200 42 \"-\" \"-\"\n"
        )
    };
    let text: String = (1..=30_000).map(line).collect();
    let file = folder("order").join("many.log");
    fs::write(&file, &text).unwrap();
    let file = file.to_str().unwrap();
    let changed = folder("order").join("changed.jsonl");
    let outcome = run_args(
        &[
            "replay",
            file,
            "-",
            "-p",
            "block-list.json",
            "--changed",
            changed.to_str().unwrap(),
        ],
        &text,
    );
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome.stdout.starts_with("60,000 requests\n"),
        "{}",
        outcome.stdout
    );
    let mut expected = [file, "<stdin>"]
        .into_iter()
        .flat_map(|file| (3..=30_000).step_by(3).map(move |n| (file, n)));
    for line in fs::read_to_string(changed).unwrap().lines() {
        let json: Json = serde_json::from_str(line).unwrap();
        let (file, n) = expected.next().unwrap();
        assert_eq!(
            (json["file"].as_str(), json["line"].as_u64()),
            (Some(file), Some(n))
        );
        assert_eq!(json["path"], format!("/pets/{n}"));
    }
    assert_eq!(expected.next(), None);
}

/// The statements that decide, of both sides, as `explain` names them for each side.
#[test]
fn changed_requests_name_the_statements() {
    let determining = |policy: &str, ip: &str| -> Json {
        let outcome = run(&format!(
            "explain -p {policy} --source-ip {ip} -X GET --path /pets --stage prod --format json"
        ));
        let json: Json = serde_json::from_str(&outcome.stdout).unwrap();
        let named = |statement: &Json| {
            serde_json::json!({
                "policy": policy, "statement": statement["statement"], "sid": statement["sid"],
            })
        };
        json["determining"]
            .as_array()
            .unwrap()
            .iter()
            .map(named)
            .collect()
    };
    let addresses = [
        "198.51.100.1",
        "203.0.113.7",
        "192.0.2.200",
        "2001:db8:bad::1",
        "::1",
    ];
    let text: String = (addresses.iter().cycle().take(50))
        .map(|ip| format!("{{\"source_ip\":\"{ip}\",\"method\":\"GET\",\"path\":\"/pets\"}}\n"))
        .collect();
    let mut seen = 0;
    for (now, before) in [
        ("block-list.json", "office-allow-list.json"),
        ("office-allow-list.json", "block-list.json"),
    ] {
        let stage = "--stage prod --format jsonl";
        let outcome = run_with(
            &format!("replay -p {now} --against {before} {stage}"),
            &text,
        );
        let alone = run_with(&format!("replay -p {now} {stage}"), &text);
        for (outcome, against) in [(outcome, Some(before)), (alone, None)] {
            for line in outcome.stdout.lines() {
                let json: Json = serde_json::from_str(line).unwrap();
                let ip = json["source_ip"].as_str().unwrap();
                assert_eq!(json["determining"], determining(now, ip), "{json}");
                let expected = against.map_or(Json::Null, |before| determining(before, ip));
                assert_eq!(json["determining_before"], expected, "{json}");
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn a_huge_line_is_bad_and_the_next_is_read() {
    let good =
        "198.51.100.1 - - [10/Oct/2025:13:55:36 +0000] \"GET /a HTTP/1.1\" 200 42 \"-\" \"-\"\n";
    let text = format!("{good}{}\n{good}", "x".repeat(3 << 20));
    let outcome = run_with("replay -p block-list.json --format jsonl", &text);
    let lines: Vec<Json> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap()["line"].clone())
        .collect();
    assert_eq!(lines, [1, 3], "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("<stdin>:2: the line is longer than"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn nothing_is_read_from_an_empty_log() {
    let outcome = run(&format!("replay {} -p block-list.json", log("empty.log")));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("0 requests\n"));
    let warning = "warning: the logs have no lines, so nothing was asked of the policy\n";
    assert_eq!(outcome.stderr, warning);
}

#[test]
fn what_cannot_be_answered_exits_with_two_and_says_why() {
    let nginx = log("nginx.log");
    for (arguments, why) in [
        (
            format!("{} -p block-list.json", log("nginx-cut.log.gz")),
            "nginx-cut.log.gz",
        ),
        ("missing.log -p block-list.json".to_owned(), "missing.log"),
        (
            "README.md -p block-list.json".to_owned(),
            "the form of README.md cannot be told",
        ),
        (
            format!("{nginx} -p block-list.json --max-bad 1"),
            "--max-bad 1",
        ),
        (
            format!("{nginx} -p block-list.json --log-format alb"),
            "is a request",
        ),
        (
            format!("{nginx} -p block-list.json --field ip=x"),
            "source_ip",
        ),
        (
            format!("{nginx} -p block-list.json --field path"),
            "WHAT=NAME",
        ),
        ("- -p -".to_owned(), "read twice"),
        (
            format!("{nginx} -p block-list.json --format jsonl --changed x"),
            "--changed",
        ),
        (
            format!("{nginx} -p block-list.json --strip-prefix /api"),
            "--strip-prefix",
        ),
    ] {
        let outcome = run(&format!("replay {arguments}"));
        assert_eq!(outcome.code, Some(2), "{arguments}\n{}", outcome.stderr);
        assert!(
            outcome.stderr.contains(why),
            "{arguments}\n{}",
            outcome.stderr
        );
    }
}

#[test]
fn a_stage_that_the_policy_names_must_be_told() {
    let policy = folder("stage").join("policy.json");
    let text = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"execute-api:/prod/*"}}"#;
    fs::write(&policy, text).unwrap();
    let replay =
        |log: String, more: &str| run(&format!("replay {log} -p {} {more}", policy.display()));
    let untold = replay(log("nginx.log"), "");
    assert_eq!(untold.code, Some(2));
    assert!(
        untold.stderr.contains("give --stage NAME"),
        "{}",
        untold.stderr
    );
    let told = replay(log("nginx.log"), "--stage prod");
    assert!(
        told.stdout.contains("3  allow"),
        "{}\n{}",
        told.stdout,
        told.stderr
    );
    // The first line has no stage, and the fourth another.
    let logged = replay(log("apigw.json"), "");
    assert!(
        logged.stdout.contains("2  allow"),
        "{}\n{}",
        logged.stdout,
        logged.stderr
    );
    assert!(
        logged
            .stderr
            .contains("apigw.json:1: the line has no stage"),
        "{}",
        logged.stderr
    );
}

#[test]
fn the_summary_names_prefixes_resources_and_statements() {
    let outcome = run(&format!("replay {} -p block-list.json", log("nginx.log")));
    assert_eq!(
        outcome.stdout,
        "3 requests\n\
         2 lines are no requests, and in none of these counts\n\
         \n              \
         1  allow          33.3 %\n              \
         2  explicit deny  66.7 %\n              \
         0  implicit deny  0.0 %\n\
         \n\
         refused (explicit deny): 2 requests\n  \
         by address prefix\n              \
         1  198.51.100.0/24\n              \
         1  2001:db8:bad::/48\n  \
         by resource\n              \
         1  GET /pets\n              \
         1  POST /pets\n  \
         by statement\n              \
         2  policy block-list.json, statement 1 `BlockList`\n"
    );
}

/// The same calls as lines of a log and as requests of the reference evaluator.
#[test]
fn decisions_are_those_of_the_reference() {
    let ips = [
        "203.0.113.7",
        "198.51.100.1",
        "2001:db8:bad::1",
        "::ffff:198.51.100.9",
        "192.0.2.1",
    ];
    let methods = ["GET", "POST", "OPTIONS", "PURGE"];
    let paths = [
        "/pets",
        "/pets/1",
        "/",
        "/hello",
        "/pets/1/owner",
        "/%70ets",
    ];
    let apis = [
        ("io75qg1rvf", "test"),
        ("m0ck4p1abc", "dev"),
        ("a1b2c3d4e5", "prod"),
    ];
    let (mut lines, mut questions) = (String::new(), String::new());
    for ip in ips {
        for method in methods {
            for path in paths {
                for (api, stage) in apis {
                    let line = json!({"requestId": "x", "ip": ip, "httpMethod": method, "stage": stage,
                        "path": format!("/{stage}{path}?x=1"), "apiId": api, "accountId": "123456789012"});
                    lines.push_str(&format!("{line}\n"));
                    let arn = format!(
                        "arn:aws:execute-api:us-east-1:123456789012:{api}/{stage}/{method}{path}"
                    );
                    let question = json!({"request": {"principal": null, "action": "execute-api:Invoke",
                        "resource": arn, "context": {"aws:SourceIp": ip}}});
                    questions.push_str(&format!("{question}\n"));
                }
            }
        }
    }
    let mut changes = 0;
    let policies = [
        "block-list.json",
        "office-allow-list.json",
        "mock-api.json",
        "one-endpoint.json",
        "one-endpoint-mixed.json",
        "whole-account.json",
    ];
    for (now, before) in policies
        .into_iter()
        .zip(policies.into_iter().cycle().skip(1))
    {
        let decisions = |policy: &str| -> Vec<String> {
            let outcome = run_with(&format!("eval --engine reference -p {policy}"), &questions);
            let decision = |line: &str| {
                let json: Json = serde_json::from_str(line).unwrap();
                json["decision"].as_str().unwrap().to_owned()
            };
            outcome.stdout.lines().map(decision).collect()
        };
        let expected: Vec<(u64, String, String)> = (1..)
            .zip(decisions(before))
            .zip(decisions(now))
            .filter(|((_, before), now)| before != now)
            .map(|((line, before), now)| (line, before, now))
            .collect();
        let outcome = run_with(
            &format!("replay -p {now} --against {before} --format jsonl --region us-east-1"),
            &lines,
        );
        let changed: Vec<(u64, String, String)> = outcome
            .stdout
            .lines()
            .map(|line| {
                let json: Json = serde_json::from_str(line).unwrap();
                let text = |field: &str| json[field].as_str().unwrap().to_owned();
                (
                    json["line"].as_u64().unwrap(),
                    text("before"),
                    text("decision"),
                )
            })
            .collect();
        assert_eq!(changed, expected, "{now} {before}\n{}", outcome.stderr);
        changes += changed.len();
    }
    assert!(changes > 100, "{changes}");
}

/// Returns a folder of a test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("replay")
        .join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}
