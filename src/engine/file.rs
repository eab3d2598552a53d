//! Engines of files.

use std::fs::File;
use std::path::Path;

use super::Engine;
use crate::image::{ImageError, ImageErrorKind, Loaded};

impl Engine {
    /// Makes the engine of the image in a file, of which a copy is kept.
    ///
    /// # Errors
    ///
    /// As [`Self::from_image`], and a file that cannot be read.
    pub fn read_image(path: impl AsRef<Path>) -> Result<Self, ImageError> {
        let file = File::open(path).map_err(ImageErrorKind::Read)?;
        Loaded::read(&file).map(Self::of)
    }
}
