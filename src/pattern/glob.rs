//! Does one wildcard pattern match one text.
//!
//! The pieces between the stars take the first place where they fit, from left to right:
//! a later star can take whatever an earlier one could give up, so no choice is ever
//! taken back. Two matchers follow: [`matches()`] over bytes, for resources and for every
//! text without policy variables; and [`matches_stream`] over a [`Stream`] of tokens, so
//! that a pattern with policy variables is matched in place, with nothing joined on the
//! heap, and case can be ignored. That one goes back to the last star on a mismatch, which
//! costs at most pattern × text.

use crate::util::bytes::Needle;

/// The byte for `*`: any run of characters, also none. No UTF-8 text contains it.
pub(crate) const ANY: u8 = 0xff;

/// The byte for `?`: exactly one character (Unicode scalar value). No UTF-8 text contains it.
pub(crate) const ONE: u8 = 0xfe;

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

/// A token of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// `*`.
    Any,
    /// `?`.
    One,
    /// This byte.
    Byte(u8),
}

/// A pattern to be read token by token from any earlier place again.
pub(crate) trait Stream {
    /// A place between two tokens.
    type Cursor: Copy + PartialEq;

    /// Returns the token at `at` and the place behind it, or `None` at the end.
    fn token(&self, at: Self::Cursor) -> Option<(Token, Self::Cursor)>;
}

impl Stream for [u8] {
    type Cursor = usize;

    #[inline(always)]
    fn token(&self, at: usize) -> Option<(Token, usize)> {
        let token = match *self.get(at)? {
            ANY => Token::Any,
            ONE => Token::One,
            byte => Token::Byte(byte),
        };
        Some((token, at + 1))
    }
}

/// Returns whether `program` matches the whole of `text`, byte for byte.
///
/// What stands before the first `*` must start the text and what stands behind the last
/// must end it; between them each piece takes the first place where it fits. A piece
/// without `?` is found in time linear in the text, however it repeats itself; one with
/// `?` by its longest literal, so there the worst case is piece × text.
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
    Some(text.len() - Needle::new(piece).behind(piece, text)?.len())
}

/// Like [`find_piece`]: looks for the longest literal, then at what must stand around it.
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
    let needle = Needle::new(literal);
    let mut from = 0_usize;
    loop {
        let rest = text.get(from..)?;
        let at = match literal {
            [] => from,
            _ => text.len() - needle.behind(literal, rest)?.len() - longest,
        };
        let fits = strip_ending(before, text.get(..at)?).is_some();
        if fits && let Some(len) = starts_with(behind, text.get(at + longest..)?) {
            return Some(at + longest + len);
        }
        from = at + char_len(*text.get(at)?);
    }
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

const fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xbf)
}

/// Returns whether `program` matches the whole of `text`, ASCII case ignored.
#[inline]
pub(crate) fn matches_ignore_case(program: &[u8], text: &str) -> bool {
    matches_stream(program, 0, program.len(), text, |a, b| {
        a.eq_ignore_ascii_case(&b)
    })
}

/// A text to be read byte by byte: a string, or pieces of one that are not joined.
pub(crate) trait Text {
    /// Returns the byte at this place, or `None` behind the end.
    fn byte(&self, at: usize) -> Option<u8>;
}

impl Text for str {
    #[inline(always)]
    fn byte(&self, at: usize) -> Option<u8> {
        self.as_bytes().get(at).copied()
    }
}

/// Pieces that follow one another.
impl Text for [&str] {
    fn byte(&self, at: usize) -> Option<u8> {
        let mut at = at;
        for piece in self {
            match piece.as_bytes().get(at) {
                Some(&byte) => return Some(byte),
                None => at -= piece.len(),
            }
        }
        None
    }
}

/// Returns whether the tokens from `start` to `end` match the whole of `text`.
#[inline]
pub(crate) fn matches_stream<S: Stream + ?Sized>(
    stream: &S,
    start: S::Cursor,
    end: S::Cursor,
    text: &(impl Text + ?Sized),
    same: impl Fn(u8, u8) -> bool,
) -> bool {
    let mut cursor = start;
    let mut at = 0_usize;
    // Behind the last `*`, and where in the text its run ends so far.
    let mut retry: Option<(S::Cursor, usize)> = None;
    loop {
        let token = if cursor == end {
            None
        } else {
            stream.token(cursor)
        };
        let step = match (token, text.byte(at)) {
            (Some((Token::Any, next)), _) => {
                if next == end {
                    return true;
                }
                retry = Some((next, at));
                cursor = next;
                continue;
            }
            (Some((Token::One, next)), Some(first)) => Some((next, at + char_len(first))),
            (Some((Token::Byte(byte), next)), Some(found)) if same(byte, found) => {
                Some((next, at + 1))
            }
            (None, None) => return true,
            _ => None,
        };
        (cursor, at) = match step {
            Some(next) => next,
            None => {
                let Some((behind, from)) = retry else {
                    return false;
                };
                // A whole character, so that a `?` behind the star starts at a boundary.
                let Some(first) = text.byte(from) else {
                    return false;
                };
                let from = from + char_len(first);
                retry = Some((behind, from));
                (behind, from)
            }
        };
    }
}

/// Returns the length in bytes of the UTF-8 character that starts with `first`.
#[inline(always)]
pub(crate) const fn char_len(first: u8) -> usize {
    match first {
        0x00..=0xbf => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The obvious matcher over characters, by table: row = pattern, column = text.
    fn naive(pattern: &str, text: &str) -> bool {
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
    fn case_is_ignored_for_ascii_only() {
        assert!(matches_ignore_case(
            &program("execute-api:Inv*"),
            "EXECUTE-API:invoke"
        ));
        assert!(!matches_ignore_case(&program("é"), "É"));
        assert!(!matches(&program("a"), "A"));
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
    fn a_thousand_stars_stay_polynomial() {
        let pattern = program(&"*a".repeat(1000));
        assert!(!matches(&pattern, &"a".repeat(999)));
        assert!(matches(&pattern, &"a".repeat(1000)));
        assert!(!matches(&pattern, &("a".repeat(5000) + "b")));
    }

    proptest! {
        #[test]
        fn agrees_with_the_table(pattern in "[ab*?éè]{0,8}|[ab]?\\*[ab?é]{1,5}\\*?[ab?é]{0,3}", text in "[abéè]{0,20}") {
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
            prop_assert_eq!(matches_stream(&program[..], 0, program.len(), text.as_str(), |a, b| a == b), expected);
        }
    }
}
