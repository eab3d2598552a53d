//! Other evaluators' test suites through `portcullis eval` with both engines.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;

#[path = "../../../tests/support/request.rs"]
mod request;
#[path = "../../../tests/support/vector.rs"]
mod vector;

use crate::request::eval_line;
use crate::vector::{EXCEPTIONS, Expect};

#[test]
#[expect(
    clippy::print_stderr,
    reason = "a run says what it counted, or that it ran nothing"
)]
fn other_evaluators_suites() {
    let Some(vectors) = vector::load() else {
        eprintln!("skipped: {} names no folder of vectors", vector::FOLDER);
        return;
    };
    let lines: Vec<String> = vectors
        .counted
        .iter()
        .map(|vector| eval_line(&vector.id, &vector.documents, &vector.request))
        .collect();
    for engine in common::ENGINES {
        let (answers, _) = common::eval(engine, &lines);
        let mut wrong = Vec::new();
        let mut agree = 0;
        for (answer, vector) in answers.iter().zip(&vectors.counted) {
            let decision = answer["decision"].as_str();
            let right = answer["id"] == *vector.id
                && match vector.expect {
                    Expect::Decision(expected) => {
                        decision.is_some_and(|decision| expected.contains(&decision))
                    }
                    Expect::Loads => decision.is_some(),
                    Expect::ParseError => {
                        decision.is_none() && answer["error"]["message"].is_string()
                    }
                };
            let exception = EXCEPTIONS.iter().find(|(id, ..)| *id == vector.id);
            match (right, exception) {
                (true, None) => agree += 1,
                (false, Some(_)) => {}
                (false, None) => wrong.push(format!(
                    "{}: expected {:?}, got {answer}",
                    vector.id, vector.expect
                )),
                (true, Some((id, section, why))) => {
                    wrong.push(format!(
                        "{id}: agrees, and is listed as contradicting {section} ({why})"
                    ));
                }
            }
        }
        let kinds: Vec<&str> = vectors.counted.iter().map(|vector| &*vector.kind).collect();
        let count = |kind: &str| kinds.iter().filter(|known| **known == kind).count();
        eprintln!(
            "{engine}: {agree} agree of {} policy, {} condition, {} match, {} parse; {} not counted",
            count("policy"),
            count("condition"),
            count("match"),
            count("parse"),
            vectors.left_out.len(),
        );
        assert!(
            wrong.is_empty(),
            "{engine}: {} wrong\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}
