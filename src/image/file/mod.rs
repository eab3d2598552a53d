//! The bytes of an image: a header, a table of sections, and the sections.
//!
//! ```text
//! 0    header: magic, byte order, format, length, checksums
//! 64   one entry for each section: number, record size, offset, length in records
//! …    section 0: the scalars; the others: the tables, in the order of their declaration
//! ```
//!
//! Every section starts at the next multiple of 64 behind the one before, and so does the
//! end, so that offsets say nothing that the lengths do not: each is compared, and none is
//! believed. What is between the sections is zero.
//!
//! The numbers are those of the machine, which the mark of byte order names; images are made
//! on little-endian machines for little-endian machines.
//!
//! # Order of the checks
//!
//! magic, header length, byte order, format, declared tables, file length, header checksum
//! (over the header and the section table), each entry (number, record size, offset, end),
//! body checksum; then, in `validate`, what sections say of one another. A file that was
//! damaged fails one of the checksums; what is behind them is for files that somebody made.

#[cfg(feature = "build")]
mod write;

use alloc::vec;
use alloc::vec::Vec;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

#[cfg(feature = "build")]
pub(super) use self::write::{view, write};
use super::bytes::ALIGN;
use super::error::{ImageError, ImageErrorKind};
use super::tables::View;
use crate::util::table::{Declared, Record, Source};

/// The first bytes. The first is no text, and the line ends show a transfer as text.
pub(crate) const MAGIC: [u8; 8] = *b"\x89PCIMG\r\n";

/// The version of the format: of header, section table and the meaning of the tables.
///
/// To be raised when the same tables mean something else; other tables are noticed by themselves.
const FORMAT: u32 = 6;

/// Reads as another number on a machine of the other byte order.
const BYTE_ORDER: u32 = 0x0102_0304;

/// What stands first.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    byte_order: u32,
    format: u32,
    /// The length of the whole image.
    length: u64,
    /// The checksum of what the tables are declared as.
    declared: u64,
    /// The checksum of all behind the section table.
    body_checksum: u64,
    sections: u32,
    reserved: [u32; 3],
    /// The checksum of the header up to here and of the section table.
    header_checksum: u64,
}

/// An entry of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Entry {
    id: u32,
    record_size: u32,
    offset: u64,
    /// In records.
    len: u64,
}

/// Where a section is.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: usize,
    size: usize,
}

/// Returns the declared sections; the first is that of the scalars.
pub(crate) fn declared() -> Vec<Declared> {
    let mut declared = vec![Declared {
        group: "classes",
        part: "",
        name: "scalars",
        record_size: size_of::<u32>(),
    }];
    View::declare(None, "", &mut |table| declared.push(table));
    declared
}

/// Returns a number that changes with the declared tables.
fn fingerprint(declared: &[Declared]) -> u64 {
    declared.iter().fold(0, |seed, table| {
        let size = u64::try_from(table.record_size).unwrap_or(u64::MAX);
        let seed = checksum(seed ^ size, table.part.as_bytes());
        checksum(seed, table.name.as_bytes())
    })
}

fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot_with_seed(seed, bytes)
}

fn header_checksum(header: &Header, entries: &[Entry]) -> u64 {
    let header = Header {
        header_checksum: 0,
        ..*header
    };
    checksum(checksum(0, header.as_bytes()), entries.as_bytes())
}

fn aligned(size: usize) -> Option<usize> {
    size.checked_next_multiple_of(ALIGN)
}

/// Returns the view of an image that comes from anywhere.
pub(super) fn open(bytes: &[u8]) -> Result<View<'_>, ImageError> {
    let sections = sections(bytes)?;
    let front = size_of::<Header>() + size_of_val(&*sections.entries);
    let body = bytes.get(front..).unwrap_or_default();
    if checksum(0, body) != sections.body_checksum {
        return Err(ImageErrorKind::Damaged("sections").into());
    }
    read(bytes, sections)
}

/// Checks what stands before the sections.
pub(super) fn check_front(bytes: &[u8]) -> Result<(), ImageError> {
    sections(bytes).map(|_| ())
}

/// Returns the length in records of each section of an image, with what is declared of it.
pub(crate) fn sizes(bytes: &[u8]) -> Vec<(Declared, u64)> {
    let Ok(sections) = sections(bytes) else {
        return Vec::new();
    };
    let lens = sections.entries.iter().map(|entry| entry.len);
    sections.declared.iter().copied().zip(lens).collect()
}

/// What the front of an image says, all of it checked but for the checksum of the body.
struct Sections {
    declared: Vec<Declared>,
    entries: Vec<Entry>,
    places: Vec<Place>,
    body_checksum: u64,
}

fn sections(bytes: &[u8]) -> Result<Sections, ImageError> {
    if !bytes.starts_with(&MAGIC) {
        return Err(ImageErrorKind::NotAnImage.into());
    }
    let truncated = |needed: usize| ImageErrorKind::Truncated {
        length: bytes.len(),
        needed: u64::try_from(needed).unwrap_or(u64::MAX),
    };
    let (header, rest) =
        Header::read_from_prefix(bytes).map_err(|_| truncated(size_of::<Header>()))?;
    if header.byte_order != BYTE_ORDER {
        return Err(ImageErrorKind::ByteOrder.into());
    }
    if header.format != FORMAT {
        let (found, reads) = (header.format, FORMAT);
        return Err(ImageErrorKind::Format { found, reads }.into());
    }
    let declared = declared();
    if header.declared != fingerprint(&declared)
        || usize::try_from(header.sections) != Ok(declared.len())
    {
        return Err(ImageErrorKind::Tables.into());
    }
    let length = usize::try_from(header.length).unwrap_or(usize::MAX);
    if bytes.len() < length {
        return Err(truncated(length).into());
    }
    if bytes.len() > length {
        let (length, found) = (header.length, bytes.len());
        return Err(ImageErrorKind::Trailing { length, found }.into());
    }
    let front = size_of::<Header>() + declared.len() * size_of::<Entry>();
    let mut entries = Vec::with_capacity(declared.len());
    let mut table = rest;
    for _ in &declared {
        let (entry, behind) = Entry::read_from_prefix(table).map_err(|_| truncated(front))?;
        entries.push(entry);
        table = behind;
    }
    if header.header_checksum != header_checksum(&header, &entries) {
        return Err(ImageErrorKind::Damaged("header").into());
    }
    let places = places(&declared, &entries, front, length)?;
    Ok(Sections {
        declared,
        entries,
        places,
        body_checksum: header.body_checksum,
    })
}

/// Returns where the sections are: exactly where their lengths put them.
fn places(
    declared: &[Declared],
    entries: &[Entry],
    front: usize,
    length: usize,
) -> Result<Vec<Place>, ImageError> {
    let mut places = Vec::with_capacity(entries.len());
    let mut at = aligned(front);
    for ((id, &table), entry) in (0..).zip(declared).zip(entries) {
        let section = |what| ImageError::from(ImageErrorKind::Section { table, what });
        if entry.id != id {
            return Err(section("has another number"));
        }
        if usize::try_from(entry.record_size) != Ok(table.record_size) {
            return Err(section("has records of another size"));
        }
        let offset = usize::try_from(entry.offset).ok();
        let Some(offset) = offset.filter(|&offset| Some(offset) == at) else {
            return Err(section("does not start behind the one before"));
        };
        let len = usize::try_from(entry.len).ok();
        let size = len.and_then(|len| len.checked_mul(table.record_size));
        let end = size.and_then(|size| offset.checked_add(size));
        let (Some(size), Some(end)) = (size, end.filter(|&end| end <= length)) else {
            return Err(section("ends behind the image"));
        };
        places.push(Place { offset, size });
        at = aligned(end);
    }
    if at != Some(length) {
        let found = length;
        let length = u64::try_from(at.unwrap_or(usize::MAX)).unwrap_or(u64::MAX);
        return Err(ImageErrorKind::Trailing { length, found }.into());
    }
    Ok(places)
}

fn read(bytes: &[u8], sections: Sections) -> Result<View<'_>, ImageError> {
    let mut reader = Reader {
        bytes,
        next: sections.declared.into_iter().zip(sections.places),
        scalars: [].iter(),
    };
    reader.scalars = reader.table::<u32>()?.iter();
    let view = View::read(&mut reader)?;
    match reader.scalars.next() {
        None => Ok(view),
        Some(_) => Err(ImageErrorKind::Tables.into()),
    }
}

/// Gives out the sections one by one.
struct Reader<'a, I> {
    bytes: &'a [u8],
    next: I,
    scalars: core::slice::Iter<'a, u32>,
}

impl<'a, I: Iterator<Item = (Declared, Place)>> Source<'a> for Reader<'a, I> {
    type Error = ImageError;

    fn table<T: Record>(&mut self) -> Result<&'a [T], ImageError> {
        let (table, Place { offset, size }) = self.next.next().ok_or(ImageErrorKind::Tables)?;
        let end = offset.saturating_add(size);
        let bytes = self.bytes.get(offset..end).unwrap_or_default();
        // The offset is a multiple of 64, so only the start of the image can be at fault.
        <[T]>::ref_from_bytes(bytes).map_err(|_| ImageErrorKind::Unaligned(table).into())
    }

    fn scalar(&mut self) -> Result<u32, ImageError> {
        let value = self.scalars.next().copied();
        value.ok_or_else(|| ImageErrorKind::Tables.into())
    }
}
