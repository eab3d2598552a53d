//! `explain`: decides about one request, and says why on the policy's own text.

use std::borrow::Cow;

use portcullis::decision::{Determining, MatchedPrefix};
use portcullis::policy::{Span, Statement, Values};
use portcullis::{Decision, Effect, Explanation, Position, Request};
use serde::Serialize;

use crate::args::{Format, QuestionArgs};
use crate::check::{self, Asked, STATEMENT_LIMIT, exit, headline, statement_name};
use crate::diagnostics::{Drawing, Tone, json_line};
use crate::excerpt::Mark;
use crate::failure::Failure;
use crate::nearest::{NearestMiss, nearest};
use crate::policies::LoadedPolicy;
use crate::question::Question;
use crate::reply::Reply;

/// Answers with the decision and why.
pub(crate) fn run(args: &QuestionArgs) -> Result<Reply, Failure> {
    let asked = Asked::read(args)?;
    let explanation = asked.explain();
    let text = match args.format {
        Format::Json => {
            let miss = miss(&asked.policies, &asked.question, &explanation);
            json(&asked, &explanation, miss.as_ref())
        }
        // There is no text to draw on.
        Format::Human if asked.is_image() => check::human(&asked, &explanation),
        Format::Human => {
            let mut text = headline(explanation.decision);
            text.push_str(&reasons(&asked.policies, &asked.question, &explanation));
            text
        }
    };
    Ok(Reply::new(text, exit(explanation.decision)).with_warnings(asked.warnings))
}

/// Draws why a request gets its decision: each statement that caused it, or the nearest miss.
///
/// `policies` are those that were asked, short-hand expanded.
pub(crate) fn reasons(
    policies: &[LoadedPolicy],
    question: &Question,
    explanation: &Explanation,
) -> String {
    let mut text = String::new();
    for determining in explanation.determining.iter().take(STATEMENT_LIMIT) {
        if let Some(loaded) = policies.get(determining.policy) {
            text.push('\n');
            text.push_str(&determining_drawing(question, loaded, determining).render());
        }
    }
    match explanation
        .determining
        .len()
        .saturating_sub(STATEMENT_LIMIT)
    {
        0 => {}
        more => text.push_str(&format!("\nand {more} more statements\n")),
    }
    if explanation.decision == Decision::ImplicitDeny {
        let miss = miss(policies, question, explanation);
        match miss.and_then(|miss| Some((policies.get(miss.policy)?, miss))) {
            Some((loaded, miss)) => {
                text.push('\n');
                text.push_str(&miss_drawing(loaded, &miss).render());
            }
            None => text.push_str("no statement of the policies allows anything\n"),
        }
    }
    text
}

/// Returns the Allow that came closest to a request that nothing allowed or denied.
fn miss(
    policies: &[LoadedPolicy],
    question: &Question,
    explanation: &Explanation,
) -> Option<NearestMiss> {
    match explanation.decision {
        Decision::ImplicitDeny => {
            question.with_request(|request| nearest_of(policies, request, Effect::Allow))
        }
        Decision::Allow | Decision::ExplicitDeny => None,
    }
}

/// Draws a statement that caused the decision, with what in it matched.
fn determining_drawing<'a>(
    question: &Question,
    loaded: &'a LoadedPolicy,
    determining: &Determining,
) -> Drawing<'a> {
    let LoadedPolicy { file, policy } = loaded;
    let (tone, says) = match determining.effect {
        Effect::Allow => (Tone::Allow, "allows the request"),
        Effect::Deny => (Tone::Deny, "denies the request"),
    };
    let mut marks = Vec::new();
    let mut mark = |span: Span, label: String, primary: bool| {
        marks.push(Mark {
            range: policy.source_range(span),
            label,
            primary,
        });
    };
    if let Some(statement) = policy.statements().get(determining.statement) {
        mark(statement.effect.span, says.to_owned(), true);
        match &determining.resource {
            Some(matched) => {
                let pattern = (statement.resource.patterns.iter())
                    .find(|pattern| policy.position(pattern.span) == matched.position);
                if let Some(pattern) = pattern {
                    let label = format!("matches `{}`", question.resource());
                    mark(pattern.span, label, false);
                }
            }
            None => mark(
                statement.resource.span,
                format!("does not except `{}`", question.resource()),
                false,
            ),
        }
        for matched in &determining.prefixes {
            if let Some(span) = prefix_span(loaded, statement, matched) {
                mark(
                    span,
                    format!("contains the request's `{}`", matched.key),
                    false,
                );
            }
        }
        for condition in &statement.conditions {
            // What is satisfied without a matching block is marked at its key.
            let drawn = determining
                .prefixes
                .iter()
                .any(|matched| *matched.key == *condition.key.value);
            if !(drawn && matches!(condition.values, Values::Prefixes(_))) {
                let label = format!("`{}` is satisfied", condition.operator.value);
                mark(condition.key.span, label, false);
            }
        }
    }
    Drawing {
        tone,
        title: statement_name(file, determining.statement, determining.sid.as_deref()),
        file,
        text: policy.source_text(),
        position: determining.position,
        marks,
        help: Vec::new(),
    }
}

/// Draws the Deny that came closest to a request that nothing denied, if there is one.
pub(crate) fn nearest_deny(policies: &[LoadedPolicy], question: &Question) -> Option<String> {
    let miss = question.with_request(|request| nearest_of(policies, request, Effect::Deny))?;
    Some(miss_drawing(policies.get(miss.policy)?, &miss).render())
}

fn nearest_of(
    policies: &[LoadedPolicy],
    request: &Request<'_>,
    effect: Effect,
) -> Option<NearestMiss> {
    nearest(
        policies.iter().map(|loaded| &loaded.policy),
        request,
        effect,
    )
}

/// Returns where in the text the prefix of an explanation stands.
fn prefix_span(
    loaded: &LoadedPolicy,
    statement: &Statement,
    matched: &MatchedPrefix,
) -> Option<Span> {
    let lists = statement
        .conditions
        .iter()
        .filter(|condition| *condition.key.value == *matched.key);
    for condition in lists {
        let Values::Prefixes(list) = &condition.values else {
            continue;
        };
        let here = list.iter().find(|prefix| {
            prefix.value == matched.prefix
                && loaded.policy.position(prefix.span) == matched.position
        });
        if let Some(prefix) = here {
            return Some(prefix.span);
        }
    }
    None
}

/// Draws the statement that came closest, with what would have to change.
fn miss_drawing<'a>(loaded: &'a LoadedPolicy, miss: &NearestMiss) -> Drawing<'a> {
    let LoadedPolicy { file, policy } = loaded;
    let statement = policy.statements().get(miss.statement);
    let sid = statement.and_then(|statement| statement.sid.as_ref());
    let name = statement_name(file, miss.statement, sid.map(|sid| &*sid.value));
    let mut marks = Vec::new();
    if let Some(statement) = statement {
        let would = match statement.effect.value {
            Effect::Allow => "would allow",
            Effect::Deny => "would deny",
        };
        marks.push(Mark {
            range: policy.source_range(statement.effect.span),
            label: would.to_owned(),
            primary: false,
        });
    }
    for unmet in &miss.unmet {
        marks.push(Mark {
            range: policy.source_range(unmet.span),
            label: unmet.message.clone(),
            primary: true,
        });
    }
    let elements: Vec<String> = (miss.unmet.iter())
        .map(|unmet| format!("`{}`", unmet.element))
        .collect();
    Drawing {
        tone: Tone::Nearest,
        title: match elements.as_slice() {
            [only] => format!("{name}: {only} does not match"),
            [first @ .., last] => {
                format!("{name}: {} and {last} do not match", first.join(", "))
            }
            [] => name,
        },
        file,
        text: policy.source_text(),
        position: miss
            .unmet
            .first()
            .map_or_else(Position::default, |unmet| policy.position(unmet.span)),
        marks,
        help: miss.unmet.iter().map(|unmet| unmet.help.clone()).collect(),
    }
}

fn json(asked: &Asked, explanation: &Explanation, miss: Option<&NearestMiss>) -> String {
    json_line(&Answer {
        decision: explanation.decision.as_str(),
        determining: explanation
            .determining
            .iter()
            .map(|determining| DeterminingAnswer {
                policy: asked.file(determining.policy),
                statement: determining.statement,
                sid: determining.sid.as_deref(),
                effect: determining.effect.as_str(),
                line: determining.position.line,
                column: determining.position.column,
                resource: determining.resource.as_ref().map(|matched| PatternAnswer {
                    pattern: &matched.pattern,
                    line: matched.position.line,
                    column: matched.position.column,
                }),
                prefixes: determining
                    .prefixes
                    .iter()
                    .map(|matched| PrefixAnswer {
                        key: &matched.key,
                        prefix: matched.prefix.to_string(),
                        line: matched.position.line,
                        column: matched.position.column,
                    })
                    .collect(),
            })
            .collect(),
        nearest: miss.and_then(|miss| nearest_answer(asked, miss)),
    })
}

fn nearest_answer<'a>(asked: &'a Asked, miss: &'a NearestMiss) -> Option<NearestAnswer<'a>> {
    let LoadedPolicy { file, policy } = asked.policies.get(miss.policy)?;
    let statement = policy.statements().get(miss.statement)?;
    let Position { line, column } = policy.position(statement.span);
    Some(NearestAnswer {
        policy: file,
        statement: miss.statement,
        sid: statement.sid.as_ref().map(|sid| &*sid.value),
        line,
        column,
        unmet: miss
            .unmet
            .iter()
            .map(|unmet| {
                let Position { line, column } = policy.position(unmet.span);
                UnmetAnswer {
                    element: &unmet.element,
                    message: &unmet.message,
                    help: &unmet.help,
                    line,
                    column,
                }
            })
            .collect(),
    })
}

#[derive(Serialize)]
struct Answer<'a> {
    decision: &'static str,
    determining: Vec<DeterminingAnswer<'a>>,
    nearest: Option<NearestAnswer<'a>>,
}

#[derive(Serialize)]
struct DeterminingAnswer<'a> {
    policy: Cow<'a, str>,
    statement: usize,
    sid: Option<&'a str>,
    effect: &'static str,
    line: u32,
    column: u32,
    resource: Option<PatternAnswer<'a>>,
    prefixes: Vec<PrefixAnswer<'a>>,
}

#[derive(Serialize)]
struct PatternAnswer<'a> {
    pattern: &'a str,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct PrefixAnswer<'a> {
    key: &'a str,
    prefix: String,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct NearestAnswer<'a> {
    policy: &'a str,
    statement: usize,
    sid: Option<&'a str>,
    line: u32,
    column: u32,
    unmet: Vec<UnmetAnswer<'a>>,
}

#[derive(Serialize)]
struct UnmetAnswer<'a> {
    element: &'a str,
    message: &'a str,
    help: &'a str,
    line: u32,
    column: u32,
}
