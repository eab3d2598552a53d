//! The image of a build.

use super::{Bytes, Cell, Loaded, file};
use crate::image::tables::Image;
use crate::ir::BuildError;

impl Loaded {
    /// Lays out the tables of a build.
    pub(crate) fn new(image: Image, limit: u64) -> Result<Self, BuildError> {
        let bytes = Bytes::Buffer(file::write(image, limit)?);
        let cell = Cell::try_new(bytes, |bytes| {
            // INVARIANT: written just before, so there is a view.
            file::view(bytes.as_slice()).ok_or(BuildError::too_large("tables of the image"))
        })?;
        Ok(Self { cell })
    }
}
