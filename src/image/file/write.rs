//! Tables → the bytes of an image.

use zerocopy::IntoBytes;

use super::{
    BYTE_ORDER, Entry, FORMAT, Header, MAGIC, aligned, checksum, declared, fingerprint,
    header_checksum, read, sections,
};
use crate::image::bytes::Buffer;
use crate::image::tables::{Image, View};
use crate::ir::BuildError;
use crate::util::table::{Declared, Measure, Store, Tables};

/// Lays the tables out, each freed when it is written.
pub(in crate::image) fn write(image: Image, limit: u64) -> Result<Buffer, BuildError> {
    let over_limit = || BuildError::limit("bytes of the image", "image_size_limit", limit);
    let mut layout = Layout::default();
    image.measure(&mut layout);
    let declared = declared();
    let mut entries = Vec::with_capacity(declared.len());
    let body = aligned(size_of::<Header>() + declared.len() * size_of::<Entry>());
    let body = body.ok_or_else(over_limit)?;
    let mut at = body;
    let lens = core::iter::once(layout.scalars.len()).chain(layout.lens);
    for ((id, table), len) in (0..).zip(&declared).zip(lens) {
        let size = len.checked_mul(table.record_size).ok_or_else(over_limit)?;
        let too_large = |_| over_limit();
        entries.push(Entry {
            id,
            record_size: u32::try_from(table.record_size).map_err(too_large)?,
            offset: u64::try_from(at).map_err(too_large)?,
            len: u64::try_from(len).map_err(too_large)?,
        });
        let end = at.checked_add(size).and_then(aligned);
        at = end.ok_or_else(over_limit)?;
    }
    let length = u64::try_from(at).unwrap_or(u64::MAX);
    if length > limit {
        return Err(over_limit());
    }
    let mut buffer = Buffer::with_capacity(at).ok_or_else(over_limit)?;
    // INVARIANT: measured just before, so each table comes to stand where its entry says.
    buffer.table(&vec![0; body]);
    buffer.table(layout.scalars.as_bytes());
    image.store(&mut buffer);
    if buffer.as_slice().len() != at {
        return Err(BuildError::too_large("tables of the image"));
    }
    seal(buffer.as_mut_slice(), &declared, &entries);
    Ok(buffer)
}

/// Writes header, section table and checksums.
fn seal(bytes: &mut [u8], declared: &[Declared], entries: &[Entry]) {
    let front = size_of::<Header>() + size_of_val(entries);
    let body = bytes.get(front..).unwrap_or_default();
    let mut header = Header {
        magic: MAGIC,
        byte_order: BYTE_ORDER,
        format: FORMAT,
        length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        declared: fingerprint(declared),
        body_checksum: checksum(0, body),
        sections: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        ..Header::default()
    };
    header.header_checksum = header_checksum(&header, entries);
    if let Some((head, rest)) = bytes.split_at_mut_checked(size_of::<Header>()) {
        head.copy_from_slice(header.as_bytes());
        if let Some(table) = rest.get_mut(..size_of_val(entries)) {
            table.copy_from_slice(entries.as_bytes());
        }
    }
}

/// Returns the view of an image that was made just now, or `None` if it is none.
pub(in crate::image) fn view(bytes: &[u8]) -> Option<View<'_>> {
    let sections = sections(bytes).ok()?;
    read(bytes, sections).ok()
}

/// The lengths of the tables.
#[derive(Debug, Default)]
struct Layout {
    lens: Vec<usize>,
    scalars: Vec<u32>,
}

impl Measure for Layout {
    fn table(&mut self, len: usize) {
        self.lens.push(len);
    }

    fn scalar(&mut self, value: u32) {
        self.scalars.push(value);
    }
}

impl Store for Buffer {
    fn table(&mut self, bytes: &[u8]) {
        // What is not taken in is missed when the length is looked at.
        let _ = self.append_aligned(bytes);
    }
}
