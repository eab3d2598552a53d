//! Who owns the bytes of an image: a buffer of ours, pages of ours, the program itself, or a mapped file.

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
    /// On the heap.
    Buffer(Buffer),
    /// In the program.
    Static(&'static [u8]),
    /// In huge pages.
    #[cfg(all(feature = "huge-pages", target_os = "linux"))]
    Pages(Pages),
    /// In a mapped file.
    #[cfg(feature = "mmap")]
    Mapped(Mapped),
}

impl Bytes {
    /// Owns what is in a buffer, where it is read fastest.
    #[cfg(feature = "std")]
    pub(crate) fn of(buffer: Buffer) -> Self {
        #[cfg(all(feature = "huge-pages", target_os = "linux"))]
        if let Some(pages) = Pages::copy(buffer.as_slice()) {
            return Self::Pages(pages);
        }
        Self::Buffer(buffer)
    }

    /// Owns a copy of `bytes`, or returns `None` where there is no room for it.
    pub(crate) fn copy(bytes: &[u8]) -> Option<Self> {
        #[cfg(all(feature = "huge-pages", target_os = "linux"))]
        if let Some(pages) = Pages::copy(bytes) {
            return Some(Self::Pages(pages));
        }
        Buffer::copy(bytes).map(Self::Buffer)
    }

    /// Returns the bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Buffer(buffer) => buffer.as_slice(),
            Self::Static(bytes) => bytes,
            #[cfg(all(feature = "huge-pages", target_os = "linux"))]
            Self::Pages(pages) => pages.as_slice(),
            #[cfg(feature = "mmap")]
            Self::Mapped(mapped) => mapped.as_slice(),
        }
    }
}

/// Bytes on the heap, aligned as sections are.
#[derive(Debug)]
pub(crate) struct Buffer {
    blocks: Vec<Block>,
    len: usize,
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
struct Block([u8; ALIGN]);

impl Buffer {
    /// Returns `len` zeros, or `None` where there is no room for them.
    pub(crate) fn zeroed(len: usize) -> Option<Self> {
        let blocks = Block::new_vec_zeroed(len.div_ceil(ALIGN)).ok()?;
        Some(Self { blocks, len })
    }

    /// Returns no bytes and room for `len`, or `None` where there is none.
    #[cfg(feature = "build")]
    pub(crate) fn with_capacity(len: usize) -> Option<Self> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(len.div_ceil(ALIGN)).ok()?;
        Some(Self { blocks, len: 0 })
    }

    /// Appends `bytes`, and zeros up to where the next section begins.
    #[cfg(feature = "build")]
    pub(crate) fn append_aligned(&mut self, bytes: &[u8]) {
        let (whole, rest) = bytes.as_chunks();
        self.blocks.extend(whole.iter().map(|&block| Block(block)));
        if !rest.is_empty() {
            let mut last = [0; ALIGN];
            last.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
            self.blocks.push(Block(last));
        }
        self.len = self.blocks.len() * ALIGN;
    }

    /// Returns a copy of `bytes`, or `None` where there is no room for it.
    pub(crate) fn copy(bytes: &[u8]) -> Option<Self> {
        let mut buffer = Self::zeroed(bytes.len())?;
        buffer.as_mut_slice().copy_from_slice(bytes);
        Some(buffer)
    }

    /// Returns the bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        let bytes = self.blocks.as_slice().as_bytes();
        bytes.get(..self.len).unwrap_or_default()
    }

    /// Returns the bytes, to be written.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        let bytes = self.blocks.as_mut_slice().as_mut_bytes();
        bytes.get_mut(..self.len).unwrap_or_default()
    }
}
