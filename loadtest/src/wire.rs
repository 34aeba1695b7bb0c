//! The cheapest honest caller: a kept-alive HTTP/1.1 connection that writes requests built beforehand and reads
//! whole answers.
//!
//! It shares the machine with what it measures, so it understands only what the service sends: a status line,
//! headers, and a body with a length or in chunks. Chunks are handed on as they came, with their lengths.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More than any answer of the calls made here needs at once; longer ones are read in parts.
const BUFFER_BYTES: usize = 16 * 1024;

/// How a body in chunks ends.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// One connection.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Wire {
    pub async fn open(port: u16) -> io::Result<Wire> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Wire { stream, buffer: Vec::with_capacity(BUFFER_BYTES) })
    }

    /// Sends a whole request and waits for the whole answer.
    pub async fn call(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = Head::read(&self.buffer)? {
                break head;
            }
        };
        while !head.complete(&self.buffer) {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Answer { status: head.status, body: &self.buffer[head.end..] })
    }
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, token: &str, key: Option<&str>, body: &str) -> Vec<u8> {
    let key = key.map(|key| format!("idempotency-key: {key}\r\n")).unwrap_or_default();
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n{key}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

struct Head {
    status: u16,
    /// None where the body comes in chunks.
    length: Option<usize>,
    /// Where the body begins.
    end: usize,
}

impl Head {
    /// Whether the whole body is among the bytes; no answer follows before the next request.
    fn complete(&self, bytes: &[u8]) -> bool {
        match self.length {
            Some(length) => bytes.len() >= self.end + length,
            None => bytes[self.end..] == *LAST_CHUNK || bytes[self.end..].ends_with(b"\r\n0\r\n\r\n"),
        }
    }

    /// `None` until the blank line has arrived.
    fn read(bytes: &[u8]) -> io::Result<Option<Head>> {
        let Some(blank) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&bytes[..blank]).map_err(io::Error::other)?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("no status line"))?;
        let (mut length, mut chunked) = (0, false);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            chunked |= name.eq_ignore_ascii_case("transfer-encoding");
        }
        let length = (!chunked).then_some(length);
        Ok(Some(Head { status, length, end: blank + 4 }))
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn a_body_is_complete_with_its_last_byte_or_its_last_chunk() {
        let whole = |text: &str| Head::read(text.as_bytes()).unwrap().map(|head| head.complete(text.as_bytes()));
        assert_eq!(whole("HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(whole("HTTP/1.1 304 Not Modified\r\n\r\n"), Some(true));
        assert_eq!(whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"), Some(false));
        assert_eq!(whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), Some(true));
        assert_eq!(whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), Some(false));
        assert_eq!(whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), Some(true));
        assert_eq!(whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), Some(true));
    }
}
