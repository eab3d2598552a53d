//! Text of a policy → the same text in canonical layout.
//!
//! Only the layout changes: white space, the order of elements that a policy has by name,
//! and how characters of strings are spelled. Every value stays as it is written: numbers
//! and truths without quotes, one value alone or in a list, bare addresses and host bits,
//! values that stand there twice. So the policy that is read from the result is equal, and
//! what a change of a document means is not hidden by how it is set.
//!
//! ```text
//! {"Statement":{"Effect":"Allow","Action":["a:B"],…}}
//! ──▶
//! {
//!   "Statement": {
//!     "Effect": "Allow",
//!     "Action": ["a:B"],
//!     …
//! ```
//!
//! - Elements stand in the order of the AWS documentation; condition operators, condition
//!   keys and types of principals stay in theirs, which decides what explanations name first.
//! - A list stays on its line if it fits in 80 characters; else each value has a line of
//!   its own, as do all members of objects, so that a line more or less in a comparison is
//!   a value more or less.
//! - A string has escapes for what JSON demands, and for characters that editors do not
//!   show or that turn the direction of writing; all others stand for themselves.
//!
//! INVARIANT: laying out what was laid out changes nothing.

use core::fmt::Write;
use core::net::IpAddr;

use super::error::is_unseen;
use super::json::{self, Items, Json, Members, Value};
use super::model::Policy;
use super::operator::{ConditionOperator, OperatorFamily};
use super::parse::{DOCUMENT, STATEMENT, cidr};

/// How a policy's text is laid out; see [`Policy::formatted_source`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    sorted_addresses: bool,
}

impl Layout {
    /// Sets whether the values of `IpAddress` and `NotIpAddress` are sorted; by default they
    /// stay in document order.
    ///
    /// IPv4 stands before IPv6, then the lower address first, then the shorter prefix. The
    /// order changes no decision; a policy with sorted lists is equal to the one before only
    /// if they were sorted.
    #[must_use]
    pub const fn with_sorted_addresses(mut self, sorted: bool) -> Self {
        self.sorted_addresses = sorted;
        self
    }
}

impl Policy {
    /// Returns the text that the policy was read from in canonical layout, with a line feed at
    /// its end.
    ///
    /// Reading it gives an equal policy (but for the order of addresses, if they are sorted),
    /// and laying that out changes nothing. Every value stays as it is written; an escaped
    /// document comes out plain. Short-hand that was expanded since the text was read is
    /// short-hand again: [`Self::to_json_pretty`] has the policy as it is now.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::Policy;
    /// use portcullis::policy::Layout;
    ///
    /// let policy = Policy::from_json(
    ///     r#"{"Statement": {"Resource": "*", "Action": ["a:B"], "Effect": "Allow",
    ///         "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.7", "2001:db8::/32"]}}}}"#,
    /// )?;
    /// assert_eq!(
    ///     policy.formatted_source(&Layout::default()),
    ///     r#"{
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": ["a:B"],
    ///     "Resource": "*",
    ///     "Condition": {
    ///       "IpAddress": {
    ///         "aws:SourceIp": ["203.0.113.7", "2001:db8::/32"]
    ///       }
    ///     }
    ///   }
    /// }
    /// "#
    /// );
    /// # Ok::<(), portcullis::ParseError>(())
    /// ```
    pub fn formatted_source(&self, layout: &Layout) -> String {
        formatted(self.source.text(), layout)
    }

    /// Returns the policy as it is in memory, in the layout of [`Self::formatted_source`].
    ///
    /// Values are in their normal form, as [`Self::to_json_compact`] has them: prefixes without
    /// host bits, texts in quotes, one value without a list.
    pub fn to_json_pretty(&self, layout: &Layout) -> String {
        formatted(&self.to_json_compact(), layout)
    }
}

fn formatted(text: &str, layout: &Layout) -> String {
    let Ok(tree) = json::read(text, usize::MAX, usize::MAX) else {
        // INVARIANT: the text was read before, with limits.
        return text.to_owned();
    };
    let mut writer = Writer {
        out: String::with_capacity(text.len() + text.len() / 2),
        line: 0,
        depth: 0,
        layout: *layout,
    };
    match tree.root().value() {
        Value::Object(document) => writer.document(document),
        _ => writer.value(tree.root()),
    }
    writer.out.push('\n');
    writer.out
}

struct Writer {
    out: String,
    /// Where the last line begins.
    line: usize,
    depth: usize,
    layout: Layout,
}

impl Writer {
    fn document(&mut self, members: Members<'_>) {
        self.members(members, &DOCUMENT, |writer, key, value| {
            match (key, value.value()) {
                ("Statement", Value::Array(statements)) => writer.statements(statements),
                ("Statement", Value::Object(statement)) => writer.statement(statement),
                _ => writer.value(value),
            }
        });
    }

    fn statements(&mut self, statements: Items<'_>) {
        self.open('[');
        for (index, statement) in statements.enumerate() {
            self.item(index);
            match statement.value() {
                Value::Object(members) => self.statement(members),
                _ => self.value(statement),
            }
        }
        self.close(']');
    }

    fn statement(&mut self, members: Members<'_>) {
        self.members(members, &STATEMENT, |writer, key, value| {
            match (key, value.value()) {
                ("Condition", Value::Object(operators)) => writer.conditions(operators),
                _ => writer.value(value),
            }
        });
    }

    fn conditions(&mut self, operators: Members<'_>) {
        self.members(operators, &[], |writer, operator, block| {
            let addresses = ConditionOperator::from_name(operator)
                .is_some_and(|operator| operator.operator.family() == OperatorFamily::Ip);
            match block.value() {
                Value::Object(keys) if addresses && writer.layout.sorted_addresses => {
                    writer.members(keys, &[], Self::addresses);
                }
                _ => writer.value(block),
            }
        });
    }

    /// Writes a list of addresses in their order.
    fn addresses(&mut self, _key: &str, list: Json<'_>) {
        let Value::Array(items) = list.value() else {
            return self.value(list);
        };
        let mut sorted: Vec<(_, Json<'_>)> = items
            .map(|item| {
                let prefix = match item.value() {
                    Value::String(text) => cidr::read(text).ok(),
                    _ => None,
                };
                let key = prefix.map(|prefix| match prefix.network() {
                    IpAddr::V4(ip) => (false, u128::from(ip.to_bits()), prefix.prefix_len()),
                    IpAddr::V6(ip) => (true, ip.to_bits(), prefix.prefix_len()),
                });
                (key, item)
            })
            .collect();
        // Stable: of equal prefixes the first stays the first.
        sorted.sort_by_key(|(key, _)| *key);
        self.list(sorted.into_iter().map(|(_, item)| item));
    }

    fn value(&mut self, json: Json<'_>) {
        match json.value() {
            Value::Null => self.out.push_str("null"),
            Value::Bool(raw) | Value::Number(raw) => self.out.push_str(raw),
            Value::String(text) => self.string(text),
            Value::Array(items) => self.list(items),
            Value::Object(members) => {
                self.members(members, &[], |writer, _, value| writer.value(value))
            }
        }
    }

    /// Writes a list on the line if it fits.
    fn list<'d>(&mut self, items: impl Iterator<Item = Json<'d>> + Clone) {
        let start = self.out.len();
        if self.on_the_line(items.clone()) {
            return;
        }
        self.out.truncate(start);
        self.open('[');
        for (index, item) in items.enumerate() {
            self.item(index);
            self.value(item);
        }
        self.close(']');
    }

    /// Writes a list on the line, or a part of it where it does not fit.
    fn on_the_line<'d>(&mut self, items: impl Iterator<Item = Json<'d>>) -> bool {
        self.out.push('[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            if let Value::Array(_) | Value::Object(_) = item.value() {
                return false;
            }
            self.value(item);
            // The bracket and a comma are still to come.
            if self.width() + 2 > WIDTH {
                return false;
            }
        }
        self.out.push(']');
        true
    }

    /// Returns how many characters the last line has.
    fn width(&self) -> usize {
        let line = self.out.get(self.line..).unwrap_or_default();
        // Counting characters takes time, and is only for lines that may fit.
        if line.len() > 4 * WIDTH {
            return line.len();
        }
        line.chars().count()
    }

    /// Writes an object; the keys that are in `order` come first, in that order.
    fn members<'d>(
        &mut self,
        members: Members<'d>,
        order: &[&str],
        mut write: impl FnMut(&mut Self, &str, Json<'d>),
    ) {
        if members.is_empty() {
            self.out.push_str("{}");
            return;
        }
        let mut ordered: Vec<(&str, Json<'d>)> =
            members.map(|(key, _, value)| (key, value)).collect();
        let rank = |key: &str| order.iter().position(|name| *name == key);
        ordered.sort_by_key(|(key, _)| rank(key).unwrap_or(order.len()));
        self.open('{');
        for (index, (key, value)) in ordered.into_iter().enumerate() {
            self.item(index);
            self.string(key);
            self.out.push_str(": ");
            write(self, key, value);
        }
        self.close('}');
    }

    fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.depth += 1;
    }

    fn close(&mut self, bracket: char) {
        self.depth -= 1;
        self.new_line();
        self.out.push(bracket);
    }

    fn item(&mut self, index: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.new_line();
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        self.line = self.out.len();
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        // PERF: nearly every text is plain, and a million of them are looked at.
        if text.bytes().all(is_plain) {
            self.out.push_str(text);
        } else {
            text.chars().for_each(|character| self.character(character));
        }
        self.out.push('"');
    }

    fn character(&mut self, character: char) {
        match character {
            '"' => self.out.push_str("\\\""),
            '\\' => self.out.push_str("\\\\"),
            '\n' => self.out.push_str("\\n"),
            '\r' => self.out.push_str("\\r"),
            '\t' => self.out.push_str("\\t"),
            _ if is_unseen(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a String does not fail.
                    let _ = write!(self.out, "\\u{unit:04x}");
                }
            }
            _ => self.out.push(character),
        }
    }
}

/// Returns whether a byte is a character that needs no escape.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

/// Characters of a line up to which a list stays on it.
const WIDTH: usize = 80;

#[cfg(test)]
mod tests;
