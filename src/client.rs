//! A small blocking client for programs in Rust that ask Grace whether something may happen now.
//!
//! ```no_run
//! use grace::client::{Client, Decision};
//!
//! # fn main() -> Result<(), grace::client::ClientError> {
//! let grace = Client::over_socket("/var/lib/grace")?;
//! let told = grace.may("write", Some("orders_db"))?;
//! if told.decision != Decision::Allow {
//!     eprintln!("not now: {}", told.reason);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! An error says that there was no answer. Whether to go on without one is for the caller to say: Grace is down then, and
//! no mode forbids anything.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::blocking::{ClientBuilder, RequestBuilder, Response};

pub use crate::api::shapes::{AdmissionNow, Decision};
use crate::api::{Problem, code, find_socket};

/// Whoever asks stands in the way of a write: an answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where as many wait at the door as may, it is tried again so much later.
pub(crate) const KNOCK_AGAIN: Duration = Duration::from_millis(20);

/// A way to a running Grace.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::blocking::Client,
    base: String,
    token: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Grace was not reached, or did not answer in time.
    #[error("Grace does not answer: {0}")]
    Unreachable(String),
    /// She does not take the question.
    #[error("{0}")]
    Refused(String),
    /// What came back is no answer of hers.
    #[error("this is no answer of Grace: {0}")]
    Strange(String),
}

impl Client {
    /// Asks over the unix socket of this data directory: the kernel says who asks.
    ///
    /// # Errors
    /// The client cannot be made. Whether Grace is there shows with the first question.
    pub fn over_socket(data: impl AsRef<Path>) -> Result<Self, ClientError> {
        let socket = find_socket(data.as_ref());
        let builder = builder().tls_certs_only([]).unix_socket(socket.as_path());
        Self::made(builder, "http://grace.local".into(), None)
    }

    /// Asks over TCP, `http://127.0.0.1:7171`, with a token where the shipped defaults do not suffice.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn over_http(base: &str, token: Option<String>) -> Result<Self, ClientError> {
        Self::made(builder(), base.trim_end_matches('/').to_owned(), token)
    }

    fn made(builder: ClientBuilder, base: String, token: Option<String>) -> Result<Self, ClientError> {
        let http = builder.build().map_err(|error| ClientError::Strange(cause(&error)))?;
        Ok(Self { http, base, token })
    }

    /// May this happen now: `write`, `restart`, `deploy`, `migrate`; to this component, where one is named?
    ///
    /// # Errors
    /// There was no answer, or the question was none.
    pub fn may(&self, action: &str, component: Option<&str>) -> Result<AdmissionNow, ClientError> {
        let mut asked = self.http.get(format!("{}/api/admission", self.base)).query(&[("action", action)]);
        if let Some(component) = component {
            asked = asked.query(&[("component", component)]);
        }
        if let Some(token) = &self.token {
            asked = asked.bearer_auth(token);
        }
        let unreachable = |error: reqwest::Error| ClientError::Unreachable(cause(&error));
        let body = knock(asked).and_then(Response::text).map_err(unreachable)?;
        let answer = serde_json::from_str(&body);
        answer.map_err(|error| match serde_json::from_str::<Problem>(&body) {
            Ok(problem) if problem.code != code::NOT_ADMITTED => ClientError::Refused(problem.detail),
            _ => ClientError::Strange(error.to_string()),
        })
    }
}

/// Sends the question. A socket at whose door a crowd waits turns others away at once: that is no Grace who is down.
fn knock(mut asked: RequestBuilder) -> reqwest::Result<Response> {
    let began = Instant::now();
    loop {
        let again = asked.try_clone().filter(|_| began.elapsed() < PATIENCE);
        match (asked.send(), again) {
            (Err(error), Some(again)) if is_crowded(&error) => {
                std::thread::sleep(KNOCK_AGAIN);
                asked = again;
            }
            (answered, _) => return answered,
        }
    }
}

/// Is there no place at the door of the socket? Nothing was sent then.
pub(crate) fn is_crowded(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(found) = cause {
        if found.downcast_ref::<io::Error>().is_some_and(|why| why.kind() == ErrorKind::WouldBlock) {
            return error.is_connect();
        }
        cause = found.source();
    }
    false
}

fn builder() -> ClientBuilder {
    crate::probe::provide_crypto();
    reqwest::blocking::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
}

/// The innermost cause is the operating system's.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
