//! The lines of a text around the places to draw, cut so that drawing is cheap and safe.
//!
//! A policy may be 20 MB on one line and hold escape sequences. Whatever comes in, what
//! goes to the drawing is a few short lines of harmless characters, with the marks moved
//! to where their text went:
//!
//! ```text
//! …{"aws:SourceIp": ["10.0.0.0/8", … 900 000 more …, "10.0.0.0/33", …
//!                                                     ^^^^^^^^^^^^^
//! ──▶  …"203.0.113.7", "10.0.0.0/33", "198.51.100.0/24"…
//! ```
//!
//! A mark that runs over several lines is cut at the end of its first.

use core::ops::Range;

use crate::terminal::is_obeyed;

/// A place to draw and what to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The bytes of the text.
    pub(crate) range: Range<usize>,
    /// What to say.
    pub(crate) label: String,
    /// Whether it is what the drawing is about, and not its surroundings.
    pub(crate) primary: bool,
}

/// Lines in a row, with the marks on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The number of the first line, from 1.
    pub(crate) line: usize,
    /// The lines.
    pub(crate) text: String,
    /// The marks, their ranges in `text`.
    pub(crate) marks: Vec<Mark>,
}

/// Cuts `text` around `marks`; places far apart give several excerpts, in the order of the text.
pub(crate) fn cut(text: &str, marks: &[Mark]) -> Vec<Excerpt> {
    let mut sorted: Vec<&Mark> = marks.iter().collect();
    sorted.sort_by_key(|mark| mark.range.start);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for mark in sorted {
        let line = line_around(text, mark.range.start.min(text.len()));
        match groups.last_mut() {
            Some(group) if line.start.saturating_sub(group.lines.end) <= GAP => {
                group.lines.end = line.end.max(group.lines.end);
                group.marks.push(mark);
            }
            _ => groups.push(Group {
                lines: line,
                marks: vec![mark],
            }),
        }
    }
    let mut excerpts = Vec::with_capacity(groups.len());
    let (mut number, mut counted) = (1, 0);
    for group in groups {
        number += count_lines(text, counted..group.lines.start);
        counted = group.lines.start;
        excerpts.push(group.cut(text, number));
    }
    excerpts
}

/// Marks near one another, and the whole lines that they are on.
struct Group<'a> {
    lines: Range<usize>,
    marks: Vec<&'a Mark>,
}

impl Group<'_> {
    fn cut(&self, text: &str, line: usize) -> Excerpt {
        let mut cut = String::new();
        let mut moved = Vec::new();
        let mut start = self.lines.start;
        loop {
            let line = line_around(text, start);
            let on_line: Vec<&Mark> = self
                .marks
                .iter()
                .copied()
                .filter(|mark| line_around(text, mark.range.start).start == line.start)
                .collect();
            cut_line(text, line.clone(), &on_line, &mut cut, &mut moved);
            let rest = text.get(line.end..self.lines.end).unwrap_or_default();
            let Some(line_feed) = rest.find('\n') else {
                break;
            };
            cut.push('\n');
            start = line.end + line_feed + 1;
        }
        Excerpt {
            line,
            text: cut,
            marks: moved,
        }
    }
}

/// Appends what is kept of a line to `cut`, and its marks to `moved`.
fn cut_line(
    text: &str,
    line: Range<usize>,
    marks: &[&Mark],
    cut: &mut String,
    moved: &mut Vec<Mark>,
) {
    for kept in kept_pieces(text, line.clone(), marks) {
        // The ellipsis behind the piece before this one stands for the gap already.
        if kept.start > line.start && !cut.ends_with('…') {
            cut.push('…');
        }
        let base = cut.len();
        let to = |offset: usize| base + harmless(text, kept.start..offset.min(kept.end)).len();
        for mark in marks {
            let Range { start, end } = mark.range;
            // INVARIANT: pieces of a line do not touch, so a mark is in one of them.
            if (kept.start..=kept.end).contains(&start.min(line.end)) {
                moved.push(Mark {
                    range: to(start)..to(end),
                    ..(*mark).clone()
                });
            }
        }
        cut.push_str(&harmless(text, kept.clone()));
        if kept.end < line.end {
            cut.push('…');
        }
    }
}

/// Returns which pieces of a line are kept: all of a short one, else the surroundings of its marks.
fn kept_pieces(text: &str, line: Range<usize>, marks: &[&Mark]) -> Vec<Range<usize>> {
    if line.len() <= WIDTH {
        return vec![line];
    }
    if marks.is_empty() {
        let start = line.start..character_start(text, line.start + WIDTH);
        return vec![start];
    }
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for mark in marks {
        let start = character_start(text, mark.range.start.saturating_sub(AROUND));
        let shown = mark.range.end.min(mark.range.start + WIDTH);
        let end = character_start(text, (shown + AROUND).min(line.end));
        let piece = start.max(line.start)..end;
        match pieces.last_mut() {
            Some(last) if piece.start <= last.end => last.end = last.end.max(piece.end),
            _ => pieces.push(piece),
        }
    }
    pieces
}

/// Returns the last place at or before `offset` where a character starts.
fn character_start(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Returns the line that holds the byte at `offset`, without its line feed.
///
/// A carriage return in front of the line feed is not part of the line either.
fn line_around(text: &str, offset: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let (before, after) = bytes.split_at(offset.min(bytes.len()));
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let end = memchr::memchr(b'\n', after).map_or(bytes.len(), |at| before.len() + at);
    match bytes.get(start..end) {
        Some([.., b'\r']) => start..end - 1,
        _ => start..end,
    }
}

fn count_lines(text: &str, range: Range<usize>) -> usize {
    let bytes = text.as_bytes().get(range).unwrap_or_default();
    memchr::memchr_iter(b'\n', bytes).count()
}

/// Returns what is drawn for a piece of the text: one character for each, so that columns stay.
fn harmless(text: &str, range: Range<usize>) -> String {
    let range = character_start(text, range.start)..character_start(text, range.end);
    text.get(range)
        .unwrap_or_default()
        .chars()
        .map(|character| match character {
            '\t' => ' ',
            _ if is_obeyed(character) => char::REPLACEMENT_CHARACTER,
            _ => character,
        })
        .collect()
}

/// Bytes of a line that are shown whole.
const WIDTH: usize = 160;
/// Bytes kept on either side of a mark in a longer line.
const AROUND: usize = 40;
/// Bytes between two marked lines that are still one excerpt; what is between is folded when drawn.
const GAP: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(text: &str, needle: &str) -> Mark {
        let start = text.find(needle).unwrap();
        Mark {
            range: start..start + needle.len(),
            label: needle.to_owned(),
            primary: true,
        }
    }

    fn marked(excerpt: &Excerpt) -> Vec<&str> {
        excerpt
            .marks
            .iter()
            .map(|mark| &excerpt.text[mark.range.clone()])
            .collect()
    }

    #[test]
    fn a_short_text_keeps_its_lines_from_first_to_last_mark() {
        let text = "{\n  \"a\": 1,\r\n  \"b\": 2,\n  \"c\": 3\n}";
        let excerpts = cut(text, &[mark(text, "\"c\""), mark(text, "\"a\"")]);
        assert_eq!(excerpts.len(), 1);
        assert_eq!(excerpts[0].line, 2);
        assert_eq!(excerpts[0].text, "  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3");
        assert_eq!(marked(&excerpts[0]), ["\"a\"", "\"c\""]);
    }

    #[test]
    fn a_huge_line_is_cut_around_each_mark() {
        let filler = "\"10.0.0.0/8\", ".repeat(100_000);
        let text = format!("{{\n[\"first\", {filler}\"größe\", {filler}\"last\"]\n}}");
        let excerpts = cut(
            &text,
            &[
                mark(&text, "\"first\""),
                mark(&text, "\"größe\""),
                mark(&text, "\"last\""),
            ],
        );
        assert_eq!(excerpts.len(), 1);
        assert_eq!(excerpts[0].line, 2);
        assert!(excerpts[0].text.len() < 500, "{}", excerpts[0].text);
        assert_eq!(marked(&excerpts[0]), ["\"first\"", "\"größe\"", "\"last\""]);
        assert!(excerpts[0].text.starts_with("[\"first\""));
        assert!(excerpts[0].text.ends_with("\"last\"]"));
        assert_eq!(excerpts[0].text.matches('…').count(), 2);
    }

    #[test]
    fn lines_far_apart_are_excerpts_of_their_own() {
        let text = format!("first\n{}second\n", "x\n".repeat(20_000));
        let excerpts = cut(&text, &[mark(&text, "second"), mark(&text, "first")]);
        let lines: Vec<usize> = excerpts.iter().map(|excerpt| excerpt.line).collect();
        assert_eq!(lines, [1, 20_002]);
        assert_eq!(marked(&excerpts[1]), ["second"]);
    }

    #[test]
    fn what_a_terminal_obeys_is_replaced_and_the_mark_stays() {
        let text = "\"\u{1b}[2J\u{9b}\u{202e}\" : \"bad\"";
        let excerpts = cut(text, &[mark(text, "\"bad\"")]);
        assert_eq!(
            excerpts[0].text,
            "\"\u{fffd}[2J\u{fffd}\u{fffd}\" : \"bad\""
        );
        assert_eq!(marked(&excerpts[0]), ["\"bad\""]);
    }

    #[test]
    fn marks_over_lines_and_at_the_end_are_cut_to_a_line() {
        let text = "{\n  [1,\n   2]";
        let over = Mark {
            range: 4..text.len(),
            label: String::new(),
            primary: true,
        };
        let end = Mark {
            range: text.len()..text.len(),
            ..over.clone()
        };
        let excerpts = cut(text, &[over, end.clone()]);
        assert_eq!(marked(&excerpts[0]), ["[1,", ""]);
        let empty = Mark { range: 0..0, ..end };
        assert_eq!(cut("", &[empty])[0].text, "");
    }
}
