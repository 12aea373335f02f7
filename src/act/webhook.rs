//! The receiver kind `webhook`: a POST that is signed as Standard Webhooks says, tried a few times under one id.
//!
//! <https://www.standardwebhooks.com>: `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 of
//! `id.timestamp.body`. Who gets the same id twice has been told twice.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, StatusCode, redirect};
use ring::hmac;
use uuid::Uuid;

use crate::act::{Hands, Steps, stop};
use crate::model::{Effect, Setting, Span, Webhook};
use crate::services::setting;

/// How long is waited before the second and the third try.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Standard Webhooks wants keys of 24 to 64 bytes; a longer one does no harm.
const SHORTEST_KEY: usize = 24;

/// Tells the URL; a try that could go better later is made again.
pub(super) async fn run(hands: &Hands, hook: &Webhook, body: &str, steps: &mut Steps) -> Effect {
    // One for all tries.
    let id = format!("msg_{}", Uuid::now_v7().simple());
    let mut pauses = PAUSES.into_iter();
    loop {
        if let Some(withheld) = stop::withholds(hands, "send").await {
            return withheld;
        }
        steps.begin("send");
        let (why, pause) = match post(hook, &id, body).await {
            Ok(code) if code.is_success() => {
                steps.end(true, &format!("{id}: answered {}", code.as_u16()));
                return Effect::Done;
            }
            Ok(code) => {
                let later = code.is_server_error()
                    || matches!(code, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
                let followed = if code.is_redirection() { ", and redirects are not followed" } else { "" };
                let why = format!("{id}: answered {}{followed}", code.as_u16());
                (why, pauses.next().filter(|_| later))
            }
            Err(Unsent::Ours(why)) => (why, None),
            Err(Unsent::Theirs(why)) => (format!("{id}: {why}"), pauses.next()),
        };
        steps.end(false, &why);
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Effect::Failed { why },
        }
    }
}

/// Why nothing was answered.
enum Unsent {
    /// It could not be sent, and could not be later.
    Ours(String),
    /// Nobody took it; later somebody may.
    Theirs(String),
}

async fn post(hook: &Webhook, id: &str, body: &str) -> Result<StatusCode, Unsent> {
    let key = key(&hook.secret).await.map_err(|why| Unsent::Ours(format!("the secret: {why}")))?;
    let client = client(&hook.url, hook.within).map_err(|why| Unsent::Ours(innermost(why)))?;
    // The time of the try, not of the first: whoever checks it takes no old ones.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
    let request = client
        .post(&hook.url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", &now)
        .header("webhook-signature", signature(&key, id, &now, body))
        .body(body.to_owned());
    let answer = request.send().await.map_err(|why| Unsent::Theirs(innermost(why)))?;
    Ok(answer.status())
}

/// A client for one request to this URL.
pub(super) fn client(url: &str, within: Span) -> Result<Client, reqwest::Error> {
    // Somebody chose ring before: then it is chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(within.to_std())
        .pool_max_idle_per_host(0)
        .user_agent(concat!("grace/", env!("CARGO_PKG_VERSION")));
    // The machine's certificates are needed for TLS alone.
    let secure = url.starts_with("https:");
    if secure { builder } else { builder.tls_certs_only([]) }.build()
}

/// What it is signed with. What is said names the place, never the text.
async fn key(secret: &Setting) -> Result<hmac::Key, String> {
    let text = setting::fetch(secret).await?;
    let bytes = text.trim().strip_prefix("whsec_").and_then(|rest| STANDARD.decode(rest).ok());
    let bytes = bytes.ok_or("it is not `whsec_` with base64 behind it")?;
    if bytes.len() < SHORTEST_KEY {
        return Err(format!("it is shorter than {SHORTEST_KEY} bytes"));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn signature(key: &hmac::Key, id: &str, timestamp: &str, body: &str) -> String {
    let tag = hmac::sign(key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

/// The innermost cause; those around it may hold the address, whose path can be a secret of its own.
pub(super) fn innermost(why: reqwest::Error) -> String {
    if why.is_timeout() {
        return "no answer in time".into();
    }
    let why = why.without_url();
    let mut cause: &dyn Error = &why;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_has_the_signature_it_gives() {
        // From the specification's reference libraries.
        let bytes = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
