//! Text that may hold policy variables: resources and the values of conditions.
//!
//! Under version `2012-10-17`, `${key}` stands for the request's value of a key,
//! `${key, 'default'}` gives a default, and `${*}`, `${?}`, `${$}` are plain characters.
//! Otherwise, and in text without `${`, everything is taken as it stands. Whether `*`
//! and `?` outside of `${}` are wildcards is for the place to say, not for the text.
//!
//! ```text
//! "arn:…/${aws:username}/a${*}b*"  →  Raw("arn:…/") Variable(aws:username) Raw("/a") Escaped('*') Raw("b*")
//! ```

/// A text with its policy variables taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text {
    raw: Box<str>,
    /// `None`: the whole of `raw` is one [`Part::Raw`], which spares nearly every text an allocation.
    parts: Option<Box<[Part]>>,
}

/// A piece of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// Text as it stands; `*` and `?` in it are wildcards where the place has wildcards.
    Raw(Box<str>),
    /// A character written `${*}`, `${?}` or `${$}`: never a wildcard.
    Escaped(char),
    /// `${key}` or `${key, 'default'}`.
    Variable {
        /// The key, as written; compared without regard to ASCII case.
        key: Box<str>,
        /// What stands in for an absent key.
        default: Option<Box<str>>,
    },
}

/// A piece of a [`Text`], borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartRef<'a> {
    /// Text as it stands; `*` and `?` in it are wildcards where the place has wildcards.
    Raw(&'a str),
    /// A character written `${*}`, `${?}` or `${$}`: never a wildcard.
    Escaped(char),
    /// `${key}` or `${key, 'default'}`.
    Variable {
        /// The key, as written.
        key: &'a str,
        /// What stands in for an absent key.
        default: Option<&'a str>,
    },
}

impl Text {
    /// Returns a text without variables.
    pub fn plain(raw: impl Into<Box<str>>) -> Self {
        Self {
            raw: raw.into(),
            parts: None,
        }
    }

    /// Reads a text whose `${…}` are policy variables.
    ///
    /// # Errors
    ///
    /// An unclosed `${`, an empty or spaced name, or a default that is not `, '…'`: says
    /// what is wrong and the byte offset in `raw` of the `${` at fault.
    pub fn with_variables(raw: impl Into<Box<str>>) -> Result<Self, VariableError> {
        let raw = raw.into();
        if !raw.contains("${") {
            return Ok(Self { raw, parts: None });
        }
        let mut parts = Vec::new();
        let mut rest: &str = &raw;
        while let Some((before, after)) = rest.split_once("${") {
            let offset = raw.len() - rest.len() + before.len();
            let fail = |what| VariableError { offset, what };
            if !before.is_empty() {
                parts.push(Part::Raw(before.into()));
            }
            let (part, tail) = read_variable(after).map_err(fail)?;
            parts.push(part);
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Raw(rest.into()));
        }
        Ok(Self {
            parts: Some(parts.into()),
            raw,
        })
    }

    /// Returns the text with its start, which is `start`, written as `by`; both are plain.
    pub(super) fn with_start_replaced(&self, start: &str, by: &str) -> Self {
        let replaced = |text: &str| -> Box<str> {
            text.strip_prefix(start)
                .map_or_else(|| text.into(), |rest| format!("{by}{rest}").into())
        };
        let mut parts = self.parts.clone();
        if let Some(Part::Raw(first)) = parts.iter_mut().flatten().next() {
            *first = replaced(first);
        }
        Self {
            raw: replaced(&self.raw),
            parts,
        }
    }

    /// Returns the text as written.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Returns whether the text holds a variable that needs the request.
    pub fn has_variables(&self) -> bool {
        self.parts()
            .any(|part| matches!(part, PartRef::Variable { .. }))
    }

    /// Returns the pieces in order.
    pub fn parts(&self) -> impl Iterator<Item = PartRef<'_>> {
        let whole = self.parts.is_none().then_some(PartRef::Raw(&self.raw));
        let parts = self.parts.iter().flatten().map(|part| match part {
            Part::Raw(text) => PartRef::Raw(text),
            Part::Escaped(character) => PartRef::Escaped(*character),
            Part::Variable { key, default } => PartRef::Variable {
                key,
                default: default.as_deref(),
            },
        });
        whole.into_iter().chain(parts)
    }
}

/// What is wrong with a policy variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariableError {
    /// Byte offset of the `${`.
    pub offset: usize,
    /// What is wrong, in the grammar of error messages.
    pub what: &'static str,
}

/// Reads what follows `${` up to its closing brace.
fn read_variable(after: &str) -> Result<(Part, &str), &'static str> {
    for (spelled, character) in [("*}", '*'), ("?}", '?'), ("$}", '$')] {
        if let Some(tail) = after.strip_prefix(spelled) {
            return Ok((Part::Escaped(character), tail));
        }
    }
    let end = after.find([',', '}']).ok_or("is not closed by `}`")?;
    let (key, tail) = (
        after.get(..end).unwrap_or(""),
        after.get(end..).unwrap_or(""),
    );
    if key.is_empty() {
        return Err("names no condition key");
    }
    if key.contains(|c: char| c.is_whitespace() || matches!(c, '$' | '{' | '\'' | '*' | '?')) {
        return Err("has a character in its key that no condition key has");
    }
    if let Some(tail) = tail.strip_prefix('}') {
        return Ok((
            Part::Variable {
                key: key.into(),
                default: None,
            },
            tail,
        ));
    }
    let quoted = tail
        .strip_prefix(", '")
        .ok_or("has a default that is not written `, 'text'`")?;
    let (default, tail) = quoted
        .split_once("'}")
        .ok_or("has a default that is not closed by `'}`")?;
    Ok((
        Part::Variable {
            key: key.into(),
            default: Some(default.into()),
        },
        tail,
    ))
}
