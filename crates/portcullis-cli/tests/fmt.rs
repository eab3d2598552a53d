//! `fmt`: canonical layout of policies, in place, on stdout and as a check.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::fs;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::run::{Outcome, policies, run, run_args, run_with};

const SHORT: &str = r#"{"Statement":{"Action":"a:B","Effect":"Deny","Resource":["*"]}}"#;
const SHORT_LAID_OUT: &str = r#"{
  "Statement": {
    "Effect": "Deny",
    "Action": "a:B",
    "Resource": ["*"]
  }
}
"#;

/// Returns a folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run_in(folder: &TempDir, line: &str) -> Outcome {
    let line = line.replace("./", &format!("{}/", folder.path().display()));
    let mut outcome = run(&line);
    let own = format!("{}/", folder.path().display());
    outcome.stdout = outcome.stdout.replace(&own, "./");
    outcome.stderr = outcome.stderr.replace(&own, "./");
    outcome
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// Asserts that there is no answer, and returns what is said about it.
fn no_answer(outcome: &Outcome) -> &str {
    let answer = (outcome.stdout.as_str(), outcome.code);
    assert_eq!(answer, ("", Some(2)), "{outcome:?}");
    &outcome.stderr
}

#[test]
fn files_are_changed_in_place() {
    let folder = folder(&[("a.json", SHORT), ("b.json", SHORT_LAID_OUT)]);
    let untouched = fs::metadata(folder.path().join("b.json"))
        .unwrap()
        .modified()
        .unwrap();
    let outcome = run_in(&folder, "fmt ./a.json ./b.json ./a.json");
    assert_eq!(
        (outcome.stdout.as_str(), outcome.code),
        ("changed ./a.json\n", Some(0))
    );
    assert_eq!(outcome.stderr, "");
    for name in ["a.json", "b.json"] {
        assert_eq!(read(&folder, name), SHORT_LAID_OUT);
    }
    let metadata = fs::metadata(folder.path().join("b.json")).unwrap();
    assert_eq!(metadata.modified().unwrap(), untouched);
    let again = run_in(&folder, "fmt ./a.json ./b.json");
    assert_eq!((again.stdout.as_str(), again.code), ("", Some(0)));
}

#[test]
fn stdin_goes_to_stdout() {
    let outcome = run_with("fmt -", SHORT);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.code),
        (SHORT_LAID_OUT, Some(0))
    );
    let checked = run_with("fmt --check -", SHORT);
    assert_eq!(
        (checked.stdout.as_str(), checked.code),
        ("would change <stdin>\n", Some(1))
    );
    let checked = run_with("fmt --check -", SHORT_LAID_OUT);
    assert_eq!((checked.stdout.as_str(), checked.code), ("", Some(0)));
}

#[test]
fn a_check_writes_nothing() {
    let folder = folder(&[("a.json", SHORT), ("b.json", SHORT_LAID_OUT)]);
    let outcome = run_in(&folder, "fmt --check ./a.json ./b.json");
    assert_eq!(
        (outcome.stdout.as_str(), outcome.code),
        ("would change ./a.json\n", Some(1))
    );
    let outcome = run_in(&folder, "fmt --diff ./a.json ./b.json");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.stdout,
        "--- ./a.json\n+++ ./a.json\n@@ -1,1 +1,7 @@\n\
         -{\"Statement\":{\"Action\":\"a:B\",\"Effect\":\"Deny\",\"Resource\":[\"*\"]}}\n\
         \\ No newline at end of file\n\
         +{\n+  \"Statement\": {\n+    \"Effect\": \"Deny\",\n+    \"Action\": \"a:B\",\n\
         +    \"Resource\": [\"*\"]\n+  }\n+}\n"
    );
    assert_eq!(read(&folder, "a.json"), SHORT);
    let outcome = run_in(&folder, "fmt --check --format json ./a.json ./b.json");
    let answer: Json = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        answer,
        json!({"files": [
            {"file": "./a.json", "changed": true, "diff": null},
            {"file": "./b.json", "changed": false, "diff": null},
        ]})
    );
    let outcome = run_in(&folder, "fmt --diff --format json ./b.json");
    let answer: Json = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        answer,
        json!({"files": [{"file": "./b.json", "changed": false, "diff": ""}]})
    );
    assert_eq!(outcome.code, Some(0));
}

/// The diff is one that `patch` takes.
#[test]
fn the_diff_leads_from_the_file_to_the_canonical_one() {
    let text = SHORT_LAID_OUT.replace("    \"Action\": \"a:B\",\n", "");
    let text = text.replace(
        "[\"*\"]\n",
        "[\n      \"*\"\n    ],\n    \"Action\": \"a:B\"\n",
    );
    let diff = run_with("fmt --diff -", &text).stdout;
    let mut hunks = diff.lines().skip(2);
    let mut after: Vec<&str> = Vec::new();
    let old: Vec<&str> = text.lines().collect();
    let header = hunks.next().unwrap();
    let start: usize = header[4..].split(',').next().unwrap().parse().unwrap();
    after.extend(&old[..start - 1]);
    let mut at = start - 1;
    for line in hunks {
        match line.split_at(1) {
            (" ", kept) => {
                assert_eq!(kept, old[at]);
                after.push(kept);
                at += 1;
            }
            ("-", gone) => {
                assert_eq!(gone, old[at]);
                at += 1;
            }
            ("+", new) => after.push(new),
            other => panic!("{other:?}"),
        }
    }
    after.extend(&old[at..]);
    assert_eq!(after, SHORT_LAID_OUT.lines().collect::<Vec<_>>());
}

/// Decisions and explanations of every example are the same before and after; what came
/// escaped is plain.
#[test]
fn the_example_policies() {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(policies()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let tested = |folder: &TempDir| {
        let cases = format!("{}/cases.yaml", folder.path().display());
        let outcome = run(&format!("test {cases} --format json"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome.stdout
    };
    let before = tested(&folder);
    let mut line = "fmt".to_owned();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".json") {
            line.push_str(&format!(" ./{name}"));
            names.push(name);
        }
    }
    assert!(names.len() > 10);
    let outcome = run_in(&folder, &line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for escaped in ["block-list-escaped.json", "block-list-stored.json"] {
        assert!(outcome.stdout.contains(&format!("changed ./{escaped}\n")));
        assert!(read(&folder, escaped).starts_with("{\n  \"Version\": \"2012-10-17\",\n"));
    }
    assert_eq!(tested(&folder), before);
    assert_eq!(
        run_in(&folder, &line.replace("fmt", "fmt --check")).code,
        Some(0)
    );
}

#[test]
fn an_invalid_policy_stops_the_run_before_anything_is_written() {
    let folder = folder(&[("a.json", SHORT), ("b.json", "{\"Statement\": []}")]);
    let outcome = run_in(&folder, "fmt ./a.json ./b.json");
    assert!(
        no_answer(&outcome).contains("--> ./b.json:1:15"),
        "{outcome:?}"
    );
    assert_eq!(read(&folder, "a.json"), SHORT);
    let outcome = run_in(&folder, "fmt ./none.json");
    assert!(no_answer(&outcome).starts_with("error: ./none.json: No such file"));
}

#[test]
fn stdout_is_for_one_policy() {
    let outcome = run_with("fmt - block-list.json", SHORT);
    assert!(no_answer(&outcome).starts_with("error: `-` stands beside other files"));
    let outcome = run_with("fmt - --format json", SHORT);
    assert!(no_answer(&outcome).contains("for which there is no --format json"));
}

#[test]
fn addresses_are_sorted_on_request() {
    let list = r#"["198.51.100.0", "2001:db8::/32", "9.0.0.0/8"]"#;
    let policy = format!(
        r#"{{"Statement": {{"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {{"IpAddress": {{"aws:SourceIp": {list}}}}}}}}}"#
    );
    let plain = run_args(&["fmt", "-"], &policy).stdout;
    assert!(plain.contains(list), "{plain}");
    let sorted = run_args(&["fmt", "--sort", "-"], &policy).stdout;
    let expected = r#"["9.0.0.0/8", "198.51.100.0", "2001:db8::/32"]"#;
    assert!(sorted.contains(expected), "{sorted}");
}
