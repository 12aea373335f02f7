//! Faults that a record does not have: `down database for 5m every 1d`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::config::duration;
use crate::engine::Bundle;
use crate::model::{ComponentId, Span, Time};
use crate::replay::simulate::course::failure;
use crate::replay::simulate::odds::chance;
use crate::say::suggest;

/// One kind of fault. Its times are drawn from the seed.
#[derive(Debug, Clone, PartialEq)]
pub enum Inject {
    /// A component is down for so long, once in each time of that length.
    Down {
        /// Which.
        component: ComponentId,
        /// How long.
        lasts: Span,
        /// How often.
        every: Span,
    },
    /// This share of heals does not help, whatever the record says.
    FailingHeals {
        /// Of which component; none means all.
        component: Option<ComponentId>,
        /// Of 1.
        share: f64,
    },
    /// Heals take so long.
    SlowHeals {
        /// Of which component; none means all.
        component: Option<ComponentId>,
        /// How long.
        takes: Span,
    },
    /// This share of looks finds nothing out.
    LostProbes {
        /// Of which component; none means all.
        component: Option<ComponentId>,
        /// Of 1.
        share: f64,
    },
    /// The clock jumps ahead by so much: what was recorded meanwhile is not seen.
    ClockJumps {
        /// How far.
        by: Span,
        /// How often.
        every: Span,
    },
}

/// Why a fault cannot be injected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InjectError {
    /// It is none.
    #[error("`{text}` is no fault; {}", FORMS)]
    Form {
        /// As it was written.
        text: String,
    },
    /// A word in it is none that can stand there.
    #[error("`{text}`: `{word}` is no {wanted}")]
    Word {
        /// As it was written.
        text: String,
        /// The word.
        word: String,
        /// What should stand there.
        wanted: &'static str,
    },
    /// It lasts longer than the time in which it happens once.
    #[error("`{text}`: it lasts longer than the time in which it happens once")]
    Long {
        /// As it was written.
        text: String,
    },
    /// There is no such component.
    #[error("there is no component `{component}`; {help}")]
    Component {
        /// The name.
        component: ComponentId,
        /// The nearest there is, or all.
        help: String,
    },
    /// Nothing makes this component critical.
    #[error("no readings are known that make `{component}` critical, so it cannot be taken down")]
    NeverCritical {
        /// Which.
        component: ComponentId,
    },
}

const FORMS: &str = "write `down COMPONENT for 5m every 1d`, `failing-heals COMPONENT|all 30%`, \
                     `slow-heals COMPONENT|all 45s`, `lost-probes COMPONENT|all 1%` or `clock 1h every 7d`";

impl FromStr for Inject {
    type Err = InjectError;

    fn from_str(text: &str) -> Result<Self, InjectError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let wrong =
            |word: &str, wanted| InjectError::Word { text: text.to_owned(), word: word.to_owned(), wanted };
        let span = |word: &str| {
            let span = duration(word).filter(|span| span.0 > 0);
            span.ok_or_else(|| wrong(word, "duration, such as `5m`"))
        };
        let often = |lasts: &str, every: &str| {
            let (lasts, every) = (span(lasts)?, span(every)?);
            let long = || InjectError::Long { text: text.to_owned() };
            if lasts >= every { Err(long()) } else { Ok((lasts, every)) }
        };
        let percent = |word: &str| {
            let number = word.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
            let share = number.filter(|number| (0.0..=100.0).contains(number)).map(|number| number / 100.0);
            share.ok_or_else(|| wrong(word, "share, such as `30%`"))
        };
        let of = |word: &str| (word != "all").then(|| ComponentId::from(word));
        match *words.as_slice() {
            ["down", component, "for", lasts, "every", every] => {
                let (lasts, every) = often(lasts, every)?;
                Ok(Self::Down { component: component.into(), lasts, every })
            }
            ["failing-heals", whose, share] => {
                Ok(Self::FailingHeals { component: of(whose), share: percent(share)? })
            }
            ["slow-heals", whose, takes] => Ok(Self::SlowHeals { component: of(whose), takes: span(takes)? }),
            ["lost-probes", whose, share] => {
                Ok(Self::LostProbes { component: of(whose), share: percent(share)? })
            }
            ["clock", by, "every", every] => {
                let (by, every) = often(by, every)?;
                Ok(Self::ClockJumps { by, every })
            }
            _ => Err(InjectError::Form { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Inject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose =
            |whose: &Option<ComponentId>| whose.as_ref().map_or("all".to_owned(), ToString::to_string);
        match self {
            Self::Down { component, lasts, every } => write!(f, "down {component} for {lasts} every {every}"),
            Self::FailingHeals { component, share } => {
                write!(f, "failing-heals {} {}%", whose(component), share * 100.0)
            }
            Self::SlowHeals { component, takes } => write!(f, "slow-heals {} {takes}", whose(component)),
            Self::LostProbes { component, share } => {
                write!(f, "lost-probes {} {}%", whose(component), share * 100.0)
            }
            Self::ClockJumps { by, every } => write!(f, "clock {by} every {every}"),
        }
    }
}

/// A fault that was injected, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Struck {
    /// The fault, in words.
    pub fault: String,
    /// How often it struck: failures that began, heals that it let fail or made slow, looks that were lost, jumps.
    pub times: u64,
}

/// What faults make of one heal.
#[derive(Debug, Clone, Default)]
pub(super) struct Hit {
    /// It does not help.
    pub(super) fails: bool,
    /// It takes so long.
    pub(super) takes: Option<Span>,
    /// The faults that did it.
    pub(super) by: Vec<usize>,
    /// Something is said of how often such heals fail.
    pub(super) share: bool,
}

impl Hit {
    /// Is it another one than without them?
    pub(super) fn is_one(&self) -> bool {
        !self.by.is_empty()
    }
}

impl Inject {
    /// Can it happen under these rules?
    ///
    /// # Errors
    /// It names a component that is not there, or one that nothing makes critical.
    pub fn check(&self, bundle: &Bundle) -> Result<(), InjectError> {
        let Some(component) = self.component() else { return Ok(()) };
        let Some(declared) = bundle.components.get(component) else {
            let help = suggest(component.as_str(), bundle.components.keys().map(ComponentId::as_str));
            return Err(InjectError::Component { component: component.clone(), help });
        };
        match self {
            Self::Down { component, .. } if failure(declared, None).is_none() => {
                Err(InjectError::NeverCritical { component: component.clone() })
            }
            _ => Ok(()),
        }
    }

    fn component(&self) -> Option<&ComponentId> {
        match self {
            Self::Down { component, .. } => Some(component),
            Self::FailingHeals { component, .. }
            | Self::SlowHeals { component, .. }
            | Self::LostProbes { component, .. } => component.as_ref(),
            Self::ClockJumps { .. } => None,
        }
    }

    fn meets(&self, component: &ComponentId) -> bool {
        self.component().is_none_or(|own| own == component)
    }
}

/// The time that lies in such a window: its end, where there is one now.
fn window(
    seed: u64,
    component: &ComponentId,
    purpose: &str,
    (lasts, every): (Span, Span),
    now: Time,
) -> Option<(Time, Time)> {
    let slot = now.slot(every);
    let room = every.0.saturating_sub(lasts.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a share of a length")]
    let begin = slot + Span((room as f64 * chance(seed, component, purpose, slot)) as i64);
    (begin <= now && now < begin + lasts).then_some((begin, begin + lasts))
}

/// When components are down at this time: which fault, which component, and the window's beginning and end.
pub(super) fn down(
    all: &[Inject],
    seed: u64,
    now: Time,
) -> impl Iterator<Item = (usize, &ComponentId, (Time, Time))> {
    all.iter().enumerate().filter_map(move |(place, one)| match one {
        Inject::Down { component, lasts, every } => {
            Some((place, component, window(seed, component, "down", (*lasts, *every), now)?))
        }
        _ => None,
    })
}

/// Does the clock jump over this time? The fault that lets it, and the beginning of the jump.
pub(super) fn jumped(all: &[Inject], seed: u64, now: Time) -> Option<(usize, Time)> {
    all.iter().enumerate().find_map(|(place, one)| match one {
        Inject::ClockJumps { by, every } => {
            window(seed, &"grace".into(), "clock", (*by, *every), now).map(|(begin, _)| (place, begin))
        }
        _ => None,
    })
}

/// Is the look at this component lost at this time? The fault that does it.
pub(super) fn lost(all: &[Inject], seed: u64, component: &ComponentId, now: Time) -> Option<usize> {
    let met = all.iter().enumerate().filter(|(_, one)| one.meets(component));
    met.filter(|(place, one)| match one {
        Inject::LostProbes { share, .. } => drawn(seed, component, ("lost", *place), now) < *share,
        _ => false,
    })
    .map(|(place, _)| place)
    .next()
}

/// What becomes of a heal of this component that is begun now. Each fault strikes by itself; of several that make it slow the
/// slowest counts.
pub(super) fn hit(all: &[Inject], seed: u64, component: &ComponentId, now: Time) -> Hit {
    let mut hit = Hit::default();
    for (place, one) in all.iter().enumerate().filter(|(_, one)| one.meets(component)) {
        let strikes = match one {
            Inject::FailingHeals { share, .. } => {
                hit.share = true;
                let fails = drawn(seed, component, ("fails", place), now) < *share;
                hit.fails |= fails;
                fails
            }
            Inject::SlowHeals { takes, .. } => {
                hit.takes = hit.takes.max(Some(*takes));
                true
            }
            _ => false,
        };
        hit.by.extend(strikes.then_some(place));
    }
    hit
}

/// What chance says of one fault among others.
fn drawn(seed: u64, component: &ComponentId, (what, place): (&str, usize), now: Time) -> f64 {
    chance(seed, component, &format!("{what} {place}"), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_written_in_words() {
        let (five, day) = (Span::minutes(5), Span::minutes(24 * 60));
        let all: Option<ComponentId> = None;
        for (text, inject) in [
            (
                "down database for 5m every 1d",
                Inject::Down { component: "database".into(), lasts: five, every: day },
            ),
            ("failing-heals all 30%", Inject::FailingHeals { component: all.clone(), share: 0.3 }),
            (
                "slow-heals web 45s",
                Inject::SlowHeals { component: Some("web".into()), takes: Span::seconds(45) },
            ),
            ("lost-probes all 1%", Inject::LostProbes { component: all, share: 0.01 }),
            ("clock 5m every 1d", Inject::ClockJumps { by: five, every: day }),
        ] {
            assert_eq!(inject.to_string().parse::<Inject>().as_ref(), Ok(&inject), "{inject}");
            assert_eq!(text.parse::<Inject>(), Ok(inject), "{text}");
        }
        for (text, says) in [
            ("down database", "`down database` is no fault; write `down COMPONENT for 5m every 1d`"),
            ("down web for ever every 1d", "`ever` is no duration"),
            ("down web for 2d every 1d", "lasts longer"),
            ("lost-probes all 130%", "`130%` is no share"),
        ] {
            let error = text.parse::<Inject>().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_window_lies_in_each_time_of_that_length_once() {
        let (id, lasts, every) = (ComponentId::from("web"), Span::seconds(60), Span::seconds(600));
        let open = |at: i64| window(3, &id, "down", (lasts, every), Time(at * 1_000)).is_some();
        for slot in 0..20 {
            let seconds = (slot * 600..(slot + 1) * 600).filter(|at| open(*at)).count();
            assert_eq!(seconds, 60, "slot {slot}");
        }
    }
}
