//! A text of the policy with the request's values in place of its variables.
//!
//! Nothing is joined: the text stays a row of pieces, and the matchers read it piece by
//! piece. A text without variables, which nearly all are, is one slice.

use super::context::{self, Text, Texts};
use crate::image::{Part, View};
use crate::pattern::glob::{self, Stream, Token};
use crate::request::Request;
use crate::util::extent::Extent;
use crate::util::limits::VARIABLE_LIMIT;

/// A text whose variables all have values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Template<'x> {
    /// No variables: bytes of a pattern or a text.
    Plain(&'x [u8]),
    /// With variables.
    Resolved(&'x Resolved<'x>),
}

/// The pieces of a text with variables.
#[derive(Debug)]
pub(super) struct Resolved<'x> {
    text: &'x [u8],
    parts: &'x [Part],
    /// The values of the variables, in order.
    values: [Text<'x>; VARIABLE_LIMIT],
}

impl<'x> Template<'x> {
    /// Asks `matches` about the text with these parts; false where a variable has no value.
    #[inline]
    pub(super) fn with(
        image: &'x View<'x>,
        request: &'x Request<'x>,
        parts: Extent,
        matches: impl FnOnce(&Template<'_>) -> bool,
    ) -> bool {
        match parts.of(image.parts) {
            [part] if part.kind == Part::KIND_LITERAL => {
                matches(&Template::Plain(part.bytes.of(image.text)))
            }
            parts => Resolved::new(image, request, parts)
                .is_some_and(|resolved| matches(&Template::Resolved(&resolved))),
        }
    }

    /// Returns whether the text is `value`.
    pub(super) fn equals(&self, value: &str) -> bool {
        match self {
            Self::Plain(bytes) => *bytes == value.as_bytes(),
            Self::Resolved(resolved) => {
                let mut rest = Some(value.as_bytes());
                for piece in resolved.pieces() {
                    rest = rest.and_then(|rest| rest.strip_prefix(piece));
                }
                rest.is_some_and(<[u8]>::is_empty)
            }
        }
    }

    /// Returns whether the text is `value` but for case, character by character.
    pub(super) fn equals_ignore_case(&self, value: &str) -> bool {
        let lower = |bytes| {
            core::str::from_utf8(bytes)
                .unwrap_or_default()
                .chars()
                .flat_map(char::to_lowercase)
        };
        let value = lower(value.as_bytes());
        match self {
            Self::Plain(bytes) => lower(bytes).eq(value),
            Self::Resolved(resolved) => resolved.pieces().flat_map(lower).eq(value),
        }
    }

    /// Returns whether the text, as a pattern, matches the whole of `value`.
    pub(super) fn matches(&self, value: &str) -> bool {
        match self {
            Self::Plain(program) => glob::matches(program, value),
            Self::Resolved(resolved) => {
                let (start, end) = (resolved.settle(0, 0), resolved.end());
                glob::matches_stream(*resolved, start, end, value, |a, b| a == b)
            }
        }
    }

    /// Returns whether the text, as a pattern, matches the whole of these pieces.
    pub(super) fn matches_pieces(&self, pieces: &[&str]) -> bool {
        let same = |a, b| a == b;
        match self {
            Self::Plain(program) => glob::matches_stream(*program, 0, program.len(), pieces, same),
            Self::Resolved(resolved) => {
                let (start, end) = (resolved.settle(0, 0), resolved.end());
                glob::matches_stream(*resolved, start, end, pieces, same)
            }
        }
    }

    /// Returns whether the text, as an ARN of patterns, matches `value` field by field.
    pub(super) fn matches_arn(&self, value: &str) -> bool {
        match self {
            Self::Plain(program) => matches_plain_fields(program, value),
            Self::Resolved(resolved) => {
                matches_fields(*resolved, resolved.settle(0, 0), resolved.end(), value)
            }
        }
    }
}

/// Matches six fields between colons one by one; the sixth takes the rest of both sides.
fn matches_plain_fields(program: &[u8], value: &str) -> bool {
    let mut fields = program.splitn(6, |&byte| byte == b':');
    let mut values = value.splitn(6, ':');
    let mut matched = 0;
    for (field, value) in fields.by_ref().zip(values.by_ref()) {
        if !glob::matches(field, value) {
            return false;
        }
        matched += 1;
    }
    matched == 6
}

/// [`matches_plain_fields`] for a text with variables.
fn matches_fields<S: Stream + ?Sized>(
    stream: &S,
    mut start: S::Cursor,
    end: S::Cursor,
    value: &str,
) -> bool {
    let mut rest = value;
    for _ in 0..5 {
        let Some((field, behind)) = rest.split_once(':') else {
            return false;
        };
        let mut cursor = start;
        let next = loop {
            match stream.token(cursor) {
                None => return false,
                Some((Token::Byte(b':'), next)) => break next,
                Some((_, next)) => cursor = next,
            }
        };
        if !glob::matches_stream(stream, start, cursor, field, |a, b| a == b) {
            return false;
        }
        (start, rest) = (next, behind);
    }
    glob::matches_stream(stream, start, end, rest, |a, b| a == b)
}

impl<'x> Resolved<'x> {
    fn new(image: &'x View<'x>, request: &'x Request<'x>, parts: &'x [Part]) -> Option<Self> {
        let mut values = [Text::Borrowed(""); VARIABLE_LIMIT];
        let mut slots = values.iter_mut();
        for part in parts.iter().filter(|part| part.kind != Part::KIND_LITERAL) {
            let text =
                |extent: Extent| core::str::from_utf8(extent.of(image.text)).unwrap_or_default();
            *slots.next()? = match context::texts(request, text(part.bytes)) {
                Texts::One(value) => value,
                // A list is no single value; it stands for nothing, as an absent key does.
                Texts::Absent | Texts::Several(_) if part.kind == Part::KIND_VARIABLE_OR => {
                    Text::Borrowed(text(part.default))
                }
                Texts::Absent | Texts::Several(_) => return None,
            };
        }
        Some(Self {
            text: image.text,
            parts,
            values,
        })
    }

    /// Returns the bytes of the part with this index; those of variables are all literal.
    fn piece(&self, at: usize) -> &[u8] {
        match self.parts.get(at) {
            Some(part) if part.kind == Part::KIND_LITERAL => part.bytes.of(self.text),
            Some(_) => {
                let before = self.parts.iter().take(at);
                let variable = before
                    .filter(|part| part.kind != Part::KIND_LITERAL)
                    .count();
                self.values
                    .get(variable)
                    .map_or(&[], |value| value.as_str().as_bytes())
            }
            None => &[],
        }
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.parts.len()).map(|at| self.piece(at))
    }

    /// Returns the place before the next byte, in the first part that has one.
    fn settle(&self, part: usize, at: usize) -> (usize, usize) {
        let (mut part, mut at) = (part, at);
        while part < self.parts.len() && at >= self.piece(part).len() {
            (part, at) = (part + 1, 0);
        }
        (part, at)
    }

    const fn end(&self) -> (usize, usize) {
        (self.parts.len(), 0)
    }
}

impl Stream for Resolved<'_> {
    /// Part and byte in it; settled.
    type Cursor = (usize, usize);

    fn token(&self, (part, at): (usize, usize)) -> Option<(Token, (usize, usize))> {
        let byte = *self.piece(part).get(at)?;
        // The bytes of wildcards occur in no text, so a variable's value has none.
        let token = match byte {
            glob::ANY => Token::Any,
            glob::ONE => Token::One,
            byte => Token::Byte(byte),
        };
        Some((token, self.settle(part, at + 1)))
    }
}
