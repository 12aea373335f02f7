//! The heartbeat: says to somebody elsewhere that Grace did her work. Who hears nothing for long raises the alarm, which Grace
//! herself cannot do once she is gone (a dead-man's switch).

use crate::act::webhook::{client, innermost};
use crate::config::is_private_url;
use crate::model::Heartbeat;
use crate::services::setting;

/// Tells the URL; why not, where it did not take it. What is said never holds the URL: it can be a secret.
///
/// # Errors
/// The URL cannot be read or may not be told, or nobody took it.
pub async fn beat(heart: &Heartbeat) -> Result<(), String> {
    let url = setting::fetch(&heart.url).await?;
    let url = url.trim();
    if !is_private_url(url) {
        return Err("it is no `https://` URL; plain `http://` is only for this machine".into());
    }
    let client = client(url, heart.within).map_err(innermost)?;
    // Without it some servers wait for a body, or refuse.
    let answer = client.post(url).header("content-length", "0").send().await.map_err(innermost)?;
    let code = answer.status();
    if code.is_success() { Ok(()) } else { Err(format!("answered {}", code.as_u16())) }
}
