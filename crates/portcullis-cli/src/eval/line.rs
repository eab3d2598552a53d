//! A line of input: objects taken apart into the source text of their fields.
//!
//! Nothing is copied: a field is the piece of the line that holds it, so that whatever is
//! wrong in it can be told with its column. Unknown fields of the line itself are passed
//! over, as other tools' lines have more than is needed here, unless one looks like a known
//! one misspelt. Those of a request are refused: each is a fact that would not be heard.

use std::borrow::Cow;

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::syntax;
use crate::terminal::{self, listed};

/// Why a line gets no decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineError {
    /// What is wrong, and what would be right.
    pub(super) message: String,
    /// The byte of the line that it is about.
    pub(super) at: usize,
    /// The element, such as `request.context`; empty for the line as a whole.
    pub(super) path: String,
}

/// What becomes of fields with other names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// They are passed over.
    Ignored,
    /// They are errors.
    Refused,
}

/// A piece of a line: its text, and where in the line it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// The JSON text, without white space around it.
    pub(super) text: &'a str,
    /// The byte of the line where it starts.
    pub(super) at: usize,
}

/// An entry of an object with names that are not fixed.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    /// The name.
    pub(super) key: Cow<'a, str>,
    /// Where the name stands; where it is escaped, its value.
    pub(super) key_piece: Piece<'a>,
    /// The value.
    pub(super) value: Piece<'a>,
}

impl<'a> Piece<'a> {
    /// Returns a whole line.
    pub(super) fn line(text: &'a str) -> Self {
        let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let start = text.bytes().position(|byte| is_text(&byte)).unwrap_or(0);
        let end = text.bytes().rposition(|byte| is_text(&byte));
        Self {
            text: text
                .get(start..end.map_or(0, |last| last + 1))
                .unwrap_or_default(),
            at: start,
        }
    }

    /// Returns the fields of an object by name; `None` for those it does not have.
    pub(super) fn fields<const N: usize>(
        self,
        names: &'static [&'static str; N],
        others: Others,
        path: &str,
    ) -> Result<[Option<Self>; N], LineError> {
        if !self.text.starts_with('{') {
            return Err(self.expected(&format!("an object with {}", listed(names)), path));
        }
        let Found { fields, odd } = self.read(Fields { names, others }, path)?;
        if let Some((key, value)) = odd {
            let place = self.key_piece(&key, value);
            return Err(place.error(odd_field(&key, names), path));
        }
        Ok(fields.map(|field| field.map(|raw| self.inner(raw))))
    }

    /// Returns the entries of an object in order, equal names and all.
    pub(super) fn entries(self, what: &str, path: &str) -> Result<Vec<Entry<'a>>, LineError> {
        if !self.text.starts_with('{') {
            return Err(self.expected(what, path));
        }
        let entries = self.read(Entries, path)?;
        Ok(entries
            .into_iter()
            .map(|(key, value)| Entry {
                key_piece: self.key_piece(&key, value),
                key,
                value: self.inner(value),
            })
            .collect())
    }

    /// Returns the items of an array.
    pub(super) fn items(self, what: &str, path: &str) -> Result<Vec<Self>, LineError> {
        if !self.text.starts_with('[') {
            return Err(self.expected(what, path));
        }
        let items: Vec<&'a RawValue> =
            serde_json::from_str(self.text).map_err(|error| self.unreadable(&error, path))?;
        Ok(items.into_iter().map(|raw| self.inner(raw)).collect())
    }

    /// Returns the text that the piece is; nearly all need no unescaping and are borrowed.
    pub(super) fn string(self, what: &str, path: &str) -> Result<Cow<'a, str>, LineError> {
        let inner = self
            .text
            .strip_prefix('"')
            .ok_or_else(|| self.expected(what, path))?
            .strip_suffix('"');
        match inner {
            Some(plain) if memchr::memchr(b'\\', plain.as_bytes()).is_none() => {
                Ok(Cow::Borrowed(plain))
            }
            _ => serde_json::from_str(self.text)
                .map(Cow::Owned)
                .map_err(|error| self.unreadable(&error, path)),
        }
    }

    /// Returns an error about the piece.
    pub(super) fn error(self, message: impl Into<String>, path: impl Into<String>) -> LineError {
        LineError {
            message: message.into(),
            at: self.at,
            path: path.into(),
        }
    }

    /// Returns the error that the piece is something else than `what`.
    pub(super) fn expected(self, what: &str, path: &str) -> LineError {
        if let Some(syntax::Fault { at, message }) = syntax::fault(self.text) {
            return LineError {
                message,
                at: self.at + at,
                path: path.to_owned(),
            };
        }
        let found = match self.text.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "a text",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        };
        self.error(format!("expected {what}, found {found}"), path)
    }

    /// Returns the error that the parser does not read the piece.
    fn unreadable(self, error: &serde_json::Error, path: &str) -> LineError {
        let fault = syntax::fault(self.text).unwrap_or_else(|| syntax::Fault {
            at: error.column().saturating_sub(1),
            message: "this cannot be read; write it as plain JSON".to_owned(),
        });
        LineError {
            message: fault.message,
            at: self.at + fault.at,
            path: path.to_owned(),
        }
    }

    fn read<S: DeserializeSeed<'a>>(self, seed: S, path: &str) -> Result<S::Value, LineError> {
        let mut json = serde_json::Deserializer::from_str(self.text);
        seed.deserialize(&mut json)
            .and_then(|value| json.end().map(|()| value))
            .map_err(|error| self.unreadable(&error, path))
    }

    /// Returns a piece of this piece.
    fn inner(self, raw: &'a RawValue) -> Self {
        self.part(raw.get())
    }

    /// Returns where a key stands, from its opening quote; where it is escaped, where its value does.
    fn key_piece(self, key: &Cow<'a, str>, value: &'a RawValue) -> Self {
        match key {
            Cow::Borrowed(key) => {
                let part = self.part(key);
                Self {
                    at: part.at.saturating_sub(1),
                    ..part
                }
            }
            Cow::Owned(_) => self.inner(value),
        }
    }

    fn part(self, text: &'a str) -> Self {
        let offset = text.as_ptr().addr() - self.text.as_ptr().addr();
        Self {
            text,
            at: self.at + offset,
        }
    }
}

/// Reads an object into the source text of its fields.
struct Fields<const N: usize> {
    names: &'static [&'static str; N],
    others: Others,
}

/// What an object has.
struct Found<'de, const N: usize> {
    fields: [Option<&'de RawValue>; N],
    /// The first key that is given again, misspelt or refused, and its value.
    odd: Option<(Cow<'de, str>, &'de RawValue)>,
}

impl<'de, const N: usize> DeserializeSeed<'de> for Fields<N> {
    type Value = Found<'de, N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Fields<N> {
    type Value = Found<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", listed(self.names))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = [None; N];
        let mut odd = None;
        while let Some(key) = map.next_key_seed(Key)? {
            let index = self.names.iter().position(|known| *known == key);
            match index.and_then(|index| fields.get_mut(index)) {
                Some(field @ None) => *field = Some(map.next_value::<&RawValue>()?),
                known => {
                    let value = map.next_value::<&RawValue>()?;
                    let passed_over = known.is_none()
                        && self.others == Others::Ignored
                        && misspelt(&key, self.names).is_none();
                    if odd.is_none() && !passed_over {
                        odd = Some((key, value));
                    }
                }
            }
        }
        Ok(Found { fields, odd })
    }
}

/// Reads a key, which is a part of the line unless it is escaped.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Reads an object into its entries.
struct Entries;

impl<'de> DeserializeSeed<'de> for Entries {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            entries.push((key, map.next_value()?));
        }
        Ok(entries)
    }
}

/// Says what is wrong with a field that is given again, misspelt or refused.
fn odd_field(written: &str, names: &[&'static str]) -> String {
    let shown = shown(written);
    if names.contains(&written) {
        return format!("`{shown}` is given twice; keep one of them");
    }
    match misspelt(written, names) {
        Some(name) => format!("there is no field `{shown}`; write `{name}`"),
        None => format!("there is no field `{shown}` here, only {}", listed(names)),
    }
}

/// Returns the name that was hardly meant by anything but a slip.
fn misspelt<'n>(written: &str, names: &[&'n str]) -> Option<&'n str> {
    names
        .iter()
        .copied()
        .find(|name| is_misspelt(written, name))
}

/// Returns a user's text as it stands in a message.
pub(super) fn shown(text: &str) -> String {
    terminal::shown(text, SHOWN)
}

/// Returns whether `written` can hardly be anything but `name` with a slip.
fn is_misspelt(written: &str, name: &str) -> bool {
    if written.eq_ignore_ascii_case(name) {
        return true;
    }
    if name == "policies" && written.eq_ignore_ascii_case("policy") {
        return true;
    }
    // Short names have too many neighbours; long inputs are no slip, and cost time.
    if name.len() < 4 || written.len().abs_diff(name.len()) > 1 {
        return false;
    }
    let slips = if written.len() == name.len() { 2 } else { 1 };
    strsim::damerau_levenshtein(&written.to_ascii_lowercase(), name) <= slips
}

/// Characters of a user's text in a message.
const SHOWN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["id", "context", "principal"];

    #[test]
    fn fields_are_pieces_of_the_line() {
        let text = r#" {"x": 1, "context" : {"a": [1, "é"]} , "id":"é"} "#;
        let line = Piece::line(text);
        let [id, context, principal] = line.fields(&NAMES, Others::Ignored, "").unwrap();
        assert!(principal.is_none());
        for (piece, expected) in [(id, "\"é\""), (context, r#"{"a": [1, "é"]}"#)] {
            let piece = piece.unwrap();
            assert_eq!(piece.text, expected);
            assert!(text[piece.at..].starts_with(expected));
        }
        let entries = context.unwrap().entries("an object", "context").unwrap();
        let items = entries[0].value.items("a list", "context.a").unwrap();
        assert!(text[items[1].at..].starts_with("\"é\"]"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, message, at) in [
            ("{", "the line ends inside of an object; is it whole?", 1),
            (
                " [1]",
                "expected an object with `id`, `context`, `principal`, found a list",
                1,
            ),
            (
                r#"{"id":1,"id":2}"#,
                "`id` is given twice; keep one of them",
                8,
            ),
            (
                r#"{"contxt":{}}"#,
                "there is no field `contxt`; write `context`",
                1,
            ),
            (
                r#"{"\u0050rincipal":null}"#,
                "there is no field `Principal`; write `principal`",
                18,
            ),
            (r#"{} {}"#, "there is text behind the value; remove it", 3),
            (
                r#"nonsense"#,
                "expected a value, found a bare word; put texts in double quotes",
                0,
            ),
        ] {
            let error = Piece::line(text)
                .fields(&NAMES, Others::Ignored, "")
                .unwrap_err();
            assert_eq!((error.message.as_str(), error.at), (message, at), "{text}");
        }
    }

    #[test]
    fn other_fields_are_passed_over_or_refused() {
        let line = Piece::line(r#"{"id":1,"ip":"x","note":2}"#);
        assert!(line.fields(&NAMES, Others::Ignored, "").is_ok());
        let error = line.fields(&NAMES, Others::Refused, "p").unwrap_err();
        let message = "there is no field `ip` here, only `id`, `context`, `principal`";
        assert_eq!((error.message.as_str(), error.at), (message, 8));
        let broken = Piece::line(r#"{"\ud800":1}"#);
        let error = broken.fields(&NAMES, Others::Ignored, "").unwrap_err();
        assert!(error.message.contains("surrogate"), "{}", error.message);
        assert_eq!(error.at, 2);
    }

    #[test]
    fn only_slips_are_misspelt() {
        for slip in ["contex", "contexts", "cotnext", "Context", "principle"] {
            assert!(NAMES.iter().any(|name| is_misspelt(slip, name)), "{slip}");
        }
        for other in [
            "resourceAccount",
            "ip",
            "i",
            "content-type",
            "contextual",
            "note",
        ] {
            assert!(
                !NAMES.iter().any(|name| is_misspelt(other, name)),
                "{other}"
            );
        }
    }
}
