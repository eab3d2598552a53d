//! Findings for reading: each drawn on the text, then how many there are.

use core::fmt::Write;

use portcullis::analysis::lint::{self, Finding, Report, Severity};

use super::count;
use crate::diagnostics::{Drawing, Tone};
use crate::excerpt::Mark;
use crate::policies::LoadedPolicy;

/// Findings that are drawn; the rest is a number.
const DRAWN: usize = 50;

/// Returns the drawings and the sum.
pub(super) fn text(loaded: &[LoadedPolicy], report: &Report, fixed: usize) -> String {
    let mut text = String::new();
    // The worst must be among those that are drawn.
    let mut order: Vec<&Finding> = report.findings.iter().collect();
    if order.len() > DRAWN {
        order.sort_by_key(|finding| core::cmp::Reverse(finding.rule.severity));
        order.truncate(DRAWN);
        order.sort_by_key(|finding| (finding.policy, finding.range.start));
    }
    for finding in &order {
        if let Some(loaded) = loaded.get(finding.policy) {
            text.push_str(&drawing(loaded, finding).render());
            text.push('\n');
        }
    }
    // Writing to a String does not fail.
    if report.findings.len() > order.len() {
        let more = report.findings.len() - order.len();
        let _ = writeln!(text, "and {more} more, which --format json lists\n");
    }
    text.push_str(&sum(report, fixed));
    text
}

/// Returns the list of rules.
pub(super) fn rules() -> String {
    let mut text = String::new();
    let width = lint::rules().iter().map(|rule| rule.id.len()).max();
    let width = width.unwrap_or_default();
    for rule in lint::rules() {
        let _ = writeln!(
            text,
            "{:width$}  {:7}  {}",
            rule.id,
            rule.severity.as_str(),
            rule.summary
        );
    }
    text.push_str("\n`portcullis lint --explain RULE` says more about one of them\n");
    text
}

fn drawing<'a>(loaded: &'a LoadedPolicy, finding: &Finding) -> Drawing<'a> {
    let mut marks = vec![Mark {
        range: finding.range.clone(),
        label: String::new(),
        primary: true,
    }];
    for related in &finding.related {
        // What is marked already needs no second mark.
        if related.range != finding.range {
            marks.push(Mark {
                range: related.range.clone(),
                label: related.message.clone(),
                primary: false,
            });
        }
    }
    Drawing {
        tone: Tone::Found(finding.rule.severity, finding.rule.id),
        title: finding.message.clone(),
        file: &loaded.file,
        text: loaded.policy.source_text(),
        position: finding.position,
        marks,
        help: finding.help.iter().cloned().collect(),
    }
}

fn sum(report: &Report, fixed: usize) -> String {
    let mut parts = Vec::new();
    for (severity, one, several) in [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Note, "note", "notes"),
    ] {
        match count(report, severity) {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            more => parts.push(format!("{more} {several}")),
        }
    }
    let mut text = if parts.is_empty() {
        "nothing found".to_owned()
    } else {
        parts.join(", ")
    };
    let fixable = (report.findings.iter()).filter(|f| f.fix.is_some()).count();
    if fixable > 0 {
        let _ = write!(text, "; --fix mends {fixable} of them");
    }
    if fixed > 0 {
        let _ = write!(text, "; {fixed} mended");
    }
    if !report.allowed.is_empty() {
        let _ = write!(
            text,
            "; {} allowed by the configuration",
            report.allowed.len()
        );
    }
    if !report.unexamined.is_empty() {
        let _ = write!(
            text,
            "; {} not decided by `dead-statement`",
            match report.unexamined.len() {
                1 => "1 statement".to_owned(),
                more => format!("{more} statements"),
            }
        );
    }
    text.push('\n');
    text
}
