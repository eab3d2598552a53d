//! For reading: each case that failed with its reason, then the coverage, then the counts.

use core::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{counted, coverage_line, place};
use crate::terminal::{shown, visible};
use crate::test::coverage::{Coverage, PolicyCoverage};
use crate::test::{FileOutcome, Outcome, Verdict};

/// Returns the outcome for a reader; with `all`, the cases that passed are listed too.
pub(in crate::test) fn human(outcome: &Outcome<'_>, all: bool) -> String {
    let mut text = String::new();
    for file in &outcome.files {
        for verdict in &file.verdicts {
            if !verdict.passed() {
                failed(&mut text, file, verdict);
            } else if all {
                let title = format!("{}: {}", place(file, verdict), cut(&verdict.case.title()));
                line(&mut text, GOOD, "pass", &title);
            }
        }
    }
    if let Some(coverage) = &outcome.coverage {
        uncovered(&mut text, coverage);
    }
    let (failed, total) = (outcome.failed(), outcome.total());
    let cases = counted(total, "case", "cases");
    if failed == 0 {
        line(
            &mut text,
            GOOD,
            "passed",
            &format!("{cases} in {}", files(outcome)),
        );
    } else {
        let said = format!("{failed} of {cases} in {}", files(outcome));
        line(&mut text, BAD, "failed", &said);
    }
    text
}

fn files(outcome: &Outcome<'_>) -> String {
    match outcome.files.as_slice() {
        [only] => visible(only.name).into_owned(),
        files => counted(files.len(), "file", "files"),
    }
}

fn failed(text: &mut String, file: &FileOutcome<'_>, verdict: &Verdict<'_>) {
    let request = verdict.case.request();
    let title = cut(verdict.case.name.as_ref().unwrap_or(&request));
    line(
        text,
        BAD,
        "FAIL",
        &format!("{}: {title}", place(file, verdict)),
    );
    // Writing to a String does not fail.
    if verdict.case.name.is_some() {
        let _ = writeln!(text, "  {}", cut(&request));
    }
    let _ = writeln!(text, "  {}", verdict.complaint());
    if let Some(drawn) = &verdict.drawn {
        text.push_str(drawn);
        let _ = writeln!(text, "\n  {}\n", cut(&verdict.command));
    }
}

/// Writes what no case was decided by.
fn uncovered(text: &mut String, coverage: &Coverage) {
    for policy in coverage.policies() {
        let mut rows: Vec<[String; 2]> = Vec::new();
        rows.extend(policy.open_statements().map(|open| {
            let effect = open.statement.effect.value;
            let name = name(open.index, sid(open.statement));
            let says = format!("{name} ({effect}) caused no decision");
            [at(policy, open.position), says]
        }));
        let statements = rows.len();
        rows.extend(policy.open_blocks().take(ROWS + 1).map(|open| {
            let name = name(open.index, sid(open.statement));
            let says = format!("`{}` of {name} decided nothing", open.block);
            [at(policy, open.position), says]
        }));
        if rows.is_empty() {
            continue;
        }
        let all = statements + policy.open_blocks().count();
        rows.truncate(ROWS);
        let width = rows
            .iter()
            .map(|[at, _]| at.len())
            .max()
            .unwrap_or_default();
        for [at, says] in &rows {
            line(text, OPEN, "uncovered", &format!("{at:width$}  {says}"));
        }
        match all - rows.len() {
            0 => {}
            more => line(text, OPEN, "uncovered", &format!("and {more} more")),
        }
    }
    line(
        text,
        Style::new().bold(),
        "coverage",
        &coverage_line(coverage),
    );
}

fn at(policy: &PolicyCoverage, position: portcullis::Position) -> String {
    format!(
        "{}:{}:{}",
        visible(policy.file()),
        position.line,
        position.column
    )
}

fn name(index: usize, sid: Option<&str>) -> String {
    match sid {
        Some(sid) => format!("statement {index} `{}`", cut(sid)),
        None => format!("statement {index}"),
    }
}

fn sid(statement: &portcullis::policy::Statement) -> Option<&str> {
    statement.sid.as_ref().map(|sid| &*sid.value)
}

fn line(text: &mut String, style: Style, word: &str, rest: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "{style}{word}{style:#} {rest}");
}

fn cut(text: &str) -> String {
    shown(text, TITLE)
}

const GOOD: Style = Style::new()
    .bold()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new()
    .bold()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const OPEN: Style = Style::new()
    .bold()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
/// Rows of what is not covered, for each policy.
const ROWS: usize = 20;
/// Characters of a title or command.
const TITLE: usize = 2_000;
