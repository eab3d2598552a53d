//! JSON text → tree, or the first thing that is wrong with it.
//!
//! The lexer is `hifijson`'s. There is no recursion: what the text must go on with is a value
//! ([`Due`]), and depth and number of nodes are limited.

use hifijson::escape::Error as EscapeError;
use hifijson::str::{Error as StringError, LexAlloc as _};
use hifijson::token::Lex as _;
use hifijson::{Read as _, SliceLexer, num::Lex as _};

use super::{Json, Kind, Node, Tree, Value};
use crate::policy::error::{Quoted, shorten, tame};
use crate::policy::source::{BYTE_ORDER_MARK, Span};
use crate::util::int::{AsUsize, to_u32};

/// What is wrong with a text that is no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::policy) struct SyntaxFault {
    /// Where, in bytes.
    pub(in crate::policy) offset: usize,
    /// What is wrong, in the grammar of error messages.
    pub(in crate::policy) what: String,
    /// What would be right.
    pub(in crate::policy) help: Option<&'static str>,
    /// The element that was being read, as `Statement[2].Effect`.
    pub(in crate::policy) path: String,
}

/// Reads a document of at most `depth` containers in one another and `limit` values and keys.
pub(in crate::policy) fn read(
    text: &str,
    depth: usize,
    limit: usize,
) -> Result<Tree<'_>, SyntaxFault> {
    let lexer = SliceLexer::new(text.as_bytes());
    let tree = Tree {
        text,
        // PERF: 20 MB of prefixes are 40 nodes a KiB; growing a vector of them takes 10 ms.
        nodes: Vec::with_capacity(limit.min(text.len() / 32)),
        unescaped: String::new(),
        ends: Vec::new(),
    };
    let mut reader = Reader {
        text,
        lexer,
        tree,
        depth,
        limit,
        open: Vec::new(),
    };
    let mut due = Due::Value;
    loop {
        let next = match due {
            Due::Value => reader.value(),
            Due::ItemOrEnd if reader.peek() == Some(b']') => Ok(reader.close()),
            Due::ItemOrEnd => Ok(Due::Value),
            Due::KeyOrEnd if reader.peek() == Some(b'}') => Ok(reader.close()),
            Due::KeyOrEnd | Due::Key => reader.key(),
            Due::Separator if reader.open.is_empty() => match reader.peek() {
                None => return Ok(reader.tree),
                Some(_) => Err(reader.fault("there is text behind the document", None)),
            },
            Due::Separator => reader.separator(),
        };
        due = next.map_err(|fault| SyntaxFault {
            path: reader.path(due),
            ..fault
        })?;
    }
}

/// Returns how many bytes there are before the first that is no plain text of a string: a quote, a
/// backslash or a control character.
///
/// PERF: eight bytes at once; one by one, looking at strings was a seventh of reading a document.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = ONES << 7;
    // Each sets the highest bit of the first byte that is zero, or less; perhaps of later ones too.
    let less = |word: u64, than: u64| word.wrapping_sub(ONES * than) & !word & HIGHEST;
    let equal = |word: u64, byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
    let mut rest = bytes;
    while let Some((chunk, behind)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*chunk);
        let stops = less(word, 0x20) | equal(word, b'"') | equal(word, b'\\');
        if stops != 0 {
            let at = (stops.trailing_zeros() / 8).as_usize();
            return bytes.len() - rest.len() + at;
        }
        rest = behind;
    }
    let stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    let left = rest.iter().position(stop).unwrap_or(rest.len());
    bytes.len() - rest.len() + left
}

/// What the text must go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Value,
    ItemOrEnd,
    KeyOrEnd,
    Key,
    Separator,
}

struct Reader<'t> {
    text: &'t str,
    lexer: SliceLexer<'t>,
    tree: Tree<'t>,
    depth: usize,
    limit: usize,
    /// The open containers: their nodes, and whether they are objects.
    open: Vec<(usize, bool)>,
}

impl Reader<'_> {
    fn offset(&self) -> usize {
        self.text.len() - self.lexer.as_slice().len()
    }

    /// Skips white space and looks at what follows.
    fn peek(&mut self) -> Option<u8> {
        self.lexer.ws_peek()
    }

    fn fault(&self, what: impl Into<String>, help: Option<&'static str>) -> SyntaxFault {
        SyntaxFault {
            offset: self.offset(),
            what: what.into(),
            help,
            path: String::new(),
        }
    }

    /// What is wrong where `expected` should stand.
    fn unexpected(&mut self, expected: &str) -> SyntaxFault {
        let next = self.peek();
        let rest = self.text.get(self.offset()..).unwrap_or_default();
        let found = rest.chars().next();
        let help = match next {
            _ if found == Some(BYTE_ORDER_MARK) => {
                Some("remove it: only the first of a text is skipped")
            }
            Some(b'/' | b'#') => Some("JSON has no comments: remove it"),
            Some(b'\'') => Some("strings take double quotes"),
            Some(b']' | b'}') if self.is_behind_comma() => Some("remove the comma before it"),
            Some(b'N' | b'T' | b'F') => Some("`null`, `true` and `false` are lower case"),
            None => Some("the document ends too soon: is it whole?"),
            _ => None,
        };
        let found = match found {
            Some(BYTE_ORDER_MARK) => "a byte order mark".to_owned(),
            Some(character) => Quoted(&character.to_string()).to_string(),
            None => "the end of the text".to_owned(),
        };
        self.fault(format!("expected {expected}, found {found}"), help)
    }

    fn is_behind_comma(&self) -> bool {
        let before = self.text.get(..self.offset()).unwrap_or_default();
        before.trim_end().ends_with(',')
    }

    /// Returns the path of what is being read.
    fn path(&self, due: Due) -> String {
        let mut path = String::new();
        for (depth, &(container, object)) in self.open.iter().enumerate() {
            let inner = self.open.get(depth + 1);
            let end = inner.map_or(self.tree.nodes.len(), |&(inner, _)| inner);
            let (mut count, mut last, mut at) = (0_usize, container, container + 1);
            while let Some(node) = self.tree.nodes.get(at).filter(|_| at < end) {
                (count, last) = (count + 1, at);
                at = match node.kind {
                    Kind::Array(behind) | Kind::Object(behind) => behind.as_usize().max(at + 1),
                    _ => at + 1,
                };
            }
            let key = Json {
                tree: &self.tree,
                at: last,
            };
            match key.value() {
                // An odd one is a key without its value.
                Value::String(key) if object && count % 2 == 1 => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(&shorten(key));
                }
                _ if !object && (inner.is_some() || due == Due::Value) => {
                    path.push_str(&format!("[{count}]"));
                }
                _ => {}
            }
        }
        tame(&path)
    }

    fn push(&mut self, start: usize, kind: Kind) -> Result<(), SyntaxFault> {
        if self.tree.nodes.len() >= self.limit {
            let what = format!("the document has more than {} values and keys", self.limit);
            let help = "raise the limit of values if it is meant";
            return Err(SyntaxFault {
                offset: start,
                ..self.fault(what, Some(help))
            });
        }
        // The caller refuses texts of 4 GiB, so offsets fit.
        let offset = |at| to_u32(at).unwrap_or(u32::MAX);
        let span = Span {
            start: offset(start),
            end: offset(self.offset()),
        };
        self.tree.nodes.push(Node { span, kind });
        Ok(())
    }

    fn value(&mut self) -> Result<Due, SyntaxFault> {
        let next = self.peek();
        let start = self.offset();
        match next {
            Some(bracket @ (b'[' | b'{')) => {
                if self.open.len() >= self.depth {
                    let what = format!("containers are nested more than {} deep", self.depth);
                    return Err(self.fault(what, Some("a policy needs no more than six")));
                }
                let object = bracket == b'{';
                self.open.push((self.tree.nodes.len(), object));
                self.lexer.take_next();
                self.push(
                    start,
                    if object {
                        Kind::Object(0)
                    } else {
                        Kind::Array(0)
                    },
                )?;
                return Ok(if object {
                    Due::KeyOrEnd
                } else {
                    Due::ItemOrEnd
                });
            }
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => {
                let number = self.lexer.num_ignore();
                if number.validate().is_err() {
                    let help = "numbers have no leading zeros, and a digit on each side of the dot";
                    return Err(self.fault("a number ends too soon", Some(help)));
                }
                self.push(start, Kind::Number)?;
            }
            Some(b'n' | b't' | b'f') => {
                let kind = match self.lexer.null_or_bool() {
                    Some(None) => Kind::Null,
                    Some(Some(_)) => Kind::Bool,
                    None => {
                        let what = "expected a value, found a bare word";
                        let help = Some("strings take double quotes");
                        return Err(SyntaxFault {
                            offset: start,
                            ..self.fault(what, help)
                        });
                    }
                };
                self.push(start, kind)?;
            }
            _ => return Err(self.unexpected("a value")),
        }
        Ok(Due::Separator)
    }

    fn string(&mut self) -> Result<(), SyntaxFault> {
        let start = self.offset();
        let inside = self.text.as_bytes().get(start + 1..).unwrap_or_default();
        if let Some([b'"', behind @ ..]) = inside.get(plain(inside)..) {
            self.lexer = SliceLexer::new(behind);
            return self.push(start, Kind::String);
        }
        // Something to unescape, or to refuse.
        self.lexer = SliceLexer::new(inside);
        match self.lexer.str_string() {
            Ok(text) => {
                self.tree.unescaped.push_str(&text);
                let index = to_u32(self.tree.ends.len()).unwrap_or(u32::MAX);
                let end = to_u32(self.tree.unescaped.len()).unwrap_or(u32::MAX);
                self.tree.ends.push(end);
                self.push(start, Kind::Unescaped(index))
            }
            Err(error) => Err(self.bad_string(start, error)),
        }
    }

    /// What is wrong with the string that starts at `start` and was read up to its fault.
    fn bad_string(&self, start: usize, error: StringError) -> SyntaxFault {
        // Behind the byte at fault; an unclosed string is best shown where it starts.
        let here = self.offset().saturating_sub(1).max(start);
        let (offset, what, help) = match error {
            StringError::Control => (
                here,
                "a string has a control character in it",
                "write it as an escape, such as `\\n`",
            ),
            StringError::Escape(EscapeError::InvalidKind(_)) => (
                here,
                "a string has an escape that JSON does not know",
                "write `\\\\` for a backslash",
            ),
            StringError::Escape(EscapeError::InvalidHex(_)) => (
                here,
                "a string has `\\u` without four hexadecimal digits",
                "write such as `\\u00e9`",
            ),
            StringError::Escape(EscapeError::Eof) | StringError::Eof => {
                (start, "a string is not closed", "add the closing quote")
            }
            StringError::Escape(
                EscapeError::InvalidChar(_) | EscapeError::ExpectedLowSurrogate,
            )
            | StringError::Utf8(_) => (
                here,
                "a string has half a surrogate pair",
                "write both halves, or the character itself",
            ),
        };
        SyntaxFault {
            offset,
            ..self.fault(what, Some(help))
        }
    }

    fn key(&mut self) -> Result<Due, SyntaxFault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        self.string()?;
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:` behind the key"));
        }
        self.lexer.take_next();
        Ok(Due::Value)
    }

    /// Reads what stands behind a value in a container.
    fn separator(&mut self) -> Result<Due, SyntaxFault> {
        let object = self.open.last().is_some_and(|&(_, object)| object);
        match (self.peek(), object) {
            (Some(b','), _) => {
                self.lexer.take_next();
                Ok(if object { Due::Key } else { Due::Value })
            }
            (Some(b'}'), true) | (Some(b']'), false) => Ok(self.close()),
            (_, true) => Err(self.expected_separator("`,` or `}`")),
            (_, false) => Err(self.expected_separator("`,` or `]`")),
        }
    }

    fn expected_separator(&mut self, expected: &str) -> SyntaxFault {
        let fault = self.unexpected(expected);
        let help = match self.peek() {
            Some(b']' | b'}') => Some("a bracket is closed by its like"),
            Some(b'"') => Some("a comma is missing before it"),
            _ => fault.help,
        };
        SyntaxFault { help, ..fault }
    }

    /// Closes the innermost container at the bracket that follows.
    fn close(&mut self) -> Due {
        self.lexer.take_next();
        let behind = to_u32(self.tree.nodes.len()).unwrap_or(u32::MAX);
        let end = to_u32(self.offset()).unwrap_or(u32::MAX);
        let container = self
            .open
            .pop()
            .and_then(|(at, _)| self.tree.nodes.get_mut(at));
        if let Some(node) = container {
            node.span.end = end;
            node.kind = match node.kind {
                Kind::Object(_) => Kind::Object(behind),
                _ => Kind::Array(behind),
            };
        }
        Due::Separator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (usize, String) {
        let fault = read(text, 64, 1000).unwrap_err();
        (fault.offset, fault.what)
    }

    #[test]
    fn values_keep_their_text_and_place() {
        let text = r#" {"a": [1.50, true], "\u0061": null, "a": {"b": "\u00e9"}} "#;
        let tree = read(text, 4, 100).unwrap();
        let Value::Object(members) = tree.root().value() else {
            panic!("an object")
        };
        let keys: Vec<&str> = members.map(|(key, _, _)| key).collect();
        assert_eq!(
            keys,
            ["a", "a", "a"],
            "duplicates are kept, escapes resolved"
        );
        let values: Vec<Json<'_>> = members.map(|(_, _, value)| value).collect();
        let Value::Array(items) = values[0].value() else {
            panic!("an array")
        };
        let items: Vec<String> = items.map(|item| format!("{:?}", item.value())).collect();
        assert_eq!(items, ["Number(\"1.50\")", "Bool(\"true\")"]);
        let Value::Object(mut inner) = values[2].value() else {
            panic!("an object")
        };
        let (_, span, value) = inner.next().unwrap();
        assert_eq!(&text[span.start.as_usize()..span.end.as_usize()], "\"b\"");
        assert!(matches!(value.value(), Value::String("é")));
        assert_eq!(
            &text[value.span().start.as_usize()..value.span().end.as_usize()],
            r#""\u00e9""#
        );
    }

    #[test]
    fn plain_text_ends_before_what_is_none() {
        for length in 0..20 {
            let text = "aé\u{7f}~!#[] z".repeat(2);
            let text = &text.as_bytes()[..length];
            assert_eq!(plain(text), length);
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = text.to_vec();
                    text[at] = byte;
                    // What stands behind does not count.
                    text.extend([b'"', 0]);
                    let stops = byte < 0x20 || [b'"', b'\\'].contains(&byte);
                    assert_eq!(plain(&text), if stops { at } else { length }, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn faults_by_place_and_text() {
        for (text, offset, what) in [
            ("", 0, "expected a value, found the end of the text"),
            (
                "{",
                1,
                "expected a key in double quotes, found the end of the text",
            ),
            ("[1,]", 3, "expected a value, found `]`"),
            (
                "{\"a\":1,}",
                7,
                "expected a key in double quotes, found `}`",
            ),
            ("{\"a\" 1}", 5, "expected `:` behind the key, found `1`"),
            ("[1 2]", 3, "expected `,` or `]`, found `2`"),
            ("[1}", 2, "expected `,` or `]`, found `}`"),
            ("{} x", 3, "there is text behind the document"),
            ("[\"a]", 1, "a string is not closed"),
            ("[01]", 2, "expected `,` or `]`, found `1`"),
            ("[-]", 2, "a number ends too soon"),
            ("[1.]", 3, "a number ends too soon"),
            ("[nul]", 1, "expected a value, found a bare word"),
            ("// x", 0, "expected a value, found `/`"),
            ("{'a':1}", 1, "expected a key in double quotes, found `'`"),
            ("é", 0, "expected a value, found `é`"),
            ("\u{feff}{}", 0, "expected a value, found a byte order mark"),
            (
                "{\u{feff}}",
                1,
                "expected a key in double quotes, found a byte order mark",
            ),
        ] {
            assert_eq!(fault(text), (offset, what.to_owned()), "{text}");
        }
    }

    #[test]
    fn faults_say_what_was_being_read() {
        for (text, path) in [
            ("", ""),
            ("[1, [2], {}, x]", "[3]"),
            ("[1 2]", ""),
            ("{\"a\": [{\"b\": {}, \"c\": tru}]}", "a[0].c"),
            ("{\"a\": [{\"b\": {}, \"c\"}]}", "a[0].c"),
            ("{\"a\": [{\"b\": {}, }]}", "a[0]"),
            ("{\"a\": [{\"b\": {} \"c\": 1}]}", "a[0]"),
            ("{\"\\u0061\\n\": [\"x", "a\\n[0]"),
        ] {
            assert_eq!(read(text, 64, 1000).unwrap_err().path, path, "{text}");
        }
    }

    #[test]
    fn only_a_comma_is_a_comma_too_many() {
        let help = |text| read(text, 64, 1000).unwrap_err().help;
        assert_eq!(help("{\"a\": 1,}"), Some("remove the comma before it"));
        assert_eq!(help("[1, ]"), Some("remove the comma before it"));
        assert_eq!(help("{\"a\": }"), None);
        assert_eq!(
            help("\u{feff}{}"),
            Some("remove it: only the first of a text is skipped")
        );
    }

    #[test]
    fn bad_strings() {
        for (text, offset, what) in [
            (r#"["\ud800"]"#, 7, "a string has half a surrogate pair"),
            (r#"["\ud800x"]"#, 7, "a string has half a surrogate pair"),
            (r#"["\udc00"]"#, 7, "a string has half a surrogate pair"),
            ("[\"a\nb\"]", 3, "a string has a control character in it"),
            (
                r#"["\x"]"#,
                3,
                "a string has an escape that JSON does not know",
            ),
            (
                r#"["\u12"]"#,
                6,
                "a string has `\\u` without four hexadecimal digits",
            ),
            (r#"["\"#, 1, "a string is not closed"),
        ] {
            assert_eq!(fault(text), (offset, what.to_owned()), "{text:?}");
        }
    }

    /// The lexer's own message quotes the byte at fault raw; found by the fuzzer.
    #[test]
    fn an_escaped_line_break_is_no_line_break_in_the_message() {
        assert!(!fault("[\"\\\n\"]").1.contains('\n'));
    }

    #[test]
    fn depth_and_size_are_limited() {
        assert!(read(&("[".repeat(64) + &"]".repeat(64)), 64, 1000).is_ok());
        let bomb = "[".repeat(1_000_000);
        assert_eq!(
            fault(&bomb),
            (64, "containers are nested more than 64 deep".to_owned())
        );
        let long = format!("[{}0]", "0,".repeat(1000));
        assert_eq!(
            fault(&long).1,
            "the document has more than 1000 values and keys"
        );
    }
}
