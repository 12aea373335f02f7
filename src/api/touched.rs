//! What a request for approval touches besides readings: the mode and what it permits, the claim that would end, whom a hold
//! stops, and who would not hear of what. Each is a sentence for those who decide.

use std::collections::BTreeSet;

use crate::engine::{outlasts, standing};
use crate::evaluate::{Component, What};
use crate::govern::{Approval, Governed, Hold, Permitted};
use crate::model::{Act, ClaimKey, ComponentId, ModeId, Span, Status};
use crate::supervisor::Published;

/// Longer lists are cut, and say so.
const NAMED: usize = 12;

/// The sentences.
pub(super) fn touches(known: &Published, approval: &Approval) -> Vec<String> {
    let governed = &known.state.governed;
    match &approval.proposal.act {
        Act::SetMode { mode, key, lasts, .. } => {
            let replaced = replaces(known, (mode, key));
            moves(known, approval).into_iter().chain(replaced).chain(over(known, approval, *lasts)).collect()
        }
        Act::Release { key } => {
            let claim = governed.claims_now().remove(key);
            let ends = claim.map(|claim| format!("it ends the claim {key}: {claim}"));
            let permits = governed.claims.get(key).map(|claim| {
                let permits = known.bundle.policies.modes.permits(&claim.mode);
                format!("the mode {} of that claim permits {}", claim.mode, words(permits))
            });
            ends.into_iter().chain(permits).chain(moves(known, approval)).collect()
        }
        Act::Hold { component, lasts } => held(known, component.as_ref(), *lasts),
        Act::Silence { component, lasts } => silenced(known, component.as_ref(), *lasts),
        Act::EndHold { component } => ended("hold", &governed.holds, component.as_ref()),
        Act::EndSilence { component } => ended("silence", &governed.silences, component.as_ref()),
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

/// The claim that stands under the same key: it ends, also where the mode stays as it is.
fn replaces(known: &Published, (mode, key): (&ModeId, &ClaimKey)) -> Option<String> {
    let before = known.state.governed.claims_now().remove(key)?;
    let how = if mode == known.bundle.policies.modes.lowest() { "ends" } else { "takes the place of" };
    Some(format!("it {how} the claim {key}: {before}"))
}

/// What comes after a claim that lasts a while.
fn over(known: &Published, approval: &Approval, lasts: Option<Span>) -> Option<String> {
    let desk = known.bundle.desk(known.state.now, false);
    let mode = desk.afterwards(&known.state.governed, &approval.proposal)?;
    Some(format!("once it is over, after {}, the mode would be {mode}", lasts?))
}

/// The mode then, now, and after it; and whom that touches.
fn moves(known: &Published, approval: &Approval) -> Vec<String> {
    let governed = &known.state.governed;
    let before = known.bundle.permitted(&known.state);
    let (mode, after) = known.bundle.desk(known.state.now, false).outcome(governed, &approval.proposal);
    let mut lines = vec![if mode == governed.mode {
        format!("the mode is {mode}, and stays so")
    } else {
        format!("the mode is {}, and would be {mode}", governed.mode)
    }];
    let permits = |permitted| words(permitted);
    lines.push(if before == after {
        format!("it permits {}, before and after", permits(before))
    } else {
        format!("it permits {}, and would permit {}", permits(before), permits(after))
    });
    if before.heal != after.heal {
        let healed = known.bundle.components.values().filter(|one| heals(one)).map(|one| &one.id);
        let may = if after.heal { "may again" } else { "would not" };
        lines.push(format!("rules {may} heal {}", listed(healed)));
        lines.push(critical(known, None));
    }
    if before.control != after.control {
        let may = if after.control { "may again" } else { "could not" };
        lines.push(format!("people {may} restart and scale"));
    }
    lines.extend(claims(governed, approval));
    lines
}

/// The claims now, and those of when it was asked that are others.
fn claims(governed: &Governed, approval: &Approval) -> Vec<String> {
    let now = governed.claims_now();
    let then = approval.claims.clone().unwrap_or_else(|| now.clone());
    let gone = then.iter().filter(|(key, claim)| now.get(*key) != Some(*claim));
    let gone = gone.map(|(key, claim)| format!("when it was asked {key} claimed {claim}"));
    let new = now.iter().map(|(key, claim)| {
        let since = if then.contains_key(key) { "" } else { "since it was asked " };
        format!("{since}{key} claims {claim}")
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
    let mut told = BTreeSet::new();
    for one in known.bundle.components.values().filter(of) {
        for rule in &one.rules {
            for item in rule.acts.iter().chain(&rule.on_failure) {
                if let What::Notify(receiver, _) = &item.what {
                    told.insert(format!("{}/{} to {receiver}", rule.id, one.id));
                }
            }
        }
    }
    let alerts = if told.is_empty() {
        "no rule would notify anybody".to_owned()
    } else {
        format!("nobody would hear from {}", listed(&told))
    };
    let before = before.map(|one| format!("it takes the place of the silence {}", span_of(one)));
    let late = told_late(known, component);
    [alerts].into_iter().chain(late).chain(before).chain([critical(known, component)]).collect()
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
