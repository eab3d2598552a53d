//! What is told of a part of a picture: its prefix, what it gets, and which statement says so.

use portcullis::Position;
use portcullis::analysis::partition::{Cause, Region};

use super::caption::amount;
use super::picture::{Content, Picture, Run, Stretch};
use crate::check::statement_name;
use crate::policies::LoadedPolicy;

/// The policies that decisions came from, to name them by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story<'a> {
    /// The policies.
    pub(super) now: &'a [LoadedPolicy],
    /// Those of `--diff`.
    pub(super) old: &'a [LoadedPolicy],
}

impl Story<'_> {
    /// Returns what is told of `count` cells of a run from `cell`, a line each.
    pub(super) fn lines(
        &self,
        picture: &Picture<'_, '_>,
        run: &Run,
        (cell, count): (u64, u64),
    ) -> Vec<String> {
        let prefix = picture.window.prefix(cell, count);
        let mut lines = vec![prefix.map_or_else(String::new, |prefix| prefix.to_string())];
        let classes = picture.survey.classes;
        match run.content {
            Content::Whole(index) => {
                let Some(stretch) = picture.stretch(index) else {
                    return lines;
                };
                let label = classes.get(stretch.class).map_or("", |class| class.label);
                let addresses = picture.window.addresses(count);
                lines.push(format!("{label}, {}", addressed(addresses)));
                lines.extend(self.causes(stretch, false));
            }
            Content::Mixed(index) => {
                for (class, count) in classes.iter().zip(picture.counts(index)) {
                    if count > 0 {
                        lines.push(format!("{}, {}", class.label, addressed(count)));
                    }
                }
                if let Some(stretch) = picture.alike(index) {
                    lines.extend(self.causes(stretch, true));
                }
                for stretch in picture.inside(index) {
                    let name = stretch.name();
                    let causes = self.causes(stretch, false);
                    lines.extend(causes.iter().map(|cause| format!("{name}, {cause}")));
                }
            }
        }
        lines
    }

    /// Returns what decided about a stretch, a line each; `several` where it stands for others,
    /// which other prefixes matched.
    fn causes(&self, stretch: &Stretch<'_>, several: bool) -> Vec<String> {
        let now = why(stretch.now, self.now, several);
        match stretch.before {
            None => vec![now],
            Some(before) => vec![
                format!("before: {}", why(before, self.old, several)),
                format!("now: {now}"),
            ],
        }
    }
}

fn addressed(count: u128) -> String {
    let unit = if count == 1 { "address" } else { "addresses" };
    format!("{} {unit}", amount(count))
}

/// Returns a decision with its statement and the prefix that matched.
fn why(region: &Region, policies: &[LoadedPolicy], several: bool) -> String {
    let Some(cause) = region.cause else {
        return format!("{}: no statement matches", region.decision);
    };
    let mut text = format!("{}: {}", region.decision, statement(&cause, policies));
    if several && cause.prefix.is_some() {
        text.push_str(SEVERAL);
    } else if let Some((prefix, Position { line, column })) = matched(&cause, policies) {
        text.push_str(&format!(", from {prefix} (line {line}, column {column})"));
    }
    text
}

/// Returns the name of the statement that caused a decision.
pub(super) fn statement(cause: &Cause, policies: &[LoadedPolicy]) -> String {
    let Some(LoadedPolicy { file, policy }) = policies.get(cause.policy) else {
        return String::new();
    };
    let Some(statement) = policy.statements().get(cause.statement) else {
        return String::new();
    };
    let sid = statement.sid.as_ref().map(|sid| &*sid.value);
    let line = policy.position(statement.span).line;
    format!(
        "{} (line {line})",
        statement_name(file, cause.statement, sid)
    )
}

/// Returns the prefix that matched, and where it stands.
pub(super) fn matched(cause: &Cause, policies: &[LoadedPolicy]) -> Option<(String, Position)> {
    let policy = &policies.get(cause.policy)?.policy;
    let prefix = cause.prefix?;
    Some((prefix.value.to_string(), policy.position(prefix.span)))
}

/// What is said where one statement decides about a cell, by more than one of its prefixes.
const SEVERAL: &str = ", by several of its prefixes";
