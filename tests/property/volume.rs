//! Every evaluator against the first, many millions of times.

use std::env;
use std::time::Instant;

use portcullis::{Decision, Policy};

use super::generate::{self, Draft, Question, SplitMix64};
use crate::support::ask::Reading;
use crate::support::evaluator;
use crate::support::request::OwnedRequest;

/// How many requests each set of policies gets.
const REQUESTS: usize = 250;

/// Runs as `cargo test --release ten_million -- --ignored --nocapture`.
///
/// `PORTCULLIS_SEED` names the first set of policies, and `PORTCULLIS_DECISIONS` how many requests
/// to decide. A difference names the seed of its set, which as `PORTCULLIS_SEED` comes up first.
#[test]
#[ignore = "takes minutes, and a release build"]
#[expect(
    clippy::print_stderr,
    reason = "the seed and the counts are what the run is for"
)]
fn ten_million_decisions() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("PORTCULLIS_SEED").unwrap_or(0x706f_7274);
    let goal = number("PORTCULLIS_DECISIONS").unwrap_or(10_000_000);
    eprintln!("PORTCULLIS_SEED={first} PORTCULLIS_DECISIONS={goal}");
    let start = Instant::now();
    let mut counts = [0_u64; 3];
    let mut seed = first;
    while counts.iter().sum::<u64>() < goal {
        for decision in decide_everywhere(seed, REQUESTS) {
            let slot = match decision {
                Decision::Allow => 0,
                Decision::ExplicitDeny => 1,
                Decision::ImplicitDeny => 2,
            };
            counts[slot] += 1;
        }
        seed += 1;
    }
    let [allow, explicit, implicit] = counts;
    let names: Vec<&str> = evaluator::ALL
        .iter()
        .map(|evaluator| evaluator.name())
        .collect();
    eprintln!(
        "{allow} allow, {explicit} explicit deny, {implicit} implicit deny; {} sets of policies; {} agree; {:.0?}",
        seed - first,
        names.join("; "),
        start.elapsed(),
    );
    // A generator that never gets past the first gate would prove nothing.
    for count in counts {
        assert!(
            count * 20 > counts.iter().sum::<u64>(),
            "one decision is rare: {counts:?}"
        );
    }
}

/// The same, small enough for every run.
#[test]
fn many_decisions() {
    let mut allowed = 0;
    for seed in 0..40 {
        allowed += decide_everywhere(seed, 50)
            .iter()
            .filter(|decision| decision.is_allow())
            .count();
    }
    assert!(
        (100..1900).contains(&allowed),
        "{allowed} of 2000 allowed: the generator is lopsided"
    );
}

/// Makes a question from the seed and returns the decisions, on which all evaluators agree.
fn decide_everywhere(seed: u64, requests: usize) -> Vec<Decision> {
    let mut choices = SplitMix64(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let Question { drafts, requests } = generate::question(&mut choices, requests);
    let texts = || {
        drafts
            .iter()
            .map(Draft::text)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let policies: Vec<Policy> = drafts
        .iter()
        .map(|draft| {
            Policy::from_json_as(&draft.text(), draft.kind)
                .unwrap_or_else(|error| panic!("PORTCULLIS_SEED={seed}: {error}\n{}", texts()))
        })
        .collect();
    let mut decisions = Vec::with_capacity(requests.len());
    let mut explanations = Vec::new();
    for evaluator in evaluator::ALL {
        let decider = evaluator.prepare(&policies);
        let differs = |request: &OwnedRequest| {
            format!(
                "PORTCULLIS_SEED={seed}: {}\n{}\n{request:#?}",
                evaluator.name(),
                texts()
            )
        };
        for (index, request) in requests.iter().enumerate() {
            let reading = Reading::ALL[index % Reading::ALL.len()];
            let decision = request.lend(reading, |request| decider.decide(request));
            match decisions.get(index) {
                None => decisions.push(decision),
                Some(first) => assert_eq!(decision, *first, "{}", differs(request)),
            }
        }
        // Explanations cost far more than decisions, so a few of them must do.
        for (index, request) in requests.iter().step_by(16).enumerate() {
            let explanation = request.lend(Reading::Plain, |request| decider.explain(request));
            match explanations.get(index) {
                None => explanations.push(explanation),
                Some(first) => assert_eq!(explanation, *first, "{}", differs(request)),
            }
        }
    }
    decisions
}
