//! Engines that decide, on one policy: the same statements, each in its engine's own language.
//!
//! - `hand`: a loop over the statements, what one would write oneself;
//! - `cedar`, `iam`, `rego`, `wirefilter`: engines of others.
//!
//! The requests are in each engine's own form before the clock starts.

mod cedar;
mod hand;
mod iam;
mod rego;
mod wirefilter;

use core::hint::black_box;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use portcullis::policy::Values;
use portcullis::{Address, Decision, Effect, Engine, Policy, Request, reference};

use crate::contender::{BATCH, Built, Column, ENGINE, LOOP, Measured, built};
use crate::measure::{Work, interleaved};
use crate::report::thousands;
use crate::workload::{Question, Workload};

/// How long the answers of one contender are checked.
const CHECK: Duration = Duration::from_millis(1_500);

/// How long the reference confirms answers.
const CONFIRM: Duration = Duration::from_secs(8);

/// A statement of the workload, taken apart.
#[derive(Debug)]
struct Statement {
    deny: bool,
    patterns: Vec<String>,
    nets: Vec<IpNet>,
}

/// An engine which has been given the policy and all questions.
trait Decide {
    /// Decides question `at`.
    fn decide(&mut self, at: usize) -> Decision;
}

pub(crate) use hand::glob;

/// Returns the patterns of all statements.
pub(crate) fn patterns_of(workload: &Workload) -> Vec<String> {
    let policy = Policy::from_json(&workload.json).expect("generated policies parse");
    let statements = statements(&policy).into_iter();
    statements
        .flat_map(|statement| statement.patterns)
        .collect()
}

/// Checks and times all contenders on `workload`.
pub(crate) fn measure(size: u64, workload: &Workload) -> Column {
    let policy = Policy::from_json(&workload.json).expect("generated policies parse");
    let statements = statements(&policy);
    let questions = &workload.questions;
    let (expected, about) = expected(&policy, &statements, questions);

    let scheme = wirefilter::scheme();
    let mut field = Field::new(expected);
    field.add_engine(workload);
    let (hand, cost) = built(|| hand::Hand::new(&statements, questions));
    field.add(LOOP, Ok(hand), cost);
    let (filter, cost) = built(|| wirefilter::Filters::new(&scheme, &statements, questions));
    field.add("wirefilter-engine 0.6", filter, cost);
    let (iam, cost) = built(|| iam::Iam::new(&workload.json, size, questions));
    field.add("iam-rs 0.8", iam, cost);
    let (cedar, cost) = built(|| cedar::Cedar::new(&statements, questions));
    field.add("cedar-policy 4.14", cedar, cost);
    let (rego, cost) = built(|| rego::Rego::new(&statements, questions));
    field.add("regorus 0.14", rego, cost);
    Column {
        label: thousands(size),
        size,
        about,
        class_bytes: None,
        measured: field.measure(),
    }
}

/// Only the engine and the loop: what the worst policy costs.
pub(crate) fn measure_worst(workload: &Workload) -> Column {
    let policy = Policy::from_json(&workload.json).expect("generated policies parse");
    let statements = statements(&policy);
    let (expected, about) = expected(&policy, &statements, &workload.questions);
    let mut field = Field::new(expected);
    field.add_engine(workload);
    let (hand, cost) = built(|| hand::Hand::new(&statements, &workload.questions));
    field.add(LOOP, Ok(hand), cost);
    Column {
        label: "all open".to_owned(),
        size: statements.len() as u64,
        about,
        class_bytes: None,
        measured: field.measure(),
    }
}

/// The answers all contenders are held to: the loop's, once the reference has confirmed
/// as many of them as can be waited for.
fn expected(
    policy: &Policy,
    statements: &[Statement],
    questions: &[Question],
) -> (Vec<Decision>, String) {
    let mut hand = hand::Hand::new(statements, questions);
    let expected: Vec<Decision> = (0..questions.len()).map(|at| hand.decide(at)).collect();
    let policies = core::slice::from_ref(policy);
    let start = Instant::now();
    let mut confirmed = 0;
    for (question, &expected) in questions.iter().zip(&expected) {
        assert_eq!(
            reference::decide(policies, &question.request()),
            expected,
            "{question:?}"
        );
        confirmed += 1;
        if start.elapsed() > CONFIRM {
            break;
        }
    }
    let share =
        |decision| expected.iter().filter(|&&d| d == decision).count() * 100 / expected.len();
    let about = format!(
        "{} % allow, {} % explicit deny, {} of {} answers confirmed by the reference",
        share(Decision::Allow),
        share(Decision::ExplicitDeny),
        thousands(confirmed),
        thousands(expected.len() as u64)
    );
    (expected, about)
}

fn statements(policy: &Policy) -> Vec<Statement> {
    let statement = |statement: &portcullis::policy::Statement| {
        let nets = statement.conditions.iter().flat_map(|c| match &c.values {
            Values::Prefixes(list) => list.iter().map(|p| p.value).collect(),
            Values::Texts(_) => Vec::new(),
        });
        let patterns = statement.resource.patterns.iter();
        Statement {
            deny: statement.effect.value == Effect::Deny,
            patterns: patterns.map(|p| p.value.raw().to_owned()).collect(),
            nets: nets.collect(),
        }
    };
    policy.statements().iter().map(statement).collect()
}

/// Collects contenders, and drops those that cannot express the policy or answer wrongly.
struct Field<'a> {
    expected: Vec<Decision>,
    measured: Vec<Measured>,
    works: Vec<Box<dyn Work + 'a>>,
    /// For each of `works` the row, and whether it is a latency.
    rows: Vec<(usize, bool)>,
}

impl<'a> Field<'a> {
    fn new(expected: Vec<Decision>) -> Self {
        Self {
            expected,
            measured: Vec::new(),
            works: Vec::new(),
            rows: Vec::new(),
        }
    }

    fn add_engine(&mut self, workload: &'a Workload) {
        let (engine, mut cost) = built(|| {
            let policy = Policy::from_json(&workload.json).expect("generated policies parse");
            let engine = Engine::builder().policy(policy).build();
            engine.expect("generated policies build")
        });
        cost.bytes = engine.image().len();
        let requests: Vec<Request<'a>> = workload.questions.iter().map(Question::request).collect();
        let questions = requests.iter().map(|r| (r.source_ip(), r.resource()));
        let mut decisions = vec![Decision::Allow; requests.len()];
        engine.decide_batch(&requests, &mut decisions);
        assert_eq!(decisions, self.expected);

        self.add(
            ENGINE,
            Ok(Compiled {
                engine: engine.clone(),
                questions: questions.collect(),
            }),
            cost,
        );
        self.row(BATCH, None);
        self.rows.push((self.measured.len() - 1, false));
        let mut at = 0;
        self.works.push(Box::new(move |count: usize| {
            let mut decisions = [Decision::Allow; 256];
            let mut left = count;
            while left > 0 {
                let batch = &requests[at..requests.len().min(at + left.min(256))];
                engine.decide_batch(batch, &mut decisions);
                black_box(&decisions);
                left -= batch.len();
                at = (at + batch.len()) % requests.len();
            }
        }));
    }

    fn add<D: Decide + 'a>(
        &mut self,
        name: &'static str,
        contender: Result<D, String>,
        cost: Built,
    ) {
        self.row(name, Some(cost));
        let row = self.measured.len() - 1;
        let mut contender = match contender {
            Ok(contender) => contender,
            Err(reason) => return self.refuse(reason),
        };
        let start = Instant::now();
        for (at, &expected) in self.expected.iter().enumerate() {
            let answer = contender.decide(at);
            if answer != expected {
                return self.refuse(format!(
                    "question {at}: {answer:?} where {expected:?} is right"
                ));
            }
            if start.elapsed() > CHECK {
                break;
            }
        }
        let (mut at, count, zero) = (0, self.expected.len(), black_box(0));
        self.works.push(Box::new(move |times: usize| {
            for _ in 0..times {
                // The answer, masked to 0, is part of the next question's number.
                at += 1 + (contender.decide(at) as usize & zero);
                if at >= count {
                    at = 0;
                }
            }
        }));
        self.rows.push((row, true));
    }

    fn row(&mut self, name: &'static str, built: Option<Built>) {
        self.measured.push(Measured {
            name,
            latency: None,
            throughput: None,
            built,
            spread: 0.0,
            refused: None,
        });
    }

    fn refuse(&mut self, reason: String) {
        if let Some(measured) = self.measured.last_mut() {
            let is_ours = measured.name.contains("portcullis") || measured.name == LOOP;
            assert!(!is_ours, "{}: {reason}", measured.name);
            measured.refused = Some(reason);
        }
    }

    fn measure(mut self) -> Vec<Measured> {
        for (timed, (row, is_latency)) in interleaved(&mut self.works).into_iter().zip(self.rows) {
            let measured = &mut self.measured[row];
            measured.spread = measured.spread.max(timed.spread);
            *(if is_latency {
                &mut measured.latency
            } else {
                &mut measured.throughput
            }) = Some(timed.median);
        }
        self.measured
    }
}

/// Makes a request of what a question has, as one would where it comes in.
struct Compiled<'a> {
    engine: Engine,
    questions: Vec<(Address<'a>, &'a str)>,
}

impl Decide for Compiled<'_> {
    fn decide(&mut self, at: usize) -> Decision {
        let (source_ip, resource) = self.questions[at];
        self.engine.decide(&Request::invoke(source_ip, resource))
    }
}

/// Three-valued from what most engines tell apart.
fn decision(denied: bool, allowed: impl FnOnce() -> bool) -> Decision {
    if denied {
        Decision::ExplicitDeny
    } else if allowed() {
        Decision::Allow
    } else {
        Decision::ImplicitDeny
    }
}
