//! The text a policy was read from: unescaping, and positions in what was given.
//!
//! A policy may come as a JSON document, or as a JSON string that holds one, which is how
//! tools print a stored policy; stored policies are escaped a second time (`\\\"`, `\\/`).
//! Tutorials show the inside of such a string without its quotes (`{\"Version\": …`); that
//! loads too. Everything that is reported is in terms of the text as given.
//!
//! ```text
//! given    "{\"Version\": …"      breakpoints (decoded, given): (0, 1) (2, 4) (10, 13) …
//! decoded  {"Version": …          between two breakpoints both run in step
//! ```

use core::ops::Range;
use std::sync::OnceLock;

use hifijson::{Read as _, SliceLexer, escape::Lex as _};

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

/// What some editors put before a text; it counts as no column.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A policy's text, as given and as JSON.
#[derive(Debug)]
pub(super) struct Source {
    given: Box<str>,
    /// One for each time the text was escaped, the outermost first.
    layers: Vec<Layer>,
    lines: OnceLock<Lines>,
}

impl Source {
    /// Unescapes `given` as often as it is escaped.
    ///
    /// The text must be shorter than 4 GiB.
    pub(super) fn new(given: &str) -> Result<Self, EscapeFault> {
        let mut source = Self {
            given: given.into(),
            layers: Vec::new(),
            lines: OnceLock::new(),
        };
        let mut layers = LAYERS;
        if let Some(text) = given.strip_prefix(BYTE_ORDER_MARK) {
            let mark = to_u32(BYTE_ORDER_MARK.len_utf8()).unwrap_or_default();
            source.layers.push(Layer {
                text: text.into(),
                breakpoints: vec![(0, mark)],
            });
            layers += 1;
        }
        while let Some(escaped) = Escaped::find(source.text()) {
            if source.layers.len() == layers {
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
        self.layers.last().map_or(&self.given, |layer| &layer.text)
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
        self.lines
            .get_or_init(|| Lines::new(&self.given))
            .position(&self.given, offset)
    }

    fn given_offset(&self, offset: u32) -> usize {
        let through = |offset, layer: &Layer| layer.outer_offset(offset);
        self.layers.iter().rev().fold(offset, through).as_usize()
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
    /// (offset in `text`, offset in the escaped text), ascending; the first is for offset 0.
    breakpoints: Vec<(u32, u32)>,
}

impl Layer {
    fn outer_offset(&self, offset: u32) -> u32 {
        let after = self
            .breakpoints
            .partition_point(|&(inner, _)| inner <= offset);
        let before = after.checked_sub(1).and_then(|at| self.breakpoints.get(at));
        before.map_or(offset, |&(inner, outer)| outer + (offset - inner))
    }
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
        let inside = rest.strip_prefix(['{', '['])?.trim_start();
        let bare = inside.starts_with('\\');
        bare.then_some(Self {
            text,
            start,
            quoted: false,
        })
    }

    fn decode(&self) -> Result<Layer, EscapeFault> {
        let length = self.text.len();
        let mut decoded = String::with_capacity(length);
        let mut breakpoints = Vec::new();
        let mut rest = self.text.get(self.start..).unwrap_or_default();
        let here = |rest: &str| length - rest.len();
        let fault = |offset, what| EscapeFault { offset, what };
        let mark = |decoded: &String, rest: &str| {
            Some((to_u32(decoded.len())?, to_u32(length - rest.len())?))
        };
        loop {
            breakpoints.extend(mark(&decoded, rest));
            // Line breaks are not legal in a JSON string, but are harmless in a pasted one.
            let plain = rest.find(['"', '\\']).unwrap_or(rest.len());
            let (run, behind) = rest.split_at_checked(plain).unwrap_or((rest, ""));
            decoded.push_str(run);
            match behind.as_bytes().first() {
                None if self.quoted => {
                    return Err(fault(length, "is a JSON string without its closing quote"));
                }
                None => break,
                Some(b'"') if self.quoted => {
                    let behind = behind.get(1..).unwrap_or_default();
                    if !behind.trim().is_empty() {
                        return Err(fault(
                            here(behind),
                            "has text behind the JSON string that holds the document",
                        ));
                    }
                    break;
                }
                Some(b'"') => {
                    return Err(fault(here(behind), "is escaped in part: this quote is not"));
                }
                _ => {}
            }
            let mut lexer = SliceLexer::new(behind.as_bytes());
            let (_backslash, kind) = (lexer.take_next(), lexer.take_next());
            let Some(Ok(character)) = kind.map(|kind| lexer.escape(kind)) else {
                return Err(fault(here(behind), "has an escape that JSON does not know"));
            };
            decoded.push(character);
            rest = behind
                .get(behind.len() - lexer.as_slice().len()..)
                .unwrap_or_default();
        }
        Ok(Layer {
            text: decoded.into(),
            breakpoints,
        })
    }
}

/// Returns the position of an offset of a text.
pub(super) fn position_in(text: &str, offset: usize) -> Position {
    Lines::new(text).position(text, offset)
}

/// Where lines start, and how many characters there are before each block.
#[derive(Debug)]
struct Lines {
    starts: Vec<u32>,
    /// The characters before each block of [`BLOCK`] bytes; empty where all of them are bytes.
    blocks: Vec<u32>,
}

const BLOCK: usize = 1024;

impl Lines {
    fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let starts = breaks.filter_map(|(at, _)| to_u32(at + 1));
        let starts = core::iter::once(0).chain(starts).collect();
        let mut blocks = Vec::new();
        if !text.is_ascii() {
            let mut characters = 0;
            for block in text.as_bytes().chunks(BLOCK) {
                blocks.push(characters);
                characters += count(block);
            }
        }
        Self { starts, blocks }
    }

    fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let line = self
            .starts
            .partition_point(|start| start.as_usize() <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|at| self.starts.get(at))
            .copied()
            .unwrap_or_default();
        let before = |at: usize| match self.blocks.get(at / BLOCK) {
            Some(&before) => {
                let block = text.as_bytes().get(at - at % BLOCK..at).unwrap_or_default();
                before + count(block)
            }
            // ASCII, or the end of a text that fills its blocks.
            None if self.blocks.is_empty() => to_u32(at).unwrap_or(u32::MAX),
            None => count(text.as_bytes()),
        };
        let mark = u32::from(line == 1 && offset > 0 && text.starts_with(BYTE_ORDER_MARK));
        let column = before(offset).saturating_sub(before(start.as_usize()) + mark);
        Position {
            line: to_u32(line).unwrap_or(u32::MAX),
            column: column.saturating_add(1),
        }
    }
}

/// Counts the characters that start in `bytes`.
fn count(bytes: &[u8]) -> u32 {
    let starts = bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80);
    to_u32(starts.count()).unwrap_or(u32::MAX)
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
        for given in [
            document,
            once,
            twice,
            once.trim_matches('"'),
            twice.trim_matches('"'),
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
}
