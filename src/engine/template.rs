//! A text of the policy with the request's values in place of its variables.
//!
//! Nothing is joined: the text stays a row of pieces, and the matchers read it piece by
//! piece. A text without variables, which nearly all are, is one slice.

use super::context::{self, Text, Texts};
use crate::image::{Part, View};
use crate::pattern::{Row, glob, row};
use crate::request::Request;
use crate::util::extent::Extent;
use crate::util::limits::VARIABLE_LIMIT;

/// A text whose variables all have values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Template<'x> {
    /// No variables: bytes of a pattern or a text.
    Plain(&'x [u8]),
    /// With variables.
    Resolved(Row<'x>),
}

/// The most parts of a text: each variable, and a literal before, between and behind them.
const PARTS: usize = 2 * VARIABLE_LIMIT + 1;

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
            parts => Self::with_variables(image, request, parts, matches),
        }
    }

    /// PERF: apart, as the values' room would stand on the stack of every decision.
    #[inline(never)]
    fn with_variables(
        image: &'x View<'x>,
        request: &'x Request<'x>,
        parts: &'x [Part],
        matches: impl FnOnce(&Template<'_>) -> bool,
    ) -> bool {
        let mut values = [Text::Borrowed(""); VARIABLE_LIMIT];
        let mut slices: [&[u8]; PARTS] = [&[]; PARTS];
        resolve(image, request, parts, &mut values, &mut slices)
            .is_some_and(|row| matches(&Template::Resolved(row)))
    }

    /// Returns whether the text is `value`.
    pub(super) fn equals(&self, value: &str) -> bool {
        match self {
            Self::Plain(bytes) => *bytes == value.as_bytes(),
            Self::Resolved(resolved) => {
                let mut rest = Some(value.as_bytes());
                for slice in resolved.slices() {
                    rest = rest.and_then(|rest| rest.strip_prefix(slice));
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
            Self::Resolved(resolved) => resolved.slices().flat_map(lower).eq(value),
        }
    }

    /// Returns whether the text, as a pattern, matches the whole of `value`.
    pub(super) fn matches(&self, value: &str) -> bool {
        match *self {
            Self::Plain(program) => glob::matches(program, value),
            Self::Resolved(pattern) => row::matches(pattern, Row::of(value.as_bytes())),
        }
    }

    /// Returns whether the text, as a pattern, matches the whole of these pieces.
    pub(super) fn matches_pieces(&self, pieces: &[&[u8]]) -> bool {
        let pattern = match *self {
            Self::Plain(program) => Row::of(program),
            Self::Resolved(pattern) => pattern,
        };
        row::matches(pattern, Row::new(pieces))
    }

    /// Returns whether the text, as an ARN of patterns, matches `value` field by field.
    pub(super) fn matches_arn(&self, value: &str) -> bool {
        match *self {
            Self::Plain(program) => matches_plain_fields(program, value),
            Self::Resolved(pattern) => matches_fields(pattern, value).is_some(),
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
fn matches_fields(pattern: Row<'_>, value: &str) -> Option<()> {
    let (mut pattern, mut value) = (pattern, value);
    let matches =
        |pattern, value: &str| row::matches(pattern, Row::of(value.as_bytes())).then_some(());
    for _ in 0..5 {
        let (field, behind) = value.split_once(':')?;
        let (field_pattern, pattern_behind) = pattern.split(b':')?;
        matches(field_pattern, field)?;
        (pattern, value) = (pattern_behind, behind);
    }
    matches(pattern, value)
}

/// Returns the parts with the values of their variables, which are kept in `values`; `None` where
/// one has no value.
fn resolve<'x>(
    image: &'x View<'x>,
    request: &'x Request<'x>,
    parts: &'x [Part],
    values: &'x mut [Text<'x>],
    slices: &'x mut [&'x [u8]],
) -> Option<Row<'x>> {
    let text = |extent: Extent| core::str::from_utf8(extent.of(image.text)).unwrap_or_default();
    let mut values = values.iter_mut();
    let slices = slices.get_mut(..parts.len())?;
    for (slice, part) in slices.iter_mut().zip(parts) {
        if part.kind == Part::KIND_LITERAL {
            *slice = part.bytes.of(image.text);
            continue;
        }
        let slot = values.next()?;
        *slot = match context::texts(request, text(part.bytes)) {
            Texts::One(value) => value,
            // A list is no single value; it stands for nothing, as an absent key does.
            Texts::Absent | Texts::Several(_) if part.kind == Part::KIND_VARIABLE_OR => {
                Text::Borrowed(text(part.default))
            }
            Texts::Absent | Texts::Several(_) => return None,
        };
        *slice = slot.as_str().as_bytes();
    }
    Some(Row::new(slices))
}
