//! Who a user of this machine is: the kernel gives the number, the machine's files of users give the names.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;

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
    with_names(local_user(person.user()?)).await.name
}

/// The person as the socket would name them: a user of this machine is the same at the socket and behind a token, however a
/// token names them.
pub(in crate::api) async fn person_here(person: &Actor) -> Actor {
    let plain = person.plain();
    if plain.user().is_some() || plain.as_str().contains(':') {
        return plain;
    }
    let spelt = person.as_str().rsplit(':').next().unwrap_or_default().to_owned();
    let name = plain.as_str().to_owned();
    let found = tokio::task::spawn_blocking(move || number_of(&spelt).or_else(|| number_of(&name))).await;
    found.ok().flatten().map_or(plain, Actor::of_user)
}

/// The number of the user of this name; of one that is written otherwise as well, for nobody else is meant.
fn number_of(name: &str) -> Option<u32> {
    if let Some(user) = User::from_name(name).ok().flatten() {
        return Some(user.uid.as_raw());
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    number_in(&users, name)
}

fn number_in(users: &str, wanted: &str) -> Option<u32> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        is_it.then(|| fields.nth(1)?.parse().ok()).flatten()
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_however_the_name_is_written() {
        let users = "root:x:0:0::/root:/bin/sh\nAnnP:x:1001:1001::/home/annp:/bin/sh\n";
        assert_eq!(number_in(users, "annp"), Some(1001));
        assert_eq!(number_in(users, "ANNP"), Some(1001));
        assert_eq!(number_in(users, "ann"), None);
    }
}
