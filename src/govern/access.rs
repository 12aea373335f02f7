//! Who has which role: `policies/access.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::model::{Actor, Permission, Role};

/// Who may ask what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// What somebody unknown may, on loopback.
    pub anonymous: BTreeSet<Permission>,
    /// Who has each role.
    pub members: BTreeMap<Role, BTreeSet<Member>>,
    /// So many requests that only read each caller may make in a second.
    pub reads_a_second: u32,
}

/// Somebody who may have a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// The user 0.
    Root,
    /// The user that Grace runs as.
    Owner,
    /// Everybody who reaches the socket: its file says who that is.
    Socket,
    /// The user of this number.
    Uid(u32),
    /// The user of this name.
    User(String),
    /// The users in the group of this name.
    Group(String),
}

impl Member {
    /// What `policies/access.toml` may call a member.
    pub const WORDS: [&str; 6] = ["root", "owner", "socket", "uid:1000", "user:NAME", "group:NAME"];

    /// The member that a word means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        match word.split_once(':') {
            None => match word {
                "root" => Some(Self::Root),
                "owner" => Some(Self::Owner),
                "socket" => Some(Self::Socket),
                _ => None,
            },
            Some(("uid", number)) => number.parse().ok().map(Self::Uid),
            Some(("user", name)) => named(name).map(Self::User),
            Some(("group", name)) => named(name).map(Self::Group),
            Some(_) => None,
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Owner => f.write_str("owner"),
            Self::Socket => f.write_str("socket"),
            Self::Uid(uid) => write!(f, "uid:{uid}"),
            Self::User(name) => write!(f, "user:{name}"),
            Self::Group(name) => write!(f, "group:{name}"),
        }
    }
}

/// A user of this machine, as the socket names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalUser {
    /// The number.
    pub uid: u32,
    /// Is it the user that Grace runs as?
    pub owner: bool,
    /// The name, where there is one.
    pub name: Option<String>,
    /// The names of their groups.
    pub groups: BTreeSet<String>,
}

impl Default for Access {
    /// What holds without `policies/access.toml`: whoever reaches the socket operates and approves, Grace's own user
    /// and root may everything, and anybody on loopback sees how it is.
    fn default() -> Self {
        let of = |members: &[Member]| members.iter().cloned().collect::<BTreeSet<_>>();
        Self {
            anonymous: [Permission::Health, Permission::Mode, Permission::Metrics].into(),
            members: [
                (Role::Admin, of(&[Member::Root, Member::Owner])),
                (Role::Operator, of(&[Member::Socket])),
                (Role::Approver, of(&[Member::Socket])),
            ]
            .into(),
            reads_a_second: Self::READS_A_SECOND,
        }
    }
}

impl Access {
    /// More than one core answers, so that nobody meets it who does not mean harm.
    pub const READS_A_SECOND: u32 = 50_000;

    /// The roles of a user of this machine.
    #[must_use]
    pub fn roles(&self, user: &LocalUser) -> BTreeSet<Role> {
        let is = |member: &Member| match member {
            Member::Root => user.uid == 0,
            Member::Owner => user.owner,
            Member::Socket => true,
            Member::Uid(uid) => user.uid == *uid,
            Member::User(name) => user.name.as_ref() == Some(name),
            Member::Group(name) => user.groups.contains(name),
        };
        self.members.iter().filter(|(_, members)| members.iter().any(is)).map(|(role, _)| *role).collect()
    }

    /// Has anybody a role that may this?
    #[must_use]
    pub fn names_one_who_may(&self, permission: Permission) -> bool {
        self.members.iter().any(|(role, members)| role.may(permission) && !members.is_empty())
    }

    /// How many people may decide by these lines, and how many of them are named by a number or a name: where two are, none
    /// is alone. Nothing where it cannot be told: whoever is in a group, or reaches the socket, may be any number.
    #[must_use]
    pub fn deciders(&self) -> Option<(usize, usize)> {
        let deciding = self.members.iter().filter(|(role, _)| role.may(Permission::Decide));
        let (mut all, mut named) = (BTreeSet::new(), BTreeSet::new());
        for member in deciding.flat_map(|(_, members)| members) {
            let person = Actor::from(member.to_string()).plain();
            match member {
                Member::Socket | Member::Group(_) => return None,
                Member::Root | Member::Owner => {}
                Member::Uid(_) | Member::User(_) => drop(named.insert(person.clone())),
            }
            all.insert(person);
        }
        Some((all.len(), named.len()))
    }

    /// Does everybody decide who may ask with this permission, by these lines? Then each request finds one fewer who decides:
    /// nobody approves their own.
    #[must_use]
    pub fn askers_decide(&self, asking: Permission) -> bool {
        let people = |permission| -> BTreeSet<Actor> {
            let members = self.members.iter().filter(|(role, _)| role.may(permission));
            members.flat_map(|(_, all)| all).map(|one| Actor::from(one.to_string()).plain()).collect()
        };
        let asking = people(asking);
        !asking.is_empty() && asking.is_subset(&people(Permission::Decide))
    }

    /// Somebody else than this person who is named as one who decides: a number is another number's, and a name another
    /// name's. The person's own is known of the user 0, of whoever has tokens and no number, and where the machine has one for
    /// the number (`user`); where it has none, every name is another's. What was decided before names were told (`by_name`) took
    /// one name for the person's own. Groups and whoever reaches the socket name nobody.
    #[must_use]
    pub fn names_another(&self, person: &Actor, user: Option<&str>, by_name: bool) -> Option<&Member> {
        let deciding = self.members.iter().filter(|(role, _)| role.may(Permission::Decide));
        let all: BTreeSet<&Member> = deciding.flat_map(|(_, members)| members).collect();
        let plain = person.plain();
        let person = if by_name { &plain } else { person };
        let is_other =
            |member: &&&Member| matches!(member, Member::Uid(_)) && member.to_string() != person.as_str();
        let own = match person.as_str() {
            "uid:0" => Some("root"),
            number if number.starts_with("uid:") => user,
            name => Some(name),
        };
        let mut users = all.iter().filter(|member| matches!(member, Member::User(_)));
        let user = if by_name {
            let own = own.map(|name| Actor::from(name).plain());
            users.find(|member| {
                !matches!(member, Member::User(name) if Some(Actor::from(name.as_str()).plain()) == own)
            })
        } else {
            users.nth(1)
        };
        all.iter().find(is_other).or(user).copied()
    }

    /// Do names of users or groups stand in it, so that they have to be looked up?
    #[must_use]
    pub fn asks_for_names(&self) -> bool {
        let named = |member: &Member| matches!(member, Member::User(_) | Member::Group(_));
        self.members.values().flatten().any(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_they_are_written() {
        for word in ["root", "owner", "socket", "uid:1000", "user:ann", "group:ops"] {
            assert_eq!(Member::parse(word).map(|member| member.to_string()).as_deref(), Some(word));
        }
        for word in ["", "ann", "uid:", "uid:-1", "uid:ann", "user:", "group:", "host:x"] {
            assert_eq!(Member::parse(word), None, "{word}");
        }
    }

    #[test]
    fn a_user_has_the_roles_of_every_line_that_means_them() {
        let access = Access {
            anonymous: BTreeSet::new(),
            members: [
                (Role::Admin, [Member::Owner, Member::Uid(7)].into()),
                (Role::Operator, [Member::Group("ops".into())].into()),
                (Role::Viewer, [Member::Socket].into()),
            ]
            .into(),
            reads_a_second: 1,
        };
        let ann =
            LocalUser { uid: 1000, owner: false, name: Some("ann".into()), groups: ["ops".into()].into() };
        assert_eq!(access.roles(&ann), [Role::Operator, Role::Viewer].into());
        let seven = LocalUser { uid: 7, groups: BTreeSet::new(), ..ann.clone() };
        assert_eq!(access.roles(&seven), [Role::Admin, Role::Viewer].into());
        let root = LocalUser { uid: 0, ..seven };
        assert_eq!(access.roles(&root), [Role::Viewer].into(), "nobody said that root may more");
        assert!(access.asks_for_names() && !Access::default().asks_for_names());
    }

    #[test]
    fn people_who_decide_are_counted_where_each_is_named() {
        let of = |members: &[Member]| Access {
            members: [(Role::Approver, members.iter().cloned().collect())].into(),
            ..Access::default()
        };
        let named = [Member::Root, Member::Uid(0), Member::User("root".into()), Member::User("ann".into())];
        assert_eq!(of(&named).deciders(), Some((2, 2)), "root is one person");
        assert_eq!(of(&[]).deciders(), Some((0, 0)));
        assert_eq!(of(&[Member::Root, Member::Owner]).deciders(), Some((2, 0)));
        assert_eq!(of(&[Member::Uid(7), Member::Group("ops".into())]).deciders(), None);
        assert_eq!(Access::default().deciders(), None);
    }
}
