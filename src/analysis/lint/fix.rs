//! Findings with a fix → the text with only the places concerned changed.
//!
//! ```text
//! ["10.0.0.1/8", "10.0.0.0/16", "192.0.2.1"]
//!   replaced      removed, with its comma
//! ["10.0.0.0/8", "192.0.2.1"]
//! ```
//!
//! Several fixes go into one text: items of a list that are removed side by side go as one
//! run, and what is inside of something removed is left alone. A list is never emptied.

use core::ops::Range;

use super::finding::Finding;
use crate::analysis::line::same_values;
use crate::decision::Position;
use crate::policy::{Policy, Span};

/// A change of a policy's text that keeps every decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    pub(super) title: String,
    pub(super) change: Change,
}

impl Fix {
    /// Returns what the change does, in a few words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns whether the change removes a statement.
    pub fn removes_statement(&self) -> bool {
        matches!(self.change, Change::RemoveStatement(_))
    }
}

/// A change of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Writes another text, without escapes, in place of a JSON string.
    Replace(Span, String),
    /// Removes an item of a list.
    Remove(Span),
    /// Removes a statement.
    RemoveStatement(Span),
}

impl Change {
    const fn span(&self) -> Span {
        match self {
            Self::Replace(span, _) | Self::Remove(span) | Self::RemoveStatement(span) => *span,
        }
    }
}

/// A replacement of bytes of a source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes.
    pub range: Range<usize>,
    /// Where they begin.
    pub position: Position,
    /// The position behind the last of them.
    pub end: Position,
    /// What stands there instead.
    pub replacement: String,
}

impl Edit {
    /// Returns the edit of a span of the document; for a string, of what is between its quotes.
    fn new(policy: &Policy, span: Span, replacement: String) -> Self {
        let behind = Span {
            start: span.end,
            end: span.end,
        };
        Self {
            range: policy.source_range(span),
            position: policy.position(span),
            end: policy.position(behind),
            replacement,
        }
    }
}

/// Returns whether `fixed` is `policy` without the statements numbered in `removed`, but for prefixes
/// that make up the same addresses.
///
/// That those statements change no decision is proven where they are found; the rest is compared here.
pub fn is_same_but_for(policy: &Policy, fixed: &Policy, removed: &[usize]) -> bool {
    let kept = (policy.statements().iter().enumerate())
        .filter(|(at, _)| !removed.contains(at))
        .map(|(_, statement)| statement);
    policy.kind() == fixed.kind()
        && policy.version() == fixed.version()
        && policy.id() == fixed.id()
        && policy.statements().len() == fixed.statements().len() + removed.len()
        && kept.zip(fixed.statements()).all(|(one, other)| {
            one.sid == other.sid
                && one.effect == other.effect
                && one.principal == other.principal
                && one.action == other.action
                && one.resource == other.resource
                && one.conditions.len() == other.conditions.len()
                && one.conditions.iter().zip(&other.conditions).all(|(a, b)| {
                    a.operator == b.operator && a.key == b.key && same_values(&a.values, &b.values)
                })
        })
}

/// Returns the edits of all fixes among `findings` of the policy numbered `index`, in the order of the text.
///
/// They do not overlap. A fix inside of something that another one removes is left out.
pub fn edits<'a>(
    policy: &Policy,
    index: usize,
    findings: impl IntoIterator<Item = &'a Finding>,
) -> Vec<Edit> {
    let own = findings
        .into_iter()
        .filter(|finding| finding.policy == index);
    let mut changes: Vec<&Change> = own
        .filter_map(|finding| Some(&finding.fix.as_ref()?.change))
        .collect();
    // What holds another comes before it.
    changes.sort_by_key(|change| {
        (
            change.span().start,
            core::cmp::Reverse(change.span().end),
            matches!(change, Change::Replace(..)),
        )
    });
    let document = policy.document();
    let mut edits: Vec<Edit> = Vec::new();
    let mut done = 0;
    let mut rest = changes.into_iter().peekable();
    while let Some(change) = rest.next() {
        let span = change.span();
        if span.start < done {
            continue;
        }
        done = span.end;
        match change {
            Change::Replace(_, text) => edits.push(Edit::new(
                policy,
                Span {
                    start: span.start + 1,
                    end: span.end.saturating_sub(1),
                },
                text.clone(),
            )),
            Change::Remove(_) | Change::RemoveStatement(_) => {
                // The run of items removed side by side.
                while let Some(next) = rest.peek() {
                    let start = next.span().start;
                    let inner = start < done;
                    let beside = !matches!(next, Change::Replace(..))
                        && after_comma(document, done) == Some(start);
                    if !inner && !beside {
                        break;
                    }
                    if beside {
                        done = next.span().end;
                    }
                    rest.next();
                }
                let removed = if let Some(start) = after_comma(document, done) {
                    Span {
                        start: span.start,
                        end: start,
                    }
                } else if let Some(end) = end_before(document, span.start) {
                    Span {
                        start: end,
                        end: done,
                    }
                } else {
                    // The only item: the list would be empty.
                    continue;
                };
                edits.push(Edit::new(policy, removed, String::new()));
            }
        }
    }
    edits
}

/// Returns `text` with `edits`, which are in its order and do not overlap, made.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        changed.push_str(text.get(done..edit.range.start).unwrap_or_default());
        changed.push_str(&edit.replacement);
        done = edit.range.end;
    }
    changed.push_str(text.get(done..).unwrap_or_default());
    changed
}

/// Returns where the next item begins, if a comma follows.
fn after_comma(document: &str, end: u32) -> Option<u32> {
    let at = usize::try_from(end).ok()?;
    let behind = document.get(at..)?.trim_start().strip_prefix(',')?;
    u32::try_from(document.len() - behind.trim_start().len()).ok()
}

/// Returns where the item before another ends, if there is a comma between them.
fn end_before(document: &str, start: u32) -> Option<u32> {
    let at = usize::try_from(start).ok()?;
    let before = document.get(..at)?.trim_end().strip_suffix(',')?;
    u32::try_from(before.trim_end().len()).ok()
}
