//! A body for what the HTTP library refuses by itself: a head that is no HTTP, or too long, never reaches the router, and its
//! answer would be a bare status. It is told apart from ours by what it lacks: every answer of ours says how it may be read.
//! A body whose length is a number that the library cannot count with is too large, and not the head that says so.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::api::body::{LARGEST_BODY, LARGEST_SET};
use crate::api::problem::{Problem, code};

/// How long a head may be, as a sentence of it says; the server keeps to it.
pub(super) const HEAD_BYTES: usize = 16 * 1024;

/// What every answer of the router has.
const OURS: &str = "\r\nx-content-type-options: ";

/// What an answer without a body says.
const EMPTY: &str = "\r\ncontent-length: 0\r\n";

/// A stream on which a bare refusal becomes a problem.
pub(super) struct Worded<S> {
    stream: S,
    /// What is written instead of a bare refusal, and how far it is.
    instead: Option<(Vec<u8>, usize)>,
    lengths: Lengths,
}

/// What was read of the lengths of bodies, over the borders of reads.
#[derive(Default)]
struct Lengths {
    /// The line that is read, as far as it matters.
    line: Vec<u8>,
    /// A body was announced that nobody can count the bytes of.
    endless: bool,
}

impl Lengths {
    /// A line with a longer length than fits in here has none.
    const LONGEST: usize = 128;

    fn hear(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = (Self::LONGEST + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(part.get(..room).unwrap_or(part));
            if part.ends_with(b"\n") {
                self.endless |= self.line.len() <= Self::LONGEST && is_endless(&self.line);
                self.line.clear();
            }
        }
    }
}

/// Is it the header that says how long the body is, with a number that the library has no room for?
fn is_endless(line: &[u8]) -> bool {
    let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(':')) else {
        return false;
    };
    let value = value.trim();
    name.eq_ignore_ascii_case("content-length")
        && !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_digit())
        // Its two last numbers have another meaning to the library.
        && value.parse::<u64>().ok().is_none_or(|length| length >= u64::MAX - 1)
}

impl<S> Worded<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, instead: None, lengths: Lengths::default() }
    }
}

impl<S: AsyncWrite + Unpin> Worded<S> {
    /// Writes what stands instead of a refusal, to its end; then the refusal counts as written.
    fn write_instead(&mut self, cx: &mut Context<'_>, refusal: usize) -> Poll<io::Result<usize>> {
        while let Some((text, at)) = &mut self.instead {
            let rest = text.get(*at..).unwrap_or_default();
            if rest.is_empty() {
                self.instead = None;
                return Poll::Ready(Ok(refusal));
            }
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => *at += written,
            }
        }
        Poll::Ready(Ok(refusal))
    }
}

/// The refusal with a body, where these bytes are one without; of an endless body or of something else.
fn worded(bytes: &[u8], endless: bool) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"HTTP/1.1 4") || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?;
    if !head.contains(EMPTY) || head.contains(OURS) {
        return None;
    }
    let (first, rest) = head.split_once("\r\n")?;
    let refused = StatusCode::from_bytes(first.get(9..12)?.as_bytes()).ok()?;
    let status = if endless { StatusCode::PAYLOAD_TOO_LARGE } else { refused };
    let detail = match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            format!("a body may have {LARGEST_BODY} bytes, and a set of files {LARGEST_SET}")
        }
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE | StatusCode::URI_TOO_LONG => {
            format!("the head of a request, its first line and its headers, may have {HEAD_BYTES} bytes")
        }
        _ => "this is no request of HTTP/1.1: its first line, a header or how its body is framed is not as it should be"
            .into(),
    };
    let body = serde_json::to_string(&Problem::new(status, code::INVALID, detail)).ok()?;
    let says = format!(
        "\r\ncontent-type: application/problem+json\r\ncache-control: no-store{OURS}nosniff\r\ncontent-length: {}\r\n",
        body.len()
    );
    let rest = format!("\r\n{rest}").replacen(EMPTY, &says, 1);
    Some(format!("HTTP/1.1 {status}{rest}{body}").into_bytes())
}

impl<S: AsyncRead + Unpin> AsyncRead for Worded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.lengths.hear(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Worded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            self.instead = worded(bytes, self.lengths.endless).map(|text| (text, 0));
        }
        if self.instead.is_some() {
            return self.write_instead(cx, bytes.len());
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A bare head is alone.
        match parts {
            [head] => self.poll_write(cx, head),
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const BARE: &str =
        "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";

    #[test]
    fn only_a_bare_refusal_gets_a_body() {
        assert!(worded(BARE.as_bytes(), false).is_some());
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\nx-content-type-options: nosniff\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
            "{\"x\": \"HTTP/1.1 400 Bad Request\"}",
            "",
        ] {
            assert_eq!(worded(other.as_bytes(), true), None, "{other}");
        }
    }

    #[test]
    fn a_length_that_nobody_can_count_is_heard_however_it_comes() {
        let nines = "9".repeat(30);
        for (head, endless) in [
            (format!("POST / HTTP/1.1\r\nContent-LENGTH: {nines}\r\n"), true),
            (format!("content-length:{}\n", u64::MAX), true),
            (format!("content-length: {}\r\n", u64::MAX - 1), true),
            (format!("content-length: {}\r\n", u64::MAX - 2), false),
            ("content-length: 99000000000\r\n".into(), false),
            (format!("content-length: -{nines}\r\n"), false),
            (format!("content-length: {nines}x\r\n"), false),
            (format!("content-length: {}x\r\n", "9".repeat(200)), false),
            (format!("x-content-length: {nines}\r\n"), false),
            (format!("content-length: {nines}"), false),
        ] {
            for at_a_time in [1, 7, head.len()] {
                let mut lengths = Lengths::default();
                head.as_bytes().chunks(at_a_time).for_each(|part| lengths.hear(part));
                assert_eq!(lengths.endless, endless, "{head} by {at_a_time}");
                assert!(lengths.line.len() <= Lengths::LONGEST + 1);
            }
        }
    }

    #[tokio::test]
    async fn all_of_the_body_arrives_however_little_is_taken_at_a_time() {
        let (ours, mut theirs) = duplex(7);
        let writer = tokio::spawn(async move {
            let mut ours = Worded::new(ours);
            ours.write_all(BARE.as_bytes()).await.expect("writes");
            ours.write_all(b"more").await.expect("writes");
        });
        let mut text = String::new();
        theirs.read_to_string(&mut text).await.expect("reads");
        writer.await.expect("no panic");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let body = body.strip_suffix("more").expect("what came after it");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        let problem: Problem = serde_json::from_str(body).expect("a problem");
        assert_eq!((problem.status, problem.code.as_str()), (400, code::INVALID));
    }
}
