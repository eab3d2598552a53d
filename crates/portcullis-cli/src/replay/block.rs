//! Bytes of a log on their way through the threads, in memory that is used again.
//!
//! PERF: a block that is made anew is zeroed and its pages are faulted in, half a megabyte for
//! each twelve hundred lines; so a judge hands it back when it has read it.

use std::io::{self, Read};

/// Bytes that were read, with room behind them.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// INVARIANT: at least as long as `filled`; what is behind that has no meaning.
    bytes: Vec<u8>,
    filled: usize,
}

impl Block {
    /// Returns the bytes that were read.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Forgets all bytes but not the memory.
    pub(crate) fn clear(&mut self) {
        self.filled = 0;
    }

    /// Forgets all bytes from this one on.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.filled = self.filled.min(length);
    }

    /// Forgets so many bytes at the front.
    pub(crate) fn drop_front(&mut self, count: usize) {
        let count = count.min(self.filled);
        self.bytes.copy_within(count..self.filled, 0);
        self.filled -= count;
    }

    /// Appends bytes.
    pub(crate) fn extend(&mut self, more: &[u8]) {
        if let Some(room) = self.room(more.len()).get_mut(..more.len()) {
            room.copy_from_slice(more);
            self.filled += more.len();
        }
    }

    /// Reads on until there are `wanted` more bytes, or `enough` of what comes in pieces; returns
    /// whether the end is reached.
    pub(crate) fn fill(
        &mut self,
        reader: &mut dyn Read,
        wanted: usize,
        enough: usize,
    ) -> io::Result<bool> {
        let start = self.filled;
        let end = start + wanted;
        loop {
            let left = end - self.filled;
            let space = self.room(left).get_mut(..left).unwrap_or_default();
            if space.is_empty() {
                return Ok(false);
            }
            match reader.read(space) {
                Ok(0) => return Ok(true),
                Ok(count) => {
                    self.filled += count;
                    // A pipe gives less than what it has room for: whoever writes slowly is answered.
                    if self.filled - start >= enough {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the room behind the bytes, at least so much.
    fn room(&mut self, least: usize) -> &mut [u8] {
        let needed = self.filled + least;
        if self.bytes.len() < needed {
            self.bytes.resize(needed, 0);
        }
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its pieces one by one, and an interruption before each.
    struct Pieces(Vec<&'static [u8]>, bool);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn what_was_there_before_is_not_read_again() {
        let mut block = Block::default();
        let mut reader = Pieces(vec![b"0123456789", b"abcd", b"ef"], false);
        assert!(!block.fill(&mut reader, 100, 10).unwrap());
        assert_eq!(block.bytes(), b"0123456789");
        block.drop_front(8);
        assert_eq!(block.bytes(), b"89");
        block.truncate(1);
        assert!(block.fill(&mut reader, 100, 10).unwrap());
        assert_eq!(block.bytes(), b"8abcdef");
        block.clear();
        assert_eq!(block.bytes(), b"");
        block.extend(b"xy");
        assert!(block.fill(&mut reader, 100, 10).unwrap());
        assert_eq!(block.bytes(), b"xy");
        // Room for nothing is no end.
        assert!(!block.fill(&mut reader, 0, 1).unwrap());
    }
}
