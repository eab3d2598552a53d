//! `lint`: findings in three forms, fixes, switches.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::run::{Outcome, portcullis, run, run_with};

const SPOILT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Office",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": [
            "203.0.113.7/24",   "2001:db8::/32",
            "203.0.113.9",
            "198.51.100.1", "198.51.100.1"
          ]
        }
      }
    },
    {
      "Sid": "Again",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/prod/*",
      "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/25"}}
    }
  ]
}
"#;

const MENDED: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Office",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "execute-api:Invoke",
      "Resource": "execute-api:/*",
      "Condition": {
        "IpAddress": {
          "aws:SourceIp": [
            "203.0.113.0/24",   "2001:db8::/32",
            "198.51.100.1"
          ]
        }
      }
    }
  ]
}
"#;

/// A folder with `policy.json` in it.
fn folder(policy: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("policy.json"), policy).unwrap();
    folder
}

/// Runs in a folder.
fn run_in(folder: &TempDir, line: &str) -> Outcome {
    let output = portcullis()
        .current_dir(folder.path())
        .args(line.split_whitespace())
        .output()
        .unwrap();
    Outcome {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

fn json(outcome: &Outcome) -> Json {
    assert_eq!(outcome.stdout.matches('\n').count(), 1, "{outcome:?}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn rules_of(answer: &Json) -> Vec<&str> {
    let findings = answer["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect()
}

#[test]
fn a_policy_without_findings() {
    let clean = run("lint block-list.json");
    assert_eq!(
        (clean.stdout.as_str(), clean.stderr.as_str(), clean.code),
        ("nothing found\n", "", Some(0))
    );
}

#[test]
fn findings_are_drawn_on_the_text() {
    let drawn = run("lint -p whole-account-as-printed.json --only colon-behind-api");
    assert_eq!(
        drawn.stdout,
        "\
warning[colon-behind-api]: `arn:aws:execute-api:us-east-1:123456789012:*:*` matches only calls with a `:` behind the API, as in a path
 --> whole-account-as-printed.json:8:19
  |
8 |       \"Resource\": \"arn:aws:execute-api:us-east-1:123456789012:*:*\",
  |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: write `arn:aws:execute-api:us-east-1:123456789012:*`

1 warning
"
    );
    assert_eq!((drawn.stderr.as_str(), drawn.code), ("", Some(1)));
}

/// No finding in the example policies is a false alarm that would fail a build.
#[test]
fn example_policies_have_the_findings_they_should() {
    let mut counting = Vec::new();
    for entry in fs::read_dir(run::policies()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".json") {
            let outcome = run(&format!("lint {name}"));
            assert_eq!(outcome.stderr, "", "{name}");
            if outcome.code != Some(0) {
                assert_eq!(outcome.code, Some(1), "{name}");
                counting.push(name);
            }
        }
    }
    assert_eq!(counting, ["whole-account-as-printed.json"]);
}

#[test]
fn what_counts_for_the_exit_code() {
    for (line, code) in [
        ("lint office-allow-list.json", 0),
        ("lint office-allow-list.json --fail-on note", 1),
        ("lint whole-account-as-printed.json", 1),
        ("lint whole-account-as-printed.json --fail-on error", 0),
        (
            "lint whole-account-as-printed.json --allow colon-behind-api",
            0,
        ),
        ("lint block-list.json whole-account-as-printed.json", 1),
        ("lint broken/block-list-placeholder.json", 2),
        ("lint missing.json", 2),
        ("lint", 2),
        ("lint --fix -", 2),
        ("lint --dry-run block-list.json", 2),
    ] {
        assert_eq!(run(line).code, Some(code), "{line}");
    }
}

#[test]
fn json_has_places_and_fixes() {
    let folder = folder(SPOILT);
    let outcome = run_in(
        &folder,
        "lint policy.json --format json --only host-bits-set",
    );
    let message = "`203.0.113.7/24` is read as `203.0.113.0/24`, which is 256 addresses";
    let start = SPOILT.find("203.0.113.7/24").unwrap();
    assert_eq!(
        json(&outcome),
        json!({
            "findings": [{
                "rule": "host-bits-set", "severity": "warning", "policy": "policy.json",
                "statement": 0, "sid": "Office",
                "line": 13, "column": 13, "end_line": 13, "end_column": 29,
                "message": message,
                "help": "write `203.0.113.0/24`, or `203.0.113.7` for one address",
                "related": [],
                "fix": {
                    "title": "write the block as it is read",
                    "edits": [{"start": start, "end": start + 14, "replacement": "203.0.113.0/24"}],
                },
            }],
            "errors": 0, "warnings": 1, "notes": 0, "allowed": 0, "fixed": 0, "unexamined": [],
        })
    );
    let all = json(&run_in(&folder, "lint policy.json --format json"));
    assert_eq!(
        rules_of(&all),
        [
            "allow-only-ip-list",
            "host-bits-set",
            "shadowed-cidr",
            "duplicate-cidr",
            "dead-statement",
            "ipv4-only-list"
        ]
    );
}

#[test]
fn fix_changes_only_what_it_must() {
    let folder = folder(SPOILT);
    let file = folder.path().join("policy.json");
    let tried = run_in(&folder, "lint --fix --dry-run policy.json");
    assert_eq!(tried.code, Some(1));
    assert!(
        tried
            .stdout
            .starts_with("--- policy.json\n+++ policy.json\n@@ line 13 @@\n-")
    );
    assert!(
        tried
            .stdout
            .contains("\n+            \"203.0.113.0/24\",   \"2001:db8::/32\",\n")
    );
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        SPOILT,
        "a dry run writes nothing"
    );

    let fixed = run_in(&folder, "lint --fix policy.json");
    assert_eq!(fs::read_to_string(&file).unwrap(), MENDED);
    assert!(fixed.stdout.ends_with("1 note; 4 mended\n"), "{fixed:?}");
    assert_eq!((fixed.stderr.as_str(), fixed.code), ("", Some(0)));
    let again = run_in(&folder, "lint --fix policy.json");
    assert!(again.stdout.ends_with("\n1 note\n"));
    assert_eq!(fs::read_to_string(&file).unwrap(), MENDED);
    assert_eq!(
        run_in(&folder, "lint --fix --dry-run policy.json").code,
        Some(0)
    );
}

#[test]
#[cfg(unix)]
fn fix_keeps_links_and_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder(SPOILT);
    let file = folder.path().join("policy.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("policy.json", folder.path().join("link.json")).unwrap();
    assert_eq!(run_in(&folder, "lint --fix link.json").code, Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), MENDED);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert!(folder.path().join("link.json").is_symlink());
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 2, "nothing is left behind");
}

#[test]
fn fix_in_an_escaped_document() {
    let once = Json::from(SPOILT).to_string();
    let folder = folder(&once);
    run_in(&folder, "lint --fix policy.json");
    let text = fs::read_to_string(folder.path().join("policy.json")).unwrap();
    assert_eq!(text, Json::from(MENDED).to_string());
}

#[test]
fn rules_are_listed_and_explained() {
    let rules = run("lint --rules");
    assert_eq!(rules.code, Some(0));
    let listed = json(&run("lint --rules --format json"));
    let listed = listed["rules"].as_array().unwrap();
    assert!(listed.len() >= 20);
    for rule in listed {
        let id = rule["id"].as_str().unwrap();
        assert!(rules.stdout.contains(&format!("{id} ")), "{id}");
        let page = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs/lint")
            .join(format!("{id}.md"));
        let explained = run(&format!("lint --explain {id}"));
        assert_eq!(explained.stdout, fs::read_to_string(page).unwrap());
        assert_eq!(explained.code, Some(0));
    }
}

#[test]
fn unknown_rules_are_told_with_the_nearest() {
    for line in [
        "lint block-list.json --allow dead-statment",
        "lint block-list.json --only dead-statment",
        "lint --explain dead-statment",
    ] {
        let outcome = run(line);
        assert_eq!(
            (outcome.stdout.as_str(), outcome.code),
            ("", Some(2)),
            "{line}"
        );
        assert!(
            outcome.stderr.contains("there is no rule `dead-statment`"),
            "{outcome:?}"
        );
        assert!(
            outcome.stderr.contains("did you mean `dead-statement`?"),
            "{outcome:?}"
        );
    }
}

#[test]
fn rules_are_switched_off_by_the_configuration() {
    let folder = folder(SPOILT);
    let config = folder.path().join("portcullis.toml");
    let lint = |text: &str| {
        fs::write(&config, text).unwrap();
        run_in(&folder, "lint policy.json --format json")
    };
    let some = lint("[lint]\nallow = [\"duplicate-cidr\", \"shadowed-cidr\"]\n");
    assert_eq!(
        rules_of(&json(&some)),
        [
            "allow-only-ip-list",
            "host-bits-set",
            "dead-statement",
            "ipv4-only-list"
        ]
    );
    let statement = "[[lint.statement]]\nsid = \"Office\"\nallow = [\"host-bits-set\", \"duplicate-cidr\"]\n\
                     reason = \"as the router has it\"\n";
    let office = lint(statement);
    assert_eq!(
        rules_of(&json(&office)),
        [
            "allow-only-ip-list",
            "shadowed-cidr",
            "dead-statement",
            "ipv4-only-list"
        ]
    );
    assert_eq!(json(&office)["allowed"], 2);
    assert_eq!(office.stderr, "");
    let unused = lint(
        "[[lint.statement]]\nsid = \"Again\"\nallow = [\"host-bits-set\"]\n\
         [[lint.statement]]\nsid = \"Gone\"\nallow = [\"host-bits-set\"]\n",
    );
    let said: Vec<&str> = unused.stderr.lines().collect();
    assert_eq!(
        said,
        [
            r#"{"warning":{"message":"the allowance of `host-bits-set` for statement `Again` is not needed: nothing is found there"}}"#,
            r#"{"warning":{"message":"an allowance is for statement `Gone`, which no policy has"}}"#,
        ]
    );
    for (text, message) in [
        (
            "[lint]\nallow = [\"x\"]",
            "portcullis.toml: there is no rule `x`",
        ),
        (
            "[lint]\nalow = []",
            "portcullis.toml, line 2: unknown field `alow`",
        ),
        ("[lint", "portcullis.toml, line 1: "),
        ("[[lint.statement]]\nallow = []", "missing field `sid`"),
    ] {
        let outcome = lint(text);
        assert_eq!((outcome.stdout.as_str(), outcome.code), ("", Some(2)));
        assert!(outcome.stderr.contains(message), "{outcome:?}");
    }
    fs::remove_file(&config).unwrap();
    assert_eq!(
        run_in(&folder, "lint policy.json --config other.toml").code,
        Some(2)
    );
    fs::write(
        folder.path().join("other.toml"),
        "[lint]\nallow = [\"dead-statement\"]",
    )
    .unwrap();
    let named = run_in(
        &folder,
        "lint policy.json --config other.toml --format json",
    );
    assert!(!rules_of(&json(&named)).contains(&"dead-statement"));
}

#[test]
fn an_api_makes_short_hand_comparable() {
    let policy = r#"{"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:aws:execute-api:eu-central-1:123456789012:abc/*"},
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "execute-api:/prod/GET/"}]}"#;
    let open = run_with("lint - --format json --only dead-statement", policy);
    assert_eq!(rules_of(&json(&open)), [""; 0]);
    let api = "--region eu-central-1 --account 123456789012 --api-id abc";
    let known = run_with(
        &format!("lint - --format json --only dead-statement {api}"),
        policy,
    );
    assert_eq!(rules_of(&json(&known)), ["dead-statement"]);
}

/// The parts of SARIF 2.1.0 that are written, with the types and bounds that its schema has for them.
#[test]
fn sarif_has_the_form_of_its_schema() {
    let folder = folder(SPOILT);
    fs::rename(
        folder.path().join("policy.json"),
        folder.path().join("a policy.json"),
    )
    .unwrap();
    let output = portcullis()
        .current_dir(folder.path())
        .args(["lint", "a policy.json", "--format", "sarif"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let [run] = log["runs"].as_array().unwrap().as_slice() else {
        panic!("one run: {log}");
    };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "portcullis");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].is_string(), "{rule}");
        }
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["note", "warning", "error"].contains(&level));
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 6);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20policy.json");
        check_region(&place["region"]);
        for fix in result["fixes"].as_array().into_iter().flatten() {
            assert!(fix["description"]["text"].is_string());
            for change in fix["artifactChanges"].as_array().unwrap() {
                assert_eq!(change["artifactLocation"]["uri"], "a%20policy.json");
                for replacement in change["replacements"].as_array().unwrap() {
                    check_region(&replacement["deletedRegion"]);
                    assert!(replacement["insertedContent"]["text"].is_string());
                }
            }
        }
    }
    assert_eq!(
        results
            .iter()
            .filter(|result| !result["fixes"].is_null())
            .count(),
        4
    );
}

/// A finding is known again where lines were put above it, and two equal ones are two.
#[test]
fn sarif_fingerprints_outlive_other_lines() {
    let fingerprints = |policy: &str| -> Vec<String> {
        let only = "--only host-bits-set --only duplicate-cidr";
        let outcome = run_with(&format!("lint - --format sarif {only}"), policy);
        let log: Json = serde_json::from_str(&outcome.stdout).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        (results.iter())
            .map(|result| {
                result["partialFingerprints"]["portcullis/v1"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    let again = SPOILT.replace("\"203.0.113.9\",", "\"203.0.113.9\", \"198.51.100.1\",");
    let before = fingerprints(&again);
    assert!(before.iter().any(|text| text.ends_with(":2")), "{before:?}");
    let mut different = before.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), before.len());
    assert_eq!(
        fingerprints(&format!("\n\n{}", again.replace(": ", " :\n "))),
        before
    );
    let renamed = fingerprints(&again.replace("203.0.113.7/24", "203.0.113.8/24"));
    assert_ne!(renamed, before);
    // Of every version: whoever stores them compares them with the next one's.
    let pinned = r#"{"Version": "2012-10-17", "Statement": {"Sid": "A", "Effect": "Allow", "Principal": "*",
        "Action": "execute-api:Invoke", "Resource": "execute-api:/prod/GET/a",
        "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.7/24"}}}}"#;
    let pinned = fingerprints(pinned);
    assert_eq!(pinned, ["8bf2aab80699ac2e:1"]);
}

fn check_region(region: &Json) {
    let number = |name: &str| region[name].as_u64().unwrap();
    assert!(number("startLine") >= 1 && number("startColumn") >= 1);
    let start = (number("startLine"), number("startColumn"));
    assert!((number("endLine"), number("endColumn")) >= start);
}

#[test]
fn findings_without_number_are_cut() {
    let addresses: Vec<String> = (0..200).map(|at| format!("\"10.0.0.{at}/24\"")).collect();
    let policy = SPOILT.replace("\"203.0.113.9\"", &addresses.join(", "));
    let outcome = run_with("lint -", &policy);
    assert!(
        outcome
            .stdout
            .contains(" more, which --format json lists\n")
    );
    assert!(
        outcome.stdout.lines().count() < 700,
        "{}",
        outcome.stdout.lines().count()
    );
    assert!(outcome.stdout.contains("warning["));
}
