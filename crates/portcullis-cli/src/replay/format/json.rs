//! A line that is a JSON object, into a record.
//!
//! ```text
//! {"ip":"203.0.113.7","identity":{"userAgent":"curl"}}
//!   ip ──▶ SourceIp     identity.userAgent ──▶ UserAgent
//! ```
//!
//! The scanner takes nearly every line: no backslash and no control character in it, so that a
//! string ends at the next quote. Whatever else a line has (escapes, arrays) it leaves to
//! `serde_json`, which reads the line from its start. Both hand the same fields over in the
//! same order, and neither takes a line that is no JSON object; a property test holds that.
//!
//! Lines of one log have the same names in the same order, so what a name tells is looked up once:
//! where a line goes on as the first one did, up to the quote that opens a value, that is known.

use std::borrow::Cow;

use core::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::names::Names;
use crate::replay::record::{Record, Slot, Unreadable};

/// How the fields of the first line start, in its order; `None` where the value is no string.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order(Vec<Option<Expected>>);

/// How a field starts.
#[derive(Clone, Debug)]
struct Expected {
    /// Such as `"ip":"`.
    start: Box<str>,
    /// What the field tells, and how good its name is.
    told: Option<(Slot, u8)>,
}

/// Reads a line.
pub(crate) fn read<'a>(
    line: &'a str,
    names: &Names,
    order: &mut Order,
    record: &mut Record<'a>,
) -> Result<(), Unreadable> {
    if scan(line, names, order, record).is_some() {
        return Ok(());
    }
    *record = Record::default();
    parse(line, names, record)
}

/// Reads a line that has nothing unusual; `None` where it has, or is no JSON.
pub(crate) fn scan<'a>(
    line: &'a str,
    names: &Names,
    order: &mut Order,
    record: &mut Record<'a>,
) -> Option<()> {
    let bytes = line.as_bytes();
    // PERF: one pass without branches, which the compiler vectorises.
    let odd = bytes
        .iter()
        .fold(false, |odd, &byte| odd | (byte < b' ') | (byte == b'\\'));
    if odd {
        return None;
    }
    let mut scanner = Scanner {
        line,
        at: spaces(bytes, 0),
        names,
        order,
        path: String::new(),
    };
    scanner.object(record, 0, true)?;
    (spaces(bytes, scanner.at) == bytes.len()).then_some(())
}

struct Scanner<'a, 'n> {
    line: &'a str,
    at: usize,
    names: &'n Names,
    order: &'n mut Order,
    /// The names of the objects around, each with its dot.
    path: String,
}

impl<'a> Scanner<'a, '_> {
    /// Reads an object; `wanted` is whether any field of it may be.
    fn object(&mut self, record: &mut Record<'a>, depth: usize, wanted: bool) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        self.expect(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        for number in 0.. {
            self.peek()?;
            if depth == 0
                && let Some(told) = self.expected(number)
            {
                let value = self.rest()?;
                if let Some((slot, rank)) = told {
                    record.set(slot, rank, Cow::Borrowed(value));
                }
                match self.next()? {
                    b',' => continue,
                    b'}' => return Some(()),
                    _ => return None,
                }
            }
            let start = self.at;
            let key = self.string()?;
            self.expect(b':')?;
            let first = self.peek()?;
            if depth == 0 && self.order.0.len() == number && number < FIELDS {
                self.learn(start, key, first == b'"');
            }
            match first {
                b'"' => {
                    let value = self.string()?;
                    if wanted {
                        self.field(key, value, record);
                    }
                }
                b'{' => {
                    let length = self.path.len();
                    let mut inside = false;
                    if wanted {
                        self.path.push_str(key);
                        self.path.push('.');
                        inside = self.names.goes_into(&self.path);
                    }
                    self.object(record, depth + 1, inside)?;
                    self.path.truncate(length);
                }
                _ => {
                    let (value, is_number) = self.bare()?;
                    if wanted && is_number {
                        self.field(key, value, record);
                    }
                }
            }
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
        None
    }

    /// Goes into a string that the field of this number has as the first line did, and returns what it tells.
    #[inline]
    fn expected(&mut self, number: usize) -> Option<Option<(Slot, u8)>> {
        let expected = self.order.0.get(number)?.as_ref()?;
        let rest = self.line.as_bytes().get(self.at..)?;
        rest.starts_with(expected.start.as_bytes()).then(|| {
            self.at += expected.start.len();
            expected.told
        })
    }

    /// Keeps how a field starts, up to the next byte, which is the quote before its value if it is a string.
    fn learn(&mut self, start: usize, key: &str, is_string: bool) {
        let text = self.line.get(start..=self.at).filter(|_| is_string);
        let expected = text.map(|text| Expected {
            start: text.into(),
            told: find(self.names, &self.path, key),
        });
        self.order.0.push(expected);
    }

    /// Returns the next byte that is no space, and goes past it.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn field(&self, key: &str, value: &'a str, record: &mut Record<'a>) {
        if let Some((slot, rank)) = find(self.names, &self.path, key) {
            record.set(slot, rank, Cow::Borrowed(value));
        }
    }

    /// Returns the next byte that is no space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        self.at = spaces(self.line.as_bytes(), self.at);
        self.line.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Reads a string: there are no escapes.
    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        self.rest()
    }

    /// Reads the rest of a string, whose first quote is behind.
    #[inline]
    fn rest(&mut self) -> Option<&'a str> {
        let rest = self.line.as_bytes().get(self.at..)?;
        let length = memchr::memchr(b'"', rest)?;
        let text = self.line.get(self.at..self.at + length)?;
        self.at += length + 1;
        Some(text)
    }

    /// Reads a number or a word; only the number says anything.
    fn bare(&mut self) -> Option<(&'a str, bool)> {
        let rest = self.line.get(self.at..)?;
        let end = rest.bytes().position(|b| matches!(b, b',' | b'}' | b' '))?;
        let text = rest.get(..end)?;
        let is_number = is_number(text.as_bytes());
        if !is_number && !matches!(text, "true" | "false" | "null") {
            return None;
        }
        self.at += end;
        Some((text, is_number))
    }
}

#[inline]
fn spaces(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// Returns whether this is a number by JSON's grammar.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text.first() == Some(&b'0')) {
        return false;
    }
    let mut rest = text.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or_default();
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            _ => exponent,
        };
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

fn find(names: &Names, path: &str, key: &str) -> Option<(Slot, u8)> {
    if path.is_empty() {
        return names.find(key);
    }
    names.find(&format!("{path}{key}"))
}

/// Reads any line.
pub(crate) fn parse<'a>(
    line: &'a str,
    names: &Names,
    record: &mut Record<'a>,
) -> Result<(), Unreadable> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    deserializer
        .deserialize_map(Fields {
            names,
            path: "",
            record,
        })
        .and_then(|()| deserializer.end())
        .map_err(|error| {
            // The line is always the first of its text.
            let what = error
                .to_string()
                .replace(" at line 1 column ", " at column ");
            Cow::Owned(format!("no JSON object: {what}"))
        })
}

/// Takes the fields of an object, and of those in it that names go into.
struct Fields<'n, 'r, 'a> {
    names: &'n Names,
    path: &'n str,
    record: &'r mut Record<'a>,
}

impl<'a> Visitor<'a> for Fields<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        use serde::de::Error;
        while let Some(key) = map.next_key::<String>()? {
            let raw: &'a RawValue = map.next_value()?;
            let text = raw.get();
            match text.bytes().next() {
                Some(b'"') => {
                    if let Some((slot, rank)) = find(self.names, self.path, &key) {
                        let value: Text<'a> =
                            serde_json::from_str(text).map_err(M::Error::custom)?;
                        self.record.set(slot, rank, value.0);
                    }
                }
                Some(b'{') => {
                    let path = format!("{}{key}.", self.path);
                    if self.names.goes_into(&path) {
                        serde_json::Deserializer::from_str(text)
                            .deserialize_map(Fields {
                                names: self.names,
                                path: &path,
                                record: &mut *self.record,
                            })
                            .map_err(M::Error::custom)?;
                    }
                }
                Some(b'-' | b'0'..=b'9') => {
                    if let Some((slot, rank)) = find(self.names, self.path, &key) {
                        self.record.set(slot, rank, Cow::Borrowed(text));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A text, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Objects within objects that the scanner goes into.
const DEPTH: usize = 16;
/// Fields whose order is kept.
const FIELDS: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::super::names::APIGW;
    use super::*;

    fn names() -> Names {
        let given = [
            (Slot::Principal, "a.b".to_owned()),
            (Slot::Date, "n".to_owned()),
        ];
        Names::new(APIGW, true, &given)
    }

    /// Scans a line by itself, as one like it was before, and as another was.
    fn by_scan(line: &str) -> Option<Record<'_>> {
        let names = names();
        let (mut own, mut other) = (Order::default(), Order::default());
        let _ = scan(OTHER, &names, &mut other, &mut Record::default());
        let [alone, again, after] = [&mut own.clone(), &mut own, &mut other].map(|order| {
            let _ = scan(line, &names, order, &mut Record::default());
            let mut record = Record::default();
            scan(line, &names, order, &mut record).map(|()| record)
        });
        let mut first = Record::default();
        let first = scan(line, &names, &mut Order::default(), &mut first).map(|()| first);
        assert_eq!((&first, &first, &first), (&alone, &again, &after), "{line}");
        first
    }

    const OTHER: &str =
        r#"{"ip":"192.0.2.1","a":2, "n" : "1","b":{"a":1},"path":"/x","identity":"y"}"#;

    fn by_parser(line: &str) -> Option<Record<'_>> {
        let mut record = Record::default();
        parse(line, &names(), &mut record).ok().map(|()| record)
    }

    #[test]
    fn fields_are_found_in_objects_and_under_dotted_names() {
        for line in [
            r#"{"identity":{"sourceIp":"192.0.2.1","x":{"y":null}},"n":-1.5e3}"#,
            r#" { "identity.sourceIp" : "192.0.2.1" , "n" : -1.5e3 } "#,
            r#"{"$context.identity.sourceIp":"192.0.2.1","n":-1.5e3,"ip":"203.0.113.1"}"#,
        ] {
            let record = by_scan(line).unwrap();
            assert_eq!(record.field(Slot::SourceIp), Some("192.0.2.1"), "{line}");
            assert_eq!(record.field(Slot::Date), Some("-1.5e3"), "{line}");
            assert_eq!(Some(record), by_parser(line));
        }
    }

    #[test]
    fn a_number_that_no_type_holds_is_one() {
        let line = r#"{"n":-1e0000000006518296}"#;
        let record = by_scan(line).unwrap();
        assert_eq!(record.field(Slot::Date), Some("-1e0000000006518296"));
        assert_eq!(Some(record), by_parser(line));
    }

    #[test]
    fn escapes_and_arrays_are_the_parsers() {
        let line = r#"{"ip":"192.0.2\u002e1","userAgent":"a \"b\" \\","l":[{"ip":1}]}"#;
        assert_eq!(by_scan(line), None);
        let mut record = Record::default();
        read(line, &names(), &mut Order::default(), &mut record).unwrap();
        assert_eq!(record.field(Slot::SourceIp), Some("192.0.2.1"));
        assert_eq!(record.field(Slot::UserAgent), Some(r#"a "b" \"#));
    }

    #[test]
    fn what_is_no_object_is_refused_by_both() {
        for line in [
            "",
            "{",
            "[]",
            "null",
            "{}x",
            "{}{}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":+1}"#,
            r#"{"a":1e}"#,
            r#"{"a":nul}"#,
            r#"{"a":"b}"#,
            r#"{"a" "b"}"#,
            r#"{a:1}"#,
            r#"{"a":{"b":1}"#,
            r#"{"ip":"192.0.2.1"} ,"#,
        ] {
            assert_eq!(by_scan(line), None, "{line}");
            assert_eq!(by_parser(line), None, "{line}");
        }
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            (-1e9..1e9f64).prop_map(Json::from),
            "[ -~]{0,6}".prop_map(Json::from),
            "[a-z.0-9]{0,6}".prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        let key = prop_oneof![
            Just("ip".to_owned()),
            Just("identity".to_owned()),
            Just("sourceIp".to_owned()),
            Just("$context.identity.sourceIp".to_owned()),
            Just("a".to_owned()),
            Just("b".to_owned()),
            Just("n".to_owned()),
            Just("path".to_owned()),
            "[ -~]{0,4}",
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                4 => proptest::collection::vec((key.clone(), inner.clone()), 0..5)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
                1 => proptest::collection::vec(inner, 0..3).prop_map(Json::from),
            ]
        })
    }

    proptest! {
        #[test]
        fn scanner_and_parser_agree_on_json(json in json(), pretty in any::<bool>()) {
            let line = if pretty {
                serde_json::to_string_pretty(&json).unwrap().replace('\n', " ")
            } else {
                json.to_string()
            };
            let parsed = by_parser(&line);
            prop_assert_eq!(parsed.is_some(), json.is_object());
            if let Some(scanned) = by_scan(&line) {
                prop_assert_eq!(Some(&scanned), parsed.as_ref());
            }
            // What stands under one name alone is what the value has.
            if let (Some(record), Some(text)) = (&parsed, json.get("path").and_then(Json::as_str))
                && !text.is_empty() && text != "-"
            {
                prop_assert_eq!(record.field(Slot::StagedPath), Some(text));
            }
        }

        #[test]
        fn a_broken_line_is_broken_for_both(json in json(), cut in 0usize..80, byte in "[ -~]") {
            let mut line = json.to_string();
            let at = (0..=cut.min(line.len())).rev().find(|&at| line.is_char_boundary(at)).unwrap();
            line.insert_str(at, &byte);
            // Only a value needs a number that some type can hold; a line's text does not.
            let is_json = match serde_json::from_str::<Json>(&line) {
                Ok(json) => json.is_object(),
                Err(error) => error.to_string().contains("number out of range"),
            };
            if by_scan(&line).is_some() {
                prop_assert!(by_parser(&line).is_some(), "{}", line);
                prop_assert!(is_json, "{}", line);
            }
        }
    }
}
