//! Control groups, where there are any: a group is killed whole, whatever its processes do to hide.
//!
//! Only the second version is used, below the group Grace herself runs in. Without one, or without the right
//! to make one there, the tree of processes has to do.

use std::fs;
use std::path::{Path, PathBuf};

use procfs::process::Process;

/// The name of a worker's group.
pub(super) fn name(component: &str, worker: u32, keeper: i32) -> String {
    format!("grace-{component}-{worker}-{keeper}")
}

/// Makes a group of this name below Grace's own; nothing where that cannot be.
pub(super) fn make(name: &str) -> Option<PathBuf> {
    let path = own()?.join(name);
    fs::create_dir(&path).ok()?;
    // A group that cannot be killed is of no use.
    if path.join("cgroup.kill").exists() {
        return Some(path);
    }
    let _ = fs::remove_dir(&path);
    None
}

/// Where Grace's own group lies in the file system.
fn own() -> Option<PathBuf> {
    let me = Process::myself().ok()?;
    let groups = me.cgroups().ok()?;
    let group = groups.into_iter().find(|group| group.hierarchy == 0)?.pathname;
    let mounts = me.mountinfo().ok()?;
    let mount = mounts.into_iter().find(|mount| mount.fs_type == "cgroup2")?;
    let below = Path::new(&group).strip_prefix(&mount.root).ok()?;
    Some(mount.mount_point.join(below))
}

/// Moves a process into the group. One that is gone, or may not be moved, stays where it is.
pub(super) fn take(group: &Path, pid: i32) {
    let _ = fs::write(group.join("cgroup.procs"), pid.to_string());
}

/// Kills everything in the group.
pub(super) fn kill(group: &Path) {
    // A group that is gone has nobody left.
    let _ = fs::write(group.join("cgroup.kill"), "1");
}

/// Is anybody in the group?
pub(super) fn is_populated(group: &Path) -> bool {
    let events = fs::read_to_string(group.join("cgroup.events")).unwrap_or_default();
    events.lines().any(|line| line == "populated 1")
}

/// How many processes are in the group.
pub(super) fn size(group: &Path) -> usize {
    fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default().lines().count()
}

/// Takes the empty group away.
pub(super) fn remove(group: &Path) {
    let _ = fs::remove_dir(group);
}
