//! Watches the sizes of frames as they arrive, by their heads alone (RFC 6455, 5.2): the codec collects a frame whole
//! before it judges its size, so a client that announces a gigabyte would be given it.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix::dev::Stream;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};

/// Where in the stream of frames a connection is.
#[derive(Debug)]
pub struct Meter {
    frame_bytes_max: u64,
    head: Vec<u8>,
    payload_left: u64,
}

impl Meter {
    pub fn new(frame_bytes_max: usize) -> Meter {
        Meter { frame_bytes_max: frame_bytes_max as u64, head: Vec::with_capacity(14), payload_left: 0 }
    }

    /// False when a frame in these bytes is larger than is taken.
    pub fn passes(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let skipped = usize::try_from(self.payload_left).unwrap_or(usize::MAX).min(bytes.len());
            self.payload_left -= skipped as u64;
            bytes = &bytes[skipped..];
            let Some((first, rest)) = bytes.split_first() else { return true };
            self.head.push(*first);
            bytes = rest;
            let Some(length) = self.length() else { continue };
            if length > self.frame_bytes_max {
                return false;
            }
            self.payload_left = length;
            self.head.clear();
        }
        true
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

/// The bytes of the connection, up to the first frame that is too large. From then on they are thrown away, so that
/// the close can still be heard.
pub struct Metered {
    payload: Payload,
    meter: Meter,
    exceeded: bool,
}

impl Metered {
    pub fn new(payload: Payload, frame_bytes_max: usize) -> Metered {
        Metered { payload, meter: Meter::new(frame_bytes_max), exceeded: false }
    }
}

impl Stream for Metered {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match Pin::new(&mut this.payload).poll_next(context) {
                Poll::Ready(Some(Ok(_))) if this.exceeded => {}
                Poll::Ready(Some(Ok(bytes))) if !this.meter.passes(&bytes) => {
                    this.exceeded = true;
                    return Poll::Ready(Some(Err(PayloadError::Overflow)));
                }
                // A connection that broke has ended; no frame is to blame.
                Poll::Ready(Some(Err(_))) => return Poll::Ready(None),
                other => return other,
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

    #[test]
    fn frames_pass_up_to_the_limit_however_they_are_cut() {
        let stream: Vec<u8> = [0, 5, 125, 126, 1_000].into_iter().flat_map(frame).collect();
        for size in [1, 2, 3, 7, 64, stream.len()] {
            let mut meter = Meter::new(1_000);
            assert!(stream.chunks(size).all(|bytes| meter.passes(bytes)), "in pieces of {size}");
            assert!(!frame(1_001).chunks(size).all(|bytes| meter.passes(bytes)), "in pieces of {size}");
        }
    }

    #[test]
    fn a_frame_too_large_is_seen_by_its_head() {
        let mut meter = Meter::new(16_384);
        assert!(!meter.passes(&frame(1_000_000)[..14]));
    }
}
