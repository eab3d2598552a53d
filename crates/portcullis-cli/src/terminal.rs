//! Text of others, made fit for a terminal.
//!
//! Policies, requests and file names may hold escape sequences or characters that turn
//! the direction of writing; printed as they are they could forge an answer. They are
//! replaced whatever the output is, so that a pipe shows what the terminal shows.

use std::borrow::Cow;

use core::fmt::Write;

/// Returns `text` with every character that a terminal would obey written as `\u{…}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if is_obeyed(character) => {
                // Writing to a String does not fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            _ => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// Returns `text` cut to `limit` characters, with an ellipsis where it was longer.
pub(crate) fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or(text))),
        None => Cow::Borrowed(text),
    }
}

/// Returns `text` made [`visible`], and cut to `limit` characters.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    shortened(&visible(text), limit).into_owned()
}

/// Returns names in backticks, with commas between them.
pub(crate) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Returns whether a terminal acts on the character instead of showing it, or shows nothing.
pub(crate) fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Direction of writing.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Separators of lines and paragraphs; characters without width.
            | '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(
            visible("office.json, größer, 東京"),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn what_a_terminal_obeys_is_spelled_out() {
        for (text, shown) in [
            ("\u{1b}[2Jallow", "\\u{1b}[2Jallow"),
            ("a\nallow\r", "a\\nallow\\r"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}wolla", "\\u{202e}wolla"),
            ("a\u{200b}b", "a\\u{200b}b"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn shortening_counts_characters() {
        assert_eq!(shortened("größe", 3), "grö…");
        assert_eq!(shortened("größe", 5), "größe");
    }
}
