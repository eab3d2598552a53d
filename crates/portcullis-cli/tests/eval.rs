//! `eval`: lines in, lines out, in order.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::run::{portcullis, run, run_with};

const ENGINES: [&str; 2] = ["compiled", "reference"];
const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:io75qg1rvf/test/GET/pets";

fn line(id: &str, source_ip: &str) -> String {
    format!(
        r#"{{"id":{id},"request":{{"principal":null,"action":"execute-api:Invoke","resource":"{ARN}","context":{{"aws:SourceIp":{source_ip}}}}}}}"#
    )
}

fn answers(stdout: &str) -> Vec<Json> {
    stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn answers_come_in_order_with_their_ids() {
    let lines = [
        line("1", r#""203.0.113.7""#),
        line(r#""two \u0041""#, r#""198.51.100.1""#),
        line(r#"{"n":[3]}"#, "null"),
        line("null", r#""no address""#),
        line("5", r#"["198.51.100.1"]"#),
        line("6.0", r#"["198.51.100.1","203.0.113.7"]"#),
    ]
    .join("\n");
    for engine in ENGINES {
        let outcome = run_with(
            &format!("eval --engine {engine} -p block-list.json"),
            &lines,
        );
        assert_eq!(
            outcome.stdout,
            "{\"id\":1,\"decision\":\"allow\"}\n\
             {\"id\":\"two \\u0041\",\"decision\":\"explicit_deny\"}\n\
             {\"id\":{\"n\":[3]},\"decision\":\"allow\"}\n\
             {\"id\":null,\"decision\":\"explicit_deny\"}\n\
             {\"id\":5,\"decision\":\"explicit_deny\"}\n\
             {\"id\":6.0,\"decision\":\"allow\"}\n",
            "{engine}"
        );
        assert_eq!((outcome.stderr.as_str(), outcome.code), ("", Some(0)));
    }
}

#[test]
fn many_lines_keep_their_order() {
    let lines: Vec<String> = (0..20_000)
        .map(|n| {
            let listed = n % 3 == 0;
            let ip = if listed {
                "198.51.100.1"
            } else {
                "203.0.113.7"
            };
            line(&n.to_string(), &format!("\"{ip}\""))
        })
        .collect();
    let outcome = run_with("eval --verbose -p block-list.json", &lines.join("\n"));
    for (n, answer) in outcome.stdout.lines().enumerate() {
        let decision = if n % 3 == 0 { "explicit_deny" } else { "allow" };
        assert_eq!(
            answer,
            format!("{{\"id\":{n},\"decision\":\"{decision}\"}}")
        );
    }
    assert_eq!(outcome.stdout.lines().count(), 20_000);
    assert!(
        outcome
            .stderr
            .starts_with("20000 lines, 20000 answered, 0 failed, in ")
    );
}

#[test]
fn a_line_may_have_policies_of_its_own() {
    let document = r#"{"Statement":{"Effect":"Allow","Action":"execute-api:*","Resource":"execute-api:/test/*"}}"#;
    let request = format!(
        r#""request":{{"principal":"arn:aws:iam::123456789012:user/a","action":"execute-api:Invoke","resource":"{ARN}","context":{{}}}}"#
    );
    let escaped = Json::from(document).to_string();
    let twice = Json::from(escaped.as_str()).to_string();
    let deny = r#"{"Statement":{"Effect":"Deny","Principal":{"AWS":"123456789012"},"Action":"*","Resource":"*"}}"#;
    for (policies, decision) in [
        (
            format!(r#"[{{"kind":"identity","document":{document}}}]"#),
            "allow",
        ),
        (
            format!(r#"[{{"kind":"identity","document":{escaped}}}]"#),
            "allow",
        ),
        (format!(r#"[{{"document":{twice}}}]"#), "allow"),
        (
            format!(
                r#"[{{"kind":"identity","document":{document}}},{{"kind":"resource","document":{deny}}}]"#
            ),
            "explicit_deny",
        ),
        ("[]".to_owned(), "implicit_deny"),
    ] {
        let lines = format!("{{\"id\":1,\"policies\":{policies},{request}}}\n").repeat(2);
        for engine in ENGINES {
            let outcome = run_with(&format!("eval --engine {engine}"), &lines);
            let expected = format!("{{\"id\":1,\"decision\":\"{decision}\"}}\n").repeat(2);
            assert_eq!(outcome.stdout, expected, "{engine}: {policies}");
            assert_eq!(outcome.code, Some(0));
        }
    }
}

#[test]
fn a_line_that_fails_is_answered_in_its_place() {
    let good = line("\"good\"", r#""203.0.113.7""#);
    let lines = [
        good.as_str(),
        "{\"id\":2,",
        "",
        r#"{"id":"größe","request":{"action":"a:B","resource":"r","contexts":{}}}"#,
        r#"{"id":5}"#,
        r#"{"id":6,"request":{"action":"a:B","resource":"arn:aws:s3:::b/k","context":{}}}"#,
        r#"{"id":7,"policies":[],"request":{}}"#,
        r#"{"id":8,"request":{"principal":"*","action":"a:B","resource":"r","context":{}}}"#,
        r#"{"id":9,"request":{"action":"a:B","resource":"r","context":{"x":{}}}}"#,
        "[]",
        good.as_str(),
    ]
    .join("\r\n");
    let outcome = run_with("eval -v -p block-list.json", &lines);
    let answers = answers(&outcome.stdout);
    let brief: Vec<(Json, Json, Json, Json)> = answers
        .iter()
        .map(|answer| {
            let error = &answer["error"];
            (
                answer["id"].clone(),
                error["line"].clone(),
                error["column"].clone(),
                error["path"].clone(),
            )
        })
        .collect();
    let failed = |id: Json, line: u64, column: u64, path: &str| {
        (id, json!(line), json!(column), json!(path))
    };
    assert_eq!(
        brief,
        [
            (json!("good"), Json::Null, Json::Null, Json::Null),
            failed(Json::Null, 2, 9, ""),
            failed(json!("größe"), 4, 56, "request"),
            failed(json!(5), 5, 1, ""),
            failed(json!(6), 6, 46, "request.resource"),
            failed(json!(7), 7, 20, "policies"),
            failed(json!(8), 8, 32, "request.principal"),
            failed(json!(9), 9, 65, "request.context.x"),
            failed(Json::Null, 10, 1, ""),
            (json!("good"), Json::Null, Json::Null, Json::Null),
        ],
        "{}",
        outcome.stdout
    );
    for (index, said) in [
        (1, "the line ends inside of an object"),
        (2, "there is no field `contexts`; write `context`"),
        (3, "`request` is missing"),
        (4, "no ARN of one"),
        (5, "beside those of --policy"),
        (6, "`*` names no caller"),
        (7, "no value of a condition key"),
        (
            8,
            "expected an object with `id`, `policies`, `request`, found a list",
        ),
    ] {
        let message = answers[index]["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
        let members = answers[index].as_object().unwrap().len();
        assert_eq!(members, 2, "an id and an error");
    }
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.starts_with("10 lines, 2 answered, 8 failed"));
}

#[test]
fn faults_of_a_document_are_told_by_their_place_in_the_line() {
    let text = r#"{"id":"é","policies":[{"kind":"resource","document":{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}}}}],"request":{"action":"a:B","resource":"r","context":{}}}"#;
    let column = text.find("\"10.0.0.0/33\"").unwrap(); // One less for `é`, one more to start at 1.
    let outcome = run_with("eval", &format!("\n{text}\n"));
    let answer = &answers(&outcome.stdout)[0];
    let error = &answer["error"];
    assert_eq!(
        (&error["line"], &error["column"]),
        (&json!(2), &json!(column))
    );
    let path = error["path"].as_str().unwrap();
    assert!(path.starts_with("policies[0].document.Statement"), "{path}");
    assert!(
        path.ends_with(".Condition.IpAddress.aws:SourceIp"),
        "{path}"
    );
    assert!(error["message"].as_str().unwrap().contains("10.0.0.0/33"));
    for (policies, path) in [
        (r#"[{"kind":"other","document":{}}]"#, "policies[0].kind"),
        (r#"[{"kind":"identity"}]"#, "policies[0]"),
        (r#"{}"#, "policies"),
        (
            r#"[{"kind":"identity","document":null}]"#,
            "policies[0].document",
        ),
    ] {
        let text = format!(
            r#"{{"policies":{policies},"request":{{"action":"a:B","resource":"r","context":{{}}}}}}"#
        );
        let outcome = run_with("eval", &text);
        assert_eq!(
            answers(&outcome.stdout)[0]["error"]["path"],
            path,
            "{policies}"
        );
        assert_eq!(outcome.code, Some(2));
    }
}

/// A place in a message would count in the document, and the error's own counts in the line.
#[test]
fn an_error_has_one_place() {
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}],"Version":"2012-10-17"}"#;
    for document in [document.to_owned(), Json::from(document).to_string()] {
        let text = format!(
            r#"{{"policies":[{{"document":{document}}}],"request":{{"action":"a:B","resource":"r","context":{{}}}}}}"#
        );
        let outcome = run_with("eval", &text);
        let error = &answers(&outcome.stdout)[0]["error"];
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with("the key `Version` stands twice; "),
            "{message}"
        );
        assert!(!message.contains("column"), "{message}");
        // The place is that of the second key's quote; an escaped one starts with a backslash.
        let second = text.rfind("Version").unwrap();
        let column = error["column"].as_u64().unwrap();
        let start = usize::try_from(column).unwrap() - 1;
        assert!(["\"", "\\\""].contains(&&text[start..second]), "{column}");
    }
}

#[test]
fn misspelt_and_unknown_fields() {
    let request = format!(r#""action":"execute-api:Invoke","resource":"{ARN}","context":{{}}"#);
    for (line, said) in [
        (
            format!(r#"{{"requests":{{{request}}}}}"#),
            "there is no field `requests`; write `request`",
        ),
        (
            format!(r#"{{"polices":[],"request":{{{request}}}}}"#),
            "there is no field `polices`; write `policies`",
        ),
        (
            format!(r#"{{"polcies":[],"request":{{{request}}}}}"#),
            "there is no field `polcies`; write `policies`",
        ),
        (
            format!(r#"{{"policy":{{}},"request":{{{request}}}}}"#),
            "there is no field `policy`; write `policies`",
        ),
        (
            format!(r#"{{"request":{{{request},"sourceIp":"203.0.113.7"}}}}"#),
            "there is no field `sourceIp` here, only `principal`, `action`, ",
        ),
        (
            format!(r#"{{"request":{{{request},"action":"a:B"}}}}"#),
            "`action` is given twice",
        ),
    ] {
        let outcome = run_with("eval -p block-list.json", &line);
        let message = &answers(&outcome.stdout)[0]["error"]["message"];
        let message = message.as_str().unwrap();
        assert!(message.starts_with(said), "{message}");
        assert_eq!(outcome.code, Some(2));
    }
    // What other tools' lines have besides is passed over.
    let line = format!(
        r#"{{"expect":"Allow","notes":[],"request":{{{request},"resourceAccount":"123456789012"}}}}"#
    );
    let outcome = run_with("eval -p block-list.json", &line);
    assert_eq!(outcome.stdout, "{\"id\":null,\"decision\":\"allow\"}\n");
}

#[test]
fn lines_from_files_count_on() {
    let folder = std::env::temp_dir().join(format!("portcullis-eval-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (first, second) = (folder.join("first.jsonl"), folder.join("second.jsonl"));
    fs::write(&first, line("1", "null")).unwrap();
    fs::write(&second, format!("{}\n?\n", line("2", "null"))).unwrap();
    let args = format!(
        "eval -p block-list.json {} {}",
        first.display(),
        second.display()
    );
    let outcome = run(&args);
    let answers = answers(&outcome.stdout);
    assert_eq!(
        (&answers[0]["id"], &answers[1]["id"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(answers[2]["error"]["line"], 3);
    assert_eq!(outcome.code, Some(2));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn bytes_that_are_no_text_fail_their_line_alone() {
    let mut child = portcullis()
        .args(["eval", "-p", "block-list.json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{\"id\":\"\xff\"}\n").unwrap();
    stdin.write_all(line("2", "null").as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let answers = answers(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(answers[0]["error"]["column"], 8);
    assert_eq!(answers[1]["decision"], "allow");
}

#[test]
fn a_slow_producer_is_answered_at_once() {
    let mut child = portcullis()
        .args(["eval", "-p", "block-list.json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for id in 0..5 {
        // The next line is only written once this one is answered.
        writeln!(stdin, "{}", line(&id.to_string(), "null")).unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert_eq!(answer, format!("{{\"id\":{id},\"decision\":\"allow\"}}\n"));
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
