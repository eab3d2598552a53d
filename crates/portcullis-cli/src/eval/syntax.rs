//! What is wrong with a text that is no JSON, and where.
//!
//! Lines are read by a parser that is fast and knows only that something is wrong, about
//! here. When it fails, this reads the text once more, to say what a user can act upon and
//! to point at the very byte. Nothing is built, and nesting costs a byte a level.

use crate::terminal::visible;

/// The first thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The byte where it is.
    pub(super) at: usize,
    /// What is wrong, and what would be right.
    pub(super) message: String,
}

/// Returns what is wrong with `text`, or `None` where it is one JSON value.
pub(super) fn fault(text: &str) -> Option<Fault> {
    let reader = Reader {
        text,
        at: 0,
        open: Vec::new(),
    };
    reader.read().err()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The brackets that close what is open, the innermost last.
    open: Vec<u8>,
}

impl Reader<'_> {
    fn read(mut self) -> Result<(), Fault> {
        loop {
            self.skip_space();
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    let close = if bracket == b'{' { b'}' } else { b']' };
                    self.at += 1;
                    self.open.push(close);
                    self.skip_space();
                    if self.peek() != Some(close) {
                        if close == b'}' {
                            self.read_key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => self.read_text()?,
                Some(b'-' | b'0'..=b'9') => self.read_number()?,
                Some(b'a'..=b'z') => self.read_word()?,
                _ => return Err(self.unexpected("a value")),
            }
            // Behind a value: closing brackets, then a comma and the next value, or the end.
            loop {
                self.skip_space();
                match (self.open.last().copied(), self.peek()) {
                    (None, None) => return Ok(()),
                    (None, Some(_)) => {
                        return Err(self.fault("there is text behind the value; remove it"));
                    }
                    (Some(close), Some(found)) if found == close => {
                        self.at += 1;
                        self.open.pop();
                    }
                    (Some(close), Some(b',')) => {
                        self.at += 1;
                        if close == b'}' {
                            self.skip_space();
                            self.read_key()?;
                        }
                        break;
                    }
                    (Some(b'}'), _) => return Err(self.unexpected("`,` or `}`")),
                    (Some(_), _) => return Err(self.unexpected("`,` or `]`")),
                }
            }
        }
    }

    /// Reads a key and its colon.
    fn read_key(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        self.read_text()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:` behind the key"));
        }
        self.at += 1;
        Ok(())
    }

    fn read_text(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.read_escape()?,
                Some(0..=0x1f) => {
                    return Err(self.fault(
                        "a text has a control character in it; write it as an escape, such as `\\t`",
                    ));
                }
                Some(_) => self.at += 1,
                None => {
                    self.at = start;
                    return Err(self.fault("a text is not closed; add the closing quote"));
                }
            }
        }
    }

    fn read_escape(&mut self) -> Result<(), Fault> {
        const HALF: &str =
            "a text has half a surrogate pair; write both halves, or the character itself";
        match self.byte_at(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let unit = self.code_unit(self.at)?;
                let end = self.at + 6;
                match unit {
                    0xd800..=0xdbff => {
                        let low = self
                            .text
                            .get(end..)
                            .is_some_and(|rest| rest.starts_with("\\u"))
                            && matches!(self.code_unit(end)?, 0xdc00..=0xdfff);
                        if !low {
                            return Err(self.fault(HALF));
                        }
                        self.at = end + 6;
                    }
                    0xdc00..=0xdfff => return Err(self.fault(HALF)),
                    _ => self.at = end,
                }
            }
            _ => {
                return Err(self.fault(
                    "a text has an escape that JSON does not know; write `\\\\` for a backslash",
                ));
            }
        }
        Ok(())
    }

    /// Returns the number behind the `\u` at `start`.
    fn code_unit(&self, start: usize) -> Result<u32, Fault> {
        let digits = self.text.get(start + 2..start + 6);
        digits
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| Fault {
                at: start,
                message:
                    "a text has `\\u` without four hexadecimal digits; write such as `\\u00e9`"
                        .to_owned(),
            })
    }

    fn read_number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(
                    self.fault("numbers have no leading zeros; remove them, or write a text")
                );
            }
        } else {
            self.read_digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.read_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.read_digits()?;
        }
        Ok(())
    }

    fn read_digits(&mut self) -> Result<(), Fault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected("a digit"));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn read_word(&mut self) -> Result<(), Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|found: char| !found.is_ascii_alphanumeric());
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if !matches!(word, "null" | "true" | "false") {
            return Err(
                self.fault("expected a value, found a bare word; put texts in double quotes")
            );
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.byte_at(self.at)
    }

    fn byte_at(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Returns the fault that something else stands here than what is expected.
    fn unexpected(&self, expected: &str) -> Fault {
        let before = self.text.get(..self.at).unwrap_or_default();
        let behind_comma = before.trim_ascii_end().ends_with(',');
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(found) = rest.chars().next() else {
            return self.fault(match self.open.last() {
                Some(b'}') => "the line ends inside of an object; is it whole?",
                Some(_) => "the line ends inside of a list; is it whole?",
                None => "the line ends too soon; is it whole?",
            });
        };
        let help = match found {
            '}' | ']' if behind_comma => "; remove the comma before it",
            '}' | ']' if expected.starts_with("`,`") => "; a bracket is closed by its like",
            '\'' => "; texts take double quotes",
            '/' | '#' => "; JSON has no comments",
            '\u{feff}' => "; remove the byte order mark",
            'N' | 'T' | 'F' => "; `null`, `true` and `false` are lower case",
            '"' if expected.starts_with("`,`") => "; a comma is missing before it",
            _ => "",
        };
        let mut buffer = [0; 4];
        let found = visible(found.encode_utf8(&mut buffer));
        self.fault(format!("expected {expected}, found `{found}`{help}"))
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault {
            at: self.at,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_place_and_its_words() {
        for (text, at, message) in [
            ("", 0, "the line ends too soon; is it whole?"),
            ("{", 1, "the line ends inside of an object; is it whole?"),
            (
                r#"{"a":"#,
                5,
                "the line ends inside of an object; is it whole?",
            ),
            ("[1,", 3, "the line ends inside of a list; is it whole?"),
            (
                r#"{"a":1,}"#,
                7,
                "expected a key in double quotes, found `}`; remove the comma before it",
            ),
            (
                "[1, ]",
                4,
                "expected a value, found `]`; remove the comma before it",
            ),
            (
                "[1}",
                2,
                "expected `,` or `]`, found `}`; a bracket is closed by its like",
            ),
            (
                r#"{"a":1 "b":2}"#,
                7,
                "expected `,` or `}`, found `\"`; a comma is missing before it",
            ),
            (r#"{"a" 1}"#, 5, "expected `:` behind the key, found `1`"),
            ("{a:1}", 1, "expected a key in double quotes, found `a`"),
            (
                "['a']",
                1,
                "expected a value, found `'`; texts take double quotes",
            ),
            (
                "[nul]",
                1,
                "expected a value, found a bare word; put texts in double quotes",
            ),
            (
                "[True]",
                1,
                "expected a value, found `T`; `null`, `true` and `false` are lower case",
            ),
            (
                "\u{feff}{}",
                0,
                "expected a value, found `\\u{feff}`; remove the byte order mark",
            ),
            ("{} {}", 3, "there is text behind the value; remove it"),
            (
                "[01]",
                2,
                "numbers have no leading zeros; remove them, or write a text",
            ),
            ("[-]", 2, "expected a digit, found `]`"),
            ("[1.]", 3, "expected a digit, found `]`"),
            ("[1e+x]", 4, "expected a digit, found `x`"),
            ("[+1]", 1, "expected a value, found `+`"),
            (r#"["a]"#, 1, "a text is not closed; add the closing quote"),
            (
                "[\"\t\"]",
                2,
                "a text has a control character in it; write it as an escape, such as `\\t`",
            ),
            (
                r#"["\x"]"#,
                2,
                "a text has an escape that JSON does not know; write `\\\\` for a backslash",
            ),
            (
                r#"["\u00g0"]"#,
                2,
                "a text has `\\u` without four hexadecimal digits; write such as `\\u00e9`",
            ),
            (
                r#"["\ud800\u0041"]"#,
                2,
                "a text has half a surrogate pair; write both halves, or the character itself",
            ),
        ] {
            let found = fault(text).map(|fault| (fault.at, fault.message));
            assert_eq!(found, Some((at, message.to_owned())), "{text}");
        }
    }

    /// What the parser refuses has a fault, and what it reads has none.
    #[test]
    fn it_agrees_with_the_parser() {
        let good = r#" {"a":[1,-0.5e+3,[],{}],"b":{"é":"\ud83d\ude00\n"},"c":true,"d":null} "#;
        let refused = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_err();
        assert_eq!(fault(good), None);
        for cut in (0..good.len()).filter(|&cut| good.is_char_boundary(cut)) {
            let (before, rest) = good.split_at(cut);
            let mut behind = rest.chars();
            behind.next();
            for instead in ["", ",", "\"", "]", "}", "0", "e", "\\", ":", " "] {
                for text in [
                    format!("{before}{instead}"),
                    format!("{before}{instead}{rest}"),
                    format!("{before}{instead}{}", behind.as_str()),
                ] {
                    assert_eq!(fault(&text).is_some(), refused(&text), "{text}");
                }
            }
        }
        let deep = "[".repeat(100_000);
        assert_eq!(fault(&deep).map(|fault| fault.at), Some(deep.len()));
    }
}
