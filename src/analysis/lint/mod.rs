//! Policies → findings: what is probably not meant as it is written.
//!
//! ```text
//! &[Policy] ──every rule──▶ Report: findings in the order of the text
//!                           findings with a fix ──edits──▶ the same text, a few bytes of it changed
//! ```
//!
//! A finding names its [`Rule`], a place in the text and the values concerned. A rule is one
//! value with its explanation and tested examples, in `rules`, by families. Each policy is
//! judged alone: what changes no decision of one policy changes none of several together,
//! because a Deny differs from silence there too.
//!
//! # Invariants
//!
//! A [`Fix`] keeps every decision. What would take too long to decide is in
//! [`Report::unexamined`] and never told as a finding.

mod dead;
mod finding;
mod fix;
mod keys;
mod rule;
mod rules;
mod subject;

use self::finding::Found;
pub use self::finding::{Finding, Related};
pub use self::fix::{Edit, Fix, apply, edits, is_same_but_for};
pub use self::rule::{Rule, Severity};
use self::subject::Subject;
use crate::policy::Policy;
use crate::policy::names::nearest;
use crate::request::Api;

/// Looks for everything that the rules know.
///
/// # Example
///
/// ```
/// use portcullis::{Policy, analysis::lint};
///
/// let policy = Policy::from_json(
///     r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
///         "Resource": "arn:aws:execute-api:eu-central-1:123456789012:abc123/*",
///         "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.7/24"}}}}"#,
/// )?;
/// let report = lint::lint(&[policy], &lint::Options::default());
/// let host_bits = report.findings.iter().find(|finding| finding.rule.id == "host-bits-set");
/// assert_eq!(host_bits.map(|finding| finding.position.line), Some(3));
/// # Ok::<(), portcullis::ParseError>(())
/// ```
pub fn lint(policies: &[Policy], options: &Options) -> Report {
    let mut report = Report::default();
    for (index, policy) in policies.iter().enumerate() {
        let subject = Subject::new(policy, options.api.as_ref());
        let before = report.findings.len();
        for rule in options.rules() {
            let mut told = Vec::new();
            let mut found = Found::new(rule, index, policy, &mut told, &mut report.unexamined);
            (rule.check)(&subject, &mut found);
            let (allowed, mut told): (Vec<_>, Vec<_>) = told
                .into_iter()
                .partition(|finding| options.allows(finding));
            report.allowed.extend(allowed);
            if rules::ONCE.contains(&rule.id) {
                say_once(&mut told);
            }
            report.findings.extend(told);
        }
        if let Some(own) = report.findings.get_mut(before..) {
            own.sort_by_key(|finding| (finding.range.start, finding.range.end));
        }
    }
    report
}

/// Keeps the first of findings that are about the policy as much as about the statement.
fn say_once(told: &mut Vec<Finding>) {
    let more = told.len().saturating_sub(1);
    told.truncate(1);
    if let (Some(first), true) = (told.first_mut(), more > 0) {
        let places = if more == 1 { "place" } else { "places" };
        first.message = format!("{} (and so in {more} more {places})", first.message);
    }
}

/// Returns every rule, in the order of the documentation.
pub fn rules() -> &'static [Rule] {
    &rules::RULES
}

/// Returns the rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().iter().find(|rule| rule.id == id)
}

/// Returns the id nearest to what was written, if one is near enough to be meant.
pub fn nearest_rule(written: &str) -> Option<&'static str> {
    nearest(written, rules().iter().map(|rule| rule.id))
}

/// Returns the page that lists every rule, in Markdown.
pub fn index_page() -> String {
    rule::index(rules())
}

/// What to look for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    off: Vec<&'static str>,
    /// Sids, and the rules that are off for statements of that name.
    allowances: Vec<(String, &'static str)>,
    api: Option<Api>,
}

impl Options {
    /// Leaves a rule out; one that does not exist changes nothing.
    #[must_use]
    pub fn without(mut self, id: &str) -> Self {
        self.off.extend(rule(id).map(|rule| rule.id));
        self
    }

    /// Leaves a rule out for statements with this Sid; a rule that does not exist changes nothing.
    #[must_use]
    pub fn without_for(mut self, sid: &str, id: &str) -> Self {
        self.allowances
            .extend(rule(id).map(|rule| (sid.to_owned(), rule.id)));
        self
    }

    /// Sets the API that short-hand resources belong to. Without it, what hangs on the API is left open.
    #[must_use]
    pub fn with_api(mut self, api: Api) -> Self {
        self.api = Some(api);
        self
    }

    fn allows(&self, finding: &Finding) -> bool {
        finding.sid.as_ref().is_some_and(|sid| {
            (self.allowances.iter()).any(|(name, id)| name == sid && *id == finding.rule.id)
        })
    }

    fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        rules().iter().filter(|rule| !self.off.contains(&rule.id))
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The findings, policy by policy, in the order of the text.
    pub findings: Vec<Finding>,
    /// What was found in statements for which the rule is off.
    pub allowed: Vec<Finding>,
    /// Statements, by policy and number, that `dead-statement` could not decide within its budget.
    pub unexamined: Vec<(usize, usize)>,
}
