//! The write-ahead log of the database as it is on disk, read apart from `SQLite`, which passes over what it cannot read.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#walformat>. A log has a header with two salts, then frames, each a page
//! with the salts of its log. The last frame of a transaction is a commit. Frames of earlier logs may follow.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The room after the end of each log. `SQLite` fills it, and [`grow`] makes more before each transaction, so that a log
/// with less room after the last but one transaction was cut.
const ROOM: u64 = 128 * 1024;
/// The file grows by this much at a time.
const STEP: u64 = 256 * 1024;

/// A log, as far as it can be read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Wal {
    /// The number of frames up to the last commit that can be read.
    pub(super) committed: u64,
    pub(super) state: State,
}

/// Whether a log is what was written.
#[derive(Debug, Default, PartialEq)]
pub(super) enum State {
    /// There is no file, or an empty one.
    #[default]
    Missing,
    /// Everything that was committed is there.
    Whole,
    /// The same, and after it a write that ended early.
    Interrupted,
    /// The file ends too early.
    Cut,
    /// The header, or a frame with commits after it, is not what was written.
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
        let mut header = [0; HEADER];
        let state = match whole(&mut file, &mut header)? {
            false => State::Cut,
            true if header == [0; HEADER] => return Ok(Self { committed: 0, state: State::Whole }),
            true => return frames(&mut file, &header, size),
        };
        Ok(Self { committed: 0, state })
    }
}

fn frames(file: &mut impl Read, header: &[u8; HEADER], size: u64) -> io::Result<Wal> {
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
    let (mut at, mut broken, mut is_damaged) = (0, None, false);
    while whole(file, &mut frame)? {
        at += 1;
        let is_commit = number(&frame, 4) != 0;
        if frame[8..16] != header[16..24] {
            broken = broken.or(Some((at, false)));
            continue;
        }
        if broken.is_some() {
            // One transaction at most is not flushed when a machine stops, and nothing but it may be torn.
            is_damaged |= is_commit;
            continue;
        }
        let next = sum(order, sum(order, sums, &frame[..8]), &frame[FRAME_HEADER..]);
        if next != [number(&frame, 16), number(&frame, 20)] {
            broken = Some((at, true));
            continue;
        }
        sums = next;
        if is_commit {
            (before, last) = (last, at);
        }
    }
    let end = |frames: u64| HEADER as u64 + frames * (FRAME_HEADER + page) as u64;
    let written = broken.map_or(at, |(at, is_ours)| at - u64::from(!is_ours));
    let state = if is_damaged {
        State::Damaged
    } else if size < end(before) + ROOM {
        State::Cut
    } else if written > last {
        State::Interrupted
    } else {
        State::Whole
    };
    Ok(Wal { committed: last, state })
}

/// Fills a buffer; false if the file ends before.
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

/// Makes room for the next transaction after this many frames, and says how large the file is.
pub(super) fn grow(path: &Path, frames: u64, page: u64, size: u64) -> io::Result<u64> {
    let needed = HEADER as u64 + frames * (FRAME_HEADER as u64 + page) + ROOM;
    if needed <= size {
        return Ok(size);
    }
    let file = File::options().write(true).create(true).truncate(false).open(path)?;
    let size = file.metadata()?.len().max(needed.next_multiple_of(STEP));
    file.set_len(size)?;
    Ok(size)
}
