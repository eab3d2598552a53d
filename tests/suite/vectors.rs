//! Runs other evaluators' test suites, where the folder that holds them is named.

use std::collections::BTreeMap;

use portcullis::{Policy, PolicyKind};

use crate::support::ask::Reading;
use crate::support::evaluator::{self, Evaluator};
use crate::support::request::Document;
use crate::support::vector::{self, EXCEPTIONS, Expect, Vector};

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
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for kind in &vectors.left_out {
        counts.entry(kind).or_default()[2] += 1;
    }
    let mut wrong = Vec::new();
    for vector in &vectors.counted {
        let exception = EXCEPTIONS.iter().find(|(id, ..)| *id == vector.id);
        let count = counts.entry(&vector.kind).or_default();
        count[usize::from(exception.is_some())] += 1;
        for evaluator in evaluator::ALL {
            match (run(*evaluator, vector), exception) {
                (None, None) | (Some(_), Some(_)) => {}
                (Some(what), None) => wrong.push(format!(
                    "{} by {}: {what}\n    {vector:?}",
                    vector.id,
                    evaluator.name()
                )),
                (None, Some((id, section, why))) => {
                    wrong.push(format!(
                        "{id} by {}: agrees, and is listed as contradicting {section} ({why})",
                        evaluator.name()
                    ));
                }
            }
        }
    }
    for (kind, [agree, excepted, left_out]) in &counts {
        eprintln!("{kind}: {agree} run, {excepted} listed as contradicted, {left_out} not counted");
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Returns how the evaluator's answer differs from the vector's.
fn run(evaluator: &dyn Evaluator, vector: &Vector) -> Option<String> {
    let policies = match vector
        .documents
        .iter()
        .map(read)
        .collect::<Result<Vec<Policy>, String>>()
    {
        Ok(_) if vector.expect == Expect::ParseError => {
            return Some("loads, and must not".to_owned());
        }
        Ok(policies) => policies,
        Err(_) if vector.expect == Expect::ParseError => return None,
        Err(error) => return Some(format!("does not load: {error}")),
    };
    let decider = evaluator.prepare(&policies);
    Reading::ALL.into_iter().find_map(|reading| {
        let (decision, explanation) = vector.request.lend(reading, |request| {
            (decider.decide(request), decider.explain(request))
        });
        let answers = [decision.as_str(), explanation.decision.as_str()];
        match vector.expect {
            Expect::Decision(expected)
                if !answers.iter().all(|answer| expected.contains(answer)) =>
            {
                Some(format!(
                    "expected {expected:?}, decides and explains {answers:?} ({reading:?})"
                ))
            }
            _ => None,
        }
    })
}

fn read(document: &Document) -> Result<Policy, String> {
    let kind = match document.kind {
        "identity" => PolicyKind::Identity,
        _ => PolicyKind::Resource,
    };
    Policy::from_json_as(&document.text, kind).map_err(|error| error.to_string())
}
