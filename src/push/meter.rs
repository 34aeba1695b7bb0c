//! Watches what a client sends as it arrives, by the heads of its frames (RFC 6455, 5.2): how many, how large, how many
//! bytes. The codec collects whatever there is before anybody judges it, so a client that announces a gigabyte would be
//! given it, and one that sends small frames faster than they are handled would have them all kept.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix::dev::Stream;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};

use super::hub::{Bucket, Limits};
use super::protocol::CloseCode;

/// Of a client that went too far, so much is still read and thrown away, so that it hears why it is ended; then its
/// sending is left to wait.
const THROWN_AWAY_BYTES_MAX: usize = 256 * 1024;

/// Where in the stream of frames a connection is.
#[derive(Debug)]
pub struct Meter {
    frame_bytes_max: u64,
    frames: Bucket,
    bytes: Bucket,
    head: Vec<u8>,
    payload_left: u64,
}

impl Meter {
    pub fn new(frame_bytes_max: usize, limits: &Limits) -> Meter {
        Meter {
            frame_bytes_max: frame_bytes_max as u64,
            frames: Bucket::full(limits.frames_per_s, limits.frames_burst),
            bytes: Bucket::full(limits.bytes_per_s, limits.bytes_burst),
            head: Vec::with_capacity(14),
            payload_left: 0,
        }
    }

    /// Why the connection must end, when a frame in these bytes is larger than is taken, or one too many.
    pub fn judge(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), CloseCode> {
        if !self.bytes.take_many(bytes.len(), now) {
            return Err(CloseCode::TooManyFrames);
        }
        while !bytes.is_empty() {
            let skipped = usize::try_from(self.payload_left).unwrap_or(usize::MAX).min(bytes.len());
            self.payload_left -= skipped as u64;
            bytes = &bytes[skipped..];
            let Some((first, rest)) = bytes.split_first() else { break };
            self.head.push(*first);
            bytes = rest;
            let Some(length) = self.length() else { continue };
            if length > self.frame_bytes_max {
                return Err(CloseCode::BadFrame);
            }
            if !self.frames.take(now) {
                return Err(CloseCode::TooManyFrames);
            }
            self.payload_left = length;
            self.head.clear();
        }
        Ok(())
    }

    /// The payload's length, once the head is complete with its mask.
    fn length(&self) -> Option<u64> {
        let second = *self.head.get(1)?;
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let (wide, length) = match second & 0x7f {
            126 => (2, self.number(2)?),
            127 => (8, self.number(8)?),
            short => (0, u64::from(short)),
        };
        (self.head.len() == 2 + wide + mask).then_some(length)
    }

    fn number(&self, bytes: usize) -> Option<u64> {
        let digits = self.head.get(2..2 + bytes)?;
        Some(digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// Why a connection must end; none while it may go on.
pub type Verdict = Rc<Cell<Option<CloseCode>>>;

/// The bytes of the connection, up to where it must end.
pub struct Metered {
    payload: Payload,
    meter: Meter,
    verdict: Verdict,
    thrown_away: usize,
}

impl Metered {
    pub fn new(payload: Payload, meter: Meter, verdict: Verdict) -> Metered {
        Metered { payload, meter, verdict, thrown_away: 0 }
    }
}

impl Stream for Metered {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.thrown_away > THROWN_AWAY_BYTES_MAX {
                return Poll::Pending;
            }
            match Pin::new(&mut this.payload).poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) if this.verdict.get().is_some() => this.thrown_away += bytes.len(),
                Poll::Ready(Some(Ok(bytes))) => match this.meter.judge(&bytes, Instant::now()) {
                    Ok(()) => return Poll::Ready(Some(Ok(bytes))),
                    Err(code) => {
                        this.verdict.set(Some(code));
                        return Poll::Ready(Some(Err(PayloadError::Overflow)));
                    }
                },
                // A connection that broke has ended; no frame is to blame.
                Poll::Ready(Some(Err(_))) => return Poll::Ready(None),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Vec<u8> {
        let mut frame = vec![0x81];
        match length {
            0..=125 => frame.push(0x80 | length as u8),
            126..=65_535 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([1, 2, 3, 4]);
        frame.extend(std::iter::repeat_n(0xff, length));
        frame
    }

    fn judged(meter: &mut Meter, stream: &[u8], piece: usize) -> Result<(), CloseCode> {
        let now = Instant::now();
        stream.chunks(piece).try_for_each(|bytes| meter.judge(bytes, now))
    }

    #[test]
    fn frames_pass_up_to_the_limit_however_they_are_cut() {
        let stream: Vec<u8> = [0, 5, 125, 126, 1_000].into_iter().flat_map(frame).collect();
        for size in [1, 2, 3, 7, 64, stream.len()] {
            let mut meter = Meter::new(1_000, &Limits::default());
            assert_eq!(judged(&mut meter, &stream, size), Ok(()), "in pieces of {size}");
            assert_eq!(judged(&mut meter, &frame(1_001), size), Err(CloseCode::BadFrame), "in pieces of {size}");
        }
    }

    #[test]
    fn a_frame_too_large_is_seen_by_its_head() {
        let mut meter = Meter::new(16_384, &Limits::default());
        assert_eq!(meter.judge(&frame(1_000_000)[..14], Instant::now()), Err(CloseCode::BadFrame));
    }

    #[test]
    fn frames_of_any_kind_count_however_small_they_are() {
        let limits = Limits { frames_per_s: 0, frames_burst: 3, ..Limits::default() };
        let pong = [0x8a, 0x80, 1, 2, 3, 4];
        let mut meter = Meter::new(1_000, &limits);
        assert_eq!(judged(&mut meter, &pong.repeat(3), 5), Ok(()));
        assert_eq!(judged(&mut meter, &pong, 5), Err(CloseCode::TooManyFrames));
    }

    #[test]
    fn bytes_count_also_where_frames_are_few() {
        let limits = Limits { bytes_per_s: 0, bytes_burst: 1_004, ..Limits::default() };
        let mut meter = Meter::new(2_000, &limits);
        assert_eq!(judged(&mut meter, &frame(996), 100), Ok(()), "996 and a head of 8");
        assert_eq!(judged(&mut meter, &[0x81], 1), Err(CloseCode::TooManyFrames));
    }
}
