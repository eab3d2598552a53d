//! `JUnit` XML, in the form that CI servers read.
//!
//! A suite is a file of cases. Names are told apart by their requests, so that no two
//! cases of a row are taken for one. Times are seconds; most cases take some microseconds.

use core::fmt::Write;
use core::time::Duration;

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
        "<testsuites name=\"portcullis\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{}\">",
        outcome.total(),
        outcome.failed(),
        seconds(outcome.verdicts().map(|verdict| verdict.elapsed).sum()),
    );
    for file in &outcome.files {
        file_suite(&mut text, file);
    }
    if let Some(coverage) = &outcome.coverage {
        // The schema has no place for it in a run of several suites.
        text.push_str(
            "  <testsuite name=\"coverage\" tests=\"0\" failures=\"0\" errors=\"0\" time=\"0\">\n",
        );
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
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{}\">",
        file.verdicts.len(),
        failed.count(),
        seconds(file.verdicts.iter().map(|verdict| verdict.elapsed).sum()),
    );
    for verdict in &file.verdicts {
        let _ = write!(
            text,
            "    <testcase name=\"{}\" classname=\"{name}\" file=\"{name}\" line=\"{}\" time=\"{}\"",
            xml(&verdict.case.title()),
            suite::line(&verdict.case.place),
            seconds(verdict.elapsed),
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

/// Returns a time in seconds, as `JUnit` writes it but to the microsecond.
fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}
