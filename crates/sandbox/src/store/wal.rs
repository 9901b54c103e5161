//! The write-ahead log of the database as it is on disk, read without `SQLite`, which skips data that it cannot read.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#walformat>. A log has a header with two salts, then frames, each a page
//! with the salts of its log. The last frame of a transaction is a commit. Frames of earlier logs may follow.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The free space after the end of each log. `SQLite` fills it, and [`grow`] extends it before each transaction, so
/// that a log with less space after the second-to-last transaction was cut.
const ROOM: u64 = 128 * 1024;
/// The free space minus the mark and the header of a frame that is written over it: a transaction of this size may have
/// passed the end of the file.
const PASSES: u64 = ROOM - 64;
/// The number of bytes by which the file grows.
const STEP: u64 = 256 * 1024;

/// A log, as far as it can be read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Wal {
    /// The number of frames up to the last readable commit.
    pub(super) committed: u64,
    pub(super) state: State,
}

/// The condition of a log.
#[derive(Debug, Default, PartialEq)]
pub(super) enum State {
    /// The file is missing or empty.
    #[default]
    Missing,
    /// All committed frames are intact.
    Whole,
    /// All committed frames are intact, and are followed by this many bytes of an incomplete or damaged write.
    Interrupted(u64),
    /// The file ends too early.
    Cut,
    /// The header, or a frame before a commit, is damaged.
    Damaged,
}

impl Wal {
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let size = file.metadata()?.len();
        if size == 0 {
            return Ok(Self::default());
        }
        let mut file = BufReader::with_capacity(256 * 1024, file);
        let mark = Mark::read(&mut file, size)?;
        file.seek(SeekFrom::Start(0))?;
        let mut header = [0; HEADER];
        if whole(&mut file, &mut header)? && header != [0; HEADER] {
            return frames(&mut file, &header, size, mark.as_ref());
        }
        let state = match mark {
            // Nothing was written yet.
            Some(Mark { frames: 0, .. }) => State::Whole,
            Some(_) => State::Damaged,
            None => State::Cut,
        };
        Ok(Self { committed: 0, state })
    }
}

fn frames(file: &mut impl Read, header: &[u8; HEADER], size: u64, mark: Option<&Mark>) -> io::Result<Wal> {
    let damaged = Wal { committed: 0, state: State::Damaged };
    let magic = number(header, 0);
    let order = if magic & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
    let mut sums = sum(order, [0, 0], &header[..24]);
    if magic & !1 != 0x377f_0682 || sums != [number(header, 24), number(header, 28)] {
        return Ok(damaged);
    }
    let page = usize::try_from(number(header, 8)).unwrap_or_default();
    if !(512..=65_536).contains(&page) {
        return Ok(damaged);
    }
    let mut frame = vec![0; FRAME_HEADER + page];
    // Ends of the last commit and of the one before it, in frames.
    let (mut last, mut before) = (0, 0);
    // The last frame of this log, and whether one before it is not what was written.
    let (mut at, mut ours, mut is_broken, mut is_damaged) = (0, 0, false, false);
    while whole(file, &mut frame)? {
        at += 1;
        let is_commit = number(&frame, 4) != 0;
        let has_salts = frame[8..16] == header[16..24];
        if is_broken {
            // One transaction at most is not flushed when a machine stops, and nothing but it may be torn.
            is_damaged |= has_salts && is_commit;
            ours = if has_salts { at } else { ours };
            continue;
        }
        let next = sum(order, sum(order, sums, &frame[..8]), &frame[FRAME_HEADER..]);
        let has_sums = next == [number(&frame, 16), number(&frame, 20)];
        // The checksum does not cover the salts.
        ours = if has_salts || has_sums { at } else { ours };
        is_broken = !(has_salts && has_sums);
        if is_broken {
            continue;
        }
        sums = next;
        if is_commit {
            (before, last) = (last, at);
        }
    }
    let end = |frames: u64| HEADER as u64 + frames * (FRAME_HEADER + page) as u64;
    // The last transaction, or the one that was not committed, has passed the end of the file.
    let has_passed = size == end(last) && size - end(before) > PASSES
        || ours > last && ours == at && size.saturating_sub(end(last)) > PASSES;
    let answered = mark.as_ref().filter(|mark| mark.salts == header[16..24]).map_or(0, |mark| mark.frames);
    let state = if is_damaged || last < answered {
        State::Damaged
    } else if size < end(before) + ROOM || !(mark.is_some() || has_passed) {
        State::Cut
    } else if mark.is_none() {
        State::Interrupted(size - end(last))
    } else if ours > last {
        State::Interrupted(end(ours) - end(last))
    } else {
        State::Whole
    };
    Ok(Wal { committed: last, state })
}

/// Fills a buffer; returns false if the file ends first.
fn whole(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].try_into().map_or(0, u32::from_be_bytes)
}

/// The checksum of `SQLite` over pairs of words.
fn sum(order: fn([u8; 4]) -> u32, [mut one, mut two]: [u32; 2], bytes: &[u8]) -> [u32; 2] {
    for pair in bytes.chunks_exact(8) {
        let word = |at: usize| order([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
        one = one.wrapping_add(word(0)).wrapping_add(two);
        two = two.wrapping_add(word(4)).wrapping_add(one);
    }
    [one, two]
}

/// The size of a [`Mark`].
const MARK: usize = 32;

/// The last bytes of a log file: without them, the file was cut. The mark counts the frames up to the last commit
/// before whose answers it was written, so that none of these can be missing. It is not flushed, and may be older than
/// the log.
struct Mark {
    salts: [u8; 8],
    frames: u64,
}

impl Mark {
    fn read(file: &mut (impl Read + Seek), size: u64) -> io::Result<Option<Self>> {
        let Some(at) = size.checked_sub(MARK as u64) else { return Ok(None) };
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = [0; MARK];
        if !whole(file, &mut bytes)? {
            return Ok(None);
        }
        let [mut salts, mut frames] = [[0; 8]; 2];
        salts.copy_from_slice(&bytes[8..16]);
        salts = salts.map(|byte| !byte);
        frames.copy_from_slice(&bytes[16..24]);
        let mark = Self { salts, frames: u64::from_be_bytes(frames) };
        Ok((mark.bytes(size) == bytes).then_some(mark))
    }

    fn bytes(&self, size: u64) -> [u8; MARK] {
        let mut bytes = [0; MARK];
        bytes[..8].copy_from_slice(&(0x7065_7265_6e64_0000 ^ size).to_be_bytes());
        // Inverted, so that what is left of the mark of a smaller file is never taken for a frame.
        bytes[8..16].copy_from_slice(&self.salts.map(|byte| !byte));
        bytes[16..24].copy_from_slice(&self.frames.to_be_bytes());
        let [one, two] = sum(u32::from_be_bytes, [0, 0], &bytes[..24]);
        bytes[24..28].copy_from_slice(&one.to_be_bytes());
        bytes[28..].copy_from_slice(&two.to_be_bytes());
        bytes
    }
}

/// Writes at the end of a file of this size the number of committed frames of its log.
pub(super) fn mark(file: &mut File, frames: u64, size: u64) -> io::Result<()> {
    let mut header = [0; HEADER];
    file.seek(SeekFrom::Start(0))?;
    // A log that nothing was written into yet has no salts.
    let _ = whole(file, &mut header)?;
    let mut salts = [0; 8];
    salts.copy_from_slice(&header[16..24]);
    file.seek(SeekFrom::Start(size - MARK as u64))?;
    // In one write, so that no kill leaves a file without its mark.
    file.write_all(&Mark { salts, frames }.bytes(size))
}

/// Whether this many frames end after the start of the mark of a file of this size.
pub(super) fn is_passed(frames: u64, page: u64, size: u64) -> bool {
    HEADER as u64 + frames * (FRAME_HEADER as u64 + page) + MARK as u64 > size
}

/// Makes room for the next transaction after this many frames, and returns the size of the file.
pub(super) fn grow(file: &mut File, frames: u64, page: u64, size: u64) -> io::Result<u64> {
    let needed = HEADER as u64 + frames * (FRAME_HEADER as u64 + page) + ROOM;
    if needed <= size {
        return Ok(size);
    }
    let size = file.metadata()?.len().max(needed.next_multiple_of(STEP));
    mark(file, frames, size)?;
    Ok(size)
}
