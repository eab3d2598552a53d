//! Engines of mapped files.
#![expect(
    unsafe_code,
    reason = "that a file stays as it is while it is mapped is the caller's promise"
)]

use std::fs::File;
use std::path::Path;

use super::Engine;
use crate::image::bytes::Bytes;
use crate::image::map::Mapped;
use crate::image::{ImageError, ImageErrorKind, Loaded};

impl Engine {
    /// Makes the engine of the image in a file, which is mapped: nothing is copied, and all
    /// processes that map it share its memory.
    ///
    /// The file is checked as a whole. [`Self::read_image`] is the safe twin and makes the same engine.
    ///
    /// # Safety
    ///
    /// Until the last clone of the engine is dropped nobody may write to the file or shorten it: the engine
    /// would read bytes that it has not checked, or none at all. To put another image in
    /// its place, write that to a file beside it and rename it; the engine keeps the old file.
    ///
    /// # Errors
    ///
    /// As [`Self::from_image`], and a file that cannot be mapped.
    pub unsafe fn map_image(path: impl AsRef<Path>) -> Result<Self, ImageError> {
        let file = File::open(path).map_err(ImageErrorKind::Read)?;
        // SAFETY: what the caller promises is what is asked for.
        let mapped = unsafe { Mapped::new(&file) };
        let mapped = mapped.map_err(ImageErrorKind::Read)?;
        Loaded::open(Bytes::Mapped(mapped)).map(Self::of)
    }
}
