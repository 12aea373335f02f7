//! From buckets and what is over to the figures of a window.

use std::collections::BTreeMap;

use crate::figures::closed::{Closed, Incident, Life, Stretch, Try};
use crate::figures::document::{
    Component, Figures, Healing, Lengths, Measures, ModeTime, Modes, Reviews, Transition, Window,
};
use crate::figures::fold::{Bucket, Fold};
use crate::figures::interval::wilson;
use crate::figures::number::{Percent, per_day};
use crate::figures::spent::Spent;
use crate::model::{ComponentId, Hits, ModeId, Outcome, RuleId, Span, Tally, Time};
use crate::say::nearest;

/// So many components that are no longer declared are shown, the last first.
const ENDED: usize = 200;

/// A window that was asked for; what is left open is filled in from the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// Where it shall begin; with the journal where nothing is said.
    pub since: Option<Time>,
    /// Where it shall end; with the last tick where nothing is said.
    pub until: Option<Time>,
}

/// Why there are no figures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum NoFigures {
    /// Grace never ticked.
    #[error("there are no figures yet: the journal holds no tick")]
    NoTicks,
    /// The window ends before it begins.
    #[error("the window would end ({until}) before it begins ({since}): let it begin earlier")]
    Backwards { since: Time, until: Time },
    /// Nothing has happened behind its begin.
    #[error("the window would begin at {since}, and the last tick was at {last}: let it begin earlier")]
    Future { since: Time, last: Time },
    /// It ends before the journal begins.
    #[error("the window would end at {until}, and the journal begins at {first}: nothing is known before")]
    Before { until: Time, first: Time },
    /// No component of this name was declared in the window.
    #[error("no component `{name}` was declared in this window{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Component { name: String, nearest: Option<String> },
}

impl Asked {
    /// The window there is, between the first tick and the last.
    pub fn within(self, first: Time, last: Time) -> Result<Window, NoFigures> {
        let (since, until) = (self.since.unwrap_or(first), self.until.unwrap_or(last));
        if self.since.is_some_and(|since| since >= last) && last > first {
            return Err(NoFigures::Future { since, last });
        }
        if self.until.is_some_and(|until| until <= first) {
            return Err(NoFigures::Before { until, first });
        }
        let window = Window { since: since.max(first), until: until.min(last), first };
        if window.since > window.until
            || self.since.zip(self.until).is_some_and(|(since, until)| since >= until)
        {
            return Err(NoFigures::Backwards { since, until });
        }
        Ok(window)
    }
}

/// What was found of a window so far.
#[derive(Debug)]
pub struct Gather {
    window: Window,
    /// Buckets by their begin: one that is found twice counts once.
    components: BTreeMap<ComponentId, Part>,
    observed: Span,
    modes: BTreeMap<ModeId, Span>,
    moves: BTreeMap<(ModeId, ModeId), u64>,
    gaps: Vec<Stretch>,
    clock: (u64, Span),
    reviews: Hits,
}

/// What was found of one component.
#[derive(Debug, Default)]
struct Part {
    spent: Spent,
    lives: Vec<Life>,
    incidents: Vec<Incident>,
    tries: Vec<Try>,
}

impl Gather {
    /// Nothing yet.
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self {
            window,
            components: BTreeMap::new(),
            observed: Span::ZERO,
            modes: BTreeMap::new(),
            moves: BTreeMap::new(),
            gaps: Vec::new(),
            clock: (0, Span::ZERO),
            reviews: Hits::default(),
        }
    }

    /// A bucket that lies in the window. Each is given once.
    pub fn bucket(&mut self, bucket: Bucket) {
        self.observed.0 += bucket.observed.0;
        for (id, spent) in bucket.components {
            self.components.entry(id).or_default().spent.join(&spent);
        }
        for (mode, time) in bucket.modes {
            self.modes.entry(mode).or_default().0 += time.0;
        }
    }

    /// Something that is over. Each is given once.
    pub fn closed(&mut self, closed: Closed) {
        let (began, ended) = closed.times();
        if !self.window.is_behind(ended) || began > self.window.until {
            return;
        }
        match closed {
            Closed::Incident(one) => self.part(&one.component).incidents.push(one),
            Closed::Try(one) => self.part(&one.component).tries.push(one),
            Closed::Life(one) => self.part(&one.component).lives.push(one),
            Closed::Gap(one) => self.gaps.push(one),
            Closed::Review(one) if one.accepted => self.reviews.add(one.verdict),
            Closed::Review(_) => {}
            Closed::Mode(one) => *self.moves.entry((one.from, one.to)).or_default() += 1,
            Closed::Clock(one) => {
                self.clock.0 += 1;
                self.clock.1.0 = self.clock.1.0.saturating_add(one.by.0);
            }
        }
    }

    fn part(&mut self, id: &ComponentId) -> &mut Part {
        self.components.entry(id.clone()).or_default()
    }

    /// The figures, with what is still open. `asked` says where the window was to begin; `only` names a component.
    pub fn finish(
        mut self,
        fold: &Fold,
        asked: Option<Time>,
        only: Option<&str>,
    ) -> Result<Figures, NoFigures> {
        let window = self.window;
        for (id, life) in fold.lives() {
            if life <= window.until {
                self.part(id);
            }
        }
        if let Some(name) = only.filter(|name| !self.components.contains_key(*name)) {
            let known = self.components.keys().map(ComponentId::as_str);
            let nearest = nearest(name, known).map(ToOwned::to_owned);
            return Err(NoFigures::Component { name: name.to_owned(), nearest });
        }
        let all: Vec<(ComponentId, Part)> = std::mem::take(&mut self.components)
            .into_iter()
            .filter(|(id, _)| only.is_none_or(|only| id.as_str() == only))
            .collect();
        let (components, left_out) =
            bounded(all.iter().map(|(id, part)| self.component(id, part, fold)).collect());
        let unobserved = self.gaps.iter().map(|gap| window.overlap(gap.began, gap.ended).0).sum();
        Ok(Figures {
            since: window.since.to_string(),
            until: window.until.to_string(),
            begins: asked.filter(|asked| *asked < window.since).map(|_| window.since.to_string()),
            observed_s: self.observed,
            unobserved_s: Span(unobserved),
            clock_steps: self.clock.0,
            clock_stepped_s: self.clock.1,
            overall: self.overall(&all, fold),
            components,
            left_out,
            modes: self.modes(),
            recommendations: reviews(self.reviews),
        })
    }

    fn component(&self, id: &ComponentId, part: &Part, fold: &Fold) -> Component {
        let ended = part.lives.iter().map(|life| life.ended).max();
        let lives_on = fold.life(id).is_some_and(|began| began <= self.window.until);
        Component {
            component: id.to_string(),
            ended: ended
                .filter(|ended| !lives_on && *ended <= self.window.until)
                .map(|ended| ended.to_string()),
            measures: self.measures(&[(id, part)], fold),
            healings: healings(part.tries.iter().filter(|one| self.window.holds(one.ended))),
        }
    }

    fn overall(&self, all: &[(ComponentId, Part)], fold: &Fold) -> Measures {
        let all: Vec<(&ComponentId, &Part)> = all.iter().map(|(id, part)| (id, part)).collect();
        self.measures(&all, fold)
    }

    /// The figures of one component, or of several together.
    fn measures(&self, of: &[(&ComponentId, &Part)], fold: &Fold) -> Measures {
        let window = self.window;
        let mut spent = Spent::default();
        for (_, part) in of {
            spent.join(&part.spent);
        }
        let incidents = || of.iter().flat_map(|(_, part)| &part.incidents);
        let ended: Vec<&Incident> = incidents().filter(|one| window.holds(one.ended)).collect();
        let lengths =
            |of: fn(&Incident) -> Option<Span>| Lengths::of(ended.iter().filter_map(|one| of(one)).collect());
        let tries: Vec<&Try> =
            of.iter().flat_map(|(_, part)| &part.tries).filter(|one| window.holds(one.ended)).collect();
        let sum = |of: fn(&Try) -> Span| Span(tries.iter().map(|one| of(one).0).sum());
        let open = of.iter().filter_map(|(id, _)| fold.open(id)).filter(|began| *began <= window.until);
        let later = incidents().filter(|one| one.began <= window.until && one.ended > window.until);
        let begun = incidents().map(|one| one.began).chain(open.clone()).filter(|began| window.holds(*began));
        let (counted, well) = counts(&tries);
        let failures_now = (Some(window.until) == fold.now())
            .then(|| of.iter().filter_map(|(id, _)| fold.failures(id)).max())
            .flatten();
        Measures {
            uptime_percent: Percent::of(spent.up().0, spent.up().0 + spent.critical.0),
            up_s: spent.up(),
            warn_s: spent.warn,
            down_s: spent.critical,
            planned_s: spent.planned,
            unknown_s: spent.unknown,
            unobserved_s: Span(of.iter().map(|(id, part)| self.unobserved(id, part, fold)).sum()),
            failures_now,
            // The last tick has no time behind it yet, and so no bucket that counts it.
            failures_worst: spent.worst.max(failures_now.unwrap_or_default()),
            incidents_begun: begun.count() as u64,
            incidents_ended: ended.iter().filter(|one| !one.left).count() as u64,
            incidents_open: (open.count() + later.count()) as u64,
            incidents_left: ended.iter().filter(|one| one.left).count() as u64,
            recovery: lengths(Incident::recovery),
            detection: lengths(|one| one.detect),
            reaction: lengths(|one| one.act),
            healing: lengths(|one| one.heal),
            tries: outcomes(&tries),
            tries_counted: counted,
            success_percent: i64::try_from(well)
                .ok()
                .zip(i64::try_from(counted).ok())
                .and_then(|(well, counted)| Percent::of(well, counted)),
            downtime_caused_s: sum(|one| one.caused),
            downtime_ended_s: sum(|one| one.relieved),
        }
    }

    /// How long a component was declared and nobody looked, in milliseconds.
    fn unobserved(&self, id: &ComponentId, part: &Part, fold: &Fold) -> i64 {
        let lives = part.lives.iter().map(|life| (life.began, life.ended));
        let lives = lives.chain(fold.life(id).zip(fold.now()));
        let in_life = |(began, ended)| {
            let of = |gap: &Stretch| self.window.overlap(gap.began.max(began), gap.ended.min(ended)).0;
            self.gaps.iter().map(of).sum::<i64>()
        };
        lives.map(in_life).sum()
    }

    fn modes(&self) -> Modes {
        let count = self.moves.values().sum();
        let transition = |((from, to), count): (&(ModeId, ModeId), &u64)| Transition {
            from: from.to_string(),
            to: to.to_string(),
            count: *count,
        };
        let time = |(mode, time): (&ModeId, &Span)| ModeTime { mode: mode.to_string(), time_s: *time };
        Modes {
            times: self.modes.iter().map(time).collect(),
            transitions: self.moves.iter().map(transition).collect(),
            count,
            per_day: per_day(count, self.window.until - self.window.since),
        }
    }
}

/// How many tries count, and how many of them ended well and lasted. What healed by itself is not the act's doing, and
/// of what nobody knows nobody can say.
fn counts(tries: &[&Try]) -> (u64, u64) {
    let counts = |one: &&&Try| one.outcome.counts();
    let counted = tries.iter().filter(counts).count() as u64;
    (counted, tries.iter().filter(|one| one.outcome == Outcome::Healed).count() as u64)
}

/// How well each rule heals with each thing that it does; people's tries are no rule's.
fn healings<'t>(tries: impl Iterator<Item = &'t Try>) -> Vec<Healing> {
    let mut all: BTreeMap<(&RuleId, &str), Tally> = BTreeMap::new();
    for one in tries.filter(|one| one.outcome.counts()) {
        let Some(rule) = &one.rule else { continue };
        let tally = all.entry((rule, one.action.as_str())).or_default();
        tally.closed = tally.closed.saturating_add(1);
        tally.healed = tally.healed.saturating_add(u32::from(one.outcome == Outcome::Healed));
    }
    let healing = |((rule, action), tally): ((&RuleId, &str), Tally)| {
        let ends = wilson(tally).map(|ends| ends.map(Percent::of_share));
        Healing {
            rule: rule.to_string(),
            action: action.to_owned(),
            tries_counted: tally.closed.into(),
            healed: tally.healed.into(),
            success_percent: Percent::of(tally.healed.into(), tally.closed.into()),
            success_between_percent: ends.and_then(|[low, high]| Some([low?, high?])),
        }
    };
    all.into_iter().map(healing).collect()
}

fn reviews(hits: Hits) -> Reviews {
    let judged = [hits.helped, hits.did_not_help, hits.made_it_worse].into_iter().map(i64::from).sum();
    Reviews {
        helped: hits.helped.into(),
        did_not_help: hits.did_not_help.into(),
        made_it_worse: hits.made_it_worse.into(),
        not_enough_data: hits.not_enough_data.into(),
        hit_percent: Percent::of(hits.helped.into(), judged),
    }
}

fn outcomes(tries: &[&Try]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for one in tries {
        *counts.entry(one.outcome.word().to_owned()).or_default() += 1;
    }
    counts
}

/// Of components that are no longer declared only so many are shown, those that ended last; they count in what is
/// overall.
fn bounded(all: Vec<Component>) -> (Vec<Component>, u64) {
    let mut ended: Vec<String> = all.iter().filter_map(|one| one.ended.clone()).collect();
    ended.sort_unstable();
    let Some(last) = ended.len().checked_sub(ENDED + 1).and_then(|place| ended.get(place)).cloned() else {
        return (all, 0);
    };
    let before = all.len();
    let kept: Vec<Component> =
        all.into_iter().filter(|one| one.ended.as_ref().is_none_or(|ended| *ended > last)).collect();
    let left = before - kept.len();
    (kept, left as u64)
}
