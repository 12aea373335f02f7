//! What answers weigh: bytes that were made and that the other side has not taken yet. Each large answer takes its share of what a
//! way in may hold, until its last byte is written or its connection ends: whoever asks for much and never reads costs no more
//! than that, however many they are.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A smaller answer is not weighed: one on each connection is no more than all the large ones may be.
const LIGHT: u64 = 16 * 1024;

/// So much a way in holds, in KiB.
const MOST: u32 = 32 * 1024;

/// The bytes of this answer are shared with every other of its kind, and weigh nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared;

/// What may be held, and what is left of it.
#[derive(Debug)]
pub(super) struct Scales {
    left: Arc<Semaphore>,
    most: u32,
}

/// An answer that is weighed.
struct Weighed {
    body: Body,
    share: Arc<OwnedSemaphorePermit>,
}

/// Bytes on their way, with their share.
struct Held {
    bytes: Bytes,
    _share: Arc<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for Scales {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Scales {
    fn of(most: u32) -> Self {
        Self { left: Arc::new(Semaphore::new(most as usize)), most }
    }

    /// The answer with its share; none where too much is held. What is sent as it is made is bounded by who may ask for it.
    pub(super) fn weigh(&self, answer: Response) -> Option<Response> {
        let size = answer.body().size_hint().exact().filter(|size| *size > LIGHT);
        let Some(size) = size.filter(|_| answer.extensions().get::<Shared>().is_none()) else {
            return Some(answer);
        };
        // One that is larger than everything goes alone.
        let share = u32::try_from(size / 1024).unwrap_or(self.most).min(self.most);
        let share = Arc::new(Arc::clone(&self.left).try_acquire_many_owned(share).ok()?);
        Some(answer.map(|body| Body::new(Weighed { body, share })))
    }
}

impl HttpBody for Weighed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        // The connection keeps the bytes until they are written.
        let held = |bytes| Bytes::from_owner(Held { bytes, _share: Arc::clone(&self.share) });
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(held))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn answer(size: usize) -> Response {
        Response::new(Body::from(vec![b'x'; size]))
    }

    #[tokio::test]
    async fn what_is_not_taken_yet_is_held_and_bounded() {
        let scales = Scales::of(1024);
        let large = || scales.weigh(answer(400 * 1024));
        let (mut first, second) = (large().expect("there is room"), large().expect("there is room"));
        assert!(large().is_none(), "there is none");
        assert!(scales.weigh(answer(16 * 1024)).is_some(), "this one is small");
        let mut shared = answer(400 * 1024);
        shared.extensions_mut().insert(Shared);
        assert!(scales.weigh(shared).is_some());
        // The answer is over, and its bytes are on their way.
        let bytes =
            first.body_mut().frame().await.expect("a frame").expect("data").into_data().expect("data");
        assert_eq!(bytes.len(), 400 * 1024);
        drop(first);
        assert!(large().is_none(), "nobody has taken them");
        drop(bytes);
        assert!(large().is_some());
        drop(second);
        let all = scales.weigh(answer(9 * 1024 * 1024)).expect("it goes alone");
        assert!(scales.weigh(answer(17 * 1024)).is_none());
        drop(all);
        assert!(scales.weigh(answer(17 * 1024)).is_some());
    }
}
