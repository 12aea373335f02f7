//! The kind `tcp`: connects, says something, and waits for what is expected.
//!
//! A process that was stopped still has its connections accepted by the kernel: only an answer proves life.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::model::{Reading, Setting, TcpProbe};
use crate::probe::{Found, latency};
use crate::services::setting;

/// What is expected has to come within so many bytes.
const LISTENED: usize = 64 * 1024;

/// What is sent; a file that hangs is no fault of the target.
async fn fetch(send: &Setting, within: Duration) -> Result<String, String> {
    let read = tokio::time::timeout(within, setting::fetch(send)).await;
    read.unwrap_or_else(|_| Err("it cannot be read in time".into())).map_err(|why| format!("`send`: {why}"))
}

pub(super) async fn look(probe: &TcpProbe, within: Duration) -> Found {
    let began = Instant::now();
    let send = match &probe.send {
        Some(send) => Some(fetch(send, within).await?),
        None => None,
    };
    let mut connected = false;
    let talk = async {
        let mut stream = TcpStream::connect(&probe.address).await?;
        connected = true;
        if let Some(send) = &send {
            stream.write_all(send.as_bytes()).await?;
        }
        match &probe.expect {
            Some(expected) => hears(&mut stream, expected.as_bytes()).await,
            None => Ok(true),
        }
    };
    let answered = match tokio::time::timeout(within, talk).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(why)) if !connected && is_ours(&why) => return Err(format!("{}: {why}", probe.address)),
        // Refused, broken off, or silent: the target says so itself.
        Ok(Err(_)) | Err(_) => false,
    };
    Ok(BTreeMap::from([
        ("connected".to_owned(), Reading::from(connected)),
        ("answered".to_owned(), Reading::from(answered)),
        latency(began),
    ]))
}

async fn hears(stream: &mut TcpStream, expected: &[u8]) -> io::Result<bool> {
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while heard.len() < LISTENED {
        let length = stream.read(&mut piece).await?;
        if length == 0 {
            break;
        }
        heard.extend_from_slice(piece.get(..length).unwrap_or_default());
        if heard.windows(expected.len()).any(|part| part == expected) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Is it we who could not look: no descriptor, address or right left, or a name that nobody knows?
pub(super) fn is_ours(why: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, InvalidInput, OutOfMemory, PermissionDenied};
    use rustix::io::Errno;
    let full = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
    matches!(why.kind(), AddrNotAvailable | InvalidInput | OutOfMemory | PermissionDenied)
        || full.contains(&why.raw_os_error())
        || (why.raw_os_error().is_none() && why.to_string().contains("lookup address"))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::model::Setting;

    fn probe(address: String, expect: Option<&str>) -> TcpProbe {
        TcpProbe { address, send: Some(Setting::Plain("PING\r\n".into())), expect: expect.map(str::to_owned) }
    }

    async fn looked(probe: &TcpProbe) -> (Reading, Reading) {
        let facts = look(probe, Duration::from_millis(300)).await.expect("we can look");
        assert!(matches!(facts["latency_ms"], Reading::Value(_)));
        (facts["connected"].clone(), facts["answered"].clone())
    }

    /// Answers each connection with these pieces, then does what `then` says.
    async fn server(pieces: &'static [&'static str], hang_up: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                for piece in pieces {
                    let _ = stream.write_all(piece.as_bytes()).await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                if !hang_up {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn an_answer_in_pieces_is_an_answer() {
        let address = server(&["+PO", "NG\r\n"], false).await;
        assert_eq!(looked(&probe(address, Some("+PONG"))).await, (true.into(), true.into()));
    }

    #[tokio::test]
    async fn silence_hanging_up_and_nonsense_are_no_answers_but_facts() {
        for (pieces, hang_up) in [(&[][..], false), (&[][..], true), (&["-ERR\r\n"][..], false)] {
            let address = server(pieces, hang_up).await;
            assert_eq!(looked(&probe(address, Some("+PONG"))).await, (true.into(), false.into()));
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_a_fact_and_a_secret_that_is_not_there_a_failed_look() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        drop(listener);
        assert_eq!(looked(&probe(address.clone(), None)).await, (false.into(), false.into()));
        let mut secret = probe(address, None);
        secret.send = Some(Setting::File("/nowhere/at/all".into()));
        let why = look(&secret, Duration::from_millis(300)).await.expect_err("it cannot be read");
        assert!(why.contains("/nowhere/at/all"), "{why}");
    }
}
