//! What stands beside a recommendation: what is expected of it, when it is looked at again, the change it means.

use crate::config::reader::{Item, Table};
use crate::evaluate::Counsel;
use crate::model::{Change, Span};
use crate::say::Code;

/// Nothing is reviewed sooner: fewer tries than are needed would have ended.
const SOONEST: Span = Span::minutes(1);

/// A rule waits for so many more readings at the most.
const LATEST: u32 = 60;

/// How a change is written.
const HELP: &str = "write \"after + 1\", \"threshold.NAME * 1.5\" with a threshold of the healing rule's file, or \"no healing\"";

/// Reads what stands beside `recommend`; `of_healing` says that the rule looks at a healing rule.
pub(super) fn read(table: &Table, of_healing: bool) -> Option<Counsel> {
    let (expects, review, change) = (table.get("expects"), table.get("review"), table.get("change"));
    if !of_healing {
        for item in [expects, review, change].into_iter().flatten() {
            let help = "write `each = \"healing\"` in the file, or leave it out";
            item.error(Code::NotAllowed, "only a rule that looks at healings can be reviewed", help);
        }
        return None;
    }
    let usual = Counsel::default();
    Some(Counsel {
        expects: expects.and_then(|item| share(&item)).unwrap_or(usual.expects),
        review: review.and_then(|item| later(&item)).unwrap_or(usual.review),
        change: change.and_then(|item| changed(&item)),
    })
}

/// A share from 0 to 1.
fn share(item: &Item) -> Option<f64> {
    let share = item.number()?;
    if !(0.0..=1.0).contains(&share) {
        item.error(Code::BadValue, format!("{share} is no share"), "write a number from 0 to 1, such as 0.5");
        return None;
    }
    Some(share)
}

fn later(item: &Item) -> Option<Span> {
    let review = item.length()?;
    if review < SOONEST {
        let help = "write a time in which many tries end, such as \"7days\"";
        item.error(Code::BadValue, format!("a review after {review} finds nothing"), help);
        return None;
    }
    Some(review)
}

fn changed(item: &Item) -> Option<Change> {
    let text = item.text()?;
    let change = parse(text);
    if change.is_none() {
        item.error(Code::BadValue, format!("`{text}` is no change that can be rehearsed"), HELP);
    }
    change
}

fn parse(text: &str) -> Option<Change> {
    if text == "no healing" {
        return Some(Change::NoHealing);
    }
    if let Some((name, factor)) = text.strip_prefix("threshold.").and_then(|rest| rest.split_once('*')) {
        let (name, factor) = (name.trim().to_owned(), factor.trim().parse::<f64>().ok()?);
        let fine = factor.is_finite() && factor > 0.0 && !name.is_empty();
        return fine.then_some(Change::Threshold { name, factor });
    }
    let by = text.strip_prefix("after")?.trim_start().strip_prefix('+')?.trim().parse().ok()?;
    (1..=LATEST).contains(&by).then_some(Change::After { by })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_written_as_it_is_shown() {
        let threshold = |factor| Change::Threshold { name: "stale_s".into(), factor };
        for change in [Change::After { by: 2 }, threshold(1.5), threshold(2.0), Change::NoHealing] {
            assert_eq!(parse(&change.to_string()), Some(change));
        }
        for text in
            ["", "after", "after + 0", "after + 61", "after - 1", "threshold.x * 0", "threshold. * 2", "x"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
