//! Findings for programs: one object on one line.

use portcullis::analysis::lint::{self, Finding, Report, Severity};
use serde::Serialize;

use super::count;
use crate::diagnostics::json_line;
use crate::policies::LoadedPolicy;

/// Returns the findings.
pub(super) fn text(loaded: &[LoadedPolicy], report: &Report, fixed: usize) -> String {
    let file = |policy: usize| loaded.get(policy).map_or("", |loaded| &loaded.file);
    json_line(&Answer {
        findings: (report.findings.iter())
            .filter_map(|finding| Some(Shown::of(loaded.get(finding.policy)?, finding)))
            .collect(),
        errors: count(report, Severity::Error),
        warnings: count(report, Severity::Warning),
        notes: count(report, Severity::Note),
        allowed: report.allowed.len(),
        fixed,
        unexamined: (report.unexamined.iter())
            .map(|&(policy, statement)| Unexamined {
                policy: file(policy),
                statement,
            })
            .collect(),
    })
}

/// Returns the list of rules.
pub(super) fn rules() -> String {
    #[derive(Serialize)]
    struct Rules {
        rules: Vec<Rule>,
    }
    #[derive(Serialize)]
    struct Rule {
        id: &'static str,
        severity: &'static str,
        summary: &'static str,
    }
    json_line(&Rules {
        rules: (lint::rules().iter())
            .map(|rule| Rule {
                id: rule.id,
                severity: rule.severity.as_str(),
                summary: rule.summary,
            })
            .collect(),
    })
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    findings: Vec<Shown<'a>>,
    errors: usize,
    warnings: usize,
    notes: usize,
    allowed: usize,
    fixed: usize,
    unexamined: Vec<Unexamined<'a>>,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    rule: &'static str,
    severity: &'static str,
    policy: &'a str,
    statement: Option<usize>,
    sid: Option<&'a str>,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    message: &'a str,
    help: Option<&'a str>,
    related: Vec<Place<'a>>,
    fix: Option<Fix<'a>>,
}

#[derive(Debug, Serialize)]
struct Place<'a> {
    line: u32,
    column: u32,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct Fix<'a> {
    title: &'a str,
    edits: Vec<Edit>,
}

#[derive(Debug, Serialize)]
struct Edit {
    start: usize,
    end: usize,
    replacement: String,
}

#[derive(Debug, Serialize)]
struct Unexamined<'a> {
    policy: &'a str,
    statement: usize,
}

impl<'a> Shown<'a> {
    fn of(loaded: &'a LoadedPolicy, finding: &'a Finding) -> Self {
        let fix = finding.fix.as_ref().map(|fix| Fix {
            title: fix.title(),
            edits: lint::edits(&loaded.policy, finding.policy, [finding])
                .into_iter()
                .map(|edit| Edit {
                    start: edit.range.start,
                    end: edit.range.end,
                    replacement: edit.replacement,
                })
                .collect(),
        });
        Self {
            rule: finding.rule.id,
            severity: finding.rule.severity.as_str(),
            policy: &loaded.file,
            statement: finding.statement,
            sid: finding.sid.as_deref(),
            line: finding.position.line,
            column: finding.position.column,
            end_line: finding.end.line,
            end_column: finding.end.column,
            message: &finding.message,
            help: finding.help.as_deref(),
            related: (finding.related.iter())
                .map(|related| Place {
                    line: related.position.line,
                    column: related.position.column,
                    message: &related.message,
                })
                .collect(),
            fix,
        }
    }
}
