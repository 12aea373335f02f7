//! `policies/access.toml`: who may ask what.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::reader::{Item, Table};
use crate::govern::{Access, Member};
use crate::model::{Permission, Role};
use crate::say::Code;

pub(super) fn access(root: &Table) -> Access {
    let usual = Access::default();
    let anonymous = root.get("anonymous").map(|item| permissions(&item));
    let members = root.table("role").map(|table| {
        let of = |role: Role| Some((role, members(&table.get(role.word())?)));
        let found: BTreeMap<_, _> = Role::ALL.into_iter().filter_map(of).collect();
        table.finish();
        found
    });
    let reads = root.get("reads_a_second").and_then(|item| item.whole(1..1_000_001));
    let reads = reads.and_then(|reads| u32::try_from(reads).ok());
    root.finish();
    Access {
        reads_a_second: reads.unwrap_or(usual.reads_a_second),
        anonymous: anonymous.unwrap_or(usual.anonymous),
        members: members.unwrap_or(usual.members),
    }
}

fn permissions(item: &Item) -> BTreeSet<Permission> {
    let words = item.texts().into_iter().filter_map(|(item, word)| {
        let found = Permission::ALL.into_iter().find(|permission| permission.word() == word);
        match found {
            Some(permission) if Permission::READS.contains(&permission) => return Some(permission),
            Some(_) => {
                let help = "somebody unknown may only read: `health`, `mode`, `metrics`, `read`";
                item.error(Code::BadValue, format!("nobody unknown may `{word}`"), help);
            }
            None => {
                let known = (word, Permission::READS.map(Permission::word));
                let message = format!("there is no permission `{word}`");
                item.file.unknown(Code::BadValue, item.span.clone(), message, known);
            }
        }
        None
    });
    words.collect()
}

fn members(item: &Item) -> BTreeSet<Member> {
    let words = item.texts().into_iter().filter_map(|(item, word)| {
        let member = Member::parse(word);
        if member.is_none() {
            let known = (word, Member::WORDS);
            item.file.unknown(Code::BadValue, item.span.clone(), format!("`{word}` is nobody"), known);
        }
        member
    });
    words.collect()
}
