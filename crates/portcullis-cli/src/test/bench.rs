//! Policies, loaded once and compiled once for each API that cases call, and the cases
//! asked of them.
//!
//! Short-hand resources belong to the API that is called, so that policies with some of
//! them compile anew where a case calls another.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;

use core::time::Duration;

use portcullis::{Api, Decision, Engine, Explanation, Request};

use super::coverage::Coverage;
use super::suite::{Case, Expected};
use super::yaml::Place;
use super::{Statement, Verdict};
use crate::args::{Kind, QuestionArgs};
use crate::check::unclaimed;
use crate::escape::shell;
use crate::explain;
use crate::failure::Failure;
use crate::policies::{self, LoadedPolicy};
use crate::question::Question;
use crate::target::{Called, PolicyTraits, Target};

/// Policies that cases are asked of.
#[derive(Debug)]
pub(super) struct Bench {
    files: Vec<PathBuf>,
    kind: Option<Kind>,
    loaded: Vec<LoadedPolicy>,
    traits: PolicyTraits,
    compiled: HashMap<Option<Api>, Compiled>,
    /// Each warning once, with the first place it is about.
    warnings: Vec<(Place, String)>,
    /// Whether it was said that a policy was read as an identity policy.
    claimed: bool,
}

/// Where what a case was decided by is noted.
#[derive(Debug)]
pub(super) struct Recorder<'r> {
    /// What is kept for all policies.
    pub(super) of: &'r mut Coverage,
    /// Which of them are those of the bench.
    pub(super) places: &'r [usize],
}

/// Policies for one API, and the engine made of them.
#[derive(Debug)]
struct Compiled {
    policies: Vec<LoadedPolicy>,
    engine: Engine,
}

impl Bench {
    /// Loads the policies.
    pub(super) fn new(files: &[PathBuf], kind: Option<Kind>) -> Result<Self, Failure> {
        let loaded = policies::load(files, kind)?;
        Ok(Self {
            files: files.to_vec(),
            kind,
            traits: PolicyTraits::of(&loaded),
            loaded,
            compiled: HashMap::new(),
            warnings: Vec::new(),
            claimed: false,
        })
    }

    /// Returns the policies as they were loaded.
    pub(super) fn loaded(&self) -> &[LoadedPolicy] {
        &self.loaded
    }

    /// Returns what the author of the cases may have meant otherwise, said since the last call.
    pub(super) fn take_warnings(&mut self) -> Vec<(Place, String)> {
        self.claimed = false;
        core::mem::take(&mut self.warnings)
    }

    /// Returns whether these are its policies.
    pub(super) fn is_of(&self, files: &[PathBuf], kind: Option<Kind>) -> bool {
        self.files == files && self.kind == kind
    }

    /// Decides a case, and finds what caused the decision where the case failed, coverage is
    /// kept, or the answer has `reasons` for all.
    pub(super) fn ask<'c>(
        &mut self,
        case: &'c Case,
        reasons: bool,
        coverage: Option<Recorder<'_>>,
    ) -> Result<Verdict<'c>, Failure> {
        let (question, api) = self.question(case)?;
        let compiled = self.compiled(api)?;
        let explanation = question.with_request(|request| {
            // PERF: of ten thousand statements a decision takes less than a microsecond, its
            // reasons most of a millisecond.
            let decision = compiled.engine.decide(request);
            let bare = decision == Decision::ImplicitDeny
                || !(reasons || coverage.is_some() || !case.expected.accepts(decision));
            let explanation = if bare {
                Explanation::new(decision, Vec::new())
            } else {
                compiled.engine.explain(request)
            };
            if let Some(coverage) = coverage {
                let places = coverage.places;
                (coverage.of).record(places, &compiled.policies, request, &explanation);
            }
            explanation
        });
        let determining = statements(&compiled.policies, &explanation);
        Ok(Verdict {
            case,
            decision: explanation.decision,
            determining,
            command: self.command(&case.args),
            drawn: None,
            elapsed: Duration::ZERO,
        })
    }

    /// Draws why a case gets its decision.
    pub(super) fn draw(&mut self, case: &Case) -> Result<String, Failure> {
        let (question, api) = self.question(case)?;
        let compiled = self.compiled(api)?;
        let explanation = question.with_request(|request| compiled.engine.explain(request));
        let mut drawn = explain::reasons(&compiled.policies, &question, &explanation);
        let by_deny = matches!(
            case.expected,
            Expected::Deny | Expected::Exactly(Decision::ExplicitDeny)
        );
        if by_deny
            && explanation.decision != Decision::ExplicitDeny
            && let Some(miss) = explain::nearest_deny(&compiled.policies, &question)
        {
            drawn.push('\n');
            drawn.push_str(&miss);
        }
        Ok(drawn)
    }

    /// Reads a case as `check` reads its arguments.
    fn question(&mut self, case: &Case) -> Result<(Question, Option<Api>), Failure> {
        let args = &case.args;
        let target = Target::read(Called::read(args)?, args, self.traits)?;
        let question = Question::read(args, target.resource)?;
        let mut warnings = target.warnings;
        if self.kind.is_none() && args.principal.is_none() && !self.claimed {
            self.claimed = true;
            warnings.extend(self.loaded.iter().filter_map(unclaimed));
        }
        for warning in warnings {
            if !self.warnings.iter().any(|(_, said)| *said == warning) {
                self.warnings.push((case.place.clone(), warning));
            }
        }
        Ok((question, target.api))
    }

    fn compiled(&mut self, api: Option<Api>) -> Result<&Compiled, Failure> {
        Ok(match self.compiled.entry(api) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let mut policies = self.loaded.clone();
                if let Some(api) = entry.key() {
                    policies::expand(&mut policies, api);
                }
                let engine = policies::build(&policies)?;
                entry.insert(Compiled { policies, engine })
            }
        })
    }

    /// Returns the command that explains a case.
    fn command(&self, args: &QuestionArgs) -> String {
        let mut command = "portcullis explain".to_owned();
        let mut flag = |name: &str, value: &str| {
            command.push(' ');
            command.push_str(name);
            command.push(' ');
            command.push_str(&shell(value));
        };
        for file in &self.files {
            flag("-p", &file.display().to_string());
        }
        match self.kind {
            None => {}
            Some(Kind::Resource) => flag("--kind", "resource"),
            Some(Kind::Identity) => flag("--kind", "identity"),
        }
        let action = (args.action != Request::INVOKE).then(|| args.action.clone());
        for (name, value) in [
            ("--source-ip", &args.source_ip),
            ("-X", &args.method),
            ("--path", &args.path),
            ("--stage", &args.stage),
            ("--resource", &args.resource),
            ("--action", &action),
            ("--principal", &args.principal),
            ("--partition", &args.api.partition),
            ("--region", &args.api.region),
            ("--account", &args.api.account),
            ("--api-id", &args.api.api_id),
        ] {
            if let Some(value) = value {
                flag(name, value);
            }
        }
        for entry in &args.context {
            flag("--context", entry);
        }
        command
    }
}

fn statements(policies: &[LoadedPolicy], explanation: &Explanation) -> Vec<Statement> {
    let determining = explanation.determining.iter();
    determining
        .map(|determining| Statement {
            policy: policies
                .get(determining.policy)
                .map_or_else(String::new, |loaded| loaded.file.clone()),
            statement: determining.statement,
            sid: determining.sid.clone(),
            position: determining.position,
        })
        .collect()
}
