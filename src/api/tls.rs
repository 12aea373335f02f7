//! TLS for whoever comes from elsewhere: a certificate and its key, read anew when they are replaced.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::model::Time;

/// So long before its time is over a certificate is told of, once a day.
const SOON: Duration = Duration::from_hours(14 * 24);
const DAILY: Duration = Duration::from_hours(24);

/// Where the certificate and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    /// It holds nothing of the kind.
    #[error("{path}: holds no {what} as PEM ({why})")]
    Nothing { path: PathBuf, what: &'static str, why: String },
    /// Everybody could take the key.
    #[error("{path}: everybody can read this private key; `chmod o-r {path}`")]
    Open { path: PathBuf },
    /// They do not belong together, or are of a kind that is not known.
    #[error("{certificate} and {key}: {source}")]
    Unfit { certificate: PathBuf, key: PathBuf, source: rustls::Error },
}

/// Shakes hands with whoever comes.
pub(super) struct Tls {
    files: TlsFiles,
    now: Mutex<Now>,
}

/// What is in use.
struct Now {
    stamps: Stamps,
    acceptor: TlsAcceptor,
    chain: Vec<CertificateDer<'static>>,
    /// When it was last looked whether its time is over.
    looked: SystemTime,
    /// Why files could not be used that lie there, as it was told last.
    unfit: Option<(Stamps, String)>,
}

/// What tells files from those that were read.
type Stamps = [Option<Stamp>; 2];

/// When a file was last written tells too little: one that is moved there brings its time along, and one that may be read by
/// nobody else from now on keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    written: (i64, i64),
    changed: (i64, i64),
    size: u64,
    mode: u32,
}

impl Tls {
    pub(super) fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let (stamps, (acceptor, chain)) = (stamps(&files), acceptor(&files)?);
        let now = Now { stamps, acceptor, chain, looked: UNIX_EPOCH, unfit: None };
        now.look(SystemTime::now());
        Ok(Self { files, now: Mutex::new(Now { looked: SystemTime::now(), ..now }) })
    }

    pub(super) async fn greet(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.current().accept(stream).await
    }

    /// The certificate as it lies there now. One that cannot be used changes nothing but the log.
    fn current(&self) -> TlsAcceptor {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, at) = (stamps(&self.files), SystemTime::now());
        let mut looks = at.duration_since(now.looked).is_ok_and(|passed| passed > DAILY);
        if found != now.stamps {
            // What failed is tried again, whatever it failed of, and told once.
            match acceptor(&self.files) {
                Ok((acceptor, chain)) => {
                    tracing::info!("the certificate was replaced");
                    (now.acceptor, now.chain) = (acceptor, chain);
                    (now.stamps, now.unfit) = (found, None);
                    looks = true;
                }
                Err(error) => {
                    let why = Some((found, error.to_string()));
                    if now.unfit != why {
                        tracing::warn!(%error, "the certificate was replaced, and the old one stays in use");
                        now.unfit = why;
                    }
                }
            }
        }
        if looks {
            now.looked = at;
            now.look(at);
        }
        now.acceptor.clone()
    }
}

impl Now {
    /// Says it where the certificate's time is over, or soon: whoever connects will not.
    fn look(&self, at: SystemTime) {
        let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let then = at + SOON;
        if let Some(says) = over(&self.chain, at) {
            tracing::error!("the certificate's time {says}: whoever checks it does not connect; replace it");
        } else if let Some(says) = over(&self.chain, then) {
            tracing::warn!("the certificate's time {says}: replace it before");
        }
    }
}

/// Is the certificate's time over then, or has it not begun? What else a client may have against it is theirs to say.
fn over(chain: &[CertificateDer<'static>], then: Duration) -> Option<String> {
    let (certificate, between) = chain.split_first()?;
    // What a client does first; whom it trusts does not matter for that.
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).ok()?;
    let verifier = WebPkiServerVerifier::builder(roots.into()).build().ok()?;
    let (name, then) = (ServerName::try_from("localhost").ok()?, UnixTime::since_unix_epoch(then));
    let checked = verifier.verify_server_cert(certificate, between, &name, &[], then);
    let shown = |at: UnixTime| Time(i64::try_from(at.as_secs()).unwrap_or(0).saturating_mul(1000));
    match checked {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Some(format!("is over at {}", shown(not_after)))
        }
        Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before, ..
        })) => Some(format!("begins at {}", shown(not_before))),
        _ => None,
    }
}

fn stamps(files: &TlsFiles) -> Stamps {
    [&files.certificate, &files.key].map(|path| {
        let found = fs::metadata(path).ok()?;
        Some(Stamp {
            file: (found.dev(), found.ino()),
            written: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            size: found.size(),
            mode: found.mode(),
        })
    })
}

fn acceptor(files: &TlsFiles) -> Result<(TlsAcceptor, Vec<CertificateDer<'static>>), TlsError> {
    crate::probe::provide_crypto();
    let TlsFiles { certificate, key } = files;
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| nothing(certificate, "certificate", &error))?;
    if chain.is_empty() {
        let (path, why) = (certificate.clone(), "there is none in it".to_owned());
        return Err(TlsError::Nothing { path, what: "certificate", why });
    }
    let secret = PrivateKeyDer::from_pem_slice(&read(key)?);
    let secret = secret.map_err(|error| nothing(key, "private key", &error))?;
    is_closed(key)?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain.clone(), secret)
        .map_err(|source| TlsError::Unfit { certificate: certificate.clone(), key: key.clone(), source })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), chain))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

fn is_closed(path: &Path) -> Result<(), TlsError> {
    let mode = fs::metadata(path).map(|found| found.permissions().mode());
    let mode = mode.map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?;
    if mode & 0o004 == 0 { Ok(()) } else { Err(TlsError::Open { path: path.to_owned() }) }
}

fn nothing(path: &Path, what: &'static str, error: &rustls::pki_types::pem::Error) -> TlsError {
    TlsError::Nothing { path: path.to_owned(), what, why: error.to_string() }
}
