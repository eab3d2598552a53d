//! A log as bytes: a file or stdin, decompressed.
//!
//! Compression is told by the first bytes and not by the name. Members that follow one
//! another in a file, as `cat a.gz b.gz` makes them, are read one after the other.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use core::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::policies::is_stdin;

/// A log.
pub(crate) struct Source {
    /// Its name.
    pub(crate) name: String,
    /// Its bytes as they were before they were compressed.
    pub(crate) reader: Box<dyn Read>,
}

impl Source {
    /// Opens a log; `read` counts the bytes that are read from it as they are stored.
    pub(crate) fn open(path: &Path, read: &Arc<AtomicU64>) -> io::Result<Self> {
        let (name, raw): (String, Box<dyn Read>) = if is_stdin(path) {
            ("<stdin>".to_owned(), Box::new(io::stdin()))
        } else {
            (path.display().to_string(), Box::new(File::open(path)?))
        };
        let counted = Counted {
            inner: raw,
            read: Arc::clone(read),
        };
        Ok(Self {
            name,
            reader: decompressed(counted)?,
        })
    }
}

/// Returns the size of a log as it is stored; `None` for what is no plain file.
pub(crate) fn stored_size(path: &Path) -> Option<u64> {
    let metadata = std::fs::metadata(path).ok()?;
    (!is_stdin(path) && metadata.is_file()).then_some(metadata.len())
}

/// Returns what `raw` holds, decompressed if its first bytes say that it is compressed.
fn decompressed(mut raw: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut magic = Vec::with_capacity(MAGIC);
    raw.by_ref()
        .take(u64::try_from(MAGIC).unwrap_or(4))
        .read_to_end(&mut magic)?;
    let (is_gzip, is_zstd) = (
        magic.starts_with(&[0x1f, 0x8b]),
        magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || is_skippable(&magic),
    );
    let whole = Cursor::new(magic).chain(raw);
    Ok(if is_gzip {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole)))
    } else if is_zstd {
        Box::new(Frames::new(whole))
    } else {
        Box::new(whole)
    })
}

/// Returns whether bytes start a frame of zstd that has no data.
fn is_skippable(magic: &[u8]) -> bool {
    matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// The frames of a zstd file, one after the other.
struct Frames<R> {
    reader: BufReader<R>,
    decoder: FrameDecoder,
    /// Whether the decoder is in a frame.
    is_within: bool,
}

impl<R: Read> Frames<R> {
    fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER, reader),
            decoder: FrameDecoder::new(),
            is_within: false,
        }
    }

    /// Goes to the next frame with data, and returns whether there is one.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.reader.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.reader) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = self.reader.by_ref().take(length.into());
                    io::copy(&mut skipped, &mut io::sink())?;
                }
                Err(error) => return Err(invalid(error)),
            }
        }
        Ok(false)
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_within {
                if buffer.is_empty() || !self.next_frame()? {
                    return Ok(0);
                }
                self.is_within = true;
            }
            while !self.decoder.is_finished() && self.decoder.can_collect() < buffer.len() {
                let wanted = BlockDecodingStrategy::UptoBytes(buffer.len());
                self.decoder
                    .decode_blocks(&mut self.reader, wanted)
                    .map_err(invalid)?;
            }
            let count = self.decoder.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            self.is_within = false;
            let (said, found) = (
                self.decoder.get_checksum_from_data(),
                self.decoder.get_calculated_checksum(),
            );
            if said.is_some_and(|said| Some(said) != found) {
                return Err(invalid("the checksum of the zstd data is wrong"));
            }
        }
    }
}

fn invalid(error: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read
            .fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
        Ok(count)
    }
}

/// Bytes that tell how a file is compressed.
const MAGIC: usize = 4;
/// Compressed bytes that are read at once.
const BUFFER: usize = 128 << 10;
