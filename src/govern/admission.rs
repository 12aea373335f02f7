//! May something happen now? The same answer for Grace's own database and for everybody who asks over HTTP.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::govern::desk::{Desk, last};
use crate::govern::state::{Changed, Governed, Hold};
use crate::model::{ComponentId, Meaning, ModeId, Span, Status, Time, Writes};

/// What somebody is about to do to a system that Grace looks after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Looking never does harm.
    Read,
    /// Changing data.
    Write,
    /// Restarting something.
    Restart,
    /// Bringing other programs.
    Deploy,
    /// Changing the shape of data.
    Migrate,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::Write, Self::Restart, Self::Deploy, Self::Migrate];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Restart => "restart",
            Self::Deploy => "deploy",
            Self::Migrate => "migrate",
        }
    }

    /// The deed of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.word() == word)
    }

    fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Deploy | Self::Migrate)
    }

    /// Does it touch what runs, so that STOP and holds stop it?
    #[must_use]
    pub fn controls(self) -> bool {
        matches!(self, Self::Restart | Self::Deploy | Self::Migrate)
    }
}

/// A claimed mode that stops something, and why it is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// The mode.
    pub mode: ModeId,
    /// Why it is claimed.
    pub reason: String,
    /// Since when.
    pub since: Time,
}

/// Everything that decides whether something may happen, as of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The mode, why, and since when.
    pub mode: Because,
    /// What the claimed modes say of writes: reject beats queue beats allow.
    pub writes: Writes,
    /// The claimed mode that stops writes, where one does.
    pub no_writes: Option<Because>,
    /// The claimed mode that lets nobody control, where one does.
    pub no_control: Option<Because>,
    /// What people hold.
    pub holds: Vec<Hold>,
    /// A file named STOP lies in the data directory.
    pub stop: bool,
    /// Since when it does, where that is known: a step knows only that it does.
    pub stop_since: Option<Time>,
    /// How each component is, and since when.
    pub statuses: BTreeMap<ComponentId, (Status, Time)>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// It may.
    Allow,
    /// Not now; it may be asked again, at this time where it is known.
    Later(String, Option<Time>),
    /// It may not, as long as that mode is claimed.
    Deny(String),
}

impl Admission {
    /// Whoever is to come back later and was told no time comes back after this.
    pub const AGAIN: Span = Span::seconds(30);

    /// The same, with the STOP file as somebody sees it now: it comes and goes between two steps.
    #[must_use]
    pub fn seen(&self, stop: bool, stop_since: Option<Time>) -> Cow<'_, Self> {
        if (stop, stop_since) == (self.stop, self.stop_since) {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self { stop, stop_since, ..self.clone() })
    }

    /// May it happen now? A component that is named has to be able to take it.
    #[must_use]
    pub fn may(&self, deed: Deed, component: Option<&ComponentId>) -> Admitted {
        let mode = self.stopped_by_mode(deed);
        let held = || deed.controls().then(|| self.held(component)).flatten();
        let ill = || deed.writes().then(|| self.ill(component?)).flatten();
        mode.or_else(held).or_else(ill).unwrap_or(Admitted::Allow)
    }

    fn stopped_by_mode(&self, deed: Deed) -> Option<Admitted> {
        let says = |because: &Because, what: &str| {
            format!("{} {what} since {}: {}", because.mode, because.since, because.reason)
        };
        let control = self.no_control.as_ref().filter(|_| deed.controls());
        let control = control.map(|because| Admitted::Deny(says(because, "lets nobody control")));
        let writes = self.no_writes.as_ref().filter(|_| deed.writes()).map(|because| match self.writes {
            Writes::Reject => Admitted::Deny(says(because, "refuses writes")),
            Writes::Queue | Writes::Allow => Admitted::Later(says(because, "queues writes"), None),
        });
        match (control, writes) {
            (Some(Admitted::Deny(why)), _) | (_, Some(Admitted::Deny(why))) => Some(Admitted::Deny(why)),
            (control, writes) => control.or(writes),
        }
    }

    /// STOP and holds stop what people do to a component as well.
    fn held(&self, component: Option<&ComponentId>) -> Option<Admitted> {
        if self.stop {
            let since = self.stop_since.map(since).unwrap_or_default();
            let why = format!("a file named STOP lies in the data directory{since}");
            return Some(Admitted::Later(why, None));
        }
        let covers = |hold: &&Hold| hold.component.as_ref().is_none_or(|held| Some(held) == component);
        let hold = last(self.holds.iter().filter(covers), Meaning::default())?;
        let of = hold.component.as_ref().map_or("everything", ComponentId::as_str);
        let why = format!("{of} is held by {} since {}: {}", hold.actor, hold.since, hold.reason);
        Some(Admitted::Later(why, hold.until))
    }

    fn ill(&self, component: &ComponentId) -> Option<Admitted> {
        let (status, at) = self.statuses.get(component)?;
        let ill = matches!(status, Status::Critical | Status::Unknown);
        // One that was never judged is so since no time.
        let since = if *at == Time::default() { String::new() } else { since(*at) };
        ill.then(|| Admitted::Later(format!("{component} is {status}{since}"), None))
    }
}

fn since(at: Time) -> String {
    format!(" since {at}")
}

impl Desk<'_> {
    /// What may happen in this state, with the components like this.
    #[must_use]
    pub fn admission(&self, state: &Governed, statuses: BTreeMap<ComponentId, (Status, Time)>) -> Admission {
        let permitted = self.permitted(state);
        let modes = &self.policies.modes;
        let writes = || self.because(state, |mode| modes.permits(mode).writes == permitted.writes);
        let control = || self.because(state, |mode| !modes.permits(mode).control);
        Admission {
            mode: the_mode(state),
            writes: permitted.writes,
            no_writes: (permitted.writes != Writes::Allow).then(writes),
            no_control: (!permitted.control).then(control),
            holds: state.holds.clone(),
            stop: self.stop,
            stop_since: None,
            statuses,
        }
    }

    /// The highest claim whose mode is such; without one it is the mode itself. Of equals it is the one that the mode comes
    /// from, and is told with it; where none of them is, the one that stands longest.
    fn because(&self, state: &Governed, such: impl Fn(&ModeId) -> bool) -> Because {
        let claims = state.claims.values().filter(|claim| such(&claim.mode));
        let Changed { at, reason, .. } = &state.changed;
        let highest = claims.max_by_key(|claim| {
            let made = (claim.since, &claim.reason) == (*at, reason);
            (self.policies.modes.rank(&claim.mode), made, Reverse(claim.since))
        });
        highest.map_or_else(
            || the_mode(state),
            |claim| Because { mode: claim.mode.clone(), reason: claim.reason.clone(), since: claim.since },
        )
    }
}

fn the_mode(state: &Governed) -> Because {
    let Changed { at, reason, .. } = state.why_so();
    Because { mode: state.mode.clone(), reason, since: at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn because(mode: &str) -> Because {
        Because { mode: mode.into(), reason: "disks are moved".into(), since: Time(0) }
    }

    fn open() -> Admission {
        Admission {
            mode: because("normal"),
            writes: Writes::Allow,
            no_writes: None,
            no_control: None,
            holds: Vec::new(),
            stop: false,
            stop_since: None,
            statuses: [("web".into(), (Status::Ok, Time(0))), ("db".into(), (Status::Critical, Time(7000)))]
                .into(),
        }
    }

    fn words(admission: &Admission, component: Option<&str>) -> String {
        let component = component.map(ComponentId::from);
        let word = |deed| match admission.may(deed, component.as_ref()) {
            Admitted::Allow => 'a',
            Admitted::Later(..) => 'l',
            Admitted::Deny(_) => 'd',
        };
        Deed::ALL.into_iter().map(word).collect()
    }

    #[test]
    fn what_may_happen_follows_from_modes_holds_and_the_component() {
        // In the order read, write, restart, deploy, migrate.
        assert_eq!(words(&open(), None), "aaaaa");
        assert_eq!(words(&open(), Some("web")), "aaaaa");
        assert_eq!(
            words(&open(), Some("db")),
            "alall",
            "a critical component takes no writes, and may be restarted"
        );
        let queue = Admission { writes: Writes::Queue, no_writes: Some(because("read_only")), ..open() };
        assert_eq!(words(&queue, None), "alall");
        let reject = Admission { writes: Writes::Reject, no_writes: Some(because("emergency")), ..open() };
        assert_eq!(words(&reject, Some("db")), "adadd");
        let tied = Admission { no_control: Some(because("frozen")), ..queue.clone() };
        assert_eq!(words(&tied, None), "alddd", "what is denied is not to be tried later");
        assert_eq!(words(&Admission { stop: true, ..open() }, None), "aalll");
        let hold = Hold {
            component: Some("web".into()),
            actor: "uid:0".into(),
            reason: "x".into(),
            since: Time(0),
            until: Some(Time(9)),
        };
        let kept = Admission { holds: vec![hold.clone()], ..open() };
        assert_eq!(words(&kept, Some("web")), "aalll");
        assert_eq!(words(&kept, None), "aaaaa");
        let later = kept.may(Deed::Restart, Some(&"web".into()));
        assert!(matches!(later, Admitted::Later(_, Some(Time(9)))), "{later:?}");
        // Of two the one that ends last: the other opens nothing.
        let longer = Hold { component: None, reason: "y".into(), until: Some(Time(20)), ..hold.clone() };
        for holds in [vec![hold.clone(), longer.clone()], vec![longer, hold]] {
            let later = Admission { holds, ..open() }.may(Deed::Restart, Some(&"web".into()));
            let Admitted::Later(why, Some(Time(20))) = later else { panic!("{later:?}") };
            assert!(why.starts_with("everything is held") && why.ends_with(": y"), "{why}");
        }
    }

    #[test]
    fn a_refusal_says_since_when_where_that_is_known() {
        let why = |admission: Admission, deed| match admission.may(deed, Some(&"db".into())) {
            Admitted::Later(why, _) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why(open(), Deed::Write), "db is critical since 1970-01-01T00:00:07Z");
        let stop = Admission { stop: true, stop_since: Some(Time(9000)), ..open() };
        assert_eq!(
            why(stop, Deed::Restart),
            "a file named STOP lies in the data directory since 1970-01-01T00:00:09Z"
        );
    }

    #[test]
    fn a_refusal_says_mode_reason_and_since_when() {
        let reject = Admission { writes: Writes::Reject, no_writes: Some(because("emergency")), ..open() };
        let Admitted::Deny(why) = reject.may(Deed::Write, None) else { panic!("denied") };
        assert_eq!(why, "emergency refuses writes since 1970-01-01T00:00:00Z: disks are moved");
    }
}
