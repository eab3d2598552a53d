//! For programs: one object, on one line.

use serde::Serialize;

use crate::diagnostics::json_line;
use crate::test::coverage::{Count, Coverage, PolicyCoverage};
use crate::test::{FileOutcome, Outcome, Verdict, suite};

/// Returns the outcome as JSON.
pub(in crate::test) fn json(outcome: &Outcome<'_>) -> String {
    let failed = outcome.failed();
    let cases = (outcome.files.iter())
        .flat_map(|file| file.verdicts.iter().map(move |verdict| case(file, verdict)));
    json_line(&Answer {
        passed: outcome.total() - failed,
        failed,
        cases: cases.collect(),
        coverage: outcome.coverage.as_ref().map(coverage),
    })
}

fn case<'o>(file: &'o FileOutcome<'_>, verdict: &'o Verdict<'_>) -> Case<'o> {
    Case {
        file: file.name,
        line: suite::line(&verdict.case.place),
        name: verdict.case.title(),
        request: verdict.case.request(),
        passed: verdict.passed(),
        expected: verdict.case.expected.as_str(),
        decision: verdict.decision.as_str(),
        determining: verdict
            .determining
            .iter()
            .map(|statement| Determining {
                policy: &statement.policy,
                statement: statement.statement,
                sid: statement.sid.as_deref(),
            })
            .collect(),
        command: &verdict.command,
    }
}

fn coverage(coverage: &Coverage) -> CoverageAnswer<'_> {
    CoverageAnswer {
        statements: coverage.statements().into(),
        cidrs: coverage.blocks().into(),
        policies: coverage.policies().iter().map(policy).collect(),
    }
}

fn policy(policy: &PolicyCoverage) -> PolicyAnswer<'_> {
    PolicyAnswer {
        policy: policy.file(),
        statements: policy
            .open_statements()
            .map(|open| OpenStatement {
                statement: open.index,
                sid: open.statement.sid.as_ref().map(|sid| &*sid.value),
                line: open.position.line,
                column: open.position.column,
            })
            .collect(),
        cidrs: policy
            .open_blocks()
            .map(|open| OpenCidr {
                statement: open.index,
                key: open.key,
                cidr: open.block,
                line: open.position.line,
                column: open.position.column,
            })
            .collect(),
    }
}

#[derive(Serialize)]
struct Answer<'o> {
    passed: usize,
    failed: usize,
    cases: Vec<Case<'o>>,
    coverage: Option<CoverageAnswer<'o>>,
}

#[derive(Serialize)]
struct Case<'o> {
    file: &'o str,
    line: u32,
    name: String,
    request: String,
    passed: bool,
    expected: &'static str,
    decision: &'static str,
    determining: Vec<Determining<'o>>,
    command: &'o str,
}

#[derive(Serialize)]
struct Determining<'o> {
    policy: &'o str,
    statement: usize,
    sid: Option<&'o str>,
}

#[derive(Serialize)]
struct CoverageAnswer<'o> {
    statements: CountAnswer,
    cidrs: CountAnswer,
    policies: Vec<PolicyAnswer<'o>>,
}

#[derive(Serialize)]
struct CountAnswer {
    covered: usize,
    total: usize,
}

impl From<Count> for CountAnswer {
    fn from(Count { covered, total }: Count) -> Self {
        Self { covered, total }
    }
}

#[derive(Serialize)]
struct PolicyAnswer<'o> {
    policy: &'o str,
    statements: Vec<OpenStatement<'o>>,
    cidrs: Vec<OpenCidr<'o>>,
}

#[derive(Serialize)]
struct OpenStatement<'o> {
    statement: usize,
    sid: Option<&'o str>,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct OpenCidr<'o> {
    statement: usize,
    key: &'o str,
    cidr: String,
    line: u32,
    column: u32,
}
