//! What a user may do with a file, by its owner, its group and its mode.

use std::ffi::CString;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{User, getgrouplist};
use rustix::fs::{Access, access};
use rustix::process::{Resource, getegid, geteuid, getgroups, getrlimit};

use crate::model::Limit;

/// To write it.
pub(super) const WRITE: u32 = 0o2;

/// To run a program.
pub(super) const RUN: u32 = 0o1;

/// To enter a folder.
pub(super) const ENTER: u32 = 0o1;

/// Somebody who wants to do something.
#[derive(Debug, Clone)]
pub(super) struct Who {
    /// For people.
    pub(super) name: String,
    pub(super) uid: u32,
    groups: Vec<u32>,
    /// It is Grace's own, of whom the kernel knows everything.
    own: bool,
}

impl Who {
    /// Grace's own user.
    pub(super) fn own() -> Self {
        let mut groups: Vec<u32> =
            getgroups().unwrap_or_default().iter().map(|group| group.as_raw()).collect();
        groups.push(getegid().as_raw());
        Self { name: "Grace's user".into(), uid: geteuid().as_raw(), groups, own: true }
    }

    /// Another user.
    pub(super) fn of(user: &User) -> Self {
        let called = CString::new(user.name.as_str()).unwrap_or_default();
        let groups = getgrouplist(&called, user.gid).unwrap_or_default();
        let groups = groups.iter().map(|group| group.as_raw()).collect();
        Self {
            name: format!("the user `{}`", user.name),
            uid: user.uid.as_raw(),
            groups,
            own: user.uid.as_raw() == geteuid().as_raw(),
        }
    }

    /// Is that certain, or worked out from owners, groups and modes? Lists of access rights may say otherwise.
    pub(super) fn is_certain(&self) -> bool {
        self.own
    }

    /// May this one do that with the file?
    pub(super) fn may(&self, path: &Path, wants: u32) -> bool {
        if self.own {
            return own(path, wants);
        }
        let way = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        let open = |folder: &Path| fs::metadata(folder).is_ok_and(|found| self.has(&found, ENTER));
        fs::metadata(path).is_ok_and(|found| self.has(&found, wants)) && way.into_iter().all(open)
    }

    fn has(&self, found: &Metadata, wants: u32) -> bool {
        let mode = found.mode();
        if self.uid == 0 {
            // Root may everything but run what nobody may run.
            return wants != RUN || found.is_dir() || mode & 0o111 != 0;
        }
        let bits = if found.uid() == self.uid {
            mode >> 6
        } else if self.groups.contains(&found.gid()) {
            mode >> 3
        } else {
            mode
        };
        bits & wants == wants
    }
}

/// Could anybody run it?
pub(super) fn could_run(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
}

/// May Grace do that, as the kernel says?
pub(super) fn own(path: &Path, wants: u32) -> bool {
    let mut asked = Access::EXISTS;
    asked.set(Access::WRITE_OK, wants & WRITE != 0);
    asked.set(Access::EXEC_OK, wants & ENTER != 0);
    access(path, asked).is_ok()
}

/// May Grace give a process that much?
pub(super) fn may_limit(limit: Limit, value: u64) -> bool {
    let resource = match limit {
        Limit::OpenFiles => Resource::Nofile,
        Limit::Processes => Resource::Nproc,
        Limit::MemoryBytes => Resource::As,
        Limit::CoreBytes => Resource::Core,
        Limit::FileBytes => Resource::Fsize,
    };
    geteuid().is_root() || getrlimit(resource).maximum.is_none_or(|most| value <= most)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn owner_group_others_and_the_way_to_it_count() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("program");
        fs::write(&file, "").expect("written");
        let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("set");
        let metadata = fs::metadata(&file).expect("there");
        let who = |uid, gid| Who { name: String::new(), uid, groups: vec![gid], own: false };
        let (owner, group, other) =
            (who(77_777, metadata.gid()), who(77_777, metadata.gid()), who(77_777, 77_777));
        mode(0o710);
        assert!(owner.may(&file, RUN) && group.may(&file, RUN) && !other.may(&file, RUN));
        mode(0o701);
        assert!(!group.may(&file, RUN) && other.may(&file, RUN));
        mode(0o600);
        assert!(!who(0, 0).may(&file, RUN), "not even root runs what is no program");
        mode(0o777);
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).expect("set");
        assert!(!other.may(&file, RUN), "the way to it is closed");
    }
}
