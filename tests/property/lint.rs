//! What `lint --fix` changes keeps every decision, and little that it could tell stays untold.

use portcullis::analysis::lint::{self, Options};
use portcullis::{Policy, reference};
use serde_json::{Value as Json, json};

use super::generate::{self, Choices, Draft, Question, SplitMix64};
use crate::support::ask::Reading;

/// Sets of policies, and requests for each: 100 000 in all in a release build, which is what the tests are
/// run with.
const SETS: u64 = if cfg!(debug_assertions) { 60 } else { 1_000 };
const REQUESTS: usize = 100;

#[test]
fn fixes_keep_the_decisions_of_a_hundred_thousand_requests() {
    let (mut removed, mut covered, mut edits) = (0, 0, 0_u64);
    for seed in 0..SETS {
        let mut choices = SplitMix64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let Question {
            mut drafts,
            requests,
        } = generate::question(&mut choices, REQUESTS);
        for draft in &mut drafts {
            spoil(&mut choices, draft);
        }
        let texts: Vec<String> = drafts
            .iter()
            .map(|draft| spell(&mut choices, draft))
            .collect();
        let read = |text: &String, draft: &Draft| {
            Policy::from_json_as(text, draft.kind).unwrap_or_else(|error| panic!("{error}\n{text}"))
        };
        let policies: Vec<Policy> = texts.iter().zip(&drafts).map(|(t, d)| read(t, d)).collect();
        let report = lint::lint(&policies, &Options::default());
        let mut fixed = Vec::new();
        for (index, (policy, draft)) in policies.iter().zip(&drafts).enumerate() {
            let own = lint::edits(policy, index, &report.findings);
            edits += u64::try_from(own.len()).unwrap();
            let text = lint::apply(policy.source_text(), &own);
            let mended = read(&text, draft);
            let dead: Vec<usize> = (report.findings.iter())
                .filter(|f| f.policy == index && f.rule.id == "dead-statement" && f.fix.is_some())
                .filter_map(|finding| finding.statement)
                .collect();
            assert!(
                lint::is_same_but_for(policy, &mended, &dead),
                "seed {seed}\n{policy}\n{mended}"
            );
            removed += u64::try_from(dead.len()).unwrap();
            for finding in &report.findings {
                covered += u64::from(finding.policy == index && finding.rule.id == "shadowed-cidr");
            }
            // Nothing that has a fix is left.
            let again = lint::lint(core::slice::from_ref(&mended), &Options::default());
            let left = again
                .findings
                .iter()
                .find(|finding| finding.fix.is_some() && finding.rule.id != "dead-statement");
            assert!(left.is_none(), "seed {seed}: {left:?}\n{text}");
            fixed.push(mended);
        }
        for request in &requests {
            let decide = |policies: &[Policy]| {
                request.lend(Reading::Plain, |request| {
                    reference::decide(policies, request)
                })
            };
            assert_eq!(
                decide(&policies),
                decide(&fixed),
                "seed {seed}\n{request:#?}\n{policies:#?}\n{}",
                fixed.iter().map(Policy::to_string).collect::<String>()
            );
        }
    }
    assert!(
        removed * 3 > SETS && covered * 5 > SETS && edits > SETS,
        "{removed} statements, {covered} covered prefixes, {edits} edits: nothing was tried"
    );
}

/// Statements that were put there to be dead are told.
#[test]
fn twins_and_narrowed_twins_are_dead() {
    let (mut missed, mut all) = (0, 0);
    for seed in 0..SETS.min(300) {
        let mut choices = SplitMix64(seed);
        let Question { drafts, .. } = generate::question(&mut choices, 0);
        for mut draft in drafts {
            let at = choices.below(draft.statements.len());
            let mut twin = draft.statements[at].clone();
            if choices.one_in(2)
                && let Some(condition) = twin.get_mut("Condition").and_then(Json::as_object_mut)
            {
                condition.insert(
                    "NumericLessThanEqualsIfExists".to_owned(),
                    json!({"x:more": "7"}),
                );
            }
            draft.statements.push(twin);
            let policy = Policy::from_json_as(&draft.text(), draft.kind).unwrap();
            let report = lint::lint(&[policy], &Options::default());
            let told = |statement: usize| {
                (report.findings.iter())
                    .any(|f| f.rule.id == "dead-statement" && f.statement == Some(statement))
            };
            all += 1;
            missed += usize::from(!told(draft.statements.len() - 1) && !told(at));
        }
    }
    assert!(missed * 20 <= all, "{missed} of {all} were not told");
}

/// Adds statements that change nothing, and prefixes that are there already.
fn spoil(choices: &mut impl Choices, draft: &mut Draft) {
    for _ in 0..choices.below(3) {
        let at = choices.below(draft.statements.len());
        let mut twin = draft.statements[at].clone();
        if twin["Effect"] == "Allow" && choices.one_in(3) {
            // May be decided by the Deny in place of the Allow.
            draft.statements[at]["Effect"] = json!("Deny");
        }
        match choices.below(4) {
            0 => {
                if let Some(first) = twin["Resource"].as_array().map(|list| list[0].clone()) {
                    twin["Resource"] = first;
                }
            }
            1 => {
                let more = json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/24", "203.0.113.7"]}});
                twin["Condition"] = more;
            }
            _ => {}
        }
        let place = choices.below(draft.statements.len() + 1);
        draft.statements.insert(place, twin);
    }
    for statement in &mut draft.statements {
        let Some(blocks) = statement.get_mut("Condition").and_then(Json::as_object_mut) else {
            continue;
        };
        for (operator, block) in blocks {
            if !operator.contains("IpAddress") || !choices.one_in(2) {
                continue;
            }
            for values in block.as_object_mut().unwrap().values_mut() {
                let mut list = match values.take() {
                    Json::Array(list) => list,
                    scalar => vec![scalar],
                };
                let place = choices.below(list.len() + 1);
                let again = list[choices.below(list.len())].clone();
                list.insert(place, again);
                if choices.one_in(2) {
                    list.push(json!("10.0.0.99/25"));
                }
                *values = Json::Array(list);
            }
        }
    }
}

/// Writes the document on one line, on several, or as a string once or twice over.
fn spell(choices: &mut impl Choices, draft: &Draft) -> String {
    let plain = draft.text();
    let document: Json = plain.parse().unwrap();
    let pretty = serde_json::to_string_pretty(&document).unwrap();
    let string = |text: &str| Json::from(text).to_string();
    match choices.below(5) {
        0 => pretty,
        1 => string(&pretty),
        2 => string(&string(&plain)).replace('/', "\\/"),
        3 => pretty.replace('\n', "\r\n").replace("  ", "\t"),
        _ => plain,
    }
}
