//! Appends to the image's tables; every append can pass 32 bits and says so.

use std::collections::HashMap;

use super::tables::{Image, Part};
use crate::ir::{BuildError, TextPart};
use crate::util::extent::Extent;
use crate::util::int::to_u32;

/// An image under construction.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) image: Image,
    /// Texts that are in the image already: keys and patterns repeat.
    texts: HashMap<Box<[u8]>, Extent>,
}

impl Writer {
    /// Returns the image; what was needed to make it is freed.
    pub(super) fn finish(self) -> Image {
        self.image
    }

    /// Stores bytes once.
    pub(super) fn text(&mut self, bytes: &[u8]) -> Result<Extent, BuildError> {
        if let Some(&extent) = self.texts.get(bytes) {
            return Ok(extent);
        }
        let extent = append(&mut self.image.text, bytes.iter().copied(), "texts")?;
        self.texts.insert(bytes.into(), extent);
        Ok(extent)
    }

    /// Stores the parts of a text.
    pub(super) fn parts(&mut self, parts: &[TextPart]) -> Result<Extent, BuildError> {
        let mut records = Vec::with_capacity(parts.len());
        for part in parts {
            records.push(match part {
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
            });
        }
        append(&mut self.image.parts, records, "text parts")
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

/// Returns an index as it is stored.
pub(super) fn index(value: usize, what: &'static str) -> Result<u32, BuildError> {
    to_u32(value).ok_or(BuildError::too_large(what))
}
