//! The kind `http`: asks a URL, and reads as much of the answer as it may.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, Url};

use crate::model::{HttpProbe, Reading, Setting};
use crate::probe::tcp::is_ours;
use crate::probe::{Found, latency};
use crate::services::setting;

/// The clients, made when they are first needed: the certificates of the machine take memory.
#[derive(Debug, Default)]
pub(super) struct Web {
    plain: OnceLock<Client>,
    secure: OnceLock<Client>,
}

/// What came back.
struct Answer {
    code: u16,
    matched: bool,
}

/// Makes ring the one that does cryptography in this process.
pub fn provide_crypto() {
    // Somebody did so before: then it is done.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Web {
    pub(super) async fn look(&self, probe: &HttpProbe, within: Duration) -> Found {
        let headers = tokio::time::timeout(within, headers(&probe.headers)).await;
        let headers = headers.unwrap_or_else(|_| Err("the headers cannot be read in time".into()))?;
        let began = Instant::now();
        let answer = tokio::time::timeout(within, self.ask(probe, headers)).await;
        let answer = match answer {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(why)) if could_not_look(&why) => return Err(innermost(&why)),
            // Refused, broken off, or too slow: the target's silence is a fact.
            Ok(Err(_)) | Err(_) => None,
        };
        Ok(BTreeMap::from([
            ("answered".to_owned(), Reading::from(answer.is_some())),
            (
                "status_code".to_owned(),
                answer.as_ref().map_or(Reading::Missing, |answer| i64::from(answer.code).into()),
            ),
            ("matched".to_owned(), Reading::from(answer.is_some_and(|answer| answer.matched))),
            latency(began),
        ]))
    }

    async fn ask(&self, probe: &HttpProbe, mut headers: HeaderMap) -> Result<Answer, reqwest::Error> {
        let method = Method::from_bytes(probe.method.as_bytes()).unwrap_or(Method::GET);
        let mut url = probe.url.clone();
        let mut left = probe.redirects;
        loop {
            let client = self.client(&url)?;
            let response = client.request(method.clone(), &url).headers(headers.clone()).send().await?;
            match onwards(&response).filter(|_| left > 0) {
                Some(next) => {
                    // What was meant for one host is not told to another.
                    if next.origin() != response.url().origin() {
                        headers.clear();
                    }
                    url = next.to_string();
                    left -= 1;
                }
                None => return read(response, probe).await,
            }
        }
    }

    fn client(&self, url: &str) -> Result<&Client, reqwest::Error> {
        let secure = url.starts_with("https:");
        let slot = if secure { &self.secure } else { &self.plain };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        provide_crypto();
        let builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // Each look makes its own connection: one that was open before proves little.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("grace/", env!("CARGO_PKG_VERSION")));
        let builder = if secure { builder } else { builder.tls_certs_only([]) };
        let client = builder.build()?;
        Ok(slot.get_or_init(|| client))
    }
}

async fn headers(declared: &BTreeMap<String, Setting>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in declared {
        let text = setting::fetch(value).await.map_err(|why| format!("the header `{name}`: {why}"))?;
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header"))?;
        let mut value =
            HeaderValue::from_str(&text).map_err(|_| format!("the header `{name}` cannot hold that"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

/// Where a redirect leads.
fn onwards(response: &Response) -> Option<Url> {
    if !response.status().is_redirection() {
        return None;
    }
    let next = response.url().join(response.headers().get(LOCATION)?.to_str().ok()?).ok()?;
    matches!(next.scheme(), "http" | "https").then_some(next)
}

/// Reads the answer as far as it may be read, or until what is looked for has come.
async fn read(mut response: Response, probe: &HttpProbe) -> Result<Answer, reqwest::Error> {
    let code = response.status().as_u16();
    let most = usize::try_from(probe.body_max).unwrap_or(usize::MAX);
    let mut body: Vec<u8> = Vec::new();
    let wanted = probe.body.as_deref().unwrap_or_default().as_bytes();
    let holds = |body: &[u8]| wanted.is_empty() || body.windows(wanted.len()).any(|part| part == wanted);
    while body.len() < most
        && let Some(piece) = response.chunk().await?
    {
        let room = (most - body.len()).min(piece.len());
        body.extend_from_slice(piece.get(..room).unwrap_or_default());
        if !wanted.is_empty() && holds(&body) {
            break;
        }
    }
    Ok(Answer { code, matched: holds(&body) })
}

/// Is it we who could not look?
fn could_not_look(why: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn Error> = Some(why);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(is_ours) {
            return true;
        }
        cause = error.source();
    }
    why.is_builder()
}

/// The innermost cause: what lies around it are layers of ours, and may hold the address with a query.
fn innermost(why: &reqwest::Error) -> String {
    let mut cause: &dyn Error = why;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
