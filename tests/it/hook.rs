//! Somebody's URL: a web server of its own that answers as it is told and keeps what it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What came in one request: its headers, small letters, and its body.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    head: String,
    pub(crate) body: String,
}

/// A server that gives its answers in turn, and the last one from then on.
pub(crate) struct Hook {
    pub(crate) address: SocketAddr,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Hook {
    pub(crate) fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let posted: Arc<Mutex<Vec<Posted>>> = Arc::default();
        let kept = Arc::clone(&posted);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { return };
                let answer = answers.get(number).or(answers.last()).expect("an answer");
                let one = serve(stream, answer);
                kept.lock().expect("no panic").push(one);
            }
        });
        Self { address, posted }
    }

    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.posted.lock().expect("no panic").clone()
    }
}

fn serve(stream: TcpStream, answer: &str) -> Posted {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).expect("a line") > 0 {}
    let mut posted = Posted { head: head.to_ascii_lowercase(), body: String::new() };
    let length = posted.header("content-length").parse().expect("a length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    // Signatures keep their capitals.
    posted.head = head;
    posted.body = String::from_utf8(body).expect("text");
    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).expect("answered");
    posted
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        found.unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("json")
    }

    /// Is it signed with this secret, as Standard Webhooks says? Made here from SHA-256 alone.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let said = format!("{id}.{at}.{}", self.body);
        let expected = format!("v1,{}", STANDARD.encode(hmac(&key, said.as_bytes())));
        self.header("webhook-signature") == expected
    }
}

/// RFC 2104, for keys that are not longer than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect() };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}
