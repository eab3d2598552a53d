//! Appends to the image's tables; every append can pass 32 bits and says so.

use core::hash::BuildHasher;
use std::collections::HashMap;
use std::hash::RandomState;

use smallvec::SmallVec;

use super::tables::{Image, Part};
use crate::ir::{BuildError, TextPart};
use crate::util::extent::Extent;
use crate::util::int::to_u32;

/// An image under construction.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) image: Image,
    /// Texts that are in the image already, by hash: keys and patterns repeat.
    texts: HashMap<u64, SmallVec<[Extent; 1]>>,
    hashes: RandomState,
}

impl Writer {
    /// Returns the image; what was needed to make it is freed.
    pub(super) fn finish(self) -> Image {
        self.image
    }

    /// Stores bytes once.
    pub(super) fn text(&mut self, bytes: &[u8]) -> Result<Extent, BuildError> {
        let stored = self.texts.entry(self.hashes.hash_one(bytes)).or_default();
        let text = &self.image.text;
        if let Some(&known) = stored.iter().find(|known| known.of(text) == bytes) {
            return Ok(known);
        }
        let extent = append(&mut self.image.text, bytes.iter().copied(), "texts")?;
        stored.push(extent);
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
