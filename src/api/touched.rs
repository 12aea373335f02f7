//! What a request for approval touches besides readings: the mode and what it permits, the claim that would end, whom a hold
//! stops, and who would not hear of what. Each is a sentence for those who decide.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{outlasts, standing, still_held};
use crate::evaluate::{Component, What};
use crate::govern::{Approval, Governed, Hold, Permitted};
use crate::model::{Act, ComponentId, Span, Status, Writes};
use crate::supervisor::Published;

/// Longer lists are cut, and say so.
const NAMED: usize = 12;

/// The sentences; `stop` says whether a file named STOP lies in the data directory.
pub(super) fn touches(known: &Published, stop: bool, approval: &Approval) -> Vec<String> {
    let governed = &known.state.governed;
    match &approval.proposal.act {
        Act::SetMode { lasts, .. } => {
            moves((known, stop), approval).into_iter().chain(over(known, approval, *lasts)).collect()
        }
        Act::Release { key } => {
            let permits = governed.claims.get(key).map(|claim| {
                let permits = known.bundle.policies.modes.permits(&claim.mode);
                format!("the mode {} of that claim permits {}", claim.mode, words(permits))
            });
            permits.into_iter().chain(moves((known, stop), approval)).collect()
        }
        Act::Hold { component, lasts } => held(known, component.as_ref(), *lasts),
        Act::Silence { component, lasts } => silenced(known, component.as_ref(), *lasts),
        Act::EndHold { component } => {
            let still = still_held(&known.bundle, &known.state, (known.state.now, stop), &approval.proposal);
            ended("hold", &governed.holds, component.as_ref()).into_iter().chain(still).collect()
        }
        Act::EndSilence { component } => {
            let wider = standing(&governed.silences, None).filter(|_| component.is_some());
            let wider = wider.map(|all| format!("all is silenced besides, {}", span_of(all)));
            ended("silence", &governed.silences, component.as_ref()).into_iter().chain(wider).collect()
        }
        Act::Unblock { component } => {
            let block = governed.blocks.get(component);
            let says = |block: &crate::govern::Block| {
                format!("it ends the block since {} by {}: {}", block.since, block.by, block.reason)
            };
            block.map(says).into_iter().collect()
        }
        Act::EndToken { token } => {
            let token = governed.tokens.get(token);
            let says = |token: &crate::model::Token| {
                format!("the token is for {}, {}, made by {}", token.person, token.role, token.by)
            };
            token.map(says).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What comes after a claim that lasts a while.
fn over(known: &Published, approval: &Approval, lasts: Option<Span>) -> Option<String> {
    let desk = known.bundle.desk(known.state.now, false);
    let mode = desk.afterwards(&known.state.governed, &approval.proposal)?;
    Some(format!("once it is over, after {}, the mode would be {mode}", lasts?))
}

/// The mode then, now, and after it; and whom that touches.
fn moves((known, stop): (&Published, bool), approval: &Approval) -> Vec<String> {
    let governed = &known.state.governed;
    let before = known.bundle.permitted(&known.state);
    let desk = known.bundle.desk(known.state.now, false);
    let then = desk.what_if(governed, &approval.proposal);
    let after = desk.permitted(&then);
    let mut lines = vec![if then.mode == governed.mode {
        format!("the mode is {}, and stays so", then.mode)
    } else {
        format!("the mode is {}, and would be {}", governed.mode, then.mode)
    }];
    lines.push(if before == after {
        format!("it permits {}, before and after", words(before))
    } else {
        format!("it permits {}, and would permit {}", words(before), words(after))
    });
    if before.writes != after.writes {
        lines.push(format!("writes are {}, and would be {}", becomes(before), becomes(after)));
    }
    if before.heal != after.heal {
        lines.extend(healing((known, stop), after.heal));
        lines.push(critical(known, None));
    }
    if before.control != after.control {
        let may = if after.control { "may again" } else { "could not" };
        lines.push(format!("people {may} restart and scale"));
        let all = after.control.then(|| kept((known, stop), None)).flatten();
        lines.extend(all.map(|why| format!("nobody could all the same: {why}")));
    }
    lines.extend(claims((governed, &then), approval));
    lines
}

/// What becomes of writes.
fn becomes(permitted: Permitted) -> &'static str {
    match permitted.writes {
        Writes::Allow => "done at once",
        Writes::Queue => "queued",
        Writes::Reject => "refused",
    }
}

/// Whom rules heal, or no longer; and who is not healed although the mode lets them.
fn healing((known, stop): (&Published, bool), may: bool) -> Vec<String> {
    let healed = known.bundle.components.values().filter(|one| heals(one)).map(|one| &one.id);
    if !may {
        return vec![format!("rules would not heal {}", listed(healed))];
    }
    let (mut free, mut stays) = (Vec::new(), BTreeMap::<String, Vec<&ComponentId>>::new());
    for id in healed {
        let block = known.state.governed.blocks.get(id);
        let block = block
            .map(|block| format!("it is blocked since {} by {}: {}", block.since, block.by, block.reason));
        match kept((known, stop), Some(id)).or(block) {
            Some(why) => stays.entry(why).or_default().push(id),
            None => free.push(id),
        }
    }
    let again =
        (!free.is_empty() || stays.is_empty()).then(|| format!("rules may again heal {}", listed(free)));
    let stays = stays
        .into_iter()
        .map(|(why, ids)| format!("rules would not heal {} all the same: {why}", listed(ids)));
    again.into_iter().chain(stays).collect()
}

/// What stops every heal act on a component, or on all, whatever the mode: of several holds the one that ends last.
fn kept((known, stop): (&Published, bool), component: Option<&ComponentId>) -> Option<String> {
    if stop {
        return Some("a file named STOP lies in the data directory".into());
    }
    let covers = |hold: &&Hold| hold.component.is_none() || hold.component.as_ref() == component;
    let last = known.state.governed.holds.iter().filter(covers).max_by_key(|hold| hold.end())?;
    let what = last.component.as_ref().map_or("all", ComponentId::as_str);
    Some(format!("{what} is held {}", span_of(last)))
}

/// The claims now, which of them it ends, and those of when it was asked that are others.
fn claims((governed, then): (&Governed, &Governed), approval: &Approval) -> Vec<String> {
    let now = governed.claims_now();
    let asked = approval.claims.clone().unwrap_or_else(|| now.clone());
    let gone = asked.iter().filter(|(key, claim)| now.get(*key) != Some(*claim));
    let gone = gone.map(|(key, claim)| format!("when it was asked {key} claimed {claim}"));
    let after = then.claims_now();
    let new = now.iter().map(|(key, claim)| {
        let since = if asked.contains_key(key) { "" } else { "since it was asked " };
        match after.get(key) {
            Some(same) if same == claim => format!("{since}{key} claims {claim}"),
            Some(_) => format!("it takes the place of the claim {key}: {claim}"),
            None => format!("it ends the claim {key}: {claim}"),
        }
    });
    gone.chain(new).collect()
}

/// Whom a hold stops, and the holds there are: one that lasts longer stays as it is.
fn held(known: &Published, component: Option<&ComponentId>, lasts: Option<Span>) -> Vec<String> {
    let governed = &known.state.governed;
    let id = component.map_or("all", ComponentId::as_str);
    let mut lines = Vec::new();
    let before = standing(&governed.holds, component);
    if let Some(hold) = before.filter(|hold| outlasts(hold, (known.state.now, lasts))) {
        lines.push(format!("it changes nothing: {id} stays held, longer than that, {}", span_of(hold)));
    } else {
        let of = |one: &&ComponentId| component.is_none_or(|id| id == *one);
        let touched = known.bundle.components.keys().filter(of);
        lines.push(format!("nobody could restart or scale {}", listed(touched)));
        lines.extend(before.map(|hold| format!("it takes the place of the hold {}", span_of(hold))));
    }
    let wider = standing(&governed.holds, None).filter(|_| component.is_some());
    lines.extend(wider.map(|hold| format!("all is held besides, {}", span_of(hold))));
    lines.push(critical(known, component));
    lines
}

/// Which notifications would not be sent; a silence that lasts longer stays as it is.
fn silenced(known: &Published, component: Option<&ComponentId>, lasts: Option<Span>) -> Vec<String> {
    let before = standing(&known.state.governed.silences, component);
    if let Some(silence) = before.filter(|silence| outlasts(silence, (known.state.now, lasts))) {
        let id = component.map_or("all", ComponentId::as_str);
        let stays =
            format!("it changes nothing: {id} stays silenced, longer than that, {}", span_of(silence));
        return vec![stays, critical(known, component)];
    }
    let of = |one: &&Component| component.is_none_or(|id| *id == one.id);
    let (mut told, mut heard) = (BTreeSet::new(), BTreeSet::new());
    for one in known.bundle.components.values().filter(of) {
        for rule in &one.rules {
            for item in rule.acts.iter().chain(&rule.on_failure) {
                if let What::Notify(receiver, _) = &item.what {
                    let of_others = component.is_some() && rule.may_speak_of_others();
                    let list = if of_others { &mut heard } else { &mut told };
                    list.insert(format!("{}/{} to {receiver}", rule.id, one.id));
                }
            }
        }
    }
    let alerts = if told.is_empty() {
        "no rule would notify anybody".to_owned()
    } else {
        format!("nobody would hear from {}", listed(&told))
    };
    let heard = (!heard.is_empty())
        .then(|| format!("heard, where it tells of others that nobody silenced: {}", listed(&heard)));
    let before = before.map(|one| format!("it takes the place of the silence {}", span_of(one)));
    let late = told_late(known, component);
    let all = [alerts].into_iter().chain(heard).chain(late).chain(before);
    all.chain([critical(known, component)]).collect()
}

/// Who hears of requests and tasks only when the silence ends.
fn told_late(known: &Published, component: Option<&ComponentId>) -> Vec<String> {
    let notify = &known.bundle.notify;
    let about = component.map_or("anything", ComponentId::as_str);
    let requests = notify.approvals.as_ref().map(|to| ("requests for approval, and broken glass,", to));
    let tasks = notify.tasks.receiver.as_ref().map(|to| ("tasks", to));
    let escalated = notify.tasks.escalate.as_ref().map(|(to, _)| ("tasks that nobody looks at", to));
    let all = [requests, tasks, escalated].into_iter().flatten();
    all.map(|(what, to)| format!("{to} would hear of {what} about {about} only when it ends")).collect()
}

fn ended(what: &str, all: &[Hold], component: Option<&ComponentId>) -> Vec<String> {
    let found = all.iter().find(|one| one.component.as_ref() == component);
    found.map(|one| format!("it ends the {what} {}", span_of(one))).into_iter().collect()
}

/// `by uid:0 since 12:00, until 13:00: game day`
fn span_of(one: &Hold) -> String {
    let until = one.until.map_or("for ever".to_owned(), |until| format!("until {until}"));
    format!("by {} since {}, {until}: {}", one.actor, one.since, one.reason)
}

fn critical(known: &Published, component: Option<&ComponentId>) -> String {
    let health = &known.state.health;
    let of = |one: &&ComponentId| component.is_none_or(|id| id == *one);
    let all = known.bundle.components.keys().filter(of);
    let critical = all.filter(|id| health.status(id) == Status::Critical);
    format!("critical now: {}", listed(critical))
}

fn heals(component: &Component) -> bool {
    component.rules.iter().any(|rule| rule.acts.iter().any(|item| matches!(item.what, What::Heal(_))))
}

fn words(permitted: Permitted) -> String {
    let words = permitted.words();
    if words.is_empty() { "nothing".into() } else { words.join(", ") }
}

fn listed<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
    let more = all.len().saturating_sub(NAMED);
    match all.get(..NAMED).filter(|_| more > 0) {
        Some(first) => format!("{} and {more} more", first.join(", ")),
        None if all.is_empty() => "none".into(),
        None => all.join(", "),
    }
}
