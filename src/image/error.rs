//! Why bytes are no image that can be used.

use core::fmt;

use crate::util::table::Declared;

/// Why an image could not be loaded.
///
/// Says what is wrong with it and what to do. No engine comes of it, and the one that was
/// there before is untouched.
#[derive(Debug)]
pub struct ImageError {
    kind: ImageErrorKind,
}

#[derive(Debug)]
pub(crate) enum ImageErrorKind {
    /// The file cannot be read.
    #[cfg(feature = "std")]
    Read(std::io::Error),
    /// There is no memory for a copy.
    Memory,
    /// It does not start as images do.
    NotAnImage,
    /// It ends too soon.
    Truncated { length: usize, needed: u64 },
    /// It goes on behind its end.
    Trailing { length: u64, found: usize },
    /// It was made on a machine of another kind.
    ByteOrder,
    /// It is of another format.
    Format { found: u32, reads: u32 },
    /// It has other tables.
    Tables,
    /// Its checksum is another.
    Damaged(&'static str),
    /// A section is not where and what it must be.
    Section { table: Declared, what: &'static str },
    /// It does not start where a record may.
    Unaligned(Declared),
    /// A record names what is not there.
    Contents { place: &'static str, index: usize },
}

impl ImageError {
    /// Returns whether the bytes are no image at all, rather than a damaged or another one.
    pub const fn is_not_an_image(&self) -> bool {
        matches!(self.kind, ImageErrorKind::NotAnImage)
    }
}

impl From<ImageErrorKind> for ImageError {
    fn from(kind: ImageErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            #[cfg(feature = "std")]
            ImageErrorKind::Read(error) => write!(f, "cannot read the image: {error}"),
            ImageErrorKind::Memory => f.write_str("no memory for the image: map it instead"),
            ImageErrorKind::NotAnImage => f.write_str("not an image: compile the policy first"),
            ImageErrorKind::Truncated { length, needed } => write!(
                f,
                "the image is truncated at {length} of {needed} bytes: copy it anew"
            ),
            ImageErrorKind::Trailing { length, found } => write!(
                f,
                "the image ends at {length} bytes and there are {found}: copy it anew"
            ),
            ImageErrorKind::ByteOrder => f.write_str(
                "the image is of a machine of another byte order: compile the policy anew",
            ),
            ImageErrorKind::Format { found, reads } => write!(
                f,
                "the image is of format {found} and this reads {reads}: compile the policy anew"
            ),
            ImageErrorKind::Tables => {
                f.write_str("the image has the tables of another release: compile the policy anew")
            }
            ImageErrorKind::Damaged(what) => write!(
                f,
                "the image is damaged: the checksum of the {what} is another: copy it anew"
            ),
            ImageErrorKind::Section { table, what } => {
                write!(f, "section `{table}` {what}: compile the policy anew")
            }
            ImageErrorKind::Unaligned(table) => write!(
                f,
                "section `{table}` is not aligned: the image must start at a multiple of 64 bytes"
            ),
            ImageErrorKind::Contents { place, index } => write!(
                f,
                "record {index} of `{place}` names what is not there: compile the policy anew"
            ),
        }
    }
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.part.is_empty() {
            write!(f, "{}.", self.part)?;
        }
        f.write_str(self.name)
    }
}

impl core::error::Error for ImageError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.kind {
            #[cfg(feature = "std")]
            ImageErrorKind::Read(error) => Some(error),
            _ => None,
        }
    }
}
