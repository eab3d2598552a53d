//! Text as others read it: a word of a shell, text of XML and HTML.

use core::fmt::Write;

/// Returns a word of a command as a shell takes it.
pub(crate) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Returns text as XML and HTML have it, in elements and attributes.
///
/// A character that XML does not have at all becomes the replacement character.
pub(crate) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // A reader would take these for spaces in an attribute.
            '\n' | '\t' | '\r' => {
                // Writing to a String does not fail.
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command() {
        for (word, expected) in [
            ("/pets/1", "/pets/1"),
            ("", "''"),
            ("aws:UserAgent=curl/8.5", "aws:UserAgent=curl/8.5"),
            ("a b", "'a b'"),
            ("$x", "'$x'"),
            ("it's", r"'it'\''s'"),
            ("*", "'*'"),
        ] {
            assert_eq!(shell(word), expected);
        }
    }

    #[test]
    fn what_markup_would_read_is_escaped() {
        assert_eq!(
            xml("<a b=\"c\">&'\n\u{1b}\u{fffe}é"),
            "&lt;a b=&quot;c&quot;&gt;&amp;&#39;&#10;\u{fffd}\u{fffd}é"
        );
    }
}
