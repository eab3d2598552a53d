//! A line of input: objects taken apart into the source text of their fields.
//!
//! Nothing is copied: a field is the piece of the line that holds it, so that whatever is
//! wrong in it can be told with its column. Unknown fields are passed over, as other
//! tools' lines have more than is needed here, unless one looks like a known one misspelt.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

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

/// A piece of a line: its text, and where in the line it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// The JSON text, without white space around it.
    pub(super) text: &'a str,
    /// The byte of the line where it starts.
    pub(super) at: usize,
}

impl<'a> Piece<'a> {
    /// Returns a whole line.
    pub(super) const fn line(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the fields of an object by name; `None` for those it does not have.
    pub(super) fn fields<const N: usize>(
        self,
        names: &'static [&'static str; N],
        path: &str,
    ) -> Result<[Option<Self>; N], LineError> {
        let found = self.read(Fields(names), path)?;
        Ok(found.map(|field| field.map(|raw| self.inner(raw))))
    }

    /// Returns the entries of an object in order, equal names and all.
    pub(super) fn entries(self, path: &str) -> Result<Vec<(String, Self)>, LineError> {
        let entries = self.read(Entries, path)?;
        Ok(entries
            .into_iter()
            .map(|(key, raw)| (key, self.inner(raw)))
            .collect())
    }

    /// Returns the items of an array.
    pub(super) fn items(self, path: &str) -> Result<Vec<Self>, LineError> {
        let items: Vec<&'a RawValue> =
            serde_json::from_str(self.text).map_err(|error| self.error_of(&error, path))?;
        Ok(items.into_iter().map(|raw| self.inner(raw)).collect())
    }

    /// Returns an error about the piece.
    pub(super) fn error(self, message: impl Into<String>, path: impl Into<String>) -> LineError {
        LineError {
            message: message.into(),
            at: self.at,
            path: path.into(),
        }
    }

    /// Returns an error of the JSON parser about the piece.
    pub(super) fn error_of(self, error: &serde_json::Error, path: &str) -> LineError {
        let full = error.to_string();
        // The parser's own position is relative to the piece.
        let message = match full.rfind(" at line ") {
            Some(end) => full.get(..end).unwrap_or(&full),
            None => &full,
        };
        LineError {
            message: message.to_owned(),
            at: self.at + error.column().saturating_sub(1),
            path: path.to_owned(),
        }
    }

    fn read<S: DeserializeSeed<'a>>(self, seed: S, path: &str) -> Result<S::Value, LineError> {
        let mut json = serde_json::Deserializer::from_str(self.text);
        seed.deserialize(&mut json)
            .and_then(|value| json.end().map(|()| value))
            .map_err(|error| self.error_of(&error, path))
    }

    /// Returns a piece of this piece.
    fn inner(self, raw: &'a RawValue) -> Self {
        let text = raw.get();
        let offset = text.as_ptr().addr() - self.text.as_ptr().addr();
        Self {
            text,
            at: self.at + offset,
        }
    }
}

/// Reads an object into the source text of its fields.
struct Fields<const N: usize>(&'static [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Fields<N> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Fields<N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", quoted(self.0))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(index) = map.next_key_seed(Name(self.0))? {
            match index.and_then(|index| found.get_mut(index)) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(field @ None) => *field = Some(map.next_value::<&RawValue>()?),
                Some(Some(_)) => {
                    let name = index.and_then(|index| self.0.get(index));
                    return Err(A::Error::custom(format!(
                        "`{}` is given twice",
                        name.unwrap_or(&"")
                    )));
                }
            }
        }
        Ok(found)
    }
}

/// Reads a field's name into its index.
struct Name<const N: usize>(&'static [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Name<N> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for Name<N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: Error>(self, written: &str) -> Result<Self::Value, E> {
        if let Some(index) = self.0.iter().position(|name| *name == written) {
            return Ok(Some(index));
        }
        match self.0.iter().find(|name| is_misspelt(written, name)) {
            Some(name) => Err(E::custom(format!(
                "there is no field `{written}`; write `{name}`"
            ))),
            None => Ok(None),
        }
    }
}

/// Reads an object into its entries.
struct Entries;

impl<'de> DeserializeSeed<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with condition keys and their values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// Returns whether `written` can hardly be anything but `name` with a slip.
fn is_misspelt(written: &str, name: &str) -> bool {
    if written.eq_ignore_ascii_case(name) {
        return true;
    }
    // Short names have too many neighbours; long inputs are no slip, and cost time.
    if name.len() < 4 || written.len().abs_diff(name.len()) > 1 {
        return false;
    }
    let slips = if written.len() == name.len() { 2 } else { 1 };
    strsim::damerau_levenshtein(&written.to_ascii_lowercase(), name) <= slips
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["id", "context", "principal"];

    #[test]
    fn fields_are_pieces_of_the_line() {
        let text = r#" {"x": 1, "context" : {"a": [1, "é"]} , "id":"é"} "#;
        let line = Piece::line(text);
        let [id, context, principal] = line.fields(&NAMES, "").unwrap();
        assert!(principal.is_none());
        for (piece, expected) in [(id, "\"é\""), (context, r#"{"a": [1, "é"]}"#)] {
            let piece = piece.unwrap();
            assert_eq!(piece.text, expected);
            assert!(text[piece.at..].starts_with(expected));
        }
        let entries = context.unwrap().entries("context").unwrap();
        let items = entries[0].1.items("context.a").unwrap();
        assert!(text[items[1].at..].starts_with("\"é\"]"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, message, at) in [
            ("{", "EOF while parsing an object", 0),
            (
                "[1]",
                "invalid type: sequence, expected an object with `id`, `context`, `principal`",
                0,
            ),
            (r#"{"id":1,"id":2}"#, "`id` is given twice", 11),
            (
                r#"{"contxt":{}}"#,
                "there is no field `contxt`; write `context`",
                8,
            ),
            (
                r#"{"Principal":null}"#,
                "there is no field `Principal`; write `principal`",
                11,
            ),
            (r#"{} {}"#, "trailing characters", 3),
        ] {
            let error = Piece::line(text).fields(&NAMES, "").unwrap_err();
            assert_eq!((error.message.as_str(), error.at), (message, at), "{text}");
        }
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
