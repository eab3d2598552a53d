//! The Test Anything Protocol, version 14.
//!
//! The YAML blocks hold JSON texts alone, which need no further quoting rules.

use core::fmt::Write;

use anstream::adapter::strip_str;

use super::{coverage_line, place};
use crate::terminal::visible;
use crate::test::{Outcome, suite};

/// Returns the outcome in the protocol.
pub(in crate::test) fn tap(outcome: &Outcome<'_>) -> String {
    // Writing to a String does not fail.
    let mut text = String::from("TAP version 14\n");
    let _ = writeln!(text, "1..{}", outcome.total());
    let mut number = 0;
    for file in &outcome.files {
        for verdict in &file.verdicts {
            number += 1;
            let not = if verdict.passed() { "" } else { "not " };
            let title = description(&format!(
                "{} {}",
                place(file, verdict),
                verdict.case.title()
            ));
            let _ = writeln!(text, "{not}ok {number} - {title}");
            if verdict.passed() {
                continue;
            }
            let mut block = vec![
                ("message", verdict.complaint()),
                ("severity", "fail".to_owned()),
                ("file", file.name.to_owned()),
                ("request", verdict.case.request()),
                ("expected", verdict.case.expected.words().to_owned()),
                ("decision", verdict.decision.to_string()),
                ("command", verdict.command.clone()),
            ];
            if let Some(drawn) = &verdict.drawn {
                block.push(("explanation", strip_str(drawn.trim()).to_string()));
            }
            text.push_str("  ---\n");
            let _ = writeln!(text, "  line: {}", suite::line(&verdict.case.place));
            for (key, value) in block {
                let _ = writeln!(text, "  {key}: {}", serde_json::Value::from(value));
            }
            text.push_str("  ...\n");
        }
    }
    if let Some(coverage) = &outcome.coverage {
        let _ = writeln!(text, "# coverage: {}", coverage_line(coverage));
    }
    text
}

/// Escapes what the protocol would take for a directive.
fn description(title: &str) -> String {
    // First the backslashes: `visible` makes some of its own, which stand for themselves too.
    visible(title).replace('\\', "\\\\").replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_holds_no_directive() {
        assert_eq!(description("a # TODO b"), "a \\# TODO b");
        assert_eq!(description("a\\# SKIP"), "a\\\\\\# SKIP");
        assert_eq!(description("a\nok 2"), "a\\\\nok 2");
    }
}
