//! Where the unix socket lies, and how it gets there.
//!
//! It is `grace.sock` in the data directory. The kernel takes paths of 107 bytes at most; where the directory
//! lies too deep, the socket lies in a directory of the user's own, and `grace.sock.path` says where.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::net::UnixListener;

/// The socket's name in the data directory.
const NAME: &str = "grace.sock";

/// The file that says where the socket is, if it is elsewhere.
const POINTER: &str = "grace.sock.path";

/// The longest path of a socket, in bytes: `sun_path` without its closing zero.
const LONGEST: usize = 107;

/// Owner and group.
const SOCKET_MODE: u32 = 0o660;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum SocketError {
    /// The directory of the socket cannot be used.
    #[error("{path}: cannot be used for the socket: {source}")]
    Directory { path: PathBuf, source: io::Error },
    /// The fallback directory is somebody else's.
    #[error("{path}: belongs to somebody else, so the socket cannot lie there; set XDG_RUNTIME_DIR")]
    Foreign { path: PathBuf },
    /// Somebody listens there already.
    #[error("{path}: somebody listens there already")]
    Taken { path: PathBuf },
    /// It cannot be made.
    #[error("{path}: the socket cannot be made: {source}")]
    Bind { path: PathBuf, source: io::Error },
    /// There is no such group.
    #[error("there is no group `{group}`, which `socket_group` in policies/system.toml names")]
    NoGroup { group: String },
}

/// Where the client of this data directory finds the socket.
#[must_use]
pub fn find(data: &Path) -> PathBuf {
    if let Ok(told) = fs::read_to_string(data.join(POINTER)) {
        return PathBuf::from(told.trim());
    }
    let near = data.join(NAME);
    if fits(&near) {
        return near;
    }
    // The same place by its real name, which may be shorter.
    fs::canonicalize(data).map_or(near, |data| data.join(NAME))
}

/// Makes the socket. Whoever calls this holds the lock of the data directory, so that no other Grace is about
/// to do the same.
pub(super) fn bind(data: &Path, group: Option<&str>) -> Result<(UnixListener, PathBuf), SocketError> {
    let group = group.map(group_id).transpose()?;
    let directory = |source| SocketError::Directory { path: data.to_owned(), source };
    let data = fs::canonicalize(data).map_err(directory)?;
    let pointer = data.join(POINTER);
    let near = data.join(NAME);
    if fits(&near) {
        let listener = bind_at(&near, group)?;
        // Left by a Grace that ran before the directory was moved.
        let _ = fs::remove_file(pointer);
        warn_unreachable(&data, group);
        return Ok((listener, near));
    }
    let far = fallback(&data, group)?;
    let listener = bind_at(&far, group)?;
    fs::write(&pointer, far.as_os_str().as_encoded_bytes()).map_err(directory)?;
    Ok((listener, far))
}

/// Which file a path means now: its device and inode.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Removes the socket, if it is still the one that was bound and not another Grace's.
pub(super) fn remove(data: &Path, socket: &Path, bound: Option<(u64, u64)>) {
    if identity(socket) != bound {
        return;
    }
    // Whatever is left is found stale by the next start.
    let _ = fs::remove_file(socket);
    let _ = fs::remove_file(data.join(POINTER));
}

fn fits(path: &Path) -> bool {
    path.as_os_str().len() <= LONGEST
}

fn bind_at(path: &Path, group: Option<u32>) -> Result<UnixListener, SocketError> {
    if UnixStream::connect(path).is_ok() {
        return Err(SocketError::Taken { path: path.to_owned() });
    }
    let failed = |source| SocketError::Bind { path: path.to_owned(), source };
    // Made under another name, so that nobody meets it before its mode is right.
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let listener = UnixListener::bind(&fresh).map_err(failed)?;
    fs::set_permissions(&fresh, Permissions::from_mode(SOCKET_MODE)).map_err(failed)?;
    if group.is_some() {
        chown(&fresh, None, group).map_err(failed)?;
    }
    fs::rename(&fresh, path).map_err(failed)?;
    Ok(listener)
}

/// A short path of the user's own for this data directory.
fn fallback(data: &Path, group: Option<u32>) -> Result<PathBuf, SocketError> {
    let uid = rustix::process::geteuid().as_raw();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let dir = runtime.map_or_else(|| PathBuf::from(format!("/tmp/grace-{uid}")), |dir| dir.join("grace"));
    let failed = |source| SocketError::Directory { path: dir.clone(), source };
    match DirBuilder::new().mode(0o700).create(&dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    // Everybody can make names in /tmp: what is there must be a directory of our own, and no link.
    let found = fs::symlink_metadata(&dir).map_err(failed)?;
    if !found.is_dir() || found.uid() != uid {
        return Err(SocketError::Foreign { path: dir });
    }
    let mode = if group.is_some() { 0o710 } else { 0o700 };
    fs::set_permissions(&dir, Permissions::from_mode(mode)).map_err(failed)?;
    if group.is_some() {
        chown(&dir, None, group).map_err(failed)?;
    }
    let digest = Sha256::digest(data.as_os_str().as_encoded_bytes());
    let short = digest.iter().take(8).fold(0_u64, |name, byte| name << 8 | u64::from(*byte));
    let path = dir.join(format!("{short:016x}.sock"));
    if fits(&path) { Ok(path) } else { Err(failed(io::Error::from(io::ErrorKind::InvalidFilename))) }
}

/// A group that may use the socket has to get to it.
fn warn_unreachable(data: &Path, group: Option<u32>) {
    let (Some(group), Ok(found)) = (group, fs::metadata(data)) else { return };
    let reachable = found.mode() & 0o001 != 0 || (found.gid() == group && found.mode() & 0o010 != 0);
    if !reachable {
        tracing::warn!(
            directory = %data.display(),
            "the group of the socket cannot get to it: chgrp the data directory and chmod g+x it"
        );
    }
}

/// The number of a group: a number as it is, a name from the file of groups.
fn group_id(group: &str) -> Result<u32, SocketError> {
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    group
        .parse()
        .ok()
        .or_else(|| group_in(&groups, group))
        .ok_or_else(|| SocketError::NoGroup { group: group.to_owned() })
}

fn group_in(groups: &str, wanted: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(wanted)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_name() {
        let groups = "root:x:0:\nops:x:1234:ann,bob\n";
        assert_eq!(group_in(groups, "ops"), Some(1234));
        assert_eq!(group_in(groups, "op"), None);
    }

    #[test]
    fn who_finds_a_pointer_follows_it() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(find(dir.path()), dir.path().join(NAME));
        fs::write(dir.path().join(POINTER), "/run/elsewhere.sock\n").expect("writes");
        assert_eq!(find(dir.path()), Path::new("/run/elsewhere.sock"));
    }
}
