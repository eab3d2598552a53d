//! Runs `tests/testdata/*.toml`, a test for each file.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::policy::ParseError;
use portcullis::{Api, Effect, Explanation, Policy, PolicyKind};

use crate::support::ask::Reading;
use crate::support::case::{self, Case, CaseDocument, Fault, Question};
use crate::support::evaluator::{self, Decider};
use crate::support::request::{Document, eval_line};

macro_rules! files {
    ($($file:ident)+) => {
        const FILES: &[&str] = &[$(stringify!($file)),+];
        $(#[test] fn $file() { run(stringify!($file)); })+
    };
}

files! {
    conditions_arn
    conditions_bool_null_binary
    conditions_date
    conditions_numeric
    conditions_string
    effect
    escaped_documents
    mapped_v4
    missing_keys
    not_action
    not_principal
    not_resource
    parse_errors
    principal
    semantics_section_10
    set_operators
    several_values
    short_hand
    source_ip_v4
    source_ip_v6
    tutorials
    unreadable_address
    variables
    versions
    wildcard
}

#[test]
fn every_file_is_run() {
    let mut found: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, FILES);
}

/// The shared form of a question is a line that `eval` takes; the binary's own tests run them.
#[test]
fn every_question_is_a_line_of_json() {
    for file in FILES {
        for case in case::load(&path(file)) {
            for question in &case.questions {
                let documents: Vec<Document> = case
                    .documents
                    .iter()
                    .map(|document| Document {
                        kind: "resource",
                        text: document.text.clone(),
                    })
                    .collect();
                let line = eval_line(&case.name, &documents, &question.request);
                assert!(!line.contains('\n'), "{file}: {}: {line}", case.name);
                serde_json::from_str::<serde_json::Value>(&line)
                    .unwrap_or_else(|error| panic!("{file}: {}: {error}: {line}", case.name));
            }
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testdata")
}

fn path(file: &str) -> PathBuf {
    folder().join(file).with_extension("toml")
}

/// Runs every case of a file and fails with the list of all that went wrong.
fn run(file: &str) {
    let cases = case::load(&path(file));
    assert!(!cases.is_empty(), "{file} holds no case");
    let wrong: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            let wrong = if case.faults.is_empty() {
                answers(case)
            } else {
                faults(case)
            };
            wrong
                .into_iter()
                .map(|what| format!("{}: {}: {what}", case.file, case.name))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn read(document: &CaseDocument) -> Result<Policy, ParseError> {
    match document.kind.as_deref() {
        None => Policy::from_json(&document.text),
        Some("resource") => Policy::from_json_as(&document.text, PolicyKind::Resource),
        Some("identity") => Policy::from_json_as(&document.text, PolicyKind::Identity),
        Some(other) => panic!("`{other}` is no kind of policy"),
    }
}

/// Asks every evaluator every request of the case, in every reading, and returns what is wrong.
fn answers(case: &Case) -> Vec<String> {
    let mut written = Vec::new();
    for (index, document) in case.documents.iter().enumerate() {
        match read(document) {
            Ok(policy) => written.push(policy),
            Err(error) => return vec![format!("policy {index} does not load: {error}")],
        }
    }
    let mut wrong = Vec::new();
    for (index, question) in case.questions.iter().enumerate() {
        let api = case.api.as_deref().unwrap_or(&question.request.resource);
        let policies: Vec<Policy> = written
            .iter()
            .map(|policy| match Api::from_arn(api) {
                Some(api) => policy.with_short_hand_expanded(&api),
                None => policy.clone(),
            })
            .collect();
        for evaluator in evaluator::ALL {
            let decider = evaluator.prepare(&policies);
            if let Some(what) = ask(&*decider, question) {
                wrong.push(format!(
                    "request {index}, {}: {what}\n    {:?}",
                    evaluator.name(),
                    question.request
                ));
            }
        }
    }
    wrong
}

/// Asks one request in every reading and returns the first answer that is wrong.
fn ask(decider: &dyn Decider, question: &Question) -> Option<String> {
    Reading::ALL.into_iter().find_map(|reading| {
        let (decision, explanation) = question.request.lend(reading, |request| {
            (decider.decide(request), decider.explain(request))
        });
        if decision.as_str() != question.decision || explanation.decision != decision {
            return Some(format!(
                "expected {}, decides {}, explains {} ({reading:?})",
                question.decision,
                decision.as_str(),
                explanation.decision.as_str(),
            ));
        }
        check_explanation(&explanation, question).map(|what| format!("{what} ({reading:?})"))
    })
}

/// Returns what is wrong with the determining statements.
fn check_explanation(explanation: &Explanation, question: &Question) -> Option<String> {
    let found: Vec<[usize; 2]> = explanation
        .determining
        .iter()
        .map(|statement| [statement.policy, statement.statement])
        .collect();
    if let Some(expected) = &question.determining
        && *expected != found
    {
        return Some(format!(
            "expected determining statements {expected:?}, got {found:?}"
        ));
    }
    if found.is_empty() != (question.decision == "implicit_deny") {
        return Some(format!(
            "determining statements {found:?} for {}",
            question.decision
        ));
    }
    let effect = if question.decision == "allow" {
        Effect::Allow
    } else {
        Effect::Deny
    };
    if explanation
        .determining
        .iter()
        .any(|statement| statement.effect != effect)
    {
        return Some(format!(
            "a determining statement of the other effect for {}",
            question.decision
        ));
    }
    let prefixes: Vec<String> = explanation
        .determining
        .iter()
        .flat_map(|statement| {
            statement
                .prefixes
                .iter()
                .map(|matched| matched.prefix.to_string())
        })
        .collect();
    match &question.prefixes {
        Some(expected) if *expected != prefixes => {
            Some(format!("expected prefixes {expected:?}, got {prefixes:?}"))
        }
        _ => None,
    }
}

/// Returns how the faults found in the case's document differ from the expected ones.
fn faults(case: &Case) -> Vec<String> {
    let [document] = &*case.documents else {
        return vec!["a parse error is of one document".to_owned()];
    };
    let Err(error) = read(document) else {
        return vec!["loads, and must not".to_owned()];
    };
    let found = error.faults();
    let mut wrong: Vec<String> = found
        .iter()
        .zip(&case.faults)
        .filter(|(found, expected)| !agrees(found, expected))
        .map(|(found, expected)| format!("expected {expected:?}, got {found:?}"))
        .collect();
    if found.len() != case.faults.len() {
        wrong.push(format!(
            "expected {} faults, got {found:#?}",
            case.faults.len()
        ));
    }
    wrong
}

fn agrees(found: &portcullis::policy::Fault, expected: &Fault) -> bool {
    expected
        .line
        .is_none_or(|line| line == found.position().line)
        && expected
            .column
            .is_none_or(|column| column == found.position().column)
        && expected
            .path
            .as_ref()
            .is_none_or(|path| path == found.path())
        && found.to_string().contains(&expected.message_contains)
}
