//! An image with the bytes it is read from.

#[cfg(feature = "build")]
mod build;
#[cfg(feature = "std")]
mod read;

use self_cell::self_cell;

use super::bytes::{Buffer, Bytes};
use super::error::{ImageError, ImageErrorKind};
use super::file;
use super::tables::View;
use super::validate::validate;

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
