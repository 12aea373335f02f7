//! Asks the running Grace over her unix socket.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::{Method, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::{Problem, find_socket};
use crate::cli::asking::how::How;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Out, Output};
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::text::clean;
use crate::client::{KNOCK_AGAIN, is_crowded};

/// The longest answer comes when an act that was started does not end: then after a minute.
const PATIENCE: Duration = Duration::from_secs(80);

/// Nobody listens, or somebody does.
const CONNECT: Duration = Duration::from_secs(5);

/// A way to the running Grace.
pub(in crate::cli) struct Client {
    http: reqwest::Client,
    socket: PathBuf,
    for_people: bool,
    how: How,
}

impl Client {
    /// The same, for changes that are asked for so.
    pub(in crate::cli) fn asking(self, how: &How) -> Self {
        Self { how: how.clone(), ..self }
    }

    pub(in crate::cli) fn new(shared: &Shared) -> Result<Self, Failure> {
        let socket = find_socket(&shared.data);
        crate::probe::provide_crypto();
        let http = reqwest::Client::builder()
            // Nobody is met but over the socket: the machine's certificates are not needed.
            .tls_certs_only([])
            .unix_socket(socket.as_path())
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .build()
            .map_err(|error| Failure::Answer(error.to_string()))?;
        Ok(Self {
            http,
            socket,
            for_people: crate::cli::terminal::outputs::plain(&shared.output)? != Output::Json,
            how: How::default(),
        })
    }

    pub(in crate::cli) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.send(self.request(Method::GET, path)?).await
    }

    pub(super) async fn get_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, Failure> {
        self.send(self.request(Method::GET, path)?.query(query)).await
    }

    pub(in crate::cli) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.send(self.request(Method::POST, path)?.json(body)).await
    }

    pub(in crate::cli) async fn delete<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, Failure> {
        self.send(self.request(Method::DELETE, path)?.query(query)).await
    }

    /// An answer that does not end; it has no time-out but that of connecting.
    pub(super) async fn stream(
        &self,
        path: &[&str],
        query: &impl Serialize,
        after: Option<i64>,
    ) -> Result<Response, Failure> {
        let url = address(path)?;
        let mut request = self.http.get(url).query(query).header("accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("last-event-id", after.to_string());
        }
        let response = self.knock(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.problem(response).await)
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<reqwest::RequestBuilder, Failure> {
        let changes = !method.is_safe();
        let request = self.http.request(method, address(path)?).timeout(PATIENCE);
        if !changes {
            return Ok(request);
        }
        let request = if self.how.dry_run { request.query(&[("dry_run", true)]) } else { request };
        Ok(match &self.how.revision {
            Some(revision) => request.header("if-match", format!("\"{revision}\"")),
            None => request,
        })
    }

    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, Failure> {
        let response = self.knock(request).await?;
        if !response.status().is_success() {
            return Err(self.problem(response).await);
        }
        self.read(response).await
    }

    /// Sends the request. A socket at whose door a crowd waits turns others away at once, and nothing was sent then.
    async fn knock(&self, mut request: reqwest::RequestBuilder) -> Result<Response, Failure> {
        let began = Instant::now();
        loop {
            let again = request.try_clone().filter(|_| began.elapsed() < CONNECT);
            match (request.send().await, again) {
                (Err(error), Some(again)) if is_crowded(&error) => {
                    tokio::time::sleep(KNOCK_AGAIN).await;
                    request = again;
                }
                (answered, _) => return answered.map_err(|error| self.not_reached(&error)),
            }
        }
    }

    async fn problem(&self, response: Response) -> Failure {
        match self.read::<Problem>(response).await {
            Ok(problem) => Failure::Problem(problem),
            Err(failure) => failure,
        }
    }

    async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failure> {
        let status = response.status();
        let mut value: Value = response.json().await.map_err(|error| {
            if error.is_decode() { strange(format!("{status}: {error}")) } else { self.not_reached(&error) }
        })?;
        if self.for_people {
            clean(&mut value);
        }
        serde_json::from_value(value).map_err(|error| strange(error.to_string()))
    }

    fn not_reached(&self, error: &reqwest::Error) -> Failure {
        if error.is_timeout() && !error.is_connect() {
            return Failure::TimedOut;
        }
        // The innermost cause is the operating system's; what lies around it are layers of ours.
        let mut cause: &dyn Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Failure::Unreachable { socket: self.socket.clone(), why: cause.to_string() }
    }
}

fn strange(why: String) -> Failure {
    Failure::Answer(why)
}

/// The address; every part is escaped, so that a name can never become another path.
fn address(path: &[&str]) -> Result<Url, Failure> {
    let mut url = Url::parse("http://grace.local/").map_err(|error| strange(error.to_string()))?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.clear().extend(path);
    }
    Ok(url)
}

/// Runs a verb that asks the running Grace.
pub(in crate::cli) fn asking<T, F: Future<Output = Result<T, Failure>>>(
    shared: &Shared,
    out: Out,
    work: impl FnOnce(Client, Out) -> F,
) -> Result<T, Failure> {
    wait(work(Client::new(shared)?, out))
}

/// Runs something that waits, on this thread.
pub(super) fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::Runtime)?.block_on(work)
}
