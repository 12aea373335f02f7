//! Who is connected and asks for nothing. When all places are taken, whoever has been at rest for longest makes room, so that
//! idle connections and heads that never end keep nobody out.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::api::problem::{Problem, code};
use crate::api::weighed::Scales;

/// Who came, or got an answer, a shorter time ago is not sent away: a request may be under way, or the end of the answer.
const AT_REST: Duration = Duration::from_millis(250);

/// Who was sent away is gone by then.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);

/// So many of those at rest leave for one who finds no room for a large answer.
const LEAVE_AT_ONCE: usize = 4;

/// How soon it is looked again for one who can go.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Everybody who is connected on one way in.
#[derive(Debug)]
pub(super) struct Guests {
    places: Arc<Semaphore>,
    scales: Scales,
    at_rest: Mutex<AtRest>,
}

/// Those at rest, in the order in which they came to it.
#[derive(Debug, Default)]
struct AtRest {
    next: u64,
    all: BTreeMap<u64, (Instant, Arc<Notify>)>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Guest {
    guests: Arc<Guests>,
    leave: Arc<Notify>,
    /// Its number among those at rest; none while it is served.
    number: Mutex<Option<u64>>,
    _place: OwnedSemaphorePermit,
}

/// A request that is served, until the end of its answer.
#[derive(Debug)]
struct Busy(Arc<Guest>);

/// A body, of a request or an answer, and what happens once all of it has passed.
struct Passing<F> {
    body: Body,
    passed: F,
}

/// Serves a request of this guest. Until all of the request is there the guest is at rest: whoever lets it drip has no claim to
/// the place. From then on it is served, until the end of the answer. Who was sent away meanwhile is not served: nobody
/// would hear what became of it.
pub(super) async fn attend(
    Extension(guest): Extension<Arc<Guest>>,
    request: Request,
    next: Next,
) -> Response {
    let served: Arc<Mutex<Option<Busy>>> = Arc::default();
    let serve = {
        let (guest, served) = (Arc::clone(&guest), Arc::clone(&served));
        move || {
            let mut served = served.lock().unwrap_or_else(PoisonError::into_inner);
            *served = served.take().or_else(|| guest.busy());
            if served.is_some() { Ok(()) } else { Err(axum::Error::new("the place is another's")) }
        }
    };
    let request = if request.body().is_end_stream() {
        if serve().is_err() {
            return Problem::unavailable(code::BUSY, "as many are connected as may; try again")
                .into_response();
        }
        request
    } else {
        request.map(|body| Body::new(Passing { body, passed: serve }))
    };
    let reads = request.method().is_safe();
    let answer = next.run(request).await;
    // What was changed is told in any case.
    let answer = if reads { guest.guests.weigh(answer) } else { answer };
    // A refusal may come before all of the request did. It is dropped with the answer that is not taken to its end.
    let mut busy = served.lock().unwrap_or_else(PoisonError::into_inner).take().or_else(|| guest.busy());
    let passed = move || {
        drop(busy.take());
        Ok(())
    };
    answer.map(|body| Body::new(Passing { body, passed }))
}

impl<F: FnMut() -> Result<(), axum::Error> + Send + Unpin + 'static> HttpBody for Passing<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if (frame.is_none() || self.body.is_end_stream())
            && let Err(error) = (self.passed)()
        {
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Guests {
    pub(super) fn new(places: usize) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(places));
        Arc::new(Self { places, scales: Scales::default(), at_rest: Mutex::default() })
    }

    /// A place for one connection; it waits for one, and sends away whoever is at rest where there is none.
    pub(super) async fn place(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                return place;
            }
            // Who is sent away is soon gone; until then nobody else has to go.
            let patience = if self.send_away() { LEAVES_WITHIN } else { LOOK_AGAIN };
            if let Ok(Ok(place)) = timeout(patience, Arc::clone(&self.places).acquire_owned()).await {
                return place;
            }
        }
    }

    /// A new connection, at rest.
    pub(super) fn welcome(self: &Arc<Self>, place: OwnedSemaphorePermit) -> Arc<Guest> {
        let leave = Arc::new(Notify::new());
        let number = Mutex::new(Some(self.at_rest().add(Arc::clone(&leave))));
        Arc::new(Guest { guests: Arc::clone(self), leave, number, _place: place })
    }

    /// Waits until everybody has left.
    pub(super) async fn all_gone(&self, places: u32) {
        let _ = self.places.acquire_many(places).await;
    }

    /// The answer, where not too much of others is on its way already; else whoever does not take theirs makes room for the next
    /// who asks.
    fn weigh(&self, answer: Response) -> Response {
        self.scales.weigh(answer).unwrap_or_else(|| {
            for _ in 0..LEAVE_AT_ONCE {
                self.send_away();
            }
            let detail = "so much is on its way to others that this answer has no room; try again";
            Problem::unavailable(code::BUSY, detail).into_response()
        })
    }

    /// Sends away whoever is at rest for longest, where it is long enough.
    fn send_away(&self) -> bool {
        let mut at_rest = self.at_rest();
        let first = at_rest.all.first_entry().filter(|first| first.get().0.elapsed() >= AT_REST);
        first.map(|first| first.remove().1.notify_one()).is_some()
    }

    fn at_rest(&self) -> MutexGuard<'_, AtRest> {
        self.at_rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AtRest {
    fn add(&mut self, leave: Arc<Notify>) -> u64 {
        self.next += 1;
        self.all.insert(self.next, (Instant::now(), leave));
        self.next
    }
}

impl Guest {
    /// Waits until somebody else needs the place.
    pub(super) async fn sent_away(&self) {
        self.leave.notified().await;
    }

    /// A request begins; none where the guest was sent away just now.
    fn busy(self: &Arc<Self>) -> Option<Busy> {
        let number = self.number().take()?;
        self.guests.at_rest().all.remove(&number)?;
        Some(Busy(Arc::clone(self)))
    }

    fn number(&self) -> MutexGuard<'_, Option<u64>> {
        self.number.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let number = self.0.guests.at_rest().add(Arc::clone(&self.0.leave));
        self.0.number().replace(number);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(number) = self.number().take() {
            self.guests.at_rest().all.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody at rest has been so for long.
    fn long_ago(guests: &Guests) {
        for (since, _) in guests.at_rest().all.values_mut() {
            *since = since.checked_sub(AT_REST).expect("the machine runs for longer");
        }
    }

    async fn is_sent_away(guest: &Guest) -> bool {
        timeout(Duration::ZERO, guest.sent_away()).await.is_ok()
    }

    #[tokio::test]
    async fn whoever_is_at_rest_for_longest_makes_room_and_nobody_who_is_served() {
        let guests = Guests::new(3);
        let mut come = Vec::new();
        for _ in 0..3 {
            come.push(guests.welcome(guests.place().await));
        }
        let busy = come[0].busy().expect("it stays");
        assert!(timeout(LOOK_AGAIN * 2, guests.place()).await.is_err(), "all of them came just now");
        long_ago(&guests);
        assert!(timeout(LOOK_AGAIN * 2, guests.place()).await.is_err(), "the one sent away has still to go");
        assert!(!is_sent_away(&come[0]).await, "it is served");
        assert!(is_sent_away(&come[1]).await);
        assert!(come[1].busy().is_none(), "it asks too late");
        let gone = come.remove(1);
        drop(gone);
        let place = guests.place().await;
        let new = guests.welcome(place);
        drop(busy);
        long_ago(&guests);
        // The next to go: the third came before the first was at rest again.
        assert!(timeout(Duration::from_millis(1), guests.place()).await.is_err());
        assert!(is_sent_away(&come[1]).await && !is_sent_away(&come[0]).await && !is_sent_away(&new).await);
        drop((come, new));
        guests.all_gone(3).await;
        assert!(guests.at_rest().all.is_empty());
    }
}
