//! Bodies on their way: what comes in is watched for its end, what goes out goes in portions, so that an answer that is
//! not taken is held once and not again in the connection's own buffer.

use std::cell::Cell;
use std::error::Error;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix::dev::Stream;
use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;

use super::watch::Answering;

/// So much of an answer is handed to its connection at once.
const PORTION_BYTES: usize = 16 * 1024;

/// Whether a chunked body has come to its end. Bodies of a known length need no watching: the server itself ends a
/// connection on which such a body was left unread.
pub struct Arrival(Rc<Cell<bool>>);

impl Arrival {
    /// Watches a request's body; none where there is no need.
    pub fn of(request: &mut ServiceRequest) -> Option<Arrival> {
        if !request.chunked().unwrap_or(false) {
            return None;
        }
        let ended = Rc::new(Cell::new(false));
        let watched = Watched { payload: request.take_payload(), ended: Rc::clone(&ended) };
        request.set_payload(Payload::Stream { payload: Box::pin(watched) });
        Some(Arrival(ended))
    }

    pub fn is_complete(&self) -> bool {
        self.0.get()
    }
}

struct Watched {
    payload: Payload,
    ended: Rc<Cell<bool>>,
}

impl Stream for Watched {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.payload).poll_next(context));
        if next.is_none() {
            self.ended.set(true);
        }
        Poll::Ready(next)
    }
}

/// A body that goes out in portions.
pub struct Outgoing {
    body: BoxBody,
    rest: Bytes,
    /// Ends with the body.
    _answering: Option<Answering>,
}

impl Outgoing {
    pub fn new(body: BoxBody, answering: Option<Answering>) -> Outgoing {
        Outgoing { body, rest: Bytes::new(), _answering: answering }
    }
}

impl MessageBody for Outgoing {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        // An empty portion would end a chunked answer.
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                Some(Ok(bytes)) => self.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        let portion = self.rest.len().min(PORTION_BYTES);
        Poll::Ready(Some(Ok(self.rest.split_to(portion))))
    }
}
