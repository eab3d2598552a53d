//! The laws, one test each.

use std::collections::BTreeSet;

use portcullis::policy::{Layout, Operator, OperatorFamily};
use portcullis::{Api, Decision, Effect, Explanation, Policy, PolicyKind};
use proptest::prelude::{any, prop};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value as Json, json};

use super::generate::{self, Choices, Draft, Question, Tape};
use super::vocabulary;
use crate::support::ask::Reading;
use crate::support::evaluator;
use crate::support::request::OwnedRequest;

/// Checks `law` on random tapes, and shrinks the one on which it fails.
fn hold(law: impl Fn(&mut Tape<'_>) -> Result<(), String>) {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let tape = prop::collection::vec(any::<u16>(), 0..1000);
    let outcome = TestRunner::new(config).run(&tape, |tape| {
        law(&mut Tape::new(&tape)).map_err(TestCaseError::fail)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Reads the documents, which must load, whatever they are.
fn read(drafts: &[Draft]) -> Result<Vec<Policy>, String> {
    drafts
        .iter()
        .map(|draft| read_text(&draft.text(), draft.kind))
        .collect()
}

fn read_text(text: &str, kind: PolicyKind) -> Result<Policy, String> {
    Policy::from_json_as(text, kind).map_err(|error| format!("does not load: {error}\n{text}"))
}

/// Asks every evaluator and returns the answers on which all agree.
fn answers(drafts: &[Draft], requests: &[OwnedRequest]) -> Result<Vec<Explanation>, String> {
    compare(drafts, requests, &[Reading::Plain])
}

fn compare(
    drafts: &[Draft],
    requests: &[OwnedRequest],
    readings: &[Reading],
) -> Result<Vec<Explanation>, String> {
    evaluator::compare(&read(drafts)?, requests, readings)
        .map_err(|what| format!("{what}\n{}", texts(drafts)))
}

fn texts(drafts: &[Draft]) -> String {
    drafts
        .iter()
        .map(Draft::text)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Fails with the question unless `fine`.
fn ensure(
    fine: bool,
    what: impl Fn() -> String,
    drafts: &[Draft],
    request: &OwnedRequest,
) -> Result<(), String> {
    if fine {
        return Ok(());
    }
    Err(format!("{}\n{}\n{request:#?}", what(), texts(drafts)))
}

/// The determining statements, each by what `place` makes of its policy and index.
fn determining<T: Ord>(
    explanation: &Explanation,
    place: impl Fn(usize, usize) -> T,
) -> BTreeSet<T> {
    explanation
        .determining
        .iter()
        .map(|s| place(s.policy, s.statement))
        .collect()
}

/// Every evaluator answers the same, by `decide` and by `explain`, however the request is handed over.
#[test]
fn evaluators_agree() {
    hold(|tape| {
        let Question { drafts, requests } = generate::question(tape, 6);
        let answers = compare(&drafts, &requests, &Reading::ALL)?;
        for (explanation, request) in answers.iter().zip(&requests) {
            let effect = match explanation.decision {
                Decision::Allow => Some(Effect::Allow),
                Decision::ExplicitDeny => Some(Effect::Deny),
                Decision::ImplicitDeny => None,
            };
            let fine = explanation.determining.is_empty() == effect.is_none()
                && explanation
                    .determining
                    .iter()
                    .all(|s| Some(s.effect) == effect)
                && explanation
                    .determining
                    .is_sorted_by_key(|s| (s.policy, s.statement));
            ensure(fine, || format!("{explanation:?}"), &drafts, request)?;
        }
        Ok(())
    });
}

#[test]
fn statement_order_is_irrelevant() {
    hold(|tape| {
        let Question { drafts, requests } = generate::question(tape, 6);
        let orders: Vec<Vec<usize>> = drafts
            .iter()
            .map(|draft| shuffled(tape, draft.statements.len()))
            .collect();
        let mut moved = drafts.clone();
        for (draft, order) in moved.iter_mut().zip(&orders) {
            draft.statements = order
                .iter()
                .map(|&index| draft.statements[index].clone())
                .collect();
        }
        let (before, after) = (answers(&drafts, &requests)?, answers(&moved, &requests)?);
        for ((before, after), request) in before.iter().zip(&after).zip(&requests) {
            let fine = before.decision == after.decision
                && determining(before, |policy, index| (policy, index))
                    == determining(after, |policy, index| (policy, orders[policy][index]));
            ensure(
                fine,
                || format!("{before:?} became {after:?}, order {orders:?}"),
                &drafts,
                request,
            )?;
        }
        Ok(())
    });
}

fn shuffled(choices: &mut impl Choices, len: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).rev().collect();
    for index in 1..len {
        order.swap(index, choices.below(index + 1));
    }
    order
}

#[test]
fn duplicates_are_irrelevant() {
    hold(|tape| {
        let Question { drafts, requests } = generate::question(tape, 6);
        let mut doubled = drafts.clone();
        for draft in &mut doubled {
            let again = draft.statements[tape.below(draft.statements.len())].clone();
            draft
                .statements
                .insert(tape.below(draft.statements.len() + 1), again);
        }
        if tape.one_in(2) {
            let again = doubled[tape.below(doubled.len())].clone();
            doubled.push(again);
        }
        same_decisions(&drafts, &doubled, &requests)
    });
}

#[test]
fn documents_decide_like_their_statements() {
    hold(|tape| {
        let Question { drafts, requests } = generate::question(tape, 6);
        let split: Vec<Draft> = drafts
            .iter()
            .flat_map(|draft| {
                draft.statements.iter().map(|statement| Draft {
                    statements: vec![statement.clone()],
                    ..draft.clone()
                })
            })
            .collect();
        same_decisions(&drafts, &split, &requests)
    });
}

fn same_decisions(
    drafts: &[Draft],
    others: &[Draft],
    requests: &[OwnedRequest],
) -> Result<(), String> {
    let (before, after) = (answers(drafts, requests)?, answers(others, requests)?);
    for ((before, after), request) in before.iter().zip(&after).zip(requests) {
        let what = || {
            format!(
                "{} became {} with\n{}\n",
                before.decision,
                after.decision,
                texts(others)
            )
        };
        ensure(before.decision == after.decision, what, drafts, request)?;
    }
    Ok(())
}

#[test]
fn one_more_deny_never_allows() {
    hold(|tape| {
        one_more("Deny", tape, |before, after| {
            after == before || after == Decision::ExplicitDeny
        })
    });
}

#[test]
fn one_more_allow_never_denies() {
    hold(|tape| {
        one_more("Allow", tape, |before, after| {
            after == before || (before == Decision::ImplicitDeny && after == Decision::Allow)
        })
    });
}

fn one_more(
    effect: &str,
    tape: &mut Tape<'_>,
    fine: impl Fn(Decision, Decision) -> bool,
) -> Result<(), String> {
    let Question { drafts, requests } = generate::question(tape, 6);
    let mut more = drafts.clone();
    let draft = &mut more[tape.below(drafts.len())];
    let statement = generate::statement(tape, draft, effect);
    let place = tape.below(draft.statements.len() + 1);
    draft.statements.insert(place, statement);
    let (before, after) = (answers(&drafts, &requests)?, answers(&more, &requests)?);
    for ((before, after), request) in before.iter().zip(&after).zip(&requests) {
        let what = || {
            format!(
                "{} became {} with\n{}\n",
                before.decision,
                after.decision,
                texts(&more)
            )
        };
        ensure(
            fine(before.decision, after.decision),
            what,
            &drafts,
            request,
        )?;
    }
    Ok(())
}

/// A list of alternatives decides like one statement for each of them.
#[test]
fn a_list_of_resources_is_a_statement_each() {
    hold(|tape| {
        let Question { drafts, requests } = generate::question(tape, 6);
        let mut split = drafts.clone();
        for draft in &mut split {
            draft.statements = draft
                .statements
                .iter()
                .flat_map(|statement| {
                    let patterns = match &statement["Resource"] {
                        Json::Array(patterns) => patterns.clone(),
                        _ => return vec![statement.clone()],
                    };
                    patterns
                        .into_iter()
                        .map(|pattern| with(statement, "Resource", pattern))
                        .collect()
                })
                .collect();
        }
        same_decisions(&drafts, &split, &requests)
    });
}

fn with(statement: &Json, element: &str, value: Json) -> Json {
    let mut changed = statement.clone();
    changed[element] = value;
    changed
}

#[test]
fn parse_of_display_is_the_policy() {
    hold(|tape| {
        let drafts = generate::question(tape, 0).drafts;
        for (policy, draft) in read(&drafts)?.iter().zip(&drafts) {
            let printed = policy.to_string();
            let again = read_text(&printed, draft.kind)?;
            if again != *policy || again.to_string() != printed {
                return Err(format!(
                    "{}\nis printed as\n{printed}\nand then as\n{again}",
                    draft.text()
                ));
            }
        }
        Ok(())
    });
}

/// Laid out, a document is the same policy with the same values as written, and laying it out
/// again changes nothing; sorting addresses changes no decision.
#[test]
fn laying_out_a_document_changes_nothing() {
    let plain = Layout::default();
    let sorted = plain.with_sorted_addresses(true);
    hold(|tape| {
        let Question { drafts, requests } = generate::question(tape, 4);
        let policies = read(&drafts)?;
        let mut sorted_drafts = drafts.clone();
        for (index, (policy, draft)) in policies.iter().zip(&drafts).enumerate() {
            let document: Json = serde_json::from_str(&draft.text()).unwrap();
            let escaped = Json::String(draft.text()).to_string();
            for text in [draft.text(), escaped] {
                let formatted = read_text(&text, draft.kind)?.formatted_source(&plain);
                let again = read_text(&formatted, draft.kind)?;
                let values: Json = serde_json::from_str(&formatted).unwrap();
                if again != *policy
                    || again.formatted_source(&plain) != formatted
                    || values != document
                {
                    return Err(format!("{text}\nis laid out as\n{formatted}"));
                }
            }
            let pretty = policy.to_json_pretty(&plain);
            if read_text(&pretty, draft.kind)? != *policy {
                return Err(format!("{policy}\nis laid out as\n{pretty}"));
            }
            let formatted = policy.formatted_source(&sorted);
            let again = read_text(&formatted, draft.kind)?.formatted_source(&sorted);
            if again != formatted {
                return Err(format!("{formatted}\nis sorted as\n{again}"));
            }
            let values: Json = serde_json::from_str(&formatted).unwrap();
            if let Json::Array(statements) = &values["Statement"] {
                sorted_drafts[index].statements = statements.clone();
            }
        }
        let decisions = |explanations: Vec<Explanation>| -> Vec<Decision> {
            let decisions = explanations.iter().map(|explanation| explanation.decision);
            decisions.collect()
        };
        let before = decisions(answers(&drafts, &requests)?);
        if decisions(answers(&sorted_drafts, &requests)?) != before {
            return Err(format!("sorting decides otherwise:\n{}", texts(&drafts)));
        }
        Ok(())
    });
}

#[test]
fn escaping_a_document_changes_nothing() {
    hold(|tape| {
        let drafts = generate::question(tape, 0).drafts;
        for (policy, draft) in read(&drafts)?.iter().zip(&drafts) {
            let once = Json::String(draft.text()).to_string();
            let twice = Json::String(once.clone()).to_string();
            // Without its outer quotes, as command lines show it.
            let bare = once[1..once.len() - 1].replace('/', r"\/");
            for text in [once, twice, bare] {
                if read_text(&text, draft.kind)? != *policy {
                    return Err(format!("another policy is read from\n{text}"));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_scalar_is_a_list_of_one() {
    hold(|tape| {
        let drafts = generate::question(tape, 0).drafts;
        for (policy, draft) in read(&drafts)?.iter().zip(&drafts) {
            let mut listed = draft.clone();
            for statement in &mut listed.statements {
                let statement = statement.as_object_mut().unwrap();
                for (element, value) in statement.iter_mut() {
                    match &**element {
                        "Sid" | "Effect" => {}
                        "Condition" => value
                            .as_object_mut()
                            .unwrap()
                            .values_mut()
                            .for_each(list_values),
                        "Principal" | "NotPrincipal" if value.is_string() => {
                            *value = json!({ "AWS": ["*"] })
                        }
                        "Principal" | "NotPrincipal" => list_values(value),
                        _ => list_value(value),
                    }
                }
            }
            let text = listed.text();
            if read_text(&text, draft.kind)? != *policy {
                return Err(format!("{}\nis not\n{text}", draft.text()));
            }
        }
        Ok(())
    });
}

fn list_values(table: &mut Json) {
    table
        .as_object_mut()
        .unwrap()
        .values_mut()
        .for_each(list_value);
}

fn list_value(value: &mut Json) {
    if !value.is_array() {
        *value = json!([value.take()]);
    }
}

#[test]
fn short_hand_is_text_in_front() {
    let api = Api::from_arn(vocabulary::API).unwrap();
    hold(move |tape| {
        let Question { drafts, requests } = generate::question(tape, 3);
        let mut short = drafts.clone();
        for statement in short.iter_mut().flat_map(|draft| &mut draft.statements) {
            for element in ["Resource", "NotResource"] {
                let Some(value) = statement.get_mut(element) else {
                    continue;
                };
                let shorten = |value: &mut Json| {
                    if let Some(rest) = value
                        .as_str()
                        .and_then(|text| text.strip_prefix(vocabulary::API))
                    {
                        *value = json!(format!("execute-api:/{rest}"));
                    }
                };
                match value {
                    Json::Array(patterns) => patterns.iter_mut().for_each(shorten),
                    one => shorten(one),
                }
            }
        }
        let full = read(&drafts)?;
        let expanded: Vec<Policy> = read(&short)?
            .iter()
            .map(|policy| policy.with_short_hand_expanded(&api))
            .collect();
        if expanded != full || expanded.iter().any(|policy| policy.short_hand().is_some()) {
            return Err(format!(
                "{}\nis not expanded to\n{}",
                texts(&short),
                texts(&drafts)
            ));
        }
        let (before, after) = (
            answers(&drafts, &requests)?,
            evaluator::compare(&expanded, &requests, &[Reading::Plain])?,
        );
        for ((before, after), request) in before.iter().zip(&after).zip(&requests) {
            ensure(
                before.decision == after.decision,
                || "short-hand decides otherwise".to_owned(),
                &drafts,
                request,
            )?;
        }
        Ok(())
    });
}

/// Of an operator and its negation exactly one holds; of an unreadable address, in an Allow neither
/// and in a Deny both.
#[test]
fn negated_operators_are_the_opposite() {
    hold(|tape| {
        for (positive, negated) in [
            (Operator::IpAddress, Operator::NotIpAddress),
            (Operator::StringEquals, Operator::StringNotEquals),
            (
                Operator::StringEqualsIgnoreCase,
                Operator::StringNotEqualsIgnoreCase,
            ),
            (Operator::StringLike, Operator::StringNotLike),
            (Operator::NumericEquals, Operator::NumericNotEquals),
            (Operator::DateEquals, Operator::DateNotEquals),
            (Operator::ArnLike, Operator::ArnNotEquals),
            (Operator::ArnEquals, Operator::ArnNotLike),
        ] {
            let (key, values, requests) = generate::condition(tape, positive, 3);
            let matched = |operator: Operator, effect: Effect| -> Result<Vec<bool>, String> {
                let draft = alone(operator, &key, &values, effect);
                let answers = answers(&[draft], &requests)?;
                Ok(answers
                    .iter()
                    .map(|answer| answer.decision != Decision::ImplicitDeny)
                    .collect())
            };
            let in_allow = [
                matched(positive, Effect::Allow)?,
                matched(negated, Effect::Allow)?,
            ];
            let in_deny = [
                matched(positive, Effect::Deny)?,
                matched(negated, Effect::Deny)?,
            ];
            for (index, request) in requests.iter().enumerate() {
                let pair = |of: &[Vec<bool>; 2]| [of[0][index], of[1][index]];
                let fine = match (pair(&in_allow), pair(&in_deny)) {
                    ([false, false], [true, true]) => positive.family() == OperatorFamily::Ip,
                    (allow, deny) => allow == deny && allow[0] != allow[1],
                };
                let drafts = [alone(positive, &key, &values, Effect::Allow)];
                let what = || {
                    format!(
                        "{:?} in an Allow, {:?} in a Deny",
                        pair(&in_allow),
                        pair(&in_deny)
                    )
                };
                ensure(fine, what, &drafts, request)?;
            }
        }
        Ok(())
    });
}

/// Returns a document of one statement that is about nothing but the condition.
fn alone(operator: Operator, key: &str, values: &Json, effect: Effect) -> Draft {
    let condition = json!({ operator.as_str(): { key: values } });
    Draft {
        kind: PolicyKind::Identity,
        version: Some("2012-10-17"),
        statements: vec![json!({
            "Effect": effect.as_str(), "Action": "*", "Resource": "*", "Condition": condition,
        })],
    }
}
