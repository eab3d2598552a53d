//! Who owns the bytes of an image: a buffer of ours, the program itself, or a mapped file.

use alloc::vec::Vec;

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

#[cfg(feature = "mmap")]
use super::map::Mapped;
#[cfg(all(feature = "huge-pages", target_os = "linux"))]
use super::pages::Pages;

/// How sections are aligned in an image: to cache lines, which serves every record.
pub(crate) const ALIGN: usize = 64;

/// The bytes of an image, which stay where they are.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// In memory of ours.
    Buffer(Buffer),
    /// In the program.
    Static(&'static [u8]),
    /// In a mapped file.
    #[cfg(feature = "mmap")]
    Mapped(Mapped),
}

impl Bytes {
    /// Returns the bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Buffer(buffer) => buffer.as_slice(),
            Self::Static(bytes) => bytes,
            #[cfg(feature = "mmap")]
            Self::Mapped(mapped) => mapped.as_slice(),
        }
    }
}

/// Bytes in memory of ours, aligned as sections are.
#[derive(Debug)]
pub(crate) struct Buffer {
    room: Room,
    len: usize,
}

/// Where they are.
#[derive(Debug)]
enum Room {
    Heap(Vec<Block>),
    /// Zeros, up to where they were written.
    #[cfg(all(feature = "huge-pages", target_os = "linux"))]
    Pages(Pages),
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
struct Block([u8; ALIGN]);

impl Buffer {
    /// Returns `len` zeros, or `None` where there is no room for them.
    pub(crate) fn zeroed(len: usize) -> Option<Self> {
        #[cfg(all(feature = "huge-pages", target_os = "linux"))]
        if let Some(pages) = Pages::zeroed(len) {
            let room = Room::Pages(pages);
            return Some(Self { room, len });
        }
        let room = Room::Heap(Block::new_vec_zeroed(len.div_ceil(ALIGN)).ok()?);
        Some(Self { room, len })
    }

    /// Returns no bytes and room for `len`, or `None` where there is none.
    #[cfg(feature = "build")]
    pub(crate) fn with_capacity(len: usize) -> Option<Self> {
        #[cfg(all(feature = "huge-pages", target_os = "linux"))]
        if let Some(pages) = Pages::zeroed(len.checked_next_multiple_of(ALIGN)?) {
            let room = Room::Pages(pages);
            return Some(Self { room, len: 0 });
        }
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(len.div_ceil(ALIGN)).ok()?;
        let room = Room::Heap(blocks);
        Some(Self { room, len: 0 })
    }

    /// Appends `bytes`, and zeros up to where the next section begins; `None` past the end of pages.
    #[cfg(feature = "build")]
    pub(crate) fn append_aligned(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        let next = end.checked_next_multiple_of(ALIGN)?;
        match &mut self.room {
            Room::Heap(blocks) => {
                let (whole, rest) = bytes.as_chunks();
                blocks.extend(whole.iter().map(|&block| Block(block)));
                if !rest.is_empty() {
                    let mut last = [0; ALIGN];
                    last.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
                    blocks.push(Block(last));
                }
            }
            #[cfg(all(feature = "huge-pages", target_os = "linux"))]
            Room::Pages(pages) => {
                let room = pages.as_mut_slice().get_mut(self.len..next)?;
                room.get_mut(..bytes.len())?.copy_from_slice(bytes);
            }
        }
        self.len = next;
        Some(())
    }

    /// Returns a copy of `bytes`, or `None` where there is no room for it.
    pub(crate) fn copy(bytes: &[u8]) -> Option<Self> {
        let mut buffer = Self::zeroed(bytes.len())?;
        buffer.as_mut_slice().copy_from_slice(bytes);
        Some(buffer)
    }

    /// Returns the bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        let bytes = match &self.room {
            Room::Heap(blocks) => blocks.as_slice().as_bytes(),
            #[cfg(all(feature = "huge-pages", target_os = "linux"))]
            Room::Pages(pages) => pages.as_slice(),
        };
        bytes.get(..self.len).unwrap_or_default()
    }

    /// Returns the bytes, to be written.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        let bytes = match &mut self.room {
            Room::Heap(blocks) => blocks.as_mut_slice().as_mut_bytes(),
            #[cfg(all(feature = "huge-pages", target_os = "linux"))]
            Room::Pages(pages) => pages.as_mut_slice(),
        };
        bytes.get_mut(..self.len).unwrap_or_default()
    }
}
