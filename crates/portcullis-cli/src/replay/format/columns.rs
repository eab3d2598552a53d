//! Lines of columns that a header names: CloudFront's and CSV, into a record.
//!
//! ```text
//! #Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem …
//! 2025-12-04 ⇥ 21:02:31 ⇥ LAX1 ⇥ 392 ⇥ 192.0.2.100 ⇥ GET ⇥ d111111abcdef8.cloudfront.net ⇥ /index.html …
//! ```
//!
//! CloudFront percent-encodes its user agents. In CSV a field may stand in quotes, with `""`
//! for a quote; it may not go over the end of a line.

use std::borrow::Cow;

use super::clf::byte;
use super::names::Names;
use crate::replay::record::{Record, Slot, Unreadable};

/// What the columns of a log tell, from left to right.
pub(crate) type Columns = Vec<Option<(Slot, u8)>>;

/// Returns the columns of a `#Fields:` line; `None` where it is none.
pub(crate) fn cloudfront_header(line: &str) -> Option<Columns> {
    let names = line.strip_prefix("#Fields:")?;
    let slot = |name| {
        Some(match name {
            "c-ip" => Slot::SourceIp,
            "cs-method" => Slot::Method,
            "cs-uri-stem" => Slot::Path,
            "cs(User-Agent)" => Slot::UserAgent,
            "date" => Slot::Date,
            "time" => Slot::Time,
            _ => return None,
        })
    };
    Some(
        names
            .split_ascii_whitespace()
            .map(|name| slot(name).map(|slot| (slot, 1)))
            .collect(),
    )
}

/// Reads a line of CloudFront.
pub(crate) fn read_cloudfront<'a>(
    line: &'a str,
    columns: &Columns,
    record: &mut Record<'a>,
) -> Result<(), Unreadable> {
    let mut fields = line.split('\t');
    let mut count = 0;
    for (column, field) in columns.iter().zip(fields.by_ref()) {
        count += 1;
        match column {
            Some((Slot::UserAgent, rank)) => record.set(Slot::UserAgent, *rank, decoded(field)),
            Some((slot, rank)) => record.set(*slot, *rank, Cow::Borrowed(field)),
            None => {}
        }
    }
    counted(count + fields.count(), columns)
}

/// Returns the columns of a CSV header.
pub(crate) fn csv_header(line: &str, names: &Names) -> Option<Columns> {
    let mut columns = Vec::new();
    for field in Fields::new(line) {
        columns.push(names.find(field.ok()?.trim()));
    }
    columns.iter().any(Option::is_some).then_some(columns)
}

/// Reads a line of CSV.
pub(crate) fn read_csv<'a>(
    line: &'a str,
    columns: &Columns,
    record: &mut Record<'a>,
) -> Result<(), Unreadable> {
    let mut count = 0;
    let mut fields = Fields::new(line);
    for (column, field) in columns.iter().zip(fields.by_ref()) {
        let field = field?;
        count += 1;
        if let Some((slot, rank)) = column {
            record.set(*slot, *rank, field);
        }
    }
    counted(count + fields.count(), columns)
}

/// A line with too few columns was cut short, and in one with too many they are not where they should be.
fn counted(count: usize, columns: &Columns) -> Result<(), Unreadable> {
    if count == columns.len() {
        return Ok(());
    }
    Err(Cow::Owned(format!(
        "the line has {count} columns and the header {}",
        columns.len()
    )))
}

/// The fields of a line of CSV.
struct Fields<'a>(Option<&'a str>);

impl<'a> Fields<'a> {
    const fn new(line: &'a str) -> Self {
        Self(Some(line))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Cow<'a, str>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.take()?;
        let Some(mut inner) = rest.strip_prefix('"') else {
            let (field, behind) = match rest.split_once(',') {
                Some((field, behind)) => (field, Some(behind)),
                None => (rest, None),
            };
            self.0 = behind;
            return Some(Ok(Cow::Borrowed(field)));
        };
        let mut text: Cow<'a, str> = Cow::Borrowed("");
        loop {
            let Some((piece, behind)) = inner.split_once('"') else {
                return Some(Err("a quoted field does not end on its line".into()));
            };
            if text.is_empty() {
                text = Cow::Borrowed(piece);
            } else {
                text.to_mut().push_str(piece);
            }
            if let Some(behind) = behind.strip_prefix('"') {
                text.to_mut().push('"');
                inner = behind;
                continue;
            }
            self.0 = behind.strip_prefix(',');
            if self.0.is_none() && !behind.is_empty() {
                return Some(Err("there is text behind a quoted field".into()));
            }
            return Some(Ok(text));
        }
    }
}

/// Returns a text with its `%HH` resolved; what is no such thing stays.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        match (first, others) {
            (b'%', [high, low, behind @ ..]) if byte(*high, *low).is_some() => {
                bytes.extend(byte(*high, *low));
                rest = behind;
            }
            _ => bytes.push(*first),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_fields() {
        let fields = |line: &'static str| -> Vec<Result<Cow<'_, str>, Unreadable>> {
            Fields::new(line).collect()
        };
        let ok = |list: &[&'static str]| -> Vec<Result<Cow<'_, str>, Unreadable>> {
            list.iter().map(|&text| Ok(Cow::Borrowed(text))).collect()
        };
        assert_eq!(fields("a,,b"), ok(&["a", "", "b"]));
        assert_eq!(fields("a,"), ok(&["a", ""]));
        assert_eq!(fields(r#""a,b","","c""d""""#), ok(&["a,b", "", r#"c"d""#]));
        assert_eq!(fields(r#""""a""#), ok(&[r#""a"#]));
        assert!(fields(r#""a"#)[0].is_err());
        assert!(fields(r#""a"b,c"#)[0].is_err());
    }

    #[test]
    fn percent_encoded() {
        assert_eq!(decoded("Mozilla/5.0%20(X)%2"), "Mozilla/5.0 (X)%2");
        assert_eq!(decoded("100%zz"), "100%zz");
    }
}
