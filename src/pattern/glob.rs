//! Does one wildcard pattern match one text.
//!
//! The pieces between the stars take the first place where they fit, from left to right:
//! a later star can take whatever an earlier one could give up, so no choice is ever
//! taken back. This is the matcher over bytes, for resources and for every text without policy
//! variables; `row` has the one over slices, for policy variables and where case is ignored.
//!
//! A match takes at most `text × (literals and ? of a piece) + pattern` steps, where the literals
//! of a piece are parted by its `?`; without any it is linear in the text.

use super::row::{self, Row};
use crate::util::bytes::Needle;
use crate::util::vector::Least;

/// The byte for `*`: any run of characters, also none. No UTF-8 text contains it.
pub(crate) const ANY: u8 = 0xff;

/// The byte for `?`: exactly one character (Unicode scalar value). No UTF-8 text contains it.
pub(crate) const ONE: u8 = 0xfe;

/// How many places of the longest literal of a piece with `?` are looked at one by one.
const TRIES: usize = 32;

/// Returns the pattern bytes of `text`, in which `*` and `?` are wildcards.
///
/// Runs of wildcards are put in one form, all `?` first and at most one `*` behind them,
/// so that equal meaning is more often equal bytes.
#[cfg(feature = "build")]
pub(crate) fn program(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'*' => push(&mut bytes, ANY),
            b'?' => push(&mut bytes, ONE),
            _ => bytes.push(byte),
        }
    }
    bytes
}

/// Appends a wildcard, keeping runs in their one form.
#[cfg(feature = "build")]
pub(crate) fn push(program: &mut Vec<u8>, wildcard: u8) {
    let after_any = program.last() == Some(&ANY);
    match wildcard {
        ANY if after_any => {}
        ONE if after_any => {
            let at = program.len() - 1;
            program.insert(at, ONE);
        }
        _ => program.push(wildcard),
    }
}

/// Returns whether `program` matches the whole of `text`, byte for byte.
///
/// What stands before the first `*` must start the text and what stands behind the last
/// must end it; between them each piece takes the first place where it fits.
#[inline]
pub(crate) fn matches(program: &[u8], text: &str) -> bool {
    matches_bytes(program, text.as_bytes())
}

/// [`matches()`] for a text that is known to be UTF-8.
#[inline]
pub(super) fn matches_bytes(program: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0_usize, 0_usize);
    loop {
        match (program.get(at), text.get(from)) {
            (None, None) => return true,
            (Some(&ANY), _) => break,
            (Some(&ONE), Some(&first)) => from += char_len(first),
            (Some(byte), Some(found)) if byte == found => from += 1,
            _ => return false,
        }
        at += 1;
    }
    match (program.get(at + 1..), text.get(from..)) {
        (Some(behind), Some(rest)) => floats(behind, rest),
        // The last character of the text is cut short, which UTF-8 is not.
        _ => false,
    }
}

/// Returns whether `program`, which stands behind a `*`, matches the end of `text`.
#[inline]
fn floats(program: &[u8], text: &[u8]) -> bool {
    let (middle, ending) = match program.iter().rposition(|&byte| byte == ANY) {
        Some(last) => (
            program.get(..last).unwrap_or_default(),
            program.get(last + 1..).unwrap_or_default(),
        ),
        None => (&[][..], program),
    };
    let Some(before) = strip_ending(ending, text) else {
        return false;
    };
    let mut rest = before;
    let mut pieces = middle;
    while !pieces.is_empty() {
        let piece_len = pieces
            .iter()
            .position(|&byte| byte == ANY)
            .unwrap_or(pieces.len());
        let (piece, behind) = pieces.split_at_checked(piece_len).unwrap_or_default();
        let Some(end) = find_piece(piece, rest) else {
            return false;
        };
        rest = rest.get(end..).unwrap_or_default();
        pieces = behind.get(1..).unwrap_or_default();
    }
    true
}

/// Returns `text` without the end that `piece`, which has no `*`, matches.
#[inline]
fn strip_ending<'t>(piece: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    let mut rest = text;
    for &token in piece.iter().rev() {
        rest = match (token, rest.split_last()) {
            (ONE, Some(_)) => strip_char(rest)?,
            (byte, Some((&found, before))) if byte == found => before,
            _ => return None,
        };
    }
    Some(rest)
}

/// Returns `text` without its last character.
fn strip_char(text: &[u8]) -> Option<&[u8]> {
    let start = text.iter().rposition(|&byte| !is_continuation(byte))?;
    text.get(..start)
}

/// Returns where the first match of `piece`, which has no `*`, ends in `text`.
#[inline]
fn find_piece(piece: &[u8], text: &[u8]) -> Option<usize> {
    // Between two stars, where a pattern is as written.
    if piece.is_empty() {
        return Some(0);
    }
    if piece.contains(&ONE) {
        return find_with_wildcards(piece, text);
    }
    Needle::new(piece).find::<Least>(piece, text, 0, text.len())
}

/// Like [`find_piece`]: looks for the longest literal, then at what must stand around it.
///
/// After a few places at which that is in vain, the literals are looked for in lockstep.
fn find_with_wildcards(piece: &[u8], text: &[u8]) -> Option<usize> {
    let literals = piece.split(|&byte| byte == ONE);
    let longest = literals.map(<[u8]>::len).max().unwrap_or_default();
    let mut start = 0_usize;
    let literal = piece
        .split(|&byte| byte == ONE)
        .find(|literal| {
            let found = literal.len() == longest;
            start += if found { 0 } else { literal.len() + 1 };
            found
        })
        .unwrap_or_default();
    let (before, behind) = (piece.get(..start)?, piece.get(start + longest..)?);
    if literal.is_empty() {
        // Nothing but `?`.
        return starts_with(piece, text);
    }
    let needle = Needle::new(literal);
    let mut from = 0_usize;
    for _ in 0..TRIES {
        let end = needle.find::<Least>(literal, text, from, text.len())?;
        let at = end - longest;
        let fits = strip_ending(before, text.get(..at)?).is_some();
        if fits && let Some(len) = starts_with(behind, text.get(at + longest..)?) {
            return Some(at + longest + len);
        }
        from = at + char_len(*text.get(at)?);
    }
    row::find(Row::of(piece), Row::of(text))
}

/// Returns the length of what `piece`, which has no `*`, matches at the start of `text`.
fn starts_with(piece: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    for &token in piece {
        at += match (token, *text.get(at)?) {
            (ONE, first) => char_len(first),
            (byte, found) if byte == found => 1,
            _ => return None,
        };
    }
    Some(at)
}

pub(super) const fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xbf)
}

/// Returns the length in bytes of the UTF-8 character that starts with `first`.
#[inline(always)]
pub(super) const fn char_len(first: u8) -> usize {
    match first {
        0x00..=0xbf => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The obvious matcher over characters, by table: row = pattern, column = text.
    pub(in crate::pattern) fn naive(pattern: &str, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut row: Vec<bool> = (0..=text.len()).map(|j| j == 0).collect();
        for p in pattern.chars() {
            let mut next = vec![p == '*' && row[0]];
            for j in 0..text.len() {
                next.push(match p {
                    '*' => next[j] || row[j + 1],
                    '?' => row[j],
                    c => row[j] && c == text[j],
                });
            }
            row = next;
        }
        row[text.len()]
    }

    #[test]
    fn wildcards_by_example() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "abc", true),
            ("?", "", false),
            ("?", "é", true),
            ("??", "é", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*bc", "abcbcbd", false),
            ("*?b", "ééb", true),
            ("*?", "", false),
            ("a*", "b", false),
            ("*/GET/*", "prod/POST/x/GET/y", true),
            ("*a?c", "abcaéc", true),
        ] {
            assert_eq!(
                matches(&program(pattern), text),
                expected,
                "{pattern} {text}"
            );
            assert_eq!(naive(pattern, text), expected, "naive {pattern} {text}");
        }
    }

    #[test]
    fn a_literal_that_repeats_itself_is_found_in_linear_time() {
        // Each of the 400 KB would otherwise be compared with up to 100 KB.
        let text = "a".repeat(400_000);
        let pattern = program(&("*".to_owned() + &"a".repeat(100_000) + "b*"));
        let start = std::time::Instant::now();
        assert!(!matches(&pattern, &text));
        assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
        let pattern = program(&("*".to_owned() + &"a".repeat(100_000) + "*"));
        assert!(matches(&pattern, &text));
    }

    #[test]
    fn a_piece_with_wildcards_that_repeats_itself_is_found_in_linear_time() {
        let text = "a".repeat(100_000);
        let half = "a".repeat(25_000);
        for piece in [
            half.clone() + "?b",
            half.clone() + "?" + &half + "?b",
            "a?".to_owned() + &half + "b",
        ] {
            let start = std::time::Instant::now();
            assert!(!matches(&program(&format!("*{piece}*")), &text));
            assert!(matches(
                &program(&format!("*{piece}*")),
                &format!("{text}bb{text}")
            ));
            assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
        }
    }

    #[test]
    fn a_thousand_stars_stay_polynomial() {
        let pattern = program(&"*a".repeat(1000));
        assert!(!matches(&pattern, &"a".repeat(999)));
        assert!(matches(&pattern, &"a".repeat(1000)));
        assert!(!matches(&pattern, &("a".repeat(5000) + "b")));
    }

    proptest! {
        #[test]
        fn agrees_with_the_table(
            pattern in "[ab*?éè]{0,8}|[ab]?\\*[ab?é]{1,5}\\*?[ab?é]{0,3}|\\*a{1,4}\\?[ab]{1,3}\\*",
            text in "[abéè]{0,20}|a{30,60}b{0,3}a{0,9}",
        ) {
            let program = program(&pattern);
            let expected = naive(&pattern, &text);
            prop_assert_eq!(matches(&program, &text), expected);
            // As written, with runs of wildcards in any order.
            let written: Vec<u8> = pattern
                .bytes()
                .map(|byte| match byte {
                    b'*' => ANY,
                    b'?' => ONE,
                    byte => byte,
                })
                .collect();
            prop_assert_eq!(matches(&written, &text), expected);
        }
    }
}
