//! A picture as a page by itself: cells on a canvas, and what decided under the pointer.
//!
//! The page loads nothing and says so to the browser. The cells are given as runs along the curve,
//! which the script lays out as `hilbert` does; everything from policies reaches the page as text.

use core::fmt::Write;
use std::collections::HashMap;

use portcullis::analysis::partition::Region;
use serde_json::{Value, json};

use super::caption::{Caption, amount};
use super::hilbert::Turn;
use super::palette::hex;
use super::picture::{Content, Picture, Stretch, Survey};
use super::story::{self, Story};
use super::svg::{overlay, zoom};
use super::window::to_bits;
use crate::escape::xml;
use crate::policies::LoadedPolicy;

/// Returns the page of a picture whose longer side is `size` pixels.
pub(super) fn html(
    picture: &Picture<'_, '_>,
    caption: &Caption,
    story: Story<'_>,
    size: u32,
    hatch: bool,
) -> String {
    let zoom = zoom(picture, size);
    let (columns, rows) = (picture.window.columns, picture.window.rows);
    let mut facts = String::new();
    for line in &caption.lines {
        let _ = writeln!(facts, "<li>{}</li>", xml(line));
    }
    let mut legend = String::new();
    for entry in &caption.legend {
        let _ = writeln!(
            legend,
            "<li><i style=\"background:{}\"></i>{}: {} addresses</li>",
            hex(entry.color),
            entry.label,
            entry.count
        );
    }
    let notes: Vec<String> = caption.notes.iter().map(|note| xml(note)).collect();
    let (width, height) = (columns * zoom, rows * zoom);
    let over = format!(
        "<svg viewBox=\"0 0 {width} {height}\" aria-hidden=\"true\">{}</svg>",
        overlay(picture, size, hatch)
    );
    let fills = [
        ("{title}", xml(&caption.title)),
        ("{facts}", facts),
        ("{legend}", legend),
        ("{notes}", notes.join("<br>")),
        ("{width}", width.to_string()),
        ("{columns}", columns.to_string()),
        ("{rows}", rows.to_string()),
        ("{over}", over),
        ("{statements}", statements(picture.survey, story)),
        ("{script}", SCRIPT.to_owned()),
        // Inside of a script `<` could end it.
        (
            "{data}",
            data(picture, story).to_string().replace('<', "\\u003c"),
        ),
    ];
    filled(PAGE, &fills)
}

/// Puts texts where the page has their names; what is put in is not looked at again.
fn filled(page: &str, fills: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(at) = rest.find('{') {
        let (before, tail) = rest.split_at(at);
        text.push_str(before);
        let fill = fills.iter().find(|(name, _)| tail.starts_with(name));
        rest = match fill {
            Some((name, fill)) => {
                text.push_str(fill);
                tail.strip_prefix(name).unwrap_or_default()
            }
            None => {
                text.push('{');
                tail.strip_prefix('{').unwrap_or_default()
            }
        };
    }
    text.push_str(rest);
    text
}

/// Returns what the script lays out.
///
/// A run is `[count, class, now, before?]` with `now` and `before` an index into the decisions, or
/// `[1, [counts], "rrggbb", now?, before?]` where it is mixed, with the decisions where they are all
/// of one statement; or with `[["prefix", now, before?]]` of what is rare in it. A decision is `[decision, statement, prefix, line, column]`, of which the last four may
/// be missing; the prefix is 0 where there are several.
fn data(picture: &Picture<'_, '_>, story: Story<'_>) -> Value {
    let window = &picture.window;
    let mut decisions = Decisions::default();
    let mut runs = Vec::with_capacity(picture.runs.len());
    for run in &picture.runs {
        runs.push(match run.content {
            Content::Whole(index) => {
                let Some(stretch) = picture.stretch(index) else {
                    continue;
                };
                let mut parts = vec![json!(run.count), json!(stretch.class)];
                parts.extend(decisions.of(stretch, story, false));
                Value::from(parts)
            }
            Content::Mixed(index) => {
                let counts = picture.counts(index).map(amount);
                let color = hex(picture.color(run));
                let mut parts = vec![
                    json!(1),
                    json!(counts),
                    json!(color.trim_start_matches('#')),
                ];
                if let Some(stretch) = picture.alike(index) {
                    parts.extend(decisions.of(stretch, story, true));
                }
                let inside = picture.inside(index);
                if !inside.is_empty() {
                    let inside = inside.iter().map(|stretch| {
                        let mut parts = vec![Value::from(stretch.name())];
                        parts.extend(decisions.of(stretch, story, false));
                        Value::from(parts)
                    });
                    parts.push(inside.collect());
                }
                Value::from(parts)
            }
        });
    }
    let classes: Vec<Value> = (picture.survey.classes.iter())
        .map(|class| json!([class.label, hex(class.color).trim_start_matches('#')]))
        .collect();
    json!({
        "v6": window.within.addr().is_ipv6(),
        "network": to_bits(window.within.network()).to_string(),
        "cell": window.cell_length,
        "order": window.order,
        "turn": match window.turn {
            Turn::Up => 0,
            Turn::Left => 1,
            Turn::Right => 2,
            Turn::Down => 3,
        },
        "origin": [window.origin.0, window.origin.1],
        "first": window.first_cell,
        "classes": classes,
        "statements": decisions.statements,
        "decisions": decisions.list,
        "runs": runs,
    })
}

/// Decisions with their causes, each once.
#[derive(Default)]
struct Decisions {
    list: Vec<Value>,
    statements: Vec<String>,
    /// By statement and place of the prefix; none of them for an implicit deny.
    known: HashMap<(bool, bool, Option<Key>), usize>,
    named: HashMap<(bool, usize, usize), usize>,
}

/// Policy, statement, and the offset of the prefix.
type Key = (usize, usize, Option<u32>);

impl Decisions {
    /// Returns the numbers of a stretch's decisions, now and, if it has one, before.
    fn of(&mut self, stretch: &Stretch<'_>, story: Story<'_>, several: bool) -> Vec<Value> {
        let now = self.index(stretch.now, story.now, false, several);
        let before = stretch.before;
        let before = before.map(|before| self.index(before, story.old, true, several));
        core::iter::once(now)
            .chain(before)
            .map(Value::from)
            .collect()
    }

    /// Returns the number of a region's decision, `old` or of now, by `several` of a statement's
    /// prefixes or by its own.
    fn index(
        &mut self,
        region: &Region,
        policies: &[LoadedPolicy],
        old: bool,
        several: bool,
    ) -> usize {
        let key = region.cause.map(|cause| {
            let prefix = cause.prefix.filter(|_| !several);
            let prefix = prefix.map(|prefix| prefix.span.start);
            (cause.policy, cause.statement, prefix)
        });
        if let Some(&known) = self.known.get(&(old, several, key)) {
            return known;
        }
        let mut decision = vec![Value::from(region.decision.to_string())];
        if let Some(cause) = region.cause {
            let statements = &mut self.statements;
            let name = self
                .named
                .entry((old, cause.policy, cause.statement))
                .or_insert_with(|| {
                    statements.push(story::statement(&cause, policies));
                    statements.len() - 1
                });
            decision.push((*name).into());
            if several && cause.prefix.is_some() {
                decision.push(0.into());
            } else if let Some((prefix, position)) = story::matched(&cause, policies) {
                decision.extend([prefix.into(), position.line.into(), position.column.into()]);
            }
        }
        let index = self.list.len();
        self.list.push(decision.into());
        self.known.insert((old, several, key), index);
        index
    }
}

/// Returns the rows of a table of what decides about how many addresses, the most first.
fn statements(survey: &Survey<'_>, story: Story<'_>) -> String {
    let mut counts: HashMap<(usize, Option<(usize, usize)>), u128> = HashMap::new();
    let mut names: HashMap<(usize, usize), String> = HashMap::new();
    for stretch in &survey.stretches {
        let cause = stretch.now.cause;
        let key = cause.map(|cause| (cause.policy, cause.statement));
        let count = counts.entry((stretch.class, key)).or_default();
        *count = count.saturating_add(stretch.size());
        if let (Some(cause), Some(key)) = (cause, key) {
            names
                .entry(key)
                .or_insert_with(|| story::statement(&cause, story.now));
        }
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_unstable_by_key(|&((class, key), count)| (core::cmp::Reverse(count), class, key));
    let more = rows.len().saturating_sub(ROWS);
    let mut text = String::new();
    for ((class, key), count) in rows.into_iter().take(ROWS) {
        let name = key.and_then(|key| names.get(&key));
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            survey.classes.get(class).map_or("", |class| class.label),
            name.map_or_else(|| "no statement matches".to_owned(), |name| xml(name)),
            amount(count)
        );
    }
    if more > 0 {
        let _ = writeln!(text, "<tr><td colspan=\"3\">and {more} more</td></tr>");
    }
    text
}

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
/// Rows of the table of statements.
const ROWS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let fills = [("{a}", "{b}".to_owned()), ("{b}", "x".to_owned())];
        assert_eq!(filled("{ {a} {c} {b}{", &fills), "{ {b} {c} x{");
    }
}
