//! The cheapest honest client of a WebSocket: it finds the frames in what comes and answers pings.
//!
//! It shares the machine with what it measures, so it looks at the first bytes of a frame and parses nothing. What a
//! server calls its frames is told by a [`Dialect`].

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use crate::Result;

/// The receive buffer of a client that never reads, in bytes.
const STALLED_BUFFER_BYTES: u32 = 4 * 1024;

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// How a server's frames are told apart.
#[derive(Clone, Copy)]
pub struct Dialect {
    pub path: &'static str,
    /// How a frame begins after which a client is listening; where there is none, it listens once it is upgraded.
    pub ready: Option<&'static [u8]>,
    /// How a frame begins that brings a change.
    pub change: &'static [u8],
    /// A text that asks whether the client is there, and what to answer.
    pub ping: &'static [u8],
    pub pong: &'static str,
}

/// Rollcall's own.
pub const ROLLCALL: Dialect = Dialect {
    path: "/v1/live",
    ready: Some(br#"{"op":"patch""#),
    change: br#"{"op":"patch""#,
    ping: br#"{"op":"ping""#,
    pong: r#"{"op":"pong"}"#,
};

/// One connection, upgraded.
pub struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    dialect: Dialect,
}

/// What a server sent.
pub enum Frame {
    Text(Vec<u8>),
    /// With its code, where it has one.
    Close(Option<u16>),
}

impl Socket {
    /// Connects and upgrades, coming back for as long as there is no room.
    pub async fn open(port: u16, dialect: Dialect) -> Result<Socket> {
        loop {
            match Socket::attempt(TcpSocket::new_v4()?, port, dialect).await? {
                Ok(socket) => return Ok(socket),
                Err(after) => sleep(after).await,
            }
        }
    }

    /// One that will not read has a small window.
    pub async fn open_stalled(port: u16, dialect: Dialect) -> Result<Socket> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(STALLED_BUFFER_BYTES)?;
        Ok(Socket::attempt(socket, port, dialect).await?.map_err(|_| "a stalled client was refused")?)
    }

    /// `Err` within is when to come back, where no more are taken at the moment (503).
    pub async fn attempt(
        socket: TcpSocket,
        port: u16,
        dialect: Dialect,
    ) -> Result<std::result::Result<Socket, Duration>> {
        let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
        stream.set_nodelay(true)?;
        let upgrade = format!(
            "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            dialect.path
        );
        stream.write_all(upgrade.as_bytes()).await?;
        let mut buffer = Vec::with_capacity(512);
        let end = loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err("the upgrade was not answered".into());
            }
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        // A machine that is too busy to read a request in time is asked again as well.
        if buffer.starts_with(b"HTTP/1.1 503") || buffer.starts_with(b"HTTP/1.1 408") {
            return Ok(Err(Duration::from_secs(retry_after_s(&buffer))));
        }
        if !buffer.starts_with(b"HTTP/1.1 101") {
            return Err(String::from_utf8_lossy(&buffer).into_owned().into());
        }
        buffer.drain(..end);
        Ok(Ok(Socket { stream, buffer, dialect }))
    }

    pub fn local_port(&self) -> Result<u16> {
        Ok(self.stream.local_addr()?.port())
    }

    /// What comes next is acknowledged when the kernel sees fit, not at once.
    pub fn acknowledge_late(&self) -> io::Result<()> {
        self.stream.set_quickack(false)
    }

    /// The connection, for a caller who writes frames of its own.
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        self.stream.into_std()
    }

    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        self.write(TEXT, text.as_bytes()).await
    }

    /// A masked frame; the mask is zero, which is one of those allowed.
    async fn write(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let length = u16::try_from(payload.len()).map_err(io::Error::other)?;
        let mut frame = vec![kind, 0xfe];
        frame.extend(length.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.write_all(&frame).await
    }

    /// Waits for a frame that begins like this, and drops those before it.
    pub async fn until(&mut self, begins: &[u8]) -> Result<Vec<u8>> {
        loop {
            match self.next().await? {
                Frame::Text(text) if text.starts_with(begins) => return Ok(text),
                Frame::Text(_) => {}
                Frame::Close(code) => return Err(format!("closed with {code:?}").into()),
            }
        }
    }

    /// The next text or close; pings are answered. `Err` when the connection ended without a close.
    pub async fn next(&mut self) -> io::Result<Frame> {
        loop {
            while let Some((kind, payload)) = self.frame() {
                match kind {
                    TEXT if payload.starts_with(self.dialect.ping) => self.send(self.dialect.pong).await?,
                    TEXT => return Ok(Frame::Text(payload)),
                    CLOSE => {
                        let code = payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
                        return Ok(Frame::Close(code));
                    }
                    PING => self.write(PONG, &payload).await?,
                    _ => {}
                }
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The next whole frame of what has come.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let (kind, short) = (*self.buffer.first()?, usize::from(*self.buffer.get(1)?));
        let (head, length) = match short {
            126 => (4, usize::from(u16::from_be_bytes(self.buffer.get(2..4)?.try_into().ok()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(self.buffer.get(2..10)?.try_into().ok()?)).ok()?),
            length => (2, length),
        };
        let payload = self.buffer.get(head..head + length)?.to_vec();
        self.buffer.drain(..head + length);
        Some((kind, payload))
    }
}

/// Of the head of an answer; a second where it says nothing.
fn retry_after_s(head: &[u8]) -> u64 {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let line = head.lines().find_map(|line| line.strip_prefix("retry-after:"));
    line.and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(1)
}
