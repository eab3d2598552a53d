//! Fixes: the texts that they make, proven to mean the same, and the files written.

use core::fmt::Write as _;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use portcullis::analysis::lint::{self, Edit, Report};
use portcullis::policy::Policy;
use portcullis::{Api, analysis};

use crate::args::Kind;
use crate::failure::Failure;
use crate::policies::{LoadedPolicy, options};
use crate::replace::replace;
use crate::terminal::{shortened, visible};

/// A policy's text with fixes made.
#[derive(Debug)]
pub(super) struct Change {
    /// Which policy, from 0.
    pub(super) policy: usize,
    /// How many findings it mends.
    pub(super) fixes: usize,
    edits: Vec<Edit>,
    text: String,
}

/// Returns the changed texts, each read again and compared with what was there; `api` is that of short-hand.
///
/// Sound by construction; a text that does not compare is a fault of this program, and is not written.
pub(super) fn changes(
    loaded: &[LoadedPolicy],
    report: &Report,
    kind: Option<Kind>,
    api: &Api,
) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    for (index, LoadedPolicy { file, policy }) in loaded.iter().enumerate() {
        let own = (report.findings.iter())
            .filter(|finding| finding.policy == index && finding.fix.is_some());
        let edits = lint::edits(policy, index, own.clone());
        if edits.is_empty() {
            continue;
        }
        let text = lint::apply(policy.source_text(), &edits);
        let removed: Vec<usize> = own
            .clone()
            .filter(|finding| {
                finding
                    .fix
                    .as_ref()
                    .is_some_and(lint::Fix::removes_statement)
            })
            .filter_map(|finding| finding.statement)
            .collect();
        // A policy without its last statement with a Principal must not become another kind.
        let kind = options(kind).with_kind(Some(policy.kind()));
        let same = Policy::from_json_with(&text, &kind).is_ok_and(|fixed| {
            lint::is_same_but_for(policy, &fixed, &removed)
                && (removed.is_empty() || is_alike(policy, &fixed, api))
        });
        if !same {
            return Err(Failure::Usage {
                message: format!(
                    "{}: the mended text could not be proven to mean the same, and was not written",
                    visible(file)
                ),
                help: Some("mend it by hand, and report this as a bug".to_owned()),
            });
        }
        changes.push(Change {
            policy: index,
            fixes: own.count(),
            edits,
            text,
        });
    }
    Ok(changes)
}

/// Returns whether no request is known that the two decide differently.
///
/// This is the second proof, by another way than the one that found the dead statements; where it would
/// take too long, theirs stands.
fn is_alike(policy: &Policy, fixed: &Policy, api: &Api) -> bool {
    if policy.statements().len() > OVERLAID {
        return true;
    }
    let [old, new] = [policy, fixed].map(|policy| policy.with_short_hand_expanded(api));
    analysis::diff(&[old], &[new]).map_or(true, |difference| {
        (difference.regions().iter()).all(|region| region.example().is_none())
    })
}

/// Returns the lines that change, before and after.
pub(super) fn drawn(loaded: &[LoadedPolicy], changes: &[Change]) -> String {
    const OLD: Style = AnsiColor::Red.on_default();
    const NEW: Style = AnsiColor::Green.on_default();
    let mut text = String::new();
    for change in changes {
        let Some(LoadedPolicy { file, policy }) = loaded.get(change.policy) else {
            continue;
        };
        let before = policy.source_text();
        let file = visible(file);
        // Writing to a String does not fail.
        let _ = writeln!(text, "--- {file}\n+++ {file}");
        let mut edits = change.edits.as_slice();
        while let Some((first, _)) = edits.split_first() {
            // The edits on lines that touch one another.
            let start = line_start(before, first.range.start);
            let mut end = line_end(before, first.range.end);
            let mut taken = 1;
            while let Some(next) = edits.get(taken)
                && line_start(before, next.range.start) <= end
            {
                end = line_end(before, next.range.end).max(end);
                taken += 1;
            }
            let (own, rest) = edits.split_at(taken);
            let moved: Vec<Edit> = own
                .iter()
                .map(|edit| Edit {
                    range: edit.range.start - start..edit.range.end - start,
                    ..edit.clone()
                })
                .collect();
            let old = before.get(start..end).unwrap_or_default();
            let new = lint::apply(old, &moved);
            let line = 1 + before
                .get(..start)
                .unwrap_or_default()
                .matches('\n')
                .count();
            let _ = writeln!(text, "@@ line {line} @@");
            for (sign, style, lines) in [('-', OLD, old), ('+', NEW, new.as_str())] {
                for line in lines.lines() {
                    let line = shortened(line, WIDTH);
                    let line = visible(&line);
                    let _ = writeln!(text, "{style}{sign}{line}{style:#}");
                }
            }
            edits = rest;
        }
    }
    if changes.is_empty() {
        text.push_str("nothing to mend\n");
    }
    text
}

/// Replaces the file by the changed text, whole or not at all.
pub(super) fn write(path: Option<&PathBuf>, change: &Change) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    replace(path, change.text.as_bytes()).map_err(|error| Failure::File {
        file: path.display().to_string(),
        error,
    })
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |line_feed| line_feed + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    let behind = text.get(at..).unwrap_or_default();
    behind
        .find('\n')
        .map_or(text.len(), |line_feed| at + line_feed)
}

/// Statements of a policy that is compared as a whole.
const OVERLAID: usize = 500;
/// Characters of a changed line that are shown.
const WIDTH: usize = 200;
