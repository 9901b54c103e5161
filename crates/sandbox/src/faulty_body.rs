//! The body of an answer: a buffer or, if it is long, a temporary file. A fault can make it slow, cut it off or
//! pad it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::connections::Busy;
use crate::spool::{PIECE, Spool, Spooled};

/// The unsent part of a body.
#[derive(Default)]
pub(crate) struct FaultyBody {
    left: Bytes,
    /// The part after the buffer.
    rest: Option<Spooled>,
    mode: Mode,
    wait: Option<Pin<Box<Sleep>>>,
    /// The call that the body answers.
    _busy: Option<Busy>,
}

#[derive(Default)]
enum Mode {
    #[default]
    Whole,
    /// Sends this many bytes per second.
    Slow(u64),
    /// Breaks off; this many announced bytes are never sent.
    Cut(u64),
    /// Sends this many bytes of white space after the body.
    Padded(u64),
}

/// The maximum duration of a slow body, in seconds.
const SLOWEST: u64 = 60;
/// The time in which written data must be sent before the connection breaks.
const LEAVING: Duration = Duration::from_millis(20);
/// The white space sent at a time.
const BLANK: &[u8] = &[b' '; 64 * 1024];

impl FaultyBody {
    /// Slows the body down to this many bytes per second.
    pub(crate) fn slow(self, bytes_per_second: u64) -> Self {
        let left = self.left;
        let slowest = length(&left).div_ceil(SLOWEST).max(1);
        Self { mode: Mode::Slow(bytes_per_second.max(slowest)), left, ..Self::default() }
    }

    /// Cuts the body off at this byte.
    pub(crate) fn cut(self, at_byte: u64) -> Self {
        let mut left = self.left;
        let missing = length(&left).saturating_sub(at_byte);
        if missing == 0 {
            return Self { left, ..Self::default() };
        }
        left.truncate(usize::try_from(at_byte).unwrap_or(usize::MAX));
        let wait = left.is_empty().then(|| Box::pin(sleep(LEAVING)));
        Self { left, mode: Mode::Cut(missing), wait, ..Self::default() }
    }

    /// Pads the body to this many bytes.
    pub(crate) fn padded(self, bytes: u64) -> Self {
        let left = self.left;
        let padding = if left.is_empty() { 0 } else { bytes.saturating_sub(length(&left)) };
        Self { left, mode: Mode::Padded(padding), ..Self::default() }
    }

    /// Attaches the call that this body answers; the call is in progress until the body is sent.
    pub(crate) fn of(self, busy: Busy) -> Self {
        Self { _busy: Some(busy), ..self }.spooled()
    }

    /// Moves the body to a temporary file, so that it uses no memory while a client reads slowly. Without space for a
    /// file, it stays in memory.
    fn spooled(self) -> Self {
        if self.left.len() <= PIECE || !matches!(self.mode, Mode::Whole) {
            return self;
        }
        let mut spool = Spool::new();
        spool.push(&self.left);
        match spool.finish() {
            Ok(spooled) => Self { left: Bytes::new(), rest: Some(spooled), ..self },
            Err(error) => {
                tracing::debug!(%error, "a response stays in memory");
                self
            }
        }
    }

    /// The bytes that will be sent, except for padding.
    pub(crate) fn seen(&self) -> &[u8] {
        &self.left
    }
}

impl From<Vec<u8>> for FaultyBody {
    fn from(body: Vec<u8>) -> Self {
        Self { left: body.into(), ..Self::default() }
    }
}

impl From<Spooled> for FaultyBody {
    fn from(rest: Spooled) -> Self {
        Self { rest: Some(rest), ..Self::default() }
    }
}

impl From<String> for FaultyBody {
    fn from(body: String) -> Self {
        body.into_bytes().into()
    }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The body was cut off: by a fault, or because a temporary file failed.
#[derive(Debug, thiserror::Error)]
#[error("the response breaks off here")]
pub(crate) struct BrokenOff;

impl Body for FaultyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Self { left, rest, mode, wait, _busy: _ } = self.get_mut();
        if let Some(waiting) = wait {
            ready!(waiting.as_mut().poll(context));
            *wait = None;
        }
        let next = match mode {
            Mode::Slow(rate) if !left.is_empty() => {
                // Twenty times a second, or byte by byte if that is slower.
                let step = usize::try_from(*rate / 20).unwrap_or(usize::MAX).clamp(1, left.len());
                let rate = u32::try_from(*rate).unwrap_or(u32::MAX);
                let taken = left.split_to(step);
                *wait = Some(Box::pin(sleep(Duration::from_secs(length(&taken)) / rate)));
                taken
            }
            Mode::Cut(_) if left.is_empty() => return Poll::Ready(Some(Err(BrokenOff))),
            Mode::Cut(_) => {
                *wait = Some(Box::pin(sleep(LEAVING)));
                std::mem::take(left)
            }
            Mode::Padded(padding) if left.is_empty() => {
                let mut blank = Bytes::from_static(BLANK);
                blank.truncate(usize::try_from(*padding).unwrap_or(usize::MAX));
                *padding -= length(&blank);
                blank
            }
            _ => match rest {
                // A piece that was written a moment ago, so that no disk is waited for.
                Some(rest) if left.is_empty() => match rest.next() {
                    Ok(piece) => piece,
                    Err(error) => {
                        tracing::error!(%error, "a temporary file cannot be read");
                        return Poll::Ready(Some(Err(BrokenOff)));
                    }
                },
                _ => std::mem::take(left),
            },
        };
        Poll::Ready(if next.is_empty() { None } else { Some(Ok(Frame::data(next))) })
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        let more = match self.mode {
            Mode::Cut(missing) => missing,
            Mode::Padded(padding) => padding,
            Mode::Whole | Mode::Slow(_) => 0,
        };
        let rest = self.rest.as_ref().map_or(0, Spooled::left);
        SizeHint::with_exact(length(&self.left) + rest + more)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::time::Instant;

    use super::*;

    /// The frames of a body, each with the milliseconds at which it arrived; the last is `None` if the body was cut off.
    async fn frames(mut body: FaultyBody) -> Vec<(u64, Option<usize>)> {
        let started = Instant::now();
        let mut frames = Vec::new();
        while let Some(frame) = body.frame().await {
            let at = u64::try_from(started.elapsed().as_millis()).unwrap();
            let Ok(frame) = frame else {
                frames.push((at, None));
                break;
            };
            frames.push((at, frame.into_data().ok().map(|data| data.len())));
        }
        frames
    }

    /// A body, which measures its time from its creation; its announced size; and its frames.
    type Case<'a> = (&'a dyn Fn() -> FaultyBody, u64, &'a [(u64, Option<usize>)]);

    /// Holds: A body comes whole, slow, cut or padded, as its fault says.
    #[tokio::test(start_paused = true)]
    async fn bodies_come_whole_slowly_cut_or_padded() {
        let body = |length: usize| FaultyBody::from(vec![b'x'; length]);
        let cases: &[Case<'_>] = &[
            (&FaultyBody::default, 0, &[]),
            (&|| body(500), 500, &[(0, Some(500))]),
            (&|| body(3).slow(2), 3, &[(0, Some(1)), (500, Some(1)), (1_000, Some(1))]),
            (&|| body(10).slow(100), 10, &[(0, Some(5)), (50, Some(5))]),
            (&|| body(10).slow(u64::MAX), 10, &[(0, Some(10))]),
            (&|| body(0).slow(1), 0, &[]),
            (&|| body(10).cut(4), 10, &[(0, Some(4)), (20, None)]),
            (&|| body(10).cut(0), 10, &[(20, None)]),
            (&|| body(10).cut(10), 10, &[(0, Some(10))]),
            (&|| body(0).cut(5), 0, &[]),
            (&|| body(10).padded(12), 12, &[(0, Some(10)), (0, Some(2))]),
            (&|| body(10).padded(70_000), 70_000, &[(0, Some(10)), (0, Some(65_536)), (0, Some(4_454))]),
            (&|| body(10).padded(5), 10, &[(0, Some(10))]),
            (&|| body(40_000).spooled(), 40_000, &[(0, Some(16_384)), (0, Some(16_384)), (0, Some(7_232))]),
            (&|| body(16_384).spooled(), 16_384, &[(0, Some(16_384))]),
            (&|| body(40_000).cut(20_000).spooled(), 40_000, &[(0, Some(20_000)), (20, None)]),
            (&|| body(0).padded(5), 0, &[]),
        ];
        for (number, (body, announced, expected)) in cases.iter().enumerate() {
            let body = body();
            let state = (body.size_hint().exact(), body.is_end_stream());
            assert_eq!(state, (Some(*announced), *announced == 0), "{number}");
            assert_eq!(frames(body).await, *expected, "{number}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_body_takes_a_minute() {
        for length in [2, 61, 5_000, 1_000_000] {
            let came = frames(FaultyBody::from(vec![b'x'; length]).slow(1)).await;
            let (last, _) = came[came.len() - 1];
            assert!(last <= 60_000, "{length}: {last}");
            assert_eq!(came.iter().filter_map(|(_, bytes)| *bytes).sum::<usize>(), length);
        }
    }
}
