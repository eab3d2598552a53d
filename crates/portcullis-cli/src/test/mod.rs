//! `test`: runs tables of requests against policies and compares the decisions.
//!
//! ```text
//! arguments ──files──▶ texts ──yaml, suite──▶ cases ──bench──▶ verdicts, coverage ──report──▶ Reply
//! ```
//!
//! A case becomes the arguments of `check` and is answered as `check` answers them, so
//! that both always agree. Nothing is run before everything has been read: faults of all
//! files are told together, and then no case counts as passed.

mod args;
mod bench;
mod coverage;
mod files;
mod report;
mod suite;
mod yaml;

use std::path::PathBuf;
use std::time::Instant;

use core::time::Duration;

use portcullis::{Decision, Position};

pub(crate) use self::args::{TEST_HELP, TestArgs};

use self::args::Report;
use self::bench::{Bench, Recorder};
use self::coverage::Coverage;
use self::suite::{Case, Suite, fault_of, in_fields};
use self::yaml::fault;
use crate::exit::Exit;
use crate::failure::{BrokenPolicy, Failure, PolicyFault};
use crate::policies::is_stdin;
use crate::reply::Reply;

/// Answers with what came of the cases.
pub(crate) fn run(args: &TestArgs) -> Result<Reply, Failure> {
    let files = read(args)?;
    let outcome = Outcome::of(args, &files)?;
    let text = match args.format {
        Report::Human => report::human(&outcome, args.verbose),
        Report::Json => report::json(&outcome),
        Report::Junit => report::junit(&outcome),
        Report::Tap => report::tap(&outcome),
    };
    let enough = match (&outcome.coverage, args.min_coverage) {
        (Some(coverage), Some(percent)) => coverage.reaches(percent),
        _ => true,
    };
    let passed = outcome.failed() == 0 && enough;
    let exit = if passed { Exit::Ok } else { Exit::Findings };
    let mut warnings = outcome.warnings;
    if !enough && let Some(percent) = args.min_coverage {
        warnings.push(format!(
            "the coverage is below the {percent} % of --min-coverage"
        ));
    }
    Ok(Reply::new(text, exit).with_warnings(warnings))
}

/// A file of cases.
#[derive(Debug)]
struct CaseFile {
    name: String,
    text: String,
    suites: Vec<Suite>,
}

/// Reads all files; their faults are one failure.
fn read(args: &TestArgs) -> Result<Vec<CaseFile>, Failure> {
    let stdin = |files: &[PathBuf]| files.iter().any(|file| is_stdin(file));
    if stdin(&args.files) && stdin(&args.policies) {
        return Err(Failure::usage(
            "stdin is given as cases and as a policy",
            "give a file for one of them",
        ));
    }
    let mut files = Vec::new();
    let mut broken = Vec::new();
    for path in files::find(&args.files)? {
        let (name, text) = files::read(&path)?;
        let mut faults = Vec::new();
        let mut suites = Vec::new();
        match yaml::read(&text) {
            Ok(documents) => {
                if documents.is_empty() {
                    let help = "see `portcullis test --help` for what a file of cases has in it";
                    faults.push(fault(
                        &yaml::Place::default(),
                        "there are no cases",
                        Some(help),
                    ));
                }
                for document in &documents {
                    match suite::read(document, &path) {
                        Ok(suite) => {
                            if suite.policies.is_empty() && args.policies.is_empty() {
                                faults.push(no_policy(&suite));
                            }
                            suites.push(suite);
                        }
                        Err(more) => faults.extend(more),
                    }
                }
            }
            Err(fault) => faults.push(fault),
        }
        if faults.is_empty() {
            files.push(CaseFile { name, text, suites });
        } else {
            broken.push(broken_file(name, text, faults));
        }
    }
    if broken.is_empty() {
        Ok(files)
    } else {
        Err(Failure::Policies(broken))
    }
}

fn no_policy(suite: &Suite) -> PolicyFault {
    let help = "write `policy: FILE` or `policies: [FILE, …]`, or give --policy";
    fault(&suite.place, "the cases name no policy", Some(help))
}

const fn broken_file(file: String, text: String, faults: Vec<PolicyFault>) -> BrokenPolicy {
    BrokenPolicy {
        file,
        text,
        faults,
        suppressed: 0,
    }
}

/// What came of a run.
#[derive(Debug)]
struct Outcome<'f> {
    files: Vec<FileOutcome<'f>>,
    coverage: Option<Coverage>,
    warnings: Vec<String>,
}

/// What came of the cases of a file.
#[derive(Debug)]
struct FileOutcome<'f> {
    name: &'f str,
    verdicts: Vec<Verdict<'f>>,
}

/// What came of a case.
#[derive(Debug)]
struct Verdict<'f> {
    case: &'f Case,
    decision: Decision,
    /// The statements that caused the decision; of a case that passed only where they are told.
    determining: Vec<Statement>,
    /// The command that asks and explains the same.
    command: String,
    /// Why the decision is what it is, drawn, with styles; for some of the cases that failed.
    drawn: Option<String>,
    /// How long it took to ask, and to find the reasons where they are told.
    elapsed: Duration,
}

/// A statement by its names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    policy: String,
    statement: usize,
    sid: Option<String>,
    position: Position,
}

impl Verdict<'_> {
    /// Returns whether the decision is what the case expects.
    fn passed(&self) -> bool {
        self.case.expected.accepts(self.decision)
    }

    /// Returns what is wrong: `expected allow, got implicit deny`.
    fn complaint(&self) -> String {
        let expected = self.case.expected.words();
        format!("expected {expected}, got {}", self.decision)
    }
}

impl<'f> Outcome<'f> {
    /// Runs the cases that the arguments choose.
    fn of(args: &TestArgs, files: &'f [CaseFile]) -> Result<Self, Failure> {
        let mut run = Run {
            args,
            benches: Vec::new(),
            coverage: (args.coverage || args.min_coverage.is_some()).then(Coverage::default),
            warnings: Vec::new(),
            drawings_left: DRAWINGS,
        };
        let mut outcomes = Vec::new();
        let mut broken = Vec::new();
        for file in files {
            let (verdicts, faults) = run.file(file)?;
            if !faults.is_empty() {
                broken.push(broken_file(file.name.clone(), file.text.clone(), faults));
            }
            if !verdicts.is_empty() {
                let name = &file.name;
                outcomes.push(FileOutcome { name, verdicts });
            }
        }
        if !broken.is_empty() {
            return Err(Failure::Policies(broken));
        }
        if let Some(filter) = &args.filter
            && outcomes.is_empty()
        {
            return Err(Failure::usage(
                format!("no case has `{filter}` in its name, request or policies"),
                "give --filter another text; --verbose without it lists all cases",
            ));
        }
        Ok(Self {
            files: outcomes,
            coverage: run.coverage,
            warnings: run.warnings,
        })
    }

    fn verdicts(&self) -> impl Iterator<Item = &Verdict<'f>> {
        self.files.iter().flat_map(|file| &file.verdicts)
    }

    fn failed(&self) -> usize {
        self.verdicts().filter(|verdict| !verdict.passed()).count()
    }

    fn total(&self) -> usize {
        self.files.iter().map(|file| file.verdicts.len()).sum()
    }
}

/// What is kept from file to file.
struct Run<'a> {
    args: &'a TestArgs,
    /// Policies are compiled once, however many files ask them.
    benches: Vec<Bench>,
    coverage: Option<Coverage>,
    warnings: Vec<String>,
    /// How many failed cases may still be drawn.
    drawings_left: usize,
}

impl Run<'_> {
    /// Runs the cases of a file; faults are of cases that cannot be asked.
    fn file<'f>(
        &mut self,
        file: &'f CaseFile,
    ) -> Result<(Vec<Verdict<'f>>, Vec<PolicyFault>), Failure> {
        let mut verdicts = Vec::new();
        let mut faults = Vec::new();
        for suite in &file.suites {
            let policies: &[PathBuf] = match self.args.policies.as_slice() {
                [] => &suite.policies,
                given => given,
            };
            let known = (self.benches.iter()).position(|bench| bench.is_of(policies, suite.kind));
            let known = match known {
                Some(known) => known,
                None => {
                    self.benches.push(Bench::new(policies, suite.kind)?);
                    self.benches.len() - 1
                }
            };
            let Some(bench) = self.benches.get_mut(known) else {
                continue;
            };
            let places = self
                .coverage
                .as_mut()
                .map(|coverage| coverage.add(bench.loaded()));
            // Cases of one row mostly fail for one reason, which is drawn once.
            let mut drawn: Vec<(usize, Vec<Statement>)> = Vec::new();
            let reasons = self.args.format == Report::Json;
            let filter = self.args.filter.as_deref();
            // The name of a policy chooses all cases that are asked of it.
            let named = filter.is_some_and(|filter| {
                let names = |path: &PathBuf| path.to_string_lossy().contains(filter);
                policies.iter().any(names)
            });
            let filter = filter.filter(|_| !named);
            for case in suite.cases.iter().filter(|case| chosen(case, filter)) {
                let recorder = (self.coverage.as_mut().zip(places.as_deref()))
                    .map(|(of, places)| Recorder { of, places });
                let start = Instant::now();
                let mut verdict = match bench.ask(case, reasons, recorder) {
                    Ok(verdict) => verdict,
                    Err(Failure::Usage { message, help }) => {
                        let fault = fault_of(case, &message, help.as_deref());
                        if faults.last() != Some(&fault) {
                            faults.push(fault);
                        }
                        continue;
                    }
                    Err(failure) => return Err(failure),
                };
                let told = |(index, determining): &(usize, Vec<Statement>)| {
                    *index == case.index && *determining == verdict.determining
                };
                if !verdict.passed() && self.drawings_left > 0 && !drawn.iter().any(told) {
                    self.drawings_left -= 1;
                    verdict.drawn = Some(bench.draw(case)?);
                    drawn.push((case.index, verdict.determining.clone()));
                }
                verdict.elapsed = start.elapsed();
                verdicts.push(verdict);
            }
            for (place, warning) in bench.take_warnings() {
                let (line, warning) = (suite::line(&place), in_fields(&warning));
                self.warnings
                    .push(format!("{}:{line}: {warning}", file.name));
            }
        }
        Ok((verdicts, faults))
    }
}

fn chosen(case: &Case, filter: Option<&str>) -> bool {
    filter.is_none_or(|filter| {
        let named = case.name.as_ref().is_some_and(|name| name.contains(filter));
        named || case.request().contains(filter)
    })
}

/// Failed cases that are explained; the others are told without.
const DRAWINGS: usize = 50;
