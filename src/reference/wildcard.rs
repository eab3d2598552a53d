//! Patterns: text in which `*` stands for any run of characters and `?` for exactly one.
//!
//! ```text
//! "GET/p?ts*"  →  G E T / p One t s Run
//! ```
//!
//! A pattern is a list of symbols and not text, so that characters which came from a
//! policy variable, or were written `${*}`, are never taken for wildcards.

/// One symbol of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    /// This character.
    Char(char),
    /// `?`: exactly one character, whichever it is.
    One,
    /// `*`: any number of characters, none included.
    Run,
}

/// Whether the case of letters counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// `a` is not `A`.
    Counts,
    /// `a` is `A`, but `ä` is not `Ä`.
    AsciiIgnored,
}

/// Reads a text in which every `*` and `?` is a wildcard.
pub(super) fn read(text: &str) -> Vec<Symbol> {
    text.chars().map(symbol).collect()
}

/// Returns the symbol that a character of a pattern's text is.
pub(super) fn symbol(character: char) -> Symbol {
    match character {
        '*' => Symbol::Run,
        '?' => Symbol::One,
        other => Symbol::Char(other),
    }
}

/// Returns whether `pattern` matches the whole of `text`.
///
/// Walks the pattern once and keeps every position of the text that the pattern so far
/// can end at, in ascending order: at most all of them, so the work is bounded by the
/// pattern's length times the text's.
pub(super) fn matches(pattern: &[Symbol], text: &str, case: Case) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut ends = vec![0];
    for symbol in pattern {
        ends = match symbol {
            Symbol::Run => {
                let Some(&first) = ends.first() else {
                    return false;
                };
                (first..=text.len()).collect()
            }
            Symbol::One => step(&ends, &text, |_| true),
            Symbol::Char(wanted) => step(&ends, &text, |found| same(*wanted, found, case)),
        };
    }
    ends.contains(&text.len())
}

/// Moves each position past the character that stands there, where `accept` takes that character.
fn step(ends: &[usize], text: &[char], accept: impl Fn(char) -> bool) -> Vec<usize> {
    (ends.iter())
        .filter(|&&end| text.get(end).is_some_and(|&found| accept(found)))
        .map(|end| end + 1)
        .collect()
}

fn same(wanted: char, found: char, case: Case) -> bool {
    match case {
        Case::Counts => wanted == found,
        Case::AsciiIgnored => wanted.eq_ignore_ascii_case(&found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str, text: &str) -> bool {
        matches(&read(pattern), text, Case::Counts)
    }

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("abc", "xabc", false),
            ("abc", "Abc", false),
            ("*", "", true),
            ("*", "anything/at:all", true),
            ("**", "", true),
            ("a*", "a", true),
            ("*a", "bca", true),
            ("*a", "bcab", false),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("*ab*ab*", "ab", false),
            ("*ab*ab*", "abab", true),
            ("*aab", "aaab", true),
            ("?", "", false),
            ("?", "a", true),
            ("?", "ab", false),
            ("?*", "", false),
            ("*?", "x", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("??", "a", false),
            ("[a-z]", "b", false),
            ("\\*", "\\x", true),
            (".", "a", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "`{pattern}` on `{text}`");
        }
    }

    #[test]
    fn a_question_mark_is_one_character_not_one_byte() {
        assert!(glob("?", "ü"));
        assert!(glob("?", "🦀"));
        assert!(!glob("??", "ü"));
        assert!(glob("??", "u\u{308}"));
    }

    #[test]
    fn a_literal_star_matches_only_a_star() {
        let pattern = [Symbol::Char('a'), Symbol::Char('*'), Symbol::Char('?')];
        assert!(matches(&pattern, "a*?", Case::Counts));
        assert!(!matches(&pattern, "ax?", Case::Counts));
        assert!(!matches(&pattern, "a*x", Case::Counts));
    }

    #[test]
    fn only_ascii_case_can_be_ignored() {
        let ignoring =
            |pattern: &str, text: &str| matches(&read(pattern), text, Case::AsciiIgnored);
        assert!(ignoring("EXECUTE-api:inv*", "execute-api:INVOKE"));
        assert!(!ignoring("Ä", "ä"));
        // The Kelvin sign folds to `k` in Unicode, not in ASCII.
        assert!(!ignoring("\u{212a}", "k"));
    }

    #[test]
    fn a_thousand_stars_take_no_more_than_their_product() {
        let text = "a".repeat(1600);
        assert!(glob(&"*a".repeat(1000), &text));
        assert!(!glob(&format!("{}b", "*a".repeat(1000)), &text));
        assert!(glob(&"*".repeat(1000), &text));
        assert!(!glob(&format!("{}b", "*".repeat(1000)), &text));
        assert!(!glob(&"a*".repeat(1601), &text));
    }
}
