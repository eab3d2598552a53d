//! What is wrong with a policy's text.

use core::fmt;
use core::ops::Range;
use std::borrow::Cow;

use crate::decision::Position;

/// Why a text is no policy: every fault that was found, in the order of the text.
///
/// Syntax errors stop the reading, so there is one of them; of the others all are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Never empty.
    pub(super) faults: Vec<Fault>,
    pub(super) suppressed: usize,
}

impl ParseError {
    /// Returns the faults in the order of the text; there is at least one.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Returns how many more faults there were than [`super::Limits::with_faults`] lets be told.
    pub const fn suppressed(&self) -> usize {
        self.suppressed
    }

    /// Returns the line of the first fault, from 1.
    pub fn line(&self) -> u32 {
        self.faults.first().map_or(1, |fault| fault.position.line)
    }

    /// Returns the column of the first fault in characters, from 1.
    pub fn column(&self) -> u32 {
        self.faults.first().map_or(1, |fault| fault.position.column)
    }

    /// Returns the path of the first fault.
    pub fn path(&self) -> &str {
        self.faults.first().map_or("", |fault| &fault.path)
    }
}

impl fmt::Display for ParseError {
    /// Writes the first fault and how many there are besides, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.faults.first() {
            write!(f, "{first}")?;
        }
        match self.faults.len() + self.suppressed {
            0 | 1 => Ok(()),
            2 => f.write_str(" (and 1 more fault)"),
            all => write!(f, " (and {} more faults)", all - 1),
        }
    }
}

impl core::error::Error for ParseError {}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub(super) position: Position,
    pub(super) range: Range<usize>,
    pub(super) path: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Fault {
    /// Returns where the fault is in the text as given.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Returns the bytes at fault in the text as given; empty where something is missing.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Returns the path of the element, such as `Statement[2].Condition.IpAddress.aws:SourceIp[3]`;
    /// empty for the document as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what would be right, where that can be told.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.position)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// Input of the user's in a message: in backticks, without control characters, not too long.
pub(super) struct Quoted<'t>(pub(super) &'t str);

/// Returns the beginning of `text` that is shown, with an ellipsis where there is more.
pub(super) fn shorten(text: &str) -> Cow<'_, str> {
    let shown = text
        .char_indices()
        .nth(SHOWN)
        .and_then(|(at, _)| text.get(..at));
    shown.map_or(Cow::Borrowed(text), |shown| format!("{shown}…").into())
}

/// How many characters of an input are shown.
const SHOWN: usize = 64;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", tame(&shorten(self.0)))
    }
}

/// Returns `text` with those characters escaped that do something else than print.
pub(super) fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) {
            tamed.extend(character.escape_debug());
        } else {
            tamed.push(character);
        }
    }
    tamed
}

/// Returns whether a character is not shown, or changes how others are.
pub(super) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Direction of writing.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            // Separators of lines and paragraphs; characters without width; spaces like others.
            | '\u{2028}' | '\u{2029}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}'
            | '\u{feff}' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
            // Tags and selectors of variants.
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_input_is_short_and_tame() {
        assert_eq!(Quoted("a\u{1b}[31m\n").to_string(), "`a\\u{1b}[31m\\n`");
        assert_eq!(
            Quoted("deny\u{202e}wolla\u{200b}").to_string(),
            "`deny\\u{202e}wolla\\u{200b}`",
            "a right-to-left override and a space of no width"
        );
        assert_eq!(
            Quoted("De\u{a0}ny\u{fe0f}\u{e0041}").to_string(),
            "`De\\u{a0}ny\\u{fe0f}\\u{e0041}`",
            "a space that is none, a selector and a tag"
        );
        assert_eq!(
            Quoted(&"é".repeat(65)).to_string(),
            format!("`{}…`", "é".repeat(64))
        );
    }

    #[test]
    fn one_line_for_any_number_of_faults() {
        let fault = Fault {
            position: Position { line: 4, column: 7 },
            range: 0..1,
            path: "Statement[0].Effect".to_owned(),
            message: "`allow` is no effect".to_owned(),
            help: Some("write `Allow`".to_owned()),
        };
        let first = "line 4, column 7: Statement[0].Effect: `allow` is no effect; write `Allow`";
        let error = |count, suppressed| ParseError {
            faults: vec![fault.clone(); count],
            suppressed,
        };
        assert_eq!(error(1, 0).to_string(), first);
        assert_eq!(
            error(2, 0).to_string(),
            format!("{first} (and 1 more fault)")
        );
        assert_eq!(
            error(2, 3).to_string(),
            format!("{first} (and 4 more faults)")
        );
        assert_eq!(
            (error(1, 0).line(), error(1, 0).column(), error(1, 0).path()),
            (4, 7, "Statement[0].Effect")
        );
    }
}
