//! The image in a file.

use std::fs::File;
use std::io::Read;

use super::{Buffer, Bytes, ImageError, ImageErrorKind, Loaded, file};

impl Loaded {
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
}
