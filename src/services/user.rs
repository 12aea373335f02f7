//! Users: who somebody is, and how a process becomes somebody else.

use std::collections::BTreeMap;
use std::ffi::CString;

use nix::unistd::{Uid, User, getgrouplist};
use rustix::process::{Gid as RawGid, Uid as RawUid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The user of this name or number.
///
/// # Errors
/// There is none, or nobody can tell.
pub fn find(name: &str) -> Result<User, String> {
    let found = match name.parse() {
        Ok(number) => User::from_uid(Uid::from_raw(number)),
        Err(_) => User::from_name(name),
    };
    match found {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(format!("there is no user `{name}` on this machine")),
        Err(why) => Err(format!("the user `{name}` cannot be looked up: {why}")),
    }
}

/// What a user's programs find in their environment.
pub(super) fn surroundings(user: &User) -> BTreeMap<String, String> {
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    BTreeMap::from([
        ("HOME".into(), text(&user.dir)),
        ("SHELL".into(), text(&user.shell)),
        ("USER".into(), user.name.clone()),
        ("LOGNAME".into(), user.name.clone()),
    ])
}

/// Makes this process, which has a single thread, one of that user's: groups first, because afterwards it may
/// not change them any more.
pub(super) fn become_user(name: &str) -> Result<(), String> {
    let user = find(name)?;
    let (uid, gid) = (RawUid::from_raw(user.uid.as_raw()), RawGid::from_raw(user.gid.as_raw()));
    if uid == rustix::process::geteuid() && gid == rustix::process::getegid() {
        return Ok(());
    }
    let say = |why: rustix::io::Errno| format!("cannot become the user `{name}`: {why}");
    let called = CString::new(user.name.as_str()).map_err(|why| why.to_string())?;
    let groups = getgrouplist(&called, user.gid).map_err(|why| why.to_string())?;
    let groups: Vec<RawGid> = groups.into_iter().map(|group| RawGid::from_raw(group.as_raw())).collect();
    set_thread_groups(&groups).map_err(say)?;
    set_thread_res_gid(gid, gid, gid).map_err(say)?;
    set_thread_res_uid(uid, uid, uid).map_err(say)
}
