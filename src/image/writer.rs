//! Appends to the image's tables; every append can pass 32 bits and says so.

use super::tables::{Image, Part};
use crate::ir::{BuildError, TextPart};
use crate::util::extent::Extent;
use crate::util::int::{AsUsize, to_u32};
use crate::util::keyed::Numbers;

/// An image under construction.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) image: Image,
    /// The texts that are in the image already: keys and patterns repeat.
    texts: Vec<Extent>,
    numbers: Numbers,
}

impl Writer {
    /// Returns the image; what was needed to make it is freed.
    pub(super) fn finish(self) -> Image {
        self.image
    }

    /// Stores bytes once.
    pub(super) fn text(&mut self, bytes: &[u8]) -> Result<Extent, BuildError> {
        let text = |number: u32| self.texts.get(number.as_usize()).copied();
        let is_it = |number| text(number).is_some_and(|text| text.of(&self.image.text) == bytes);
        let next = index(self.texts.len(), "texts")?;
        let number = self.numbers.of(bytes, next, is_it);
        if let Some(known) = text(number) {
            return Ok(known);
        }
        let extent = append(&mut self.image.text, bytes.iter().copied(), "texts")?;
        self.texts.push(extent);
        Ok(extent)
    }

    /// Stores the parts of a text.
    pub(super) fn parts(&mut self, parts: &[TextPart]) -> Result<Extent, BuildError> {
        let before = self.image.parts.len();
        for part in parts {
            let part = match part {
                TextPart::Literal(bytes) => Part {
                    kind: Part::KIND_LITERAL,
                    bytes: self.text(bytes)?,
                    default: Extent::default(),
                },
                TextPart::Variable { key, default } => Part {
                    kind: if default.is_some() {
                        Part::KIND_VARIABLE_OR
                    } else {
                        Part::KIND_VARIABLE
                    },
                    bytes: self.text(key.as_bytes())?,
                    default: self.text(default.as_deref().unwrap_or_default().as_bytes())?,
                },
            };
            self.image.parts.push(part);
        }
        behind(&self.image.parts, before, "text parts")
    }
}

/// Appends items to a table.
pub(super) fn append<T>(
    table: &mut Vec<T>,
    items: impl IntoIterator<Item = T>,
    what: &'static str,
) -> Result<Extent, BuildError> {
    Extent::append(table, items).ok_or(BuildError::too_large(what))
}

/// Returns the stretch of a table from `from` on.
pub(super) fn behind<T>(
    table: &[T],
    from: usize,
    what: &'static str,
) -> Result<Extent, BuildError> {
    let (start, end) = (index(from, what)?, index(table.len(), what)?);
    let len = end - start;
    Ok(Extent { start, len })
}

/// Returns an index as it is stored.
pub(super) fn index(value: usize, what: &'static str) -> Result<u32, BuildError> {
    to_u32(value).ok_or(BuildError::too_large(what))
}
