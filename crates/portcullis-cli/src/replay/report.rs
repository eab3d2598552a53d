//! The counts of a run, as a text for reading or as JSON.

use core::fmt::Write;

use anstyle::{AnsiColor, Style};
use portcullis::Decision;
use serde::Serialize;

use super::judge::Judges;
use super::pipeline::Run;
use super::tally::{Cause, Group, Outcome};
use crate::check::statement_name;
use crate::diagnostics::json_line;
use crate::terminal::shown;

/// Returns the summary for reading.
pub(crate) fn human(run: &Run, judges: &Judges, top: usize) -> String {
    let requests = run.tally.sum(|_| true);
    let mut text = format!("{}\n", plural(requests, "request"));
    // Writing to a String does not fail, here and below.
    if run.unreadable > 0 {
        let lines = plural(run.unreadable, "line");
        let what = if run.unreadable == 1 {
            "is no request"
        } else {
            "are no requests"
        };
        let _ = writeln!(text, "{lines} {what}, and in none of these counts");
    }
    text.push('\n');
    for decision in [
        Decision::Allow,
        Decision::ExplicitDeny,
        Decision::ImplicitDeny,
    ] {
        let count = run.tally.sum(|outcome| outcome.now() == decision);
        let name = decision.to_string();
        let _ = writeln!(
            text,
            "{:>15}  {name:<13}  {}",
            grouped(count),
            share(count, requests)
        );
    }
    let listed: Vec<Outcome> = listed(run).collect();
    if !judges.before.is_empty() {
        let changed = run.tally.sum(Outcome::is_listed);
        let _ = match changed {
            0 => writeln!(text, "\nno request changed"),
            1 => writeln!(text, "\n1 request changed"),
            _ => writeln!(text, "\n{} requests changed", grouped(changed)),
        };
    }
    for outcome in listed {
        let Some(group) = run.tally.group(outcome) else {
            continue;
        };
        let count = run.tally.of(outcome);
        let (color, title) = title(outcome);
        let style = Style::new().bold().fg_color(Some(color.into()));
        let _ = writeln!(
            text,
            "\n{style}{title}{style:#}: {}",
            plural(count, "request")
        );
        details(&mut text, group, count, judges, top);
    }
    text
}

/// Returns what is said of an outcome, and its colour.
fn title(outcome: Outcome) -> (AnsiColor, String) {
    let now = outcome.now();
    let Some(before) = outcome.before() else {
        return (AnsiColor::Red, format!("refused ({now})"));
    };
    match (before.is_allow(), now.is_allow()) {
        (true, false) => (AnsiColor::Red, format!("newly refused ({before} -> {now})")),
        (false, true) => (
            AnsiColor::Green,
            format!("newly let in ({before} -> {now})"),
        ),
        _ => (
            AnsiColor::Yellow,
            format!("still refused, otherwise ({before} -> {now})"),
        ),
    }
}

fn details(text: &mut String, group: &Group, count: u64, judges: &Judges, top: usize) {
    let mut list = |what: &str, rows: Vec<(String, u64)>, known: usize, error: u64| {
        if rows.is_empty() {
            return;
        }
        let _ = writeln!(text, "  by {what}");
        let shown = rows.len();
        for (name, count) in rows {
            let _ = writeln!(text, "{:>15}  {name}", grouped(count));
        }
        if known > shown && error == 0 {
            let _ = writeln!(
                text,
                "                 and {} more",
                grouped(u64::try_from(known - shown).unwrap_or(0))
            );
        }
        if error > 0 {
            let _ = writeln!(
                text,
                "                 and more (approximate: too many to count each, so numbers may be up to {} too low)",
                grouped(error)
            );
        }
    };
    let prefixes = group.prefixes.top(top);
    list(
        "address prefix",
        prefixes
            .iter()
            .map(|(prefix, count)| (prefix.to_string(), *count))
            .collect(),
        group.prefixes.len(),
        group.prefixes.error(),
    );
    let resources = group.resources.top(top);
    list(
        "resource",
        resources
            .iter()
            .map(|(resource, count)| (shown(resource, NAME_LIMIT), *count))
            .collect(),
        group.resources.len(),
        group.resources.error(),
    );
    let causes = causes(group);
    let named = causes.iter().take(top).map(|&(cause, count)| {
        let (file, sid) = judges.statement(cause);
        let name = statement_name(file, cause.statement, sid);
        let what = if cause.is_before { "no longer: " } else { "" };
        (format!("{what}{name}"), count)
    });
    let what = if group.explained < count {
        format!("statement, from a sample of {}", grouped(group.explained))
    } else {
        "statement".to_owned()
    };
    list(&what, named.collect(), causes.len(), 0);
}

/// Returns the summary as JSON, on one line.
pub(crate) fn json(run: &Run, judges: &Judges, top: usize) -> String {
    #[derive(Serialize)]
    struct Summary<'a> {
        requests: u64,
        unreadable: u64,
        bad_lines: Vec<Bad<'a>>,
        path_templates: u64,
        decisions: Decisions,
        changes: Vec<Change<'a>>,
    }
    #[derive(Serialize)]
    struct Bad<'a> {
        file: &'a str,
        line: u64,
        reason: &'a str,
    }
    #[derive(Serialize)]
    struct Decisions {
        allow: u64,
        explicit_deny: u64,
        implicit_deny: u64,
    }
    #[derive(Serialize)]
    struct Change<'a> {
        before: Option<&'static str>,
        decision: &'static str,
        requests: u64,
        prefixes: Vec<ByPrefix>,
        prefix_error: u64,
        resources: Vec<ByResource<'a>>,
        resource_error: u64,
        statements: Vec<ByStatement<'a>>,
        explained: u64,
    }
    #[derive(Serialize)]
    struct ByPrefix {
        prefix: String,
        requests: u64,
    }
    #[derive(Serialize)]
    struct ByResource<'a> {
        resource: &'a str,
        requests: u64,
    }
    #[derive(Serialize)]
    struct ByStatement<'a> {
        policy: &'a str,
        statement: usize,
        sid: Option<&'a str>,
        requests: u64,
    }
    let decided = |decision| run.tally.sum(|outcome| outcome.now() == decision);
    let change = |outcome: Outcome| {
        let group = run.tally.group(outcome)?;
        let prefix = |(prefix, requests): (&super::tally::Prefix, u64)| ByPrefix {
            prefix: prefix.to_string(),
            requests,
        };
        Some(Change {
            before: outcome.before().map(Decision::as_str),
            decision: outcome.now().as_str(),
            requests: run.tally.of(outcome),
            prefixes: group.prefixes.top(top).into_iter().map(prefix).collect(),
            prefix_error: group.prefixes.error(),
            resources: group
                .resources
                .top(top)
                .into_iter()
                .map(|(resource, requests)| ByResource { resource, requests })
                .collect(),
            resource_error: group.resources.error(),
            statements: causes(group)
                .into_iter()
                .take(top)
                .map(|(cause, requests)| {
                    let (policy, sid) = judges.statement(cause);
                    ByStatement {
                        policy,
                        statement: cause.statement,
                        sid,
                        requests,
                    }
                })
                .collect(),
            explained: group.explained,
        })
    };
    json_line(&Summary {
        requests: run.tally.sum(|_| true),
        unreadable: run.unreadable,
        bad_lines: run
            .bad
            .iter()
            .map(|bad| Bad {
                file: &bad.file,
                line: bad.line,
                reason: &bad.reason,
            })
            .collect(),
        path_templates: run.tally.templates,
        decisions: Decisions {
            allow: decided(Decision::Allow),
            explicit_deny: decided(Decision::ExplicitDeny),
            implicit_deny: decided(Decision::ImplicitDeny),
        },
        changes: listed(run).filter_map(change).collect(),
    })
}

/// Returns the outcomes that some request to be listed has.
fn listed(run: &Run) -> impl Iterator<Item = Outcome> {
    Outcome::all().filter(|&outcome| outcome.is_listed() && run.tally.of(outcome) > 0)
}

/// Returns the statements, the most frequent first.
fn causes(group: &Group) -> Vec<(Cause, u64)> {
    let mut causes: Vec<(Cause, u64)> = group
        .statements
        .iter()
        .map(|(&cause, &count)| (cause, count))
        .collect();
    causes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    causes
}

/// Returns `1 line`, `1,234 lines`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(count))
}

/// Returns a number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a part of a whole in tenths of a percent.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let whole = u128::from(whole);
    let tenths = (u128::from(part) * 1_000 + whole / 2) / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Characters of a resource in a list.
const NAME_LIMIT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(plural(1, "line"), "1 line");
    }
}
