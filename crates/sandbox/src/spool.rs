//! A large text to send to a client: in a temporary file, so that a slow client uses no memory.

use std::io::{self, BufWriter, Read, Seek, Write};

use bytes::Bytes;
use tempfile::SpooledTempFile;

/// The maximum number of bytes of a text in memory, and of a read. Hyper holds up to 16 of these pieces.
pub(crate) const PIECE: usize = 16 * 1024;

/// A text that is being written.
pub(crate) struct Spool {
    file: BufWriter<SpooledTempFile>,
    length: u64,
    written: io::Result<()>,
}

impl Spool {
    pub(crate) fn new() -> Self {
        let file = BufWriter::with_capacity(PIECE, SpooledTempFile::new(PIECE));
        Self { file, length: 0, written: Ok(()) }
    }

    /// Appends to the text. [`finish`](Self::finish) returns any error.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.written.is_ok() {
            self.length += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.written = self.file.write_all(bytes);
        }
    }

    /// Ends the text. Fails, for example, if the folder of temporary files is full.
    pub(crate) fn finish(self) -> io::Result<Spooled> {
        self.written?;
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Spooled { file, left: self.length })
    }
}

/// A text that is being read.
pub(crate) struct Spooled {
    file: SpooledTempFile,
    left: u64,
}

impl Spooled {
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next piece, which is empty only at the end.
    pub(crate) fn next(&mut self) -> io::Result<Bytes> {
        let mut piece = vec![0; usize::try_from(self.left).unwrap_or(PIECE).min(PIECE)];
        self.file.read_exact(&mut piece)?;
        self.left -= u64::try_from(piece.len()).unwrap_or_default();
        Ok(piece.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_in_pieces() {
        let piece = u64::try_from(PIECE).unwrap();
        for (length, pieces) in [(0, 0), (1, 1), (piece, 1), (piece + 1, 2), (10 * piece + 5, 11)] {
            let text: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let mut spool = Spool::new();
            text.chunks(1_000).for_each(|part| spool.push(part));
            let mut spooled = spool.finish().unwrap();
            let (mut read, mut count) = (Vec::new(), 0);
            while spooled.left() > 0 {
                assert_eq!(spooled.left(), length - u64::try_from(read.len()).unwrap());
                read.extend_from_slice(&spooled.next().unwrap());
                count += 1;
            }
            assert_eq!((read == text, count), (true, pieces), "{length}");
            assert!(spooled.next().unwrap().is_empty());
        }
    }
}
