//! `JUnit` XML, in the form that CI servers read.
//!
//! A suite is a file of cases. Names are told apart by their requests, so that no two
//! cases of a row are taken for one.

use core::fmt::Write;

use anstream::adapter::strip_str;

use super::coverage_line;
use crate::escape::xml;
use crate::test::{FileOutcome, Outcome, suite};

/// Returns the outcome as XML.
pub(in crate::test) fn junit(outcome: &Outcome<'_>) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String does not fail.
    let _ = writeln!(
        text,
        "<testsuites name=\"portcullis\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        outcome.total(),
        outcome.failed(),
    );
    for file in &outcome.files {
        file_suite(&mut text, file);
    }
    if let Some(coverage) = &outcome.coverage {
        // The schema has no place for it in a run of several suites.
        text.push_str("  <testsuite name=\"coverage\" tests=\"0\" failures=\"0\" errors=\"0\">\n");
        let said = xml(&coverage_line(coverage));
        let _ = writeln!(text, "    <system-out>{said}</system-out>\n  </testsuite>");
    }
    text.push_str("</testsuites>\n");
    text
}

fn file_suite(text: &mut String, file: &FileOutcome<'_>) {
    let failed = file.verdicts.iter().filter(|verdict| !verdict.passed());
    let name = xml(file.name);
    // Writing to a String does not fail.
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        file.verdicts.len(),
        failed.count(),
    );
    for verdict in &file.verdicts {
        let _ = write!(
            text,
            "    <testcase name=\"{}\" classname=\"{name}\" file=\"{name}\" line=\"{}\"",
            xml(&verdict.case.title()),
            suite::line(&verdict.case.place),
        );
        if verdict.passed() {
            text.push_str("/>\n");
            continue;
        }
        let mut said = format!("{}\n{}\n", verdict.case.request(), verdict.command);
        if let Some(drawn) = &verdict.drawn {
            said.push_str(&strip_str(drawn).to_string());
        }
        let _ = writeln!(
            text,
            ">\n      <failure message=\"{}\" type=\"decision\">{}</failure>\n    </testcase>",
            xml(&verdict.complaint()),
            xml(said.trim_end()),
        );
    }
    text.push_str("  </testsuite>\n");
}
