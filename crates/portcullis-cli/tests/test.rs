//! `test`: tables of requests and expected decisions, and what is said about them.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod run;

use serde_json::{Value as Json, json};

use crate::run::{Outcome, run, run_with};

const OFFICE: &str = "\
policy: office-allow-list.json
defaults: {method: GET, path: /pets}
cases:
  - name: the office
    source-ip: 203.0.113.7
    expect: allow
  - name: elsewhere
    source-ip: [203.0.113.8, missing]
    expect: deny
";

/// Runs `test - FLAGS` with these cases on stdin.
fn test(flags: &str, cases: &str) -> Outcome {
    run_with(&format!("test - {flags}"), cases)
}

/// Asserts that there is no answer, and returns what is said about it.
fn no_answer(outcome: &Outcome) -> &str {
    let answer = (outcome.stdout.as_str(), outcome.code);
    assert_eq!(answer, ("", Some(2)), "{outcome:?}");
    &outcome.stderr
}

#[test]
fn the_cases_of_the_example_policies_pass() {
    let outcome = run("test cases.yaml --coverage");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    // Every statement and every block, but for the policy that matches nothing.
    assert_eq!(
        outcome.stdout,
        "uncovered whole-account-as-printed.json:4:5    statement 0 (Allow) caused no decision\n\
         uncovered whole-account-as-printed.json:11:27  `203.0.113.7/32` of statement 0 decided nothing\n\
         coverage 20 of 21 statements (95 %), 19 of 20 CIDR blocks (95 %)\n\
         passed 129 cases in cases.yaml\n"
    );
    assert_eq!(outcome.stderr, "");
}

/// A decision turned round in the table is found, whatever the case.
#[test]
fn every_example_case_can_fail() {
    let cases = std::fs::read_to_string(run::policies().join("cases.yaml")).unwrap();
    let all = cases.matches("expect: ").count();
    let turned = (cases.replace("expect: allow", "expect: denied"))
        .replace("expect: implicit deny", "expect: allow")
        .replace("expect: explicit deny", "expect: allow")
        .replace("expect: deny", "expect: allow")
        .replace("expect: denied", "expect: deny");
    assert!(all > 30);
    let outcome = test("", &turned);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome
            .stdout
            .ends_with("failed 129 of 129 cases in <stdin>\n")
    );
}

#[test]
fn a_failure_is_explained() {
    let cases = OFFICE.replace("expect: deny", "expect: allow");
    let outcome = test("", &cases);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    assert_eq!(
        outcome.stdout,
        "\
FAIL <stdin>:7: elsewhere
  GET /pets from 203.0.113.8
  expected allow, got implicit deny

nearest miss: policy office-allow-list.json, statement 0 `OfficesOnly`: `Condition.IpAddress.aws:SourceIp` does not match
  --> office-allow-list.json:12:11
   |
 6 |       \"Effect\": \"Allow\",
   |                 ------- would allow
...
12 |           \"aws:SourceIp\": [
   |           ^^^^^^^^^^^^^^ `203.0.113.8` is in none of these 3 blocks
   |
   = help: `aws:SourceIp` would have to be in `203.0.113.7/32`, `198.51.100.0/24` or `2001:db8:7::/48`

  portcullis explain -p office-allow-list.json --source-ip 203.0.113.8 -X GET --path /pets

FAIL <stdin>:7: elsewhere
  GET /pets without a source address
  expected allow, got implicit deny
failed 2 of 3 cases in <stdin>
"
    );
    // The command that is shown says the same.
    let shown = outcome
        .stdout
        .lines()
        .find(|line| line.starts_with("  portcullis"));
    let explained = run(shown.unwrap().trim().strip_prefix("portcullis ").unwrap());
    assert!(
        outcome
            .stdout
            .contains(&explained.stdout["implicit deny\n".len()..])
    );
}

#[test]
fn a_missing_deny_is_explained_by_the_nearest_one() {
    let outcome = test(
        "",
        "policy: block-list.json\ncases:\n  - {source-ip: 198.51.101.1, method: GET, path: /, expect: explicit deny}\n",
    );
    assert_eq!(outcome.code, Some(1));
    for said in [
        "expected explicit deny, got allow",
        "allows the request",
        "would deny",
        "`198.51.101.1` is in none of these 2 blocks",
    ] {
        assert!(outcome.stdout.contains(said), "{said}: {}", outcome.stdout);
    }
}

#[test]
fn a_deny_of_either_kind_is_explained_by_the_nearest_one_too() {
    let outcome = test("--policy block-list.json", OFFICE);
    assert!(outcome.stdout.contains("would deny"), "{}", outcome.stdout);
}

#[test]
fn every_case_is_answered_as_check_answers_it() {
    let outcome = run("test cases.yaml --format json");
    let answer: Json = serde_json::from_str(&outcome.stdout).unwrap();
    let cases = answer["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 129);
    // A process for each: a few of each policy do.
    for case in cases.iter().step_by(4) {
        let command = case["command"].as_str().unwrap();
        let command = command.replace("portcullis explain", "check");
        let checked = run(&format!("{command} --format json"));
        let checked: Json = serde_json::from_str(&checked.stdout).unwrap();
        assert_eq!(case["decision"], checked["decision"], "{command}");
        assert_eq!(case["determining"], checked["determining"], "{command}");
    }
}

#[test]
fn the_answer_as_json() {
    let cases = OFFICE.replace("expect: allow", "expect: explicit deny");
    let outcome = test("--coverage --format json --filter 203.0.113.7", &cases);
    assert_eq!(outcome.code, Some(1));
    let answer: Json = serde_json::from_str(&outcome.stdout).unwrap();
    let expected = json!({
        "passed": 0,
        "failed": 1,
        "cases": [{
            "file": "<stdin>",
            "line": 4,
            "name": "the office",
            "request": "GET /pets from 203.0.113.7",
            "passed": false,
            "expected": "explicit_deny",
            "decision": "allow",
            "determining": [{"policy": "office-allow-list.json", "statement": 0, "sid": "OfficesOnly"}],
            "command": "portcullis explain -p office-allow-list.json --source-ip 203.0.113.7 -X GET --path /pets",
        }],
        "coverage": {
            "statements": {"covered": 1, "total": 1},
            "cidrs": {"covered": 1, "total": 3},
            "policies": [{
                "policy": "office-allow-list.json",
                "statements": [],
                "cidrs": [
                    {"statement": 0, "key": "aws:SourceIp", "cidr": "198.51.100.0/24", "line": 14, "column": 13},
                    {"statement": 0, "key": "aws:SourceIp", "cidr": "2001:db8:7::/48", "line": 15, "column": 13},
                ],
            }],
        },
    });
    assert_eq!(answer, expected);
}

#[test]
fn the_answer_as_tap() {
    let cases = OFFICE.replace("name: the office", "name: '#1 TODO \\ office'");
    let outcome = test(
        "--format tap --coverage",
        &cases.replace(": allow", ": deny"),
    );
    assert_eq!(outcome.code, Some(1));
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "TAP version 14",
            "1..3",
            "not ok 1 - <stdin>:4 \\#1 TODO \\\\ office",
            "  ---",
            "  line: 4",
            "  message: \"expected deny, got allow\"",
        ]
    );
    let end = lines.iter().position(|line| *line == "  ...").unwrap();
    assert!(
        lines[end - 1].starts_with("  explanation: \"allow: policy office"),
        "{lines:?}"
    );
    assert_eq!(
        lines[end + 1..],
        [
            "ok 2 - <stdin>:7 elsewhere: GET /pets from 203.0.113.8",
            "ok 3 - <stdin>:7 elsewhere: GET /pets without a source address",
            "# coverage: 1 of 1 statements (100 %), 1 of 3 CIDR blocks (33 %)",
        ]
    );
}

#[test]
fn the_answer_as_junit() {
    let cases = OFFICE.replace("name: the office", "name: 'the <office> & \"co\"'");
    let outcome = test(
        "--format junit --coverage",
        &cases.replace(": allow", ": deny"),
    );
    assert_eq!(outcome.code, Some(1));
    let (text, times) = without_times(&outcome.stdout);
    // The run, its file, that one's cases, and the coverage.
    let [run, file, cases @ .., coverage] = times.as_slice() else {
        panic!("{times:?}");
    };
    assert_eq!((run, coverage, cases.len()), (file, &0.0, 3));
    assert!(
        (file - cases.iter().sum::<f64>()).abs() < 1e-5 && cases.iter().all(|time| *time > 0.0),
        "{times:?}"
    );
    let (before, failure) = text.split_once("<failure ").unwrap();
    assert_eq!(
        before,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"portcullis\" tests=\"3\" failures=\"1\" errors=\"0\">
  <testsuite name=\"&lt;stdin&gt;\" tests=\"3\" failures=\"1\" errors=\"0\">
    <testcase name=\"the &lt;office&gt; &amp; &quot;co&quot;\" classname=\"&lt;stdin&gt;\" file=\"&lt;stdin&gt;\" line=\"4\">
      "
    );
    let (failure, after) = failure.split_once("</failure>").unwrap();
    assert!(
        failure
            .starts_with("message=\"expected deny, got allow\" type=\"decision\">GET /pets from")
    );
    assert!(failure.contains("portcullis explain -p office-allow-list.json"));
    assert!(
        failure.contains("contains the request&#39;s")
            || failure.contains("contains the request's")
    );
    assert!(!failure.contains('\u{1b}'));
    assert_eq!(
        after,
        "
    </testcase>
    <testcase name=\"elsewhere: GET /pets from 203.0.113.8\" classname=\"&lt;stdin&gt;\" file=\"&lt;stdin&gt;\" line=\"7\"/>
    <testcase name=\"elsewhere: GET /pets without a source address\" classname=\"&lt;stdin&gt;\" file=\"&lt;stdin&gt;\" line=\"7\"/>
  </testsuite>
  <testsuite name=\"coverage\" tests=\"0\" failures=\"0\" errors=\"0\">
    <system-out>1 of 1 statements (100 %), 1 of 3 CIDR blocks (33 %)</system-out>
  </testsuite>
</testsuites>
"
    );
}

/// Returns a report without its times, and those.
fn without_times(report: &str) -> (String, Vec<f64>) {
    let mut pieces = report.split(" time=\"");
    let mut text = pieces.next().unwrap().to_owned();
    let mut times = Vec::new();
    for piece in pieces {
        let (time, rest) = piece.split_once('"').unwrap();
        times.push(time.parse().unwrap());
        text.push_str(rest);
    }
    (text, times)
}

#[test]
fn coverage_can_be_demanded() {
    let partly = test("--min-coverage 34", OFFICE);
    assert_eq!(partly.code, Some(1), "{partly:?}");
    assert_eq!(
        partly.stderr,
        "warning: the coverage is below the 34 % of --min-coverage\n"
    );
    assert_eq!(test("--min-coverage 33", OFFICE).code, Some(0));
    assert_eq!(
        no_answer(&test("--min-coverage 101", OFFICE))
            .lines()
            .count(),
        3
    );
}

/// Blocks of a `NotIpAddress` count when they keep a Deny from matching; a block inside of
/// another that never is the longest does not, nor does any under `ForAnyValue`.
#[test]
fn coverage_counts_what_decides() {
    let folder = std::env::temp_dir().join(format!("portcullis-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let policy = r#"{"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition":
            {"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24"]}}},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition":
            {"ForAnyValue:IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}}
    ]}"#;
    std::fs::write(folder.join("p.json"), policy).unwrap();
    let cases = "\
policy: p.json
defaults: {method: GET, path: /}
cases:
  - {source-ip: 10.1.2.3, expect: allow}
  - {source-ip: 192.0.2.1, expect: allow}
  - {source-ip: 192.0.3.1, expect: explicit deny}
";
    std::fs::write(folder.join("cases.yml"), cases).unwrap();
    let outcome = run(&format!("test {} --coverage", folder.display()));
    std::fs::remove_dir_all(&folder).unwrap();
    let file = folder.join("p.json");
    let file = file.display();
    assert_eq!(
        outcome.stdout,
        format!(
            "uncovered {file}:5:9   statement 2 (Deny) caused no decision\n\
             uncovered {file}:4:48  `10.0.0.0/8` of statement 1 decided nothing\n\
             coverage 2 of 3 statements (66 %), 2 of 3 CIDR blocks (66 %)\n\
             passed 3 cases in {}\n",
            folder.join("cases.yml").display()
        )
    );
}

#[test]
fn files_by_pattern_and_by_folder() {
    for arguments in [
        "*.yaml",
        "./*.y?ml",
        "cases.yaml cases.yaml",
        "../policies/cases.yaml",
        ".",
        "**/cases.yaml",
    ] {
        let outcome = run(&format!("test {arguments}"));
        assert_eq!(outcome.code, Some(0), "{arguments}: {outcome:?}");
        assert!(
            outcome.stdout.starts_with("passed 129 cases in "),
            "{arguments}: {outcome:?}"
        );
    }
    for (arguments, said) in [
        ("none*.yaml", "error: no file matches `none*.yaml`"),
        (
            "broken",
            "error: no `.yaml` or `.yml` file is below the folder `broken`",
        ),
        ("none.yaml", "error: none.yaml: No such file"),
        ("[.yaml", "error: `[.yaml` is no pattern of files"),
    ] {
        let outcome = run(&format!("test {arguments}"));
        assert!(no_answer(&outcome).starts_with(said), "{outcome:?}");
    }
}

/// Two files may call a policy by different paths, and it is covered by both together.
#[test]
fn coverage_is_that_of_all_files_together() {
    let folder = tempfile::tempdir().unwrap();
    let policy = std::fs::read(run::policies().join("block-list.json")).unwrap();
    std::fs::write(folder.path().join("p.json"), policy).unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    for (file, policy, address, expected) in [
        ("a.yaml", "p.json", "198.51.100.1", "explicit deny"),
        ("below/b.yaml", "../p.json", "2001:db8:bad::1", "deny"),
        ("below/c.yml", "../below/../p.json", "192.0.2.1", "allow"),
    ] {
        let cases = format!(
            "policy: {policy}\ncases: [{{method: GET, path: /, source-ip: '{address}', expect: {expected}}}]\n"
        );
        std::fs::write(folder.path().join(file), cases).unwrap();
    }
    let outcome = run(&format!(
        "test {} --min-coverage 100",
        folder.path().display()
    ));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(
        outcome.stdout,
        "coverage 2 of 2 statements (100 %), 2 of 2 CIDR blocks (100 %)\npassed 3 cases in 3 files\n"
    );
}

/// The file that the help shows is one.
#[test]
fn the_example_of_the_help() {
    let help = run("test --help").stdout;
    let shown = help
        .lines()
        .skip_while(|line| *line != "A file of cases is YAML (so JSON will do):");
    let shown = shown.skip(1).take_while(|line| line.starts_with("  "));
    let cases: String = shown.map(|line| format!("{}\n", &line[2..])).collect();
    let outcome = test("--policy office-allow-list.json", &cases);
    assert_eq!(outcome.stdout, "passed 6 cases in <stdin>\n", "{outcome:?}");
}

#[test]
fn stdin_is_one_thing() {
    let outcome = test("--policy -", OFFICE);
    assert!(no_answer(&outcome).starts_with("error: stdin is given as cases and as a policy"));
}

#[test]
fn other_policies_can_be_asked() {
    let outcome = test("--policy block-list.json", OFFICE);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stdout.contains("expected deny, got allow"));
    assert!(
        outcome
            .stdout
            .contains("portcullis explain -p block-list.json")
    );
}

#[test]
fn a_filter_that_chooses_nothing_is_no_success() {
    let outcome = test("--filter nowhere", OFFICE);
    assert!(
        no_answer(&outcome)
            .starts_with("error: no case has `nowhere` in its name, request or policies\n")
    );
    let by_policy = run("test cases.yaml --filter mock-api.json");
    assert_eq!(by_policy.stdout, "passed 4 cases in cases.yaml\n");
    let outcome = test("--filter 113.8 -v", OFFICE);
    assert_eq!(
        outcome.stdout,
        "pass <stdin>:7: elsewhere: GET /pets from 203.0.113.8\npassed 1 case in <stdin>\n"
    );
}

#[test]
fn faults_are_drawn_on_the_file() {
    let outcome = test(
        "",
        "policy: office-allow-list.json\ncases:\n  - sourc-ip: 203.0.113.7\n    expect: allow\n",
    );
    assert_eq!(
        no_answer(&outcome),
        "\
error: there is no field `sourc-ip`
 --> <stdin>:3:5
  |
3 |   - sourc-ip: 203.0.113.7
  |     ^^^^^^^^ cases[0]
  |
  = help: is `source-ip` meant?
"
    );
    for (cases, said) in [
        ("", "error: there are no cases\n"),
        ("a: [1\n", "error: this is no YAML: "),
        (
            "cases:\n  - source-ip: 2001:db8::\n",
            "error: this is no YAML: mapping values are not allowed",
        ),
        (
            "cases: [{expect: deny}]\n",
            "error: the cases name no policy\n",
        ),
        (
            "policy: one-endpoint.json\ncases: [{expect: deny}]\n",
            "error: what is called is missing\n",
        ),
        (
            "policy: mock-api.json\ncases: [{method: GET, path: /, expect: deny}]\n",
            "error: `api.region`, `api.account`, `api.id` and `stage` must be given beside `method` and `path`",
        ),
        (
            "policy: mock-api.json\ncases: [{resource: 'arn:a:b:c:d:e', principal: me, expect: deny}]\n",
            "error: `principal` `me` names no caller\n",
        ),
        (
            "policy: none.json\ncases: [{expect: deny}]\n",
            "error: none.json: No such file",
        ),
        (
            "policy: broken/block-list-placeholder.json\ncases: [{expect: deny}]\n",
            "error: ",
        ),
    ] {
        let outcome = test("", cases);
        assert!(
            no_answer(&outcome).starts_with(said),
            "{cases}: {outcome:?}"
        );
    }
}

/// A policy that was forgotten its Principals looks like an identity policy.
#[test]
fn warnings_name_the_case() {
    let cases = "policy: partner-by-iam.json\ncases:\n  - {method: get, path: /, expect: deny}\n";
    let outcome = test("", cases);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let warnings: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with("warning: <stdin>:3: `method` `get` is taken as it stands"));
    assert!(warnings[1].contains("`principal` ARN names the caller, `kind` identity says"));
}
