//! Who a user of this machine is: the kernel gives the number, the machine's files of users give the names.

use std::collections::BTreeSet;
use std::ffi::CString;

use nix::unistd::{Group, Uid, User, getgrouplist};

use crate::govern::LocalUser;
use crate::model::Actor;

/// The user of this number, whose names nobody asked for yet.
pub(in crate::api) fn local_user(uid: u32) -> LocalUser {
    let owner = uid == rustix::process::geteuid().as_raw();
    LocalUser { uid, owner, name: None, groups: BTreeSet::new() }
}

/// The same with the names. To look them up reads files, and may ask another machine.
pub(super) async fn with_names(user: LocalUser) -> LocalUser {
    let unnamed = user.clone();
    tokio::task::spawn_blocking(move || named(user)).await.unwrap_or(unnamed)
}

/// The name of a person who is known by a number.
pub(super) async fn name_of(person: &Actor) -> Option<String> {
    let uid = person.as_str().strip_prefix("uid:")?.parse().ok()?;
    with_names(local_user(uid)).await.name
}

fn named(mut user: LocalUser) -> LocalUser {
    let Ok(Some(found)) = User::from_uid(Uid::from_raw(user.uid)) else { return user };
    if let Ok(name) = CString::new(found.name.clone()) {
        let groups = getgrouplist(&name, found.gid).unwrap_or_default();
        let names = groups.into_iter().filter_map(|gid| Group::from_gid(gid).ok().flatten());
        user.groups = names.map(|group| group.name).collect();
    }
    user.name = Some(found.name);
    user
}
