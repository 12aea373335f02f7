//! Recommendations for people.

use crate::api::shapes::HitsLine;
use crate::cli::rehearsing::recommendations::rehearse::Rehearsed;
use crate::cli::rehearsing::recommendations::{One, Shown};
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::text::cleaned;
use crate::cli::terminal::times;
use crate::model::{Effectiveness, Span, Time};
use crate::record::{Clock, Recommendation};

pub(super) fn show(shown: &Shown, all: bool, since: &str, out: Out) -> Result<(), Failure> {
    if shown.recommendations.is_empty() {
        out.line(if all { "nothing was ever recommended" } else { "nothing is recommended" })?;
    }
    let now = Clock::start(None).now();
    for (count, one) in shown.recommendations.iter().enumerate() {
        if count > 0 {
            out.line("")?;
        }
        for line in lines(one, since, now, out) {
            out.line(cleaned(&line))?;
        }
    }
    if let Some(says) = shown.hits.as_ref().and_then(hits) {
        out.line("")?;
        out.line(says)?;
    }
    Ok(())
}

fn lines(one: &One, since: &str, now: Time, out: Out) -> Vec<String> {
    let of = &one.recommendation;
    let number = of.recommendation.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let mut lines = vec![format!("{}  {}  {}", number, of.component, of.text)];
    let look = |state: &str| out.paint(Look::Dim, state);
    lines.push(format!("   {}, since {}, by {}", look(&state(of)), times::both(&of.at, now), of.by));
    lines.extend(tries(one, now).into_iter().map(|line| format!("   {line}")));
    if let Some(rehearsed) = &one.rehearsal {
        lines.extend(told(rehearsed, since).into_iter().map(|line| format!("   {line}")));
    } else if let Some(change) = one.change().filter(|_| one.is_open()) {
        let why =
            one.not_rehearsed.as_ref().map(|why| format!(" (not rehearsed: {why})")).unwrap_or_default();
        lines.push(format!("   change: {change}{why}"));
    }
    if of.state == "open" {
        lines.push(format!(
            "   to take it: `grace recommendations accept {number} --reason R`, then edit the file"
        ));
    }
    lines
}

fn state(of: &Recommendation) -> String {
    let by = of.answered_by.as_deref().unwrap_or("nobody");
    match (of.state.as_str(), of.verdict.as_deref()) {
        ("reviewed", Some(verdict)) => {
            let known = serde_json::from_value::<Effectiveness>(verdict.to_owned().into()).ok();
            format!("reviewed: {}", known.map_or(verdict, |known| known.says()))
        }
        (state @ ("accepted" | "declined"), _) => format!("{state} by {by}"),
        (state, _) => state.to_owned(),
    }
}

/// How the tries ended before and since, with how sure that is.
fn tries(one: &One, now: Time) -> Vec<String> {
    let of = &one.recommendation;
    let (Some(closed), Some(healed)) = (of.closed_before, of.healed_before) else { return Vec::new() };
    let sure = |ends: Option<[f64; 2]>| {
        ends.map_or_else(String::new, |[low, high]| format!(" ({} to {} with 95 %)", share(low), share(high)))
    };
    let expects = of.expects.map(|expects| format!("; {} are expected", share(expects))).unwrap_or_default();
    let mut lines = vec![format!("before: {healed} of {closed} tries healed{}{expects}", sure(one.before))];
    if let (Some(closed), Some(healed)) = (of.closed_after, of.healed_after) {
        let more =
            of.difference.as_ref().and_then(|ends| serde_json::from_value::<[f64; 3]>(ends.clone()).ok());
        let more = more.map(|[more, low, high]| {
            format!("; difference {} ({} to {} with 95 %)", points(more), points(low), points(high))
        });
        lines.push(format!(
            "since:  {healed} of {closed} tries healed{}{}",
            sure(one.after),
            more.unwrap_or_default()
        ));
    }
    match (&of.detail, &of.review) {
        (Some(detail), _) => lines.push(format!("because: {detail}")),
        (None, Some(review)) if one.is_open() => lines.push(format!("review: {}", times::both(review, now))),
        _ => {}
    }
    lines
}

fn told(rehearsed: &Rehearsed, since: &str) -> Vec<String> {
    let edits = rehearsed.edits.iter().map(|edit| {
        let before = if edit.before.is_empty() { String::new() } else { format!("{} becomes ", edit.before) };
        format!("change: {}:{}  {before}{}", edit.file, edit.line, edit.after)
    });
    let mut lines: Vec<String> = edits.collect();
    let counts = rehearsed.actions.iter().filter(|count| count.before != count.after || count.moved > 0);
    let counts: Vec<String> =
        counts.map(|count| format!("{} {} -> {}", count.action, count.before, count.after)).collect();
    let counts =
        if counts.is_empty() { "nothing would have been otherwise".to_owned() } else { counts.join(", ") };
    let (before, after) = (whole(rehearsed.critical_before_ms), whole(rehearsed.critical_after_ms));
    lines.push(format!(
        "rehearsed on the last {since}: {counts}; critical {before} -> {after} ({} of it exact, {} modelled, {} unknown)",
        share(rehearsed.exact),
        share(rehearsed.modelled),
        share(rehearsed.unknown)
    ));
    if rehearsed.expired > 0 {
        lines.push(format!("{} ticks are left out: their readings have expired", rehearsed.expired));
    }
    lines
}

/// To the second.
fn whole(length: Span) -> Span {
    Span(length.0 - length.0.rem_euclid(1000))
}

fn share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn points(share: f64) -> String {
    format!("{:+.1} points", share * 100.0)
}

/// The recommender's own record.
fn hits(hits: &HitsLine) -> Option<String> {
    let ratio = hits.hit_ratio?;
    let judged = hits.helped + hits.did_not_help + hits.made_it_worse;
    Some(format!(
        "of {judged} accepted recommendations that could be judged {} helped ({}); {} made it worse",
        hits.helped,
        share(ratio),
        hits.made_it_worse
    ))
}
