//! `analysis::diff` against the reference evaluator: a request lies in a region exactly if the two
//! decisions about it differ, and each example is such a request.

use portcullis::analysis::{self, Difference};
use portcullis::{Policy, Request, reference};
use serde_json::{Value as Json, json};

use super::generate::{self, Choices, Draft, Question, SplitMix64, World};
use crate::support::ask::Reading;
use crate::support::request::OwnedRequest;

/// Makes a pair of policy sets that mostly differ by a little, and requests near them.
fn pair(
    choices: &mut impl Choices,
    requests: usize,
) -> (Vec<Draft>, Vec<Draft>, Vec<OwnedRequest>) {
    let Question { drafts, requests } = generate::question(choices, requests);
    let mut changed = drafts.clone();
    for _ in 0..=choices.below(3) {
        let at = choices.below(changed.len());
        mutate(choices, &mut changed[at]);
    }
    (drafts, changed, requests)
}

/// Changes one thing.
fn mutate(choices: &mut impl Choices, draft: &mut Draft) {
    let at = choices.below(draft.statements.len());
    let mut world = World::default();
    match choices.below(8) {
        0 => change_prefixes(choices, &mut draft.statements[at]),
        1 => {
            let effect = &mut draft.statements[at]["Effect"];
            *effect = json!(if effect == "Allow" { "Deny" } else { "Allow" });
        }
        2 => {
            let effect = ["Allow", "Deny"][choices.below(2)];
            let statement = generate::statement(choices, draft, effect);
            draft.statements.push(statement);
        }
        3 if draft.statements.len() > 1 => drop(draft.statements.remove(at)),
        4 => {
            let name = ["Resource", "NotResource"]
                .into_iter()
                .find(|name| draft.statements[at].get(name).is_some())
                .unwrap();
            draft.statements[at][name] = json!(generate::pattern(choices));
        }
        5 => {
            let prefixes = world.prefixes(choices, 4);
            draft.statements[at]["Condition"] =
                json!({ "NotIpAddress": { "aws:SourceIp": prefixes } });
        }
        6 => drop(
            draft.statements[at]
                .as_object_mut()
                .unwrap()
                .remove("Condition"),
        ),
        _ => draft.statements.reverse(),
    }
}

/// Drops, adds or replaces a prefix somewhere.
fn change_prefixes(choices: &mut impl Choices, statement: &mut Json) {
    let Some(blocks) = statement.get_mut("Condition").and_then(Json::as_object_mut) else {
        return;
    };
    let prefixes = World::default().prefixes(choices, 3);
    for (operator, block) in blocks {
        if !operator.contains("IpAddress") {
            continue;
        }
        for values in block.as_object_mut().unwrap().values_mut() {
            match values {
                Json::Array(list) if list.len() > 1 && choices.below(2) == 0 => {
                    list.remove(choices.below(list.len()));
                }
                _ => *values = prefixes.clone(),
            }
        }
    }
}

fn read(drafts: &[Draft]) -> Vec<Policy> {
    let read = |draft: &Draft| Policy::from_json_as(&draft.text(), draft.kind).unwrap();
    drafts.iter().map(read).collect()
}

/// What a run has seen.
#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    differing: usize,
    regions: usize,
    unproven: usize,
    equal: usize,
}

/// Asks about one pair; fails with both documents.
fn check(old: &[Policy], new: &[Policy], requests: &[OwnedRequest], seen: &mut Seen, name: &str) {
    let difference = analysis::diff(old, new).unwrap();
    let texts = || {
        let text = |policies: &[Policy]| -> String {
            policies
                .iter()
                .map(|p| p.to_json_compact() + "\n")
                .collect()
        };
        format!("{name}\nold {}\nnew {}", text(old), text(new))
    };
    seen.regions += difference.regions().len();
    seen.equal += usize::from(difference.is_empty());
    for region in difference.regions() {
        let Some(example) = region.example() else {
            seen.unproven += 1;
            continue;
        };
        example.with_request(|request| {
            let decisions = decisions(old, new, request);
            assert_eq!(
                decisions,
                (region.before(), region.after()),
                "{example:?}\n{region:#?}\n{}",
                texts()
            );
            assert!(
                region.contains(request),
                "{example:?}\n{region:#?}\n{}",
                texts()
            );
        });
    }
    for request in requests {
        request.lend(Reading::Plain, |asked| {
            let fine = agrees(&difference, old, new, asked, seen);
            assert!(fine, "{request:#?}\n{difference:#?}\n{}", texts());
        });
    }
}

fn decisions(
    old: &[Policy],
    new: &[Policy],
    request: &Request<'_>,
) -> (portcullis::Decision, portcullis::Decision) {
    (
        reference::decide(old, request),
        reference::decide(new, request),
    )
}

/// Returns whether the regions say of the request what the reference does.
fn agrees(
    difference: &Difference,
    old: &[Policy],
    new: &[Policy],
    request: &Request<'_>,
    seen: &mut Seen,
) -> bool {
    let (before, after) = decisions(old, new, request);
    seen.requests += 1;
    seen.differing += usize::from(before != after);
    let holding: Vec<_> = difference
        .regions()
        .iter()
        .filter(|region| region.contains(request))
        .collect();
    holding.is_empty() == (before == after)
        && holding
            .iter()
            .all(|region| (region.before(), region.after()) == (before, after))
}

fn run(seeds: core::ops::Range<u64>, requests: usize) -> Seen {
    let mut seen = Seen::default();
    for seed in seeds {
        let mut choices = SplitMix64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (old, new, requests) = pair(&mut choices, requests);
        check(
            &read(&old),
            &read(&new),
            &requests,
            &mut seen,
            &format!("seed {seed}"),
        );
    }
    seen
}

#[test]
fn a_request_lies_in_a_region_exactly_if_the_decisions_differ() {
    let seen = run(0..30, 60);
    assert!(
        seen.differing * 50 > seen.requests,
        "too few differ: {seen:?}"
    );
    assert!(
        seen.unproven * 4 < seen.regions,
        "too many unproven: {seen:?}"
    );
    assert!(seen.equal > 0, "too few are equal: {seen:?}");
}

/// Runs as `cargo test --release regions_of_a_hundred_thousand -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes, and a release build"]
#[expect(clippy::print_stderr, reason = "the counts are what the run is for")]
fn regions_of_a_hundred_thousand_requests() {
    let seen = run(1_000..3_000, 50);
    eprintln!("{seen:?}");
    assert_eq!(seen.requests, 100_000);
}

/// What `fit` prints decides as the policy does, and is no longer.
#[test]
fn a_fitted_policy_decides_alike() {
    let mut won = 0;
    for seed in 0..40_u64 {
        let mut choices = SplitMix64(seed.wrapping_mul(0xda94_2042_e4dd_58b5));
        let Question { drafts, requests } = generate::question(&mut choices, 40);
        let policy = read(&drafts).remove(0);
        let fit = analysis::fit(&policy).unwrap();
        let fitted = Policy::from_json_as(&fit.text(), policy.kind()).unwrap();
        won += fit.characters_before() - fit.characters();
        let split = fit.split(fit.characters() * 2 / 3).unwrap();
        let parts = split.texts();
        let parts: Vec<Policy> = (parts.iter())
            .map(|text| Policy::from_json_as(text, policy.kind()).unwrap())
            .collect();
        for request in &requests {
            request.lend(Reading::Plain, |request| {
                let (before, after) = decisions(core::slice::from_ref(&policy), &parts, request);
                assert_eq!(
                    before,
                    after,
                    "seed {seed}, split\n{}",
                    split.texts().join("\n")
                );
                let (before, after) = decisions(
                    core::slice::from_ref(&policy),
                    core::slice::from_ref(&fitted),
                    request,
                );
                assert_eq!(
                    before,
                    after,
                    "seed {seed}\n{}\n{}",
                    policy.to_json_compact(),
                    fit.text()
                );
            });
        }
    }
    assert!(won > 500, "{won}");
}

/// Whoever unites two policies is told of no change where one is dead beside the other.
#[test]
fn dead_statements_can_go() {
    let mut dead_count = 0;
    for seed in 0..15_u64 {
        let mut choices = SplitMix64(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let Question { drafts, requests } = generate::question(&mut choices, 30);
        let policies = read(&drafts);
        let dead = analysis::dead_statements(&policies, true).unwrap();
        dead_count += dead.len();
        let mut left = drafts.clone();
        for (policy, statement) in dead.iter().rev() {
            left[*policy].statements.remove(*statement);
        }
        left.retain(|draft| !draft.statements.is_empty());
        let left = read(&left);
        for request in &requests {
            request.lend(Reading::Plain, |request| {
                let (with, without) = decisions(&policies, &left, request);
                assert_eq!(with, without, "seed {seed} {dead:?} {request:#?}");
            });
        }
        // Each that can go with others can go alone.
        let each = analysis::dead_statements(&policies, false).unwrap();
        assert!(dead.iter().all(|place| each.contains(place)), "seed {seed}");
    }
    assert!(dead_count > 2, "{dead_count}");
}
