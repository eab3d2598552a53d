//! A line of the common log format and its kin, into a record.
//!
//! ```text
//! 203.0.113.7 - alice [10/Oct/2025:13:55:36 +0000] "GET /pets?x=1 HTTP/1.1" 200 2326 "-" "curl/8.5"
//! client      caller user      time                 request              status bytes referer agent
//! ```
//!
//! API Gateway's CLF ends in ids instead of referer and agent. In quoted fields nginx writes
//! `\"`, `\\` and `\xHH` for what would not stand for itself.

use std::borrow::Cow;

use crate::replay::record::{Record, Slot, Unreadable};

/// Reads a line; `has_agent` is whether it is of the combined form.
pub(crate) fn read<'a>(
    line: &'a str,
    has_agent: bool,
    record: &mut Record<'a>,
) -> Result<(), Unreadable> {
    let mut parts = line.splitn(4, ' ');
    let mut next = || parts.next().ok_or("the line ends before the time");
    let (client, caller, user, rest) = (next()?, next()?, next()?, next()?);
    // A user may have spaces: the time is what starts with a bracket and ends before a quote.
    let start = if rest.starts_with('[') {
        0
    } else {
        rest.find(" [").ok_or("there is no time in brackets")? + 1
    };
    let rest = rest.get(start + 1..).unwrap_or_default();
    let (time, rest) = rest
        .split_once("] \"")
        .ok_or("there is no time in brackets with a quoted request behind it")?;
    let (request, rest) = quoted(rest).ok_or("the quoted request does not end")?;
    record.set(Slot::SourceIp, 1, Cow::Borrowed(client));
    record.set(Slot::Time, 1, Cow::Borrowed(time));
    record.set(Slot::RequestLine, 1, request);
    for text in [caller, user] {
        if text.starts_with("arn:") {
            record.set(Slot::Principal, 1, Cow::Borrowed(text));
        }
    }
    if has_agent {
        let (_, rest) = rest
            .split_once('"')
            .ok_or("there is no quoted referer behind the request")?;
        let (_, rest) = quoted(rest).ok_or("the quoted referer does not end")?;
        let rest = rest
            .strip_prefix(" \"")
            .ok_or("there is no quoted user agent behind the referer")?;
        let (agent, _) = quoted(rest).ok_or("the quoted user agent does not end")?;
        record.set(Slot::UserAgent, 1, agent);
    }
    Ok(())
}

/// Returns the text up to the closing quote, unescaped, and what is behind it.
pub(crate) fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            break;
        }
        at += 2;
    }
    let (inner, rest) = (text.get(..at)?, text.get(at + 1..)?);
    if !inner.contains('\\') {
        return Some((Cow::Borrowed(inner), rest));
    }
    Some((Cow::Owned(unescaped(inner)), rest))
}

/// Returns a text with its `\xHH`, `\"` and `\\` resolved; other backslashes stay.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        match (first, others) {
            (b'\\', [quote @ (b'"' | b'\\'), behind @ ..]) => {
                bytes.push(*quote);
                rest = behind;
            }
            (b'\\', [b'x', high, low, behind @ ..]) => match byte(*high, *low) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = behind;
                }
                None => bytes.push(b'\\'),
            },
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the byte of two hexadecimal digits.
pub(crate) fn byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_in_quotes() {
        for (text, expected, behind) in [
            (r#"a" b"#, "a", " b"),
            (r#"a\"b\\" "#, r#"a"b\"#, " "),
            (r#"\x22\xc3\xA9\x4" "#, "\"é\\x4", " "),
            (r#"\xff""#, "\u{fffd}", ""),
        ] {
            assert_eq!(quoted(text), Some((expected.into(), behind)), "{text}");
        }
        for open in ["", "abc", r#"abc\""#, "\\"] {
            assert_eq!(quoted(open), None, "{open}");
        }
    }
}
