//! Policies of many statements that share resources, against the reference.
//!
//! The engine takes paths for these that it does not take for a handful of statements: lanes
//! found by hash, rows joined or split, programs asked about by key, trees over lists.

mod draft;

use portcullis::{
    Config, Decision, Engine, Explanation, Policy, PolicyKind, Request, Strategy, reference,
};
use proptest::prelude::{any, prop};
use proptest::prop_oneof;
use proptest::test_runner::{self, TestCaseError, TestError, TestRunner};

use self::draft::Theme;
use super::generate::Tape;
use crate::support::ask::Reading;
use crate::support::request::OwnedRequest;

/// A case: the tapes of the theme, of the statements, and of the requests.
type Tapes = (Vec<u16>, Vec<Vec<u16>>, Vec<Vec<u16>>);

/// Every way to build an engine that must be possible, and then those that small budgets may refuse.
fn configs() -> Vec<(String, Config, bool)> {
    let mut configs = vec![
        ("auto".to_owned(), Config::new(), true),
        (
            "cells".to_owned(),
            Config::new().with_strategy(Strategy::Cells),
            true,
        ),
        (
            "lists".to_owned(),
            Config::new().with_strategy(Strategy::Lists),
            true,
        ),
    ];
    for budget in [0, 1, 30, 300, 3000] {
        let few_cells = Config::new().with_cell_budget(budget);
        let few_classes = Config::new().with_class_budget(budget);
        let cells_only = few_cells.clone().with_strategy(Strategy::Cells);
        configs.push((format!("{budget} cells"), few_cells, true));
        configs.push((format!("{budget} steps"), few_classes, true));
        configs.push((format!("{budget} cells and no lists"), cells_only, false));
    }
    configs
}

fn build(policy: &Policy, config: Config) -> Result<Engine, String> {
    let builder = Engine::builder().policy(policy.clone()).config(config);
    builder.build().map_err(|error| error.to_string())
}

/// Compares every engine with the reference, and returns the decisions.
fn compare(policy: &Policy, requests: &[OwnedRequest]) -> Result<Vec<Decision>, String> {
    let policies = core::slice::from_ref(policy);
    let mut outcome = Ok(Vec::new());
    lend_all(requests, Vec::new(), &mut |lent| {
        outcome = compare_lent(policies, lent);
    });
    outcome
}

fn compare_lent(policies: &[Policy], lent: &[Request<'_>]) -> Result<Vec<Decision>, String> {
    let explain = |request: &Request<'_>| reference::explain(policies, request);
    let explanations: Vec<Explanation> = lent.iter().map(explain).collect();
    let expected: Vec<Decision> = explanations.iter().map(|e| e.decision).collect();
    for (name, config, must_build) in configs() {
        let engine = match build(&policies[0], config) {
            Ok(engine) => engine,
            Err(error) if must_build => return Err(format!("{name}: {error}")),
            Err(_) => continue,
        };
        let mut batch = vec![Decision::Allow; lent.len()];
        engine.decide_batch(lent, &mut batch);
        let least = engine.with_least_instructions();
        for (index, request) in lent.iter().enumerate() {
            let decision = engine.decide(request);
            let by_least = least.decide(request);
            if [decision, batch[index], by_least] != [expected[index]; 3] {
                return Err(format!(
                    "{name}: {decision}, in a batch {}, with {} {by_least}, by the reference {}: {request:#?}",
                    batch[index],
                    least.instructions(),
                    expected[index]
                ));
            }
            let explanation = engine.explain(request);
            if explanation != explanations[index] {
                return Err(format!(
                    "{name}: {explanation:?}, by the reference {:?}: {request:#?}",
                    explanations[index]
                ));
            }
        }
    }
    Ok(expected)
}

/// Lends all requests at once, as a batch needs them; each in another way that means the same.
fn lend_all(
    requests: &[OwnedRequest],
    lent: Vec<Request<'_>>,
    ask: &mut dyn FnMut(&[Request<'_>]),
) {
    let Some((first, rest)) = requests.split_first() else {
        return ask(&lent);
    };
    let reading = Reading::ALL[rest.len() % Reading::ALL.len()];
    first.lend(reading, |request| {
        let mut lent: Vec<Request<'_>> = lent.clone();
        lent.push(*request);
        lend_all(rest, lent, ask);
    });
}

fn decide_everywhere((theme, statements, requests): &Tapes) -> Result<Vec<Decision>, String> {
    let mut theme = Theme::new(&mut Tape::new(theme));
    let statements: Vec<_> = statements
        .iter()
        .map(|tape| theme.statement(&mut Tape::new(tape)))
        .collect();
    let text = theme.text(&statements);
    let policy = Policy::from_json_as(&text, PolicyKind::Resource)
        .map_err(|error| format!("does not load: {error}\n{text}"))?;
    let requests: Vec<OwnedRequest> = requests
        .iter()
        .map(|tape| theme.request(&mut Tape::new(tape)))
        .collect();
    compare(&policy, &requests).map_err(|what| format!("{what}\n{text}"))
}

/// `PROPTEST_CASES` says how many; a quarter of what it says, for these cases are large.
#[test]
fn wide_policies_decide_as_the_reference() {
    let config = test_runner::Config {
        failure_persistence: None,
        cases: test_runner::Config::default().cases / 4,
        ..test_runner::Config::default()
    };
    let tape = |most: usize| prop::collection::vec(any::<u16>(), 0..most);
    let statements = prop_oneof![
        10 => prop::collection::vec(tape(60), 1..80),
        1 => prop::collection::vec(tape(60), 80..400),
    ];
    let strategy = (
        tape(120),
        statements,
        prop::collection::vec(tape(80), 1..20),
    );
    let mut runner = TestRunner::new(config);
    let counts = core::cell::Cell::new([0_u64; 3]);
    let outcome = runner.run(&strategy, |tapes| {
        let decisions = decide_everywhere(&tapes).map_err(TestCaseError::fail)?;
        let mut now = counts.get();
        for decision in decisions {
            now[match decision {
                Decision::Allow => 0,
                Decision::ExplicitDeny => 1,
                Decision::ImplicitDeny => 2,
            }] += 1;
        }
        counts.set(now);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        // The question alone: its tapes say nothing to a reader.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
    let counts = counts.get();
    for count in counts {
        assert!(
            count * 50 > counts.iter().sum::<u64>(),
            "one decision is rare: {counts:?}"
        );
    }
}
