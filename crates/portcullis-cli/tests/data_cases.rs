//! The library's data cases, `tests/testdata/*.toml`, through `portcullis eval` with both engines.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;

#[path = "../../../tests/support/case.rs"]
#[expect(dead_code, reason = "`eval` answers with less than the library checks")]
mod case;
#[path = "../../../tests/support/request.rs"]
mod request;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use portcullis::{Api, Policy, PolicyKind};
use serde_json::Value as Json;

use crate::case::{Case, CaseDocument};
use crate::request::{Document, OwnedRequest, eval_line};

#[test]
fn every_question_gets_its_decision() {
    let mut lines = Vec::new();
    let mut expected = Vec::new();
    for case in cases().into_iter().filter(|case| case.faults.is_empty()) {
        let documents: Vec<Document> = case
            .documents
            .iter()
            .map(|document| loaded(&case, document))
            .collect();
        for (index, question) in case.questions.iter().enumerate() {
            let name = format!("{}: {}: request {index}", case.file, case.name);
            lines.push(eval_line(&name, &documents, &question.request));
            let decision = (!repeats_a_key(&question.request)).then(|| question.decision.clone());
            expected.push((name, decision));
        }
    }
    assert!(lines.len() > 250, "only {} questions", lines.len());
    for engine in common::ENGINES {
        let (answers, code) = common::eval(engine, &lines);
        let wrong: Vec<String> = answers
            .iter()
            .zip(&expected)
            .filter(|(answer, (name, decision))| {
                let right = match decision {
                    Some(decision) => answer["decision"] == **decision,
                    None => answer["error"]["message"]
                        .as_str()
                        .is_some_and(|message| message.contains("is given twice")),
                };
                answer["id"] != **name || !right
            })
            .map(|(answer, (name, decision))| {
                format!("{name}: expected {decision:?}, got {answer}")
            })
            .collect();
        assert!(
            wrong.is_empty(),
            "{engine}: {} wrong\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        assert_eq!(
            code,
            Some(2),
            "{engine}: lines with a key given twice failed"
        );
    }
}

/// Returns whether a key is given twice: of equal ones the library takes the first, and `eval` none.
fn repeats_a_key(request: &OwnedRequest) -> bool {
    let source_ip = request.source_ip.as_ref().map(|_| "aws:SourceIp");
    let keys = (request.context.iter()).map(|(key, _)| key.as_str());
    let mut known = HashSet::new();
    keys.chain(source_ip)
        .any(|key| !known.insert(key.to_ascii_lowercase()))
}

/// A document that must not load is an error on its line, and the run goes on.
#[test]
fn every_fault_is_an_error() {
    let cases: Vec<Case> = cases()
        .into_iter()
        .filter(|case| !case.faults.is_empty())
        .collect();
    let request: OwnedRequest = serde_json::from_str(
        r#"{"resource": "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/"}"#,
    )
    .unwrap();
    let lines: Vec<String> = cases
        .iter()
        .map(|case| {
            let document = &case.documents[0];
            let kind = match document.kind.as_deref() {
                Some("identity") => "identity",
                Some(_) => "resource",
                // As in the data: told from whether there is a principal.
                None if document.text.contains("Principal\"") => "resource",
                None => "identity",
            };
            let text = document.text.clone();
            eval_line(&case.name, &[Document { kind, text }], &request)
        })
        .collect();
    for engine in common::ENGINES {
        let (answers, code) = common::eval(engine, &lines);
        for (answer, case) in answers.iter().zip(&cases) {
            let message = answer["error"]["message"].as_str();
            assert!(
                message.is_some() && answer["decision"].is_null(),
                "{engine}: {}: {answer}",
                case.name
            );
            let known = |fault: &case::Fault| message.unwrap().contains(&fault.message_contains);
            assert!(
                case.faults.iter().any(known),
                "{engine}: {}: {answer}",
                case.name
            );
        }
        assert_eq!(code, Some(2), "{engine}: some line failed");
    }
}

/// Returns the document as `eval` takes it: of a kind, and with the short-hand of the case's API.
fn loaded(case: &Case, document: &CaseDocument) -> Document {
    let policy = match document.kind.as_deref() {
        None => Policy::from_json(&document.text),
        Some("identity") => Policy::from_json_as(&document.text, PolicyKind::Identity),
        Some(_) => Policy::from_json_as(&document.text, PolicyKind::Resource),
    };
    let policy = policy.unwrap_or_else(|error| panic!("{}: {}: {error}", case.file, case.name));
    Document {
        kind: match policy.kind() {
            PolicyKind::Identity => "identity",
            PolicyKind::Resource => "resource",
        },
        text: match case.api.as_deref().and_then(Api::from_arn) {
            Some(api) => policy.with_short_hand_expanded(&api).to_string(),
            None => document.text.clone(),
        },
    }
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/testdata");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort_unstable();
    files.iter().flat_map(|file| case::load(file)).collect()
}

/// A line that is no question is an error too, and the lines around it are answered.
#[test]
fn a_bad_line_is_answered_in_its_place() {
    let good = r#"{"id":"good","policies":[{"kind":"identity","document":{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}}],"request":{"principal":null,"action":"execute-api:Invoke","resource":"arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/","context":{}}}"#;
    let lines = [good, "{", r#"{"id":"empty"}"#, good].map(str::to_owned);
    for engine in common::ENGINES {
        let (answers, code) = common::eval(engine, &lines);
        let decisions: Vec<&Json> = answers.iter().map(|answer| &answer["decision"]).collect();
        assert_eq!(
            decisions,
            [
                &Json::from("allow"),
                &Json::Null,
                &Json::Null,
                &Json::from("allow")
            ]
        );
        assert!(
            answers[1]["error"]["message"].is_string()
                && answers[2]["error"]["message"].is_string()
        );
        assert_eq!(code, Some(2), "{engine}");
    }
}
