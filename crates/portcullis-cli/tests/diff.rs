//! `diff` and `fit`: answers in every form, errors and exit codes.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value as Json;

use crate::run::{Outcome, policies, run, run_args, run_with};

/// Returns the block list with a CIDR block left out and another put in, as text.
fn changed_block_list() -> String {
    let text = fs::read_to_string(policies().join("block-list.json")).unwrap();
    text.replace("198.51.100.0/24", "198.51.100.0/25")
        .replace("2001:db8:bad::/48", "2001:db8:bad::/47")
}

#[test]
fn equal_policies_written_otherwise() {
    for new in [
        "block-list.json",
        "block-list-deny-first.json",
        "block-list-escaped.json",
    ] {
        let outcome = run(&format!("diff block-list.json {new}"));
        assert_eq!(outcome.stdout, "equal: every request is decided alike\n");
        assert_eq!(
            (outcome.stderr.as_str(), outcome.code),
            ("", Some(0)),
            "{new}"
        );
    }
}

#[test]
fn a_side_is_named_by_place_or_by_flag() {
    let policy = "block-list.json";
    for sides in [
        format!("{policy} {policy}"),
        format!("{policy} --new {policy}"),
        format!("--old {policy} --new {policy}"),
    ] {
        assert_eq!(run(&format!("diff {sides}")).code, Some(0), "{sides}");
    }
    for (sides, missing) in [
        (policy.to_owned(), "--new"),
        (format!("--new {policy}"), "--old"),
    ] {
        let outcome = run(&format!("diff {sides}"));
        assert_eq!(
            (outcome.stderr.as_str(), outcome.code),
            (
                &*format!(
                    "error: there is no policy on the side of {missing}\n\
                     help: give OLD and NEW, or --old FILE and --new FILE\n"
                ),
                Some(2)
            )
        );
    }
}

#[test]
fn a_difference_for_reading() {
    let outcome = run_with("diff block-list.json -", &changed_block_list());
    assert_eq!(
        outcome.stdout,
        "different in 2 regions; gained: 128 IPv4 addresses; lost: 2^80 IPv6 addresses\n\
         \n\
         now allowed, was an explicit deny (128 IPv4 addresses)\n  \
           from     198.51.100.128/25\n  \
           where    resource matches `execute-api:/*`\n  \
           example  execute-api:Invoke on arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/pets from 198.51.100.129\n\
         \n\
         no longer allowed, now an explicit deny (2^80 IPv6 addresses)\n  \
           from     2001:db8:bac::/48\n  \
           where    resource matches `execute-api:/*`\n  \
           example  execute-api:Invoke on arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/pets from 2001:db8:bac::1\n"
    );
    assert_eq!((outcome.stderr.as_str(), outcome.code), ("", Some(1)));
}

/// The command that is printed shows the decision that the region tells of.
#[test]
fn the_example_can_be_run() {
    let outcome = run("diff office-allow-list.json block-list.json");
    assert_eq!(outcome.code, Some(1));
    let examples: Vec<&str> = (outcome.stdout.lines())
        .filter_map(|line| line.trim().strip_prefix("example  portcullis "))
        .collect();
    assert!(!examples.is_empty(), "{}", outcome.stdout);
    for example in examples {
        let shown = run(example);
        assert!(matches!(shown.code, Some(0 | 1)), "{example}: {shown:?}");
    }
    assert!(
        outcome.stdout.contains("now allowed, was an implicit deny"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_difference_for_scripts() {
    let outcome = run_with(
        "diff block-list.json - --format json",
        &changed_block_list(),
    );
    let answer: Json = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(outcome.stdout.matches('\n').count(), 1);
    assert_eq!(answer["equal"], false);
    assert_eq!(answer["gained"]["ipv4"], "128");
    let region = &answer["regions"][0];
    assert_eq!(
        (&region["before"], &region["after"]),
        (&"explicit_deny".into(), &"allow".into())
    );
    assert_eq!(
        region["addresses"]["ipv4"],
        serde_json::json!(["198.51.100.128/25"])
    );
    assert_eq!(
        region["example"]["context"]["aws:SourceIp"],
        "198.51.100.129"
    );
    assert_eq!(region["proven"], true);
    assert_eq!(outcome.code, Some(1));
    let equal = run("diff block-list.json block-list-deny-first.json --format json");
    assert!(
        equal.stdout.starts_with("{\"equal\":true,"),
        "{}",
        equal.stdout
    );
}

#[test]
fn a_difference_for_a_pull_request() {
    let outcome = run_with(
        "diff block-list.json - --format markdown",
        &changed_block_list(),
    );
    for line in [
        "### Policy change: lets requests in",
        "| 1 | **now allowed, was an explicit deny** | 198.51.100.128/25 | resource matches `execute-api:/*` | 128 IPv4 addresses |",
        "<details><summary>Examples</summary>",
    ] {
        assert!(
            outcome.stdout.lines().any(|found| found == line),
            "{line}\n{}",
            outcome.stdout
        );
    }
}

#[test]
fn only_what_became_allowed_can_fail() {
    let closed = "diff --fail-on allow";
    let text = fs::read_to_string(policies().join("block-list.json")).unwrap();
    let narrower = text.replace("198.51.100.0/24", "198.51.100.0/23");
    assert_eq!(
        run_with(&format!("{closed} block-list.json -"), &narrower).code,
        Some(0)
    );
    assert_eq!(
        run_with(&format!("{closed} - block-list.json"), &narrower).code,
        Some(1)
    );
}

#[test]
fn a_side_of_several_policies() {
    let outcome = run(
        "diff --old one-endpoint.json --old block-list.json --new block-list.json --new one-endpoint.json",
    );
    assert_eq!(
        (outcome.stdout.as_str(), outcome.code),
        ("equal: every request is decided alike\n", Some(0))
    );
    let missing = run("diff --old one-endpoint.json");
    assert_eq!((missing.stdout.as_str(), missing.code), ("", Some(2)));
    assert!(
        missing
            .stderr
            .contains("there is no policy on the side of --new"),
        "{}",
        missing.stderr
    );
}

#[test]
fn what_cannot_be_read_is_no_answer() {
    let outcome = run("diff block-list.json no-such-file.json");
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", Some(2)));
    let outcome = run("diff block-list.json");
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", Some(2)));
}

/// A policy in the form of the serverless transforms, in a file of its own.
fn repeated_list(name: &str, cidrs: usize, paths: usize) -> PathBuf {
    let list: Vec<String> = (0..cidrs)
        .map(|i| format!("\"203.{}.{}.7\"", i / 100, i % 100 * 2))
        .collect();
    let statements: Vec<String> = (0..paths)
        .map(|path| {
            format!(
                r#"{{"Sid": "Path{path}", "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": ["execute-api:/prod/GET/p{path}"], "Condition": {{"IpAddress": {{"aws:SourceIp": [{}]}}}}}}"#,
                list.join(", ")
            )
        })
        .collect();
    let file = std::env::temp_dir().join(format!("portcullis-{name}-{}.json", std::process::id()));
    fs::write(
        &file,
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#,
            statements.join(", ")
        ),
    )
    .unwrap();
    file
}

fn fit(file: &std::path::Path, more: &[&str]) -> Outcome {
    let mut args = vec!["fit", file.to_str().unwrap()];
    args.extend(more);
    run_args(&args, "")
}

#[test]
fn fit_prints_a_smaller_policy_that_is_equal() {
    let file = repeated_list("fit", 300, 4);
    let outcome = fit(&file, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains(" fewer; limit 8192; proven equal\n"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stdout.len() < 8_192);
    assert!(
        outcome.stdout.contains("\"execute-api:/prod/GET/p3\""),
        "{}",
        outcome.stdout
    );
    let same = run_args(&["diff", file.to_str().unwrap(), "-"], &outcome.stdout);
    assert_eq!(same.code, Some(0), "{}", same.stdout);
    fs::remove_file(file).unwrap();
}

#[test]
fn fit_says_how_far_it_got() {
    let file = repeated_list("far", 600, 2);
    let outcome = fit(&file, &[]);
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", Some(1)));
    assert!(
        outcome
            .stderr
            .contains("characters too many for one policy"),
        "{}",
        outcome.stderr
    );
    // An API has one resource policy.
    let split = fit(&file, &["--split"]);
    assert_eq!(split.code, Some(1));
    assert_eq!(split.stdout.lines().count(), 1);
    assert!(
        split
            .stderr
            .contains("it takes 2 policies of 8192 characters, and an API has one resource policy"),
        "{}",
        split.stderr
    );
    let folder = file.with_extension("parts");
    let written = fit(&file, &["--split", "--out-dir", folder.to_str().unwrap()]);
    assert_eq!(written.code, Some(1));
    assert!(!folder.exists());
    fs::remove_file(file).unwrap();
}

/// An identity policy with a list too long for one document, a Deny, and a statement of its own.
fn long_identity(name: &str) -> PathBuf {
    let list: Vec<String> = (0..900)
        .map(|i| format!("\"203.{}.{}.7\"", i / 100, i % 100 * 2))
        .collect();
    let file = std::env::temp_dir().join(format!("portcullis-{name}-{}.json", std::process::id()));
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Sid": "Deletes", "Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "execute-api:/*/DELETE/*"}},
            {{"Sid": "Partners", "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "execute-api:/*", "Condition": {{"IpAddress": {{"aws:SourceIp": [{}]}}}}}}]}}"#,
        list.join(", ")
    );
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn fit_splits_what_one_identity_can_have() {
    let file = long_identity("split");
    let outcome = fit(&file, &["--split", "--limit", "6144"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("it takes 3 policies of 6144 characters, all in force together"),
        "{}",
        outcome.stderr
    );
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    let folder = file.with_extension("parts");
    let arguments = [
        "--split",
        "--limit",
        "6144",
        "--out-dir",
        folder.to_str().unwrap(),
    ];
    let written = fit(&file, &arguments);
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let files: Vec<&str> = written.stdout.lines().collect();
    let mut command = vec!["diff", "--old", file.to_str().unwrap()];
    for (part, line) in files.iter().zip(&lines) {
        let text = fs::read_to_string(part).unwrap();
        assert_eq!(text.trim_end(), *line);
        let expanded = text.replace(
            "execute-api:/",
            "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/",
        );
        assert!(expanded.trim_end().chars().count() <= 6_144);
        command.extend(["--new", part]);
    }
    assert_eq!(run_args(&command, "").code, Some(0));
    // Without one of them another is decided.
    assert_eq!(run_args(&command[..command.len() - 2], "").code, Some(1));
    // What is there already would be attached with the rest.
    let again = fit(&file, &arguments);
    assert_eq!((again.stdout.as_str(), again.code), ("", Some(2)));
    assert!(again.stderr.contains("is not empty"), "{}", again.stderr);
    fs::remove_dir_all(folder).unwrap();
    fs::remove_file(file).unwrap();
}

#[test]
fn fit_for_scripts() {
    let file = long_identity("json");
    let json = |more: &[&str]| -> (Json, Option<i32>) {
        let mut arguments = vec!["--format", "json"];
        arguments.extend(more);
        let outcome = fit(&file, &arguments);
        assert_eq!(outcome.stdout.lines().count(), 1);
        (serde_json::from_str(&outcome.stdout).unwrap(), outcome.code)
    };
    let (whole, code) = json(&["--limit", "20000"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        (&whole["fits"], &whole["proven"], &whole["documents"]),
        (&true.into(), &true.into(), &1.into())
    );
    assert_eq!(whole["policies"][0]["Statement"][0]["Sid"], "Deletes");
    let (above, code) = json(&["--limit", "6144"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        (&above["fits"], &above["documents"], &above["sids_left_out"]),
        (&false.into(), &3.into(), &true.into())
    );
    assert_eq!(above["policies"], serde_json::json!([]));
    let (split, code) = json(&["--limit", "6144", "--split"]);
    assert_eq!(code, Some(0));
    assert_eq!(split["policies"].as_array().unwrap().len(), 3);
    assert_eq!(split["sids_left_out"], false);
    assert_eq!(split["policies"][0]["Statement"][0]["Sid"], "Deletes");
    let (none, code) = json(&["--limit", "100", "--split"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        (&none["documents"], &none["too_long"]),
        (&Json::Null, &serde_json::json!([0, 1]))
    );
    fs::remove_file(file).unwrap();
}

#[test]
fn help_names_the_exit_codes() {
    for command in ["diff", "fit"] {
        let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args([command, "--help"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for part in ["Examples:", "Exit codes:"] {
            assert!(text.contains(part), "{command}: {text}");
        }
    }
}
