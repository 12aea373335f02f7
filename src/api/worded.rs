//! A body for what the HTTP library refuses by itself: a head that is no HTTP, or too long, never reaches the router, and its
//! answer would be a bare status. It is told apart from ours by what it lacks: every answer of ours says how it may be read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

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
}

impl<S> Worded<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, instead: None }
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

/// The refusal with a body, where these bytes are one without.
fn worded(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"HTTP/1.1 4") || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?;
    if !head.contains(EMPTY) || head.contains(OURS) {
        return None;
    }
    let status = StatusCode::from_bytes(head.get(9..12)?.as_bytes()).ok()?;
    let detail = match status {
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
    Some((head.replacen(EMPTY, &says, 1) + body.as_str()).into_bytes())
}

impl<S: AsyncRead + Unpin> AsyncRead for Worded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Worded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            self.instead = worded(bytes).map(|text| (text, 0));
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
        assert!(worded(BARE.as_bytes()).is_some());
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\nx-content-type-options: nosniff\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
            "{\"x\": \"HTTP/1.1 400 Bad Request\"}",
            "",
        ] {
            assert_eq!(worded(other.as_bytes()), None, "{other}");
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
