//! What a rule is, and its page: everything that is said about a rule has this one source.

use core::fmt::{self, Write};

use super::finding::Found;
use super::subject::Subject;

/// One rule: what it looks for, why that matters, and examples that are tested.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Rule {
    /// The stable name, such as `dead-statement`.
    pub id: &'static str,
    /// How much a finding of it matters.
    pub severity: Severity,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// When it does not fire, and whether its fix is applied by machine.
    pub quiet: &'static str,
    /// A policy in which it fires.
    pub bad: &'static str,
    /// The same policy mended.
    pub good: &'static str,
    /// A policy that looks like the bad one, and in which it does not fire.
    pub near_miss: &'static str,
    pub(super) check: fn(&Subject<'_>, &mut Found<'_>),
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; often as it should be.
    Note,
    /// Probably not what was meant.
    Warning,
    /// Surely not what was meant: it does nothing, or the policy cannot be saved.
    Error,
}

impl Severity {
    /// Returns the word for it: `note`, `warning` or `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Rule {
    /// Returns the policies of the page, with what stands for many addresses written out: the bad one,
    /// the good one and the near miss.
    pub fn examples(&self) -> [String; 3] {
        [self.bad, self.good, self.near_miss].map(written_out)
    }

    /// Returns the rule's page, in Markdown.
    pub fn page(&self) -> String {
        let Self {
            id,
            severity,
            summary,
            why,
            mend,
            quiet,
            bad,
            good,
            near_miss,
            check: _,
        } = self;
        let [why, mend, quiet] = [why, mend, quiet].map(|text| filled(text));
        format!(
            "# {id}\n\n{summary}\n\nSeverity: {severity}\n\n## Why it matters\n\n{why}\n\n## What to do\n\n{mend}\n\n\
             ## Example\n\nFound in:\n\n```json\n{bad}\n```\n\nNot in:\n\n```json\n{good}\n```\n\n\
             ## When it does not fire\n\n{quiet}\n\n```json\n{near_miss}\n```\n"
        )
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("id", &self.id)
            .field("severity", &self.severity)
            .finish_non_exhaustive()
    }
}

/// Returns the page that lists `rules`, in Markdown.
pub(super) fn index(rules: &[Rule]) -> String {
    let mut text = "# Rules of `portcullis lint`\n\n\
        Every page is what `portcullis lint --explain ID` prints; both have one source, and the examples are tested.\n\n\
        - **error**: surely not what was meant: it does nothing, or the policy cannot be saved\n\
        - **warning**: probably not what was meant\n\
        - **note**: worth knowing, and often as it should be; the exit code does not count it unless asked (`--fail-on note`)\n\n\
        | rule | severity | finds |\n|---|---|---|\n"
        .to_owned();
    for rule in rules {
        let Rule {
            id,
            severity,
            summary,
            ..
        } = rule;
        // Writing to a String does not fail.
        let _ = writeln!(text, "| [`{id}`]({id}.md) | {severity} | {summary} |");
    }
    text
}

/// Returns an example with `"…600 more…"` written as 600 addresses.
fn written_out(text: &str) -> String {
    let Some((before, rest)) = text.split_once("\"…") else {
        return text.to_owned();
    };
    let Some((number, behind)) = rest.split_once(" more…\"") else {
        return text.to_owned();
    };
    let number: u32 = number.parse().unwrap_or(0);
    // Every other address of a block, so that none are neighbours.
    let addresses = (0..number).map(|at| {
        let address = core::net::Ipv4Addr::from(0x3312_0000 + 2 * at);
        format!("\"{address}\"")
    });
    let addresses: Vec<String> = addresses.collect();
    format!("{before}{}{behind}", addresses.join(", "))
}

/// Joins the lines of each paragraph and breaks them again at 100 columns.
fn filled(text: &str) -> String {
    let paragraphs = text.trim().split("\n\n").map(|paragraph| {
        let mut lines: Vec<String> = Vec::new();
        for word in paragraph.split_whitespace() {
            match lines.last_mut() {
                Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines.join("\n")
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Columns of a page's text.
const WIDTH: usize = 100;
