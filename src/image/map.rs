//! A file whose bytes are read where the system keeps them.
//!
//! PERF: the safe twin is `Loaded::read`, which copies the file into a buffer. A million CIDRs (15.6 MiB) are
//! mapped and checked in 0.43 ms and read in 1.9 ms, 10 000 statements (12.9 MiB) in 0.73 and 2.1 ms
//! (`cargo bench --features mmap -- image/`), and processes share what they map.
#![expect(unsafe_code, reason = "mapping a file is unsafe; see `Mapped::new`")]

use std::fs::File;
use std::io;

use memmap2::{Mmap, MmapOptions};

/// A mapped file.
#[derive(Debug)]
pub(crate) struct Mapped {
    map: Mmap,
}

impl Mapped {
    /// Maps the whole of `file`.
    ///
    /// # Safety
    ///
    /// While it is mapped nobody may write to the file or shorten it.
    pub(crate) unsafe fn new(file: &File) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        // All of it is read at once, for its checksum.
        options.populate();
        // SAFETY: what the caller promises is what is asked for.
        let map = unsafe { options.map(file)? };
        Ok(Self { map })
    }

    /// Returns the bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.map
    }
}
