//! A connection's stream with its clocks. To the server above, a connection that is over looks as if the client had
//! ended it, which it knows how to clean up after; an answer that is not taken looks like a broken one.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use super::pace::Pace;
use super::watch::Watch;

pub struct Socket {
    stream: TcpStream,
    watch: Rc<Watch>,
    pace: Pace,
    /// Answers given when the pace was last started over.
    answers: u64,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub fn new(stream: TcpStream, watch: Rc<Watch>) -> Socket {
        let pace = Pace::new(watch.patience());
        Socket { stream, watch, pace, answers: 0, alarm: None }
    }

    pub fn watch(&self) -> &Rc<Watch> {
        &self.watch
    }

    /// Has the task woken at the next deadline. An alarm that is set for earlier is left to ring, and is set again then:
    /// deadlines mostly move away.
    fn set_alarm(&mut self, context: &mut Context<'_>) {
        loop {
            let deadlines = [self.watch.deadline(), self.pace.deadline()];
            let Some(next) = deadlines.into_iter().flatten().min().map(tokio::time::Instant::from_std) else { return };
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(next)));
            if alarm.deadline() > next || alarm.is_elapsed() {
                alarm.as_mut().reset(next);
            }
            if alarm.as_mut().poll(context).is_pending() {
                return;
            }
            if next <= tokio::time::Instant::now() {
                // It is now; the read or write that comes next sees it.
                context.waker().wake_by_ref();
                return;
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let over = this.watch.deadline().is_some_and(|deadline| deadline <= Instant::now());
        if over || this.watch.must_go(context.waker()) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            this.watch.heard();
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.answers != this.watch.answers() {
            this.answers = this.watch.answers();
            this.pace.begin_again();
        }
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(written)) => {
                this.pace.went_out(written, Instant::now());
                Poll::Ready(Ok(written))
            }
            Poll::Pending => {
                let now = Instant::now();
                if this.pace.stands_still(now) <= now {
                    // What the kernel holds of it goes as well, and the client learns that it has not got the whole.
                    SockRef::from(&this.stream).set_linger(Some(Duration::ZERO))?;
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                this.set_alarm(context);
                Poll::Pending
            }
            failed => failed,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        this.set_alarm(context);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
