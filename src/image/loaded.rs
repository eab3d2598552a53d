//! An image with the bytes it is read from.

use std::fs::File;
use std::io::Read;

use self_cell::self_cell;

use super::bytes::{Buffer, Bytes};
use super::error::{ImageError, ImageErrorKind};
use super::file;
use super::tables::{Image, View};
use super::validate::validate;
use crate::ir::BuildError;

self_cell!(
    struct Cell {
        owner: Bytes,
        #[covariant]
        dependent: View,
    }
);

/// An image that can be decided by.
pub(crate) struct Loaded {
    cell: Cell,
}

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

    /// Checks the bytes of an image.
    pub(crate) fn open(bytes: Bytes) -> Result<Self, ImageError> {
        let cell = Cell::try_new(bytes, |bytes| -> Result<_, ImageError> {
            let view = file::open(bytes.as_slice())?;
            validate(&view)?;
            Ok(view)
        })?;
        Ok(Self { cell })
    }

    /// Checks a copy of the bytes of an image.
    pub(crate) fn copy(bytes: &[u8]) -> Result<Self, ImageError> {
        file::check_front(bytes)?;
        let buffer = Buffer::copy(bytes).ok_or(ImageErrorKind::Memory)?;
        Self::open(Bytes::Buffer(buffer))
    }

    /// Checks the image in a file, of which a copy is kept.
    pub(crate) fn read(mut file: &File) -> Result<Self, ImageError> {
        let length = file.metadata().map_err(ImageErrorKind::Read)?.len();
        let mut magic = Vec::with_capacity(file::MAGIC.len());
        let start = u64::try_from(file::MAGIC.len()).unwrap_or(u64::MAX);
        let started = file.take(start).read_to_end(&mut magic);
        started.map_err(ImageErrorKind::Read)?;
        if magic != file::MAGIC {
            return Err(ImageErrorKind::NotAnImage.into());
        }
        let length = usize::try_from(length).map_err(|_| ImageErrorKind::Memory)?;
        let mut buffer = Buffer::zeroed(length).ok_or(ImageErrorKind::Memory)?;
        let (head, rest) = buffer
            .as_mut_slice()
            .split_at_mut_checked(magic.len())
            .ok_or(ImageErrorKind::NotAnImage)?;
        head.copy_from_slice(&magic);
        file.read_exact(rest).map_err(ImageErrorKind::Read)?;
        Self::open(Bytes::Buffer(buffer))
    }

    /// Returns the tables.
    #[inline(always)]
    pub(crate) fn view(&self) -> &View<'_> {
        self.cell.borrow_dependent()
    }

    /// Returns the bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.cell.borrow_owner().as_slice()
    }
}
