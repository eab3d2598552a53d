//! The text a policy was read from: unescaping, and positions in what was given.
//!
//! A policy may come as a JSON document, or as a JSON string that holds one, which is how
//! tools print a stored policy; stored policies are escaped a second time (`\\\"`, `\\/`).
//! Tutorials show the inside of such a string without its quotes (`{\"Version\": …`); that
//! loads too. Everything that is reported is in terms of the text as given.
//!
//! ```text
//! {"Version": …}                   the document
//! "{\"Version\": …}"               a string of it
//! {\"Version\": …}                 the inside of that string
//! "{\\\"Version\\\": …}"           a string of that
//! "\"{\\\"Version\\\": …}\""       a string of a string
//! ```
//!
//! A place in the document is found in the text as given without a table of every escape
//! and every line: a checkpoint every [`BLOCK`] bytes says what came before, and a look-up
//! scans from there. So the tables stay a twentieth of the text whatever the text is like.

use core::ops::Range;
use std::sync::OnceLock;

use hifijson::{Read as _, SliceLexer, Write as _, escape::Lex as _};

use crate::decision::Position;
use crate::util::int::{AsUsize, to_u32};

/// A byte range of the JSON text, after unescaping a document that came as a JSON string.
///
/// [`super::Policy::source_range`] and [`super::Policy::position`] give the place in the text as given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// How often a document may be escaped.
const LAYERS: usize = 2;

/// Bytes between two checkpoints.
///
/// PERF: at 256 the position of one of a million values takes 25 to 90 ns; at 512, 50 to 200.
const BLOCK: usize = 256;

/// What some editors put before a text; it counts as no column.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A policy's text, as given and as JSON.
#[derive(Debug)]
pub(super) struct Source {
    given: Box<str>,
    /// The length of the byte order mark, which is not part of the text.
    mark: u32,
    /// One for each time the text was escaped, the outermost first.
    layers: Vec<Layer>,
    lines: OnceLock<Lines>,
}

impl Source {
    /// Unescapes `given` as often as it is escaped.
    ///
    /// The text must be shorter than 4 GiB.
    pub(super) fn new(given: &str) -> Result<Self, EscapeFault> {
        let mark = if given.starts_with(BYTE_ORDER_MARK) {
            to_u32(BYTE_ORDER_MARK.len_utf8()).unwrap_or_default()
        } else {
            0
        };
        let mut source = Self {
            given: given.into(),
            mark,
            layers: Vec::new(),
            lines: OnceLock::new(),
        };
        while let Some(escaped) = Escaped::find(source.text()) {
            if source.layers.len() == LAYERS {
                let offset = source.given_offset(0);
                return Err(EscapeFault {
                    offset,
                    what: "is escaped more than twice",
                });
            }
            let layer = escaped.decode().map_err(|fault| EscapeFault {
                offset: source.given_offset(to_u32(fault.offset).unwrap_or(u32::MAX)),
                what: fault.what,
            })?;
            source.layers.push(layer);
        }
        Ok(source)
    }

    /// Returns the JSON text; spans are ranges of it.
    pub(super) fn text(&self) -> &str {
        self.text_of(self.layers.len())
    }

    /// Returns the text as given.
    pub(super) fn given(&self) -> &str {
        &self.given
    }

    /// Returns a span's range in the text as given.
    pub(super) fn given_range(&self, span: Span) -> Range<usize> {
        self.given_offset(span.start)..self.given_offset(span.end)
    }

    /// Returns where an offset of the JSON text is in the text as given, as a position.
    pub(super) fn position(&self, offset: u32) -> Position {
        self.given_position(self.given_offset(offset))
    }

    /// Returns the position of an offset of the text as given.
    pub(super) fn given_position(&self, offset: usize) -> Position {
        self.lines().position(&self.given, offset)
    }

    /// Returns what finds the positions of many offsets, one after the other.
    pub(super) fn positions(&self) -> Positions<'_> {
        Positions {
            source: self,
            at: 0,
            passed: Passed::default(),
        }
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::new(&self.given))
    }

    /// Returns the text after `layers` layers are taken off.
    fn text_of(&self, layers: usize) -> &str {
        match layers.checked_sub(1).and_then(|at| self.layers.get(at)) {
            Some(layer) => &layer.text,
            None => self.given.get(self.mark.as_usize()..).unwrap_or_default(),
        }
    }

    fn given_offset(&self, offset: u32) -> usize {
        let mut offset = offset;
        for (outer, layer) in self.layers.iter().enumerate().rev() {
            offset = layer.outer_offset(self.text_of(outer), offset);
        }
        (offset + self.mark).as_usize().min(self.given.len())
    }
}

/// Why a text could not be unescaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EscapeFault {
    /// Where, in bytes of the text that was unescaped.
    pub(super) offset: usize,
    /// What is wrong, in the grammar of error messages.
    pub(super) what: &'static str,
}

/// A text without its escapes, and where its characters were.
#[derive(Debug)]
struct Layer {
    text: Box<str>,
    /// (offset in `text`, offset in the escaped text), ascending, none inside of an escape;
    /// the first is for offset 0.
    checkpoints: Vec<(u32, u32)>,
}

impl Layer {
    /// Returns the offset in `outer`, the escaped text, of an offset of the text.
    fn outer_offset(&self, outer: &str, offset: u32) -> u32 {
        let after = self
            .checkpoints
            .partition_point(|&(inner, _)| inner <= offset);
        let before = after.checked_sub(1).and_then(|at| self.checkpoints.get(at));
        let (mut inner, mut at) = before.map_or((0, 0), |&(inner, outer)| {
            (inner.as_usize(), outer.as_usize())
        });
        let offset = offset.as_usize();
        // INVARIANT: the next checkpoint is at most a block and an escape further on.
        let end = outer.len().min(at + BLOCK + LONGEST_ESCAPE);
        let mut lexer = SliceLexer::new(outer.as_bytes().get(at..end).unwrap_or_default());
        while inner < offset {
            let plain = skip_plain(&mut lexer);
            if inner + plain >= offset {
                at += offset - inner;
                break;
            }
            let left = lexer.as_slice().len();
            let Some(character) = escaped_character(&mut lexer) else {
                break;
            };
            inner += plain + character.len_utf8();
            at += plain + left - lexer.as_slice().len();
        }
        to_u32(at).unwrap_or(u32::MAX)
    }
}

/// Bytes of `\ud83d\ude00`.
const LONGEST_ESCAPE: usize = 12;

/// Passes everything before a quote or a backslash, and returns how much that was.
fn skip_plain(lexer: &mut SliceLexer<'_>) -> usize {
    let mut plain: &[u8] = &[];
    lexer.write_until(&mut plain, |byte| matches!(byte, b'"' | b'\\'));
    plain.len()
}

/// Reads an escape from its backslash on.
fn escaped_character(lexer: &mut SliceLexer<'_>) -> Option<char> {
    let (_backslash, kind) = (lexer.take_next(), lexer.take_next());
    lexer.escape(kind?).ok()
}

/// An escaped document.
struct Escaped<'t> {
    text: &'t str,
    /// Where the escaped characters start.
    start: usize,
    /// Whether they end with a quote and not with the text.
    quoted: bool,
}

impl<'t> Escaped<'t> {
    /// Returns `text` if it is a string, or the inside of one, that holds a document.
    fn find(text: &'t str) -> Option<Self> {
        let start = text.len() - text.trim_start().len();
        let rest = text.get(start..)?;
        if rest.starts_with('"') {
            return Some(Self {
                text,
                start: start + 1,
                quoted: true,
            });
        }
        let bare = rest.starts_with("\\\"")
            || rest
                .strip_prefix(['{', '['])
                .is_some_and(|inside| inside.trim_start().starts_with('\\'));
        bare.then_some(Self {
            text,
            start,
            quoted: false,
        })
    }

    fn decode(&self) -> Result<Layer, EscapeFault> {
        let length = self.text.len();
        let mut decoded = String::with_capacity(length);
        let mut checkpoints = Vec::with_capacity(length / BLOCK + 1);
        let mut due = self.start;
        let content = self.text.as_bytes().get(self.start..).unwrap_or_default();
        let mut lexer = SliceLexer::new(content);
        let here = |lexer: &SliceLexer<'_>| length - lexer.as_slice().len();
        let fault = |offset, what| EscapeFault { offset, what };
        loop {
            let start = here(&lexer);
            // Line breaks are not legal in a JSON string, but are harmless in a pasted one.
            let end = start + skip_plain(&mut lexer);
            while due <= end {
                // It may have come due inside of an escape.
                let at = due.max(start);
                let inner = decoded.len() + at - start;
                checkpoints.extend(to_u32(inner).zip(to_u32(at)));
                due = at + BLOCK;
            }
            decoded.push_str(self.text.get(start..end).unwrap_or_default());
            match lexer.peek_next() {
                None if self.quoted => {
                    return Err(fault(length, "is a JSON string without its closing quote"));
                }
                None => break,
                Some(b'"') if self.quoted => {
                    let behind = self.text.get(end + 1..).unwrap_or_default();
                    if !behind.trim().is_empty() {
                        return Err(fault(
                            end + 1,
                            "has text behind the JSON string that holds the document",
                        ));
                    }
                    break;
                }
                Some(b'"') => {
                    return Err(fault(end, "is escaped in part: this quote is not"));
                }
                Some(_) => {}
            }
            let Some(character) = escaped_character(&mut lexer) else {
                return Err(fault(end, "has an escape that JSON does not know"));
            };
            decoded.push(character);
        }
        Ok(Layer {
            text: decoded.into(),
            checkpoints,
        })
    }
}

/// Returns the position of an offset of a text.
pub(super) fn position_in(text: &str, offset: usize) -> Position {
    Lines::new(text).position(text, offset)
}

/// Finds positions in turn: quick where each is a little behind the one before.
#[derive(Debug)]
pub(crate) struct Positions<'s> {
    source: &'s Source,
    /// Where the last one was, in the text as given.
    at: usize,
    /// What stands before that.
    passed: Passed,
}

impl Positions<'_> {
    /// Returns where `span` starts in the text as given.
    ///
    /// PERF: in a list of prefixes the way from one to the next is a twentieth of a block.
    pub(crate) fn of(&mut self, span: Span) -> Position {
        let (text, lines) = (&self.source.given, self.source.lines());
        let offset = self.source.given_offset(span.start);
        let block = offset / BLOCK * BLOCK;
        if offset < self.at || self.at < block {
            (self.at, self.passed) = (block, lines.before(block));
        }
        let between = text.as_bytes().get(self.at..offset);
        self.passed
            .pass(between.unwrap_or_default(), lines.is_ascii);
        self.at = offset;
        self.passed.position(text, offset)
    }
}

/// What stands before each block of [`BLOCK`] bytes of a text.
#[derive(Debug)]
struct Lines {
    blocks: Vec<Passed>,
    /// Whether every byte of the text is a character.
    is_ascii: bool,
}

impl Lines {
    fn new(text: &str) -> Self {
        let mut blocks = Vec::with_capacity(text.len() / BLOCK + 1);
        let mut passed = Passed::default();
        let is_ascii = text.is_ascii();
        for bytes in text.as_bytes().chunks(BLOCK) {
            blocks.push(passed);
            passed.pass(bytes, is_ascii);
        }
        // For the end of a text that fills its last block.
        blocks.push(passed);
        Self { blocks, is_ascii }
    }

    /// Returns what stands before the block that `offset` is in.
    fn before(&self, offset: usize) -> Passed {
        self.blocks.get(offset / BLOCK).copied().unwrap_or_default()
    }

    fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let mut passed = self.before(offset);
        let bytes = text.as_bytes().get(offset / BLOCK * BLOCK..offset);
        passed.pass(bytes.unwrap_or_default(), self.is_ascii);
        passed.position(text, offset)
    }
}

/// What stands before a place of a text.
#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    line_feeds: u32,
    characters: u32,
    /// The characters up to and with the last line feed.
    characters_before_line: u32,
}

impl Passed {
    /// Goes on behind `bytes`, a character each if the text `is_ascii`.
    ///
    /// PERF: nearly all texts are, and then only line feeds are to be looked for.
    fn pass(&mut self, bytes: &[u8], is_ascii: bool) {
        let characters = |bytes: &[u8]| match is_ascii {
            // Texts are shorter than 4 GiB.
            true => to_u32(bytes.len()).unwrap_or(u32::MAX),
            false => characters(bytes),
        };
        if let Some(last) = memchr::memrchr(b'\n', bytes) {
            let lines = bytes.get(..=last).unwrap_or_default();
            self.characters_before_line = self.characters + characters(lines);
            self.line_feeds += line_feeds(lines);
        }
        self.characters += characters(bytes);
    }

    /// Returns the position of the place, which is at `offset` of `text`.
    fn position(&self, text: &str, offset: usize) -> Position {
        let column = self.characters - self.characters_before_line;
        let is_marked = self.line_feeds == 0 && offset > 0 && text.starts_with(BYTE_ORDER_MARK);
        Position {
            line: self.line_feeds.saturating_add(1),
            column: column
                .saturating_sub(u32::from(is_marked))
                .saturating_add(1),
        }
    }
}

fn line_feeds(bytes: &[u8]) -> u32 {
    count(bytes, |byte| byte == b'\n')
}

/// Counts the characters that start in `bytes`.
fn characters(bytes: &[u8]) -> u32 {
    count(bytes, |byte| byte & 0xc0 != 0x80)
}

fn count(bytes: &[u8], counts: impl Fn(u8) -> bool) -> u32 {
    // PERF: sums of bytes use every lane of a vector register; 128 of them cannot overflow.
    let few = |bytes: &[u8]| bytes.iter().map(|&byte| u8::from(counts(byte))).sum::<u8>();
    bytes.chunks(128).map(|bytes| u32::from(few(bytes))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_taken_as_it_stands() {
        let source = Source::new("{\n \"é\": 1}").unwrap();
        assert_eq!(source.text(), source.given());
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(
            source.position(7),
            Position { line: 2, column: 5 },
            "after é, which is two bytes"
        );
    }

    #[test]
    fn once_and_twice_escaped_and_without_quotes() {
        let document = r#"{"Resource":"execute-api:/*"}"#;
        let once = r#""{\"Resource\":\"execute-api:/*\"}""#;
        let twice = r#""{\\\"Resource\\\":\\\"execute-api:\\/*\\\"}""#;
        let string_of_string = serde_json::to_string(once).unwrap();
        for given in [
            document,
            once,
            twice,
            once.trim_matches('"'),
            twice.trim_matches('"'),
            &string_of_string,
            &string_of_string[1..string_of_string.len() - 1],
        ] {
            let source = Source::new(given).unwrap();
            assert_eq!(source.text(), document, "{given}");
            let star = u32::try_from(document.find('*').unwrap()).unwrap();
            let at = source.given_range(Span {
                start: star,
                end: star + 1,
            });
            assert_eq!(&given[at], "*");
            let name = source.given_range(Span { start: 1, end: 11 });
            assert!(given[name.clone()].contains("Resource") && given[name].ends_with('"'));
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        let source = Source::new("\u{feff}{}").unwrap();
        assert_eq!(
            (source.text(), source.position(0)),
            ("{}", Position { line: 1, column: 1 })
        );
        assert_eq!(source.given_range(Span { start: 0, end: 2 }), 3..5);
    }

    #[test]
    fn faults_of_escaped_texts_are_where_they_stand() {
        for (given, offset, what) in [
            (r#""{}"#, 3, "is a JSON string without its closing quote"),
            (
                r#""{}" x"#,
                4,
                "has text behind the JSON string that holds the document",
            ),
            (r#""{\x}""#, 2, "has an escape that JSON does not know"),
            (r#"{\"a":1}"#, 4, "is escaped in part: this quote is not"),
        ] {
            let fault = Source::new(given).unwrap_err();
            assert_eq!((fault.offset, fault.what), (offset, what), "{given}");
        }
        let thrice = serde_json::to_string(
            &serde_json::to_string(&serde_json::to_string("{}").unwrap()).unwrap(),
        );
        assert_eq!(
            Source::new(&thrice.unwrap()).unwrap_err().what,
            "is escaped more than twice"
        );
    }

    /// Against the characters of the text, escaped one by one.
    #[test]
    fn every_character_of_an_escaped_document_is_found() {
        let document = format!(
            "{{{}}}",
            "\"é\\/\n\u{1F600}plain text of some length\"".repeat(200)
        );
        let escape = |text: &str| {
            let mut escaped = String::new();
            let mut offsets = Vec::new();
            for character in text.chars() {
                offsets.push(escaped.len());
                match character {
                    '"' | '\\' | '/' => escaped.extend(['\\', character]),
                    '\n' => escaped.push_str("\\u000a"),
                    '\u{1F600}' => escaped.push_str("\\ud83d\\ude00"),
                    other => escaped.push(other),
                }
            }
            (escaped, offsets)
        };
        let (once, offsets) = escape(&document);
        let (twice, outer) = escape(&once);
        let outer: std::collections::HashMap<usize, usize> =
            once.char_indices().map(|(at, _)| at).zip(outer).collect();
        let quoted: &dyn Fn(usize) -> usize = &|at| at + 1;
        for (given, place) in [
            (format!("\"{once}\""), quoted),
            (once.clone(), &|at| at),
            (format!("\u{feff} \"{twice}\""), &|at| outer[&at] + 5),
            (twice.clone(), &|at| outer[&at]),
        ] {
            let source = Source::new(&given).unwrap();
            assert_eq!(source.text(), document);
            for ((at, character), &offset) in document.char_indices().zip(&offsets) {
                let at = u32::try_from(at).unwrap();
                let range = source.given_range(Span {
                    start: at,
                    end: at + 1,
                });
                assert_eq!(range.start, place(offset), "{character:?} at {at}");
            }
        }
    }

    #[test]
    fn line_breaks_over_blocks() {
        let text = "\n".repeat(700) + &"é\n".repeat(700);
        let source = Source::new(&text).unwrap();
        for (offset, _) in text.char_indices() {
            let before = &text[..offset];
            let line = 1 + before.matches('\n').count();
            let column = 1 + before.chars().rev().take_while(|&c| c != '\n').count();
            let position = source.given_position(offset);
            let found = (position.line.as_usize(), position.column.as_usize());
            assert_eq!(found, (line, column), "{offset}");
        }
    }

    #[test]
    fn columns_count_characters_over_blocks() {
        let text = format!("{}\n{}x", "é".repeat(1500), "aé".repeat(2000));
        let source = Source::new(&text).unwrap();
        for (offset, character) in text.char_indices() {
            let before = &text[..offset];
            let line = 1 + before.matches('\n').count();
            let column = 1 + before.chars().rev().take_while(|&c| c != '\n').count();
            let position = source.given_position(offset);
            assert_eq!(
                (position.line.as_usize(), position.column.as_usize()),
                (line, column),
                "{character}"
            );
        }
        assert_eq!(source.given_position(text.len()).column, 4002);
    }

    #[test]
    fn positions_in_any_order_are_those_of_each() {
        let text = format!("\u{feff}{}", "a\né, some text\n\n".repeat(150));
        let source = Source::new(&text).unwrap();
        let mut positions = source.positions();
        let end = to_u32(source.text().len()).unwrap();
        for step in [0, 1, 2, 7, 255, 256, 257, 1000] {
            let (mut at, mut seen) = (0, 0);
            while seen < 1500 {
                let span = Span { start: at, end: at };
                assert_eq!(positions.of(span), source.position(at), "{at} by {step}");
                (at, seen) = ((at + step) % (end + 1), seen + 1);
            }
        }
    }
}
