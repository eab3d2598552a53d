//! Two texts → their lines side by side, as a unified diff.
//!
//! ```text
//! --- office.json
//! +++ office.json
//! @@ -3,2 +3,4 @@
//!    "Statement": [
//! -    {"Effect": "Allow",
//! +    {
//! +      "Effect": "Allow",
//! ```

use core::fmt::Write;
use core::ops::Range;

use anstyle::{AnsiColor, Style};
use imara_diff::{Algorithm, Diff, Hunk, InternedInput};

use crate::terminal::visible;

/// A unified diff, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unified {
    /// The first character of each line tells what it is.
    lines: Vec<String>,
}

/// Compares two texts; without any line where they are equal.
pub(super) fn unified(file: &str, before: &str, after: &str) -> Unified {
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let old: Vec<&str> = input
        .before
        .iter()
        .map(|&token| input.interner[token])
        .collect();
    let new: Vec<&str> = input
        .after
        .iter()
        .map(|&token| input.interner[token])
        .collect();
    let mut lines = Vec::new();
    let hunks: Vec<Change> = diff.hunks().map(Change::from).collect();
    if !hunks.is_empty() {
        lines.push(format!("--- {file}"));
        lines.push(format!("+++ {file}"));
    }
    for group in hunks.chunk_by(|one, next| next.old.start - one.old.end <= 2 * CONTEXT) {
        write_group(group, &old, &new, &mut lines);
    }
    Unified { lines }
}

impl Unified {
    /// Returns the text, without anything that a terminal would obey.
    pub(super) fn plain(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Returns the text with styles.
    pub(super) fn styled(&self) -> String {
        let mut text = String::new();
        for (index, line) in self.lines.iter().enumerate() {
            let style = match line.as_bytes().first() {
                _ if index < 2 => Style::new().bold(),
                Some(b'@') => Style::new().fg_color(Some(AnsiColor::Cyan.into())),
                Some(b'-') => Style::new().fg_color(Some(AnsiColor::Red.into())),
                Some(b'+') => Style::new().fg_color(Some(AnsiColor::Green.into())),
                _ => Style::new(),
            };
            // Writing to a String does not fail.
            let _ = writeln!(text, "{style}{line}{style:#}");
        }
        text
    }
}

/// Lines that are others in the new text.
struct Change {
    old: Range<usize>,
    new: Range<usize>,
}

impl From<Hunk> for Change {
    fn from(hunk: Hunk) -> Self {
        // A policy has fewer lines than an address has bytes.
        let range = |range: Range<u32>| {
            let bound = |line: u32| usize::try_from(line).unwrap_or(usize::MAX);
            bound(range.start)..bound(range.end)
        };
        Self {
            old: range(hunk.before),
            new: range(hunk.after),
        }
    }
}

/// Writes changes near one another, with the lines around them.
fn write_group(group: &[Change], old: &[&str], new: &[&str], lines: &mut Vec<String>) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return;
    };
    let lead = first.old.start.min(CONTEXT);
    let tail = (old.len() - last.old.end).min(CONTEXT);
    let side = |range: Range<usize>| match range.len() {
        // An empty side is named by the line before it.
        0 => format!("{},0", range.start),
        length => format!("{},{length}", range.start + 1),
    };
    lines.push(format!(
        "@@ -{} +{} @@",
        side(first.old.start - lead..last.old.end + tail),
        side(first.new.start - lead..last.new.end + tail),
    ));
    let mut at = first.old.start - lead;
    for change in group {
        write_lines(' ', old, at..change.old.start, lines);
        write_lines('-', old, change.old.clone(), lines);
        write_lines('+', new, change.new.clone(), lines);
        at = change.old.end;
    }
    write_lines(' ', old, at..at + tail, lines);
}

fn write_lines(sign: char, text: &[&str], range: Range<usize>, lines: &mut Vec<String>) {
    for line in text.get(range).unwrap_or_default() {
        let bare = line.strip_suffix('\n').unwrap_or(line);
        lines.push(format!("{sign}{}", visible(bare)));
        if bare.len() == line.len() {
            lines.push("\\ No newline at end of file".to_owned());
        }
    }
}

/// Lines around a change.
const CONTEXT: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_no_lines() {
        assert_eq!(unified("f", "a\nb", "a\nb").plain(), "");
    }

    #[test]
    fn changes_near_one_another_are_one_group() {
        let lines = |changed: &[usize]| -> String {
            let line = |number: usize| {
                let mark = if changed.contains(&number) { "!" } else { "" };
                format!("{number}{mark}\n")
            };
            (1..=30).map(line).collect()
        };
        let diff = unified("f", &lines(&[]), &lines(&[6, 13, 25])).plain();
        assert_eq!(
            diff,
            "--- f\n+++ f\n\
             @@ -3,14 +3,14 @@\n 3\n 4\n 5\n-6\n+6!\n 7\n 8\n 9\n 10\n 11\n 12\n-13\n+13!\n 14\n 15\n 16\n\
             @@ -22,7 +22,7 @@\n 22\n 23\n 24\n-25\n+25!\n 26\n 27\n 28\n"
        );
    }

    #[test]
    fn ends_of_texts() {
        assert_eq!(
            unified("f", "a", "a\n").plain(),
            "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"
        );
        assert_eq!(
            unified("f", "", "a\n").plain(),
            "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n"
        );
    }

    #[test]
    fn what_a_terminal_obeys_is_spelled_out() {
        let diff = unified("f", "\u{9b}31m\r\n", "x\n").plain();
        assert!(diff.contains("-\\u{9b}31m\\r\n"), "{diff}");
    }
}
