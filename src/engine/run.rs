//! One step under way: the next state and everything there is to say about it.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::news::News;
use crate::engine::{Bundle, Input, State, Step, Watch, needs_hands};
use crate::evaluate::{Heard, Scene, Wish};
use crate::govern::{About, Decision, Desk, Permit, Question, Ruled, Spent};
use crate::model::{
    Act, Actor, Answer, Answered, ApprovalId, Class, ComponentId, Effect, FactId, Gate, HealResult, Meaning,
    ModeId, Performed, Proposal, Record, RuleId, Snapshot, Span, Verdict, Why,
};

/// One step under way.
pub(super) struct Run<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) desk: Desk<'a>,
    pub(super) state: State,
    pub(super) records: Vec<Record>,
    answers: Vec<Answered>,
    permits: Vec<Permit>,
    /// The mode that conditions see: the one the step began with.
    mode: &'a ModeId,
    grid: Span,
    heard: Heard,
    whys: BTreeMap<(ComponentId, RuleId), Why>,
    wanted: BTreeSet<ApprovalId>,
    /// The person whose request is answered just now.
    pub(super) asks: Option<Actor>,
    /// Who approved alone in this step.
    pub(super) broken: Vec<News>,
    /// Which meaning of the rules decides.
    pub(super) meaning: Meaning,
    questions: Vec<Question>,
    watch: Option<&'a mut Watch<'a>>,
    /// Say what every rule is at, and what the policies were asked.
    explains: bool,
}

impl<'a> Run<'a> {
    /// A step from a state, whose mode is given beside it: what conditions see of it stays while the step changes it.
    pub(super) fn new(bundle: &'a Bundle, (mut state, mode): (State, &'a ModeId), input: &Input) -> Self {
        // Grace's own time never goes back, whatever the input says.
        state.now = state.now.max(input.now);
        state.tick = input.tick;
        Self {
            bundle,
            desk: bundle.desk(state.now, input.stop),
            mode,
            heard: Heard::default(),
            grid: input.grid.unwrap_or(bundle.system.interval),
            state,
            records: Vec::new(),
            answers: Vec::new(),
            permits: Vec::new(),
            whys: BTreeMap::new(),
            wanted: BTreeSet::new(),
            asks: None,
            broken: Vec::new(),
            meaning: input.meaning,
            questions: Vec::new(),
            watch: None,
            explains: false,
        }
    }

    pub(super) fn explained(self) -> Self {
        Self { explains: true, ..self }
    }

    pub(super) fn watched(self, watch: &'a mut Watch<'a>) -> Self {
        Self { watch: Some(watch), ..self }
    }

    /// What the rules see. Its mode is the one the step began with.
    pub(super) fn scene(&self) -> Scene<'a> {
        let (components, grid) = (&self.bundle.components, self.grid);
        Scene { components, mode: self.mode, now: self.desk.now, grid, meaning: self.meaning }
    }

    pub(super) fn absorb(&mut self, snapshot: &Snapshot, performed: &[Performed]) {
        let scene = self.scene();
        let foreseen = self.foreseen();
        let mut heard = scene.absorb(&mut self.state.health, snapshot, foreseen.as_ref(), performed);
        self.count(&heard.ended, &heard.records);
        self.records.append(&mut heard.records);
        self.state.health.signals.forget(self.desk.now);
        let accounts = &mut self.state.governed.accounts;
        for ended in &heard.ended {
            accounts.end(ended.act, ended.outcome.is_some(), self.desk.now);
        }
        let known = &self.state.health.components;
        accounts.note(&self.bundle.policies.brakes, |id| Some(known.get(id)?.status.works()), self.desk.now);
        self.heard = heard;
        for report in performed {
            self.told(report);
        }
    }

    /// The end of a notification: nothing verifies it but the call itself.
    fn told(&mut self, report: &Performed) {
        let Some(receiver) = self.state.governed.telling.remove(&report.act) else { return };
        let (result, said) = match &report.effect {
            Effect::Done => (HealResult::Success, "sent"),
            Effect::Failed { why } | Effect::Withheld { why } => (HealResult::Failed, why.as_str()),
            Effect::TimedOut => (HealResult::Failed, "not sent in time"),
            Effect::Interrupted => (HealResult::Failed, "Grace stopped while it was sent; nobody knows"),
        };
        self.records.push(Record::End {
            act: report.act,
            component: None,
            outcome: None,
            result,
            detail: format!("{receiver}: {said}"),
            steps: report.steps.clone(),
        });
    }

    pub(super) fn expire(&mut self) {
        self.desk.expire_holds(&mut self.state.governed, &mut self.records);
        self.desk.expire_silences(&mut self.state.governed, &mut self.records);
        self.desk.expire_tokens(&mut self.state.governed, &mut self.records);
        self.desk.expire_approvals(&mut self.state.governed, &mut self.records);
        self.keep_windows();
        self.void();
    }

    /// Asks the rules and lets governance decide: first what changes Grace's own state or only tells, then the
    /// claims that are over, then what acts.
    pub(super) fn evaluate(&mut self) {
        let scene = self.scene();
        let (mut heals, others): (Vec<Wish>, Vec<Wish>) =
            scene.wishes(&self.state.health).into_iter().partition(|wish| wish.class() == Class::Heal);
        self.queue(&mut heals);
        for wish in others {
            if wish.shadow { self.told_only(&wish) } else { self.once(&wish) }
        }
        self.settle(&scene, None);
        for wish in heals {
            if wish.shadow { self.told_only(&wish) } else { self.attempt(&wish) }
        }
        let health = &self.state.health;
        self.state.governed.withdraw(&self.wanted, |id| health.status(id), &mut self.records);
        self.void();
    }

    /// Where more want to be healed than may act at a time, the critical ones come first, slow tries behind all others, and of
    /// alike ones those whose last try is longest ago: the order of names let the last of many wait for ever.
    fn queue(&self, heals: &mut [Wish]) {
        if self.meaning < Meaning::VOTES {
            return;
        }
        let spent = &self.state.governed.accounts.spent;
        heals.sort_by_cached_key(|Wish { component, proposal: Proposal { slow, .. }, .. }| {
            let tier = self.bundle.components.get(component).map(|component| component.tier);
            (*slow, tier.filter(|_| !slow), spent.get(component).and_then(Spent::last), tier)
        });
    }

    /// Ends the approvals that have lost their ground.
    fn void(&mut self) {
        let (health, governed) = (&self.state.health, &mut self.state.governed);
        self.desk.void_approvals(governed, |id| health.status(id), &mut self.records);
        self.desk.void_for_revision(governed, self.meaning, &mut self.records);
        self.void_for_grounds();
    }

    /// Ends at once what was asked with a token that has ended, or was meant for another claim.
    fn void_for_grounds(&mut self) {
        if self.meaning >= Meaning::VOTES {
            self.desk.void_for_tokens(&mut self.state.governed, &mut self.records);
            self.desk.void_for_claims(&mut self.state.governed, &mut self.records);
        }
    }

    fn settle(&mut self, scene: &Scene, cause: Option<&Proposal>) {
        let (health, governed) = (&self.state.health, &mut self.state.governed);
        let before = governed.mode.clone();
        self.desk.settle(governed, cause, |claim| scene.is_over(health, claim), &mut self.records);
        if self.meaning >= Meaning::VOID {
            self.desk.void_for_emergency(governed, &before, &mut self.records);
        }
        self.void_for_grounds();
    }

    /// Settles the mode after a person's act.
    pub(super) fn settle_for(&mut self, cause: &Proposal) {
        let scene = self.scene();
        self.settle(&scene, Some(cause));
    }

    /// What a shadow rule wants: written down with what governance would say of it now, and nothing else comes of it.
    /// No policy is asked in earnest, so that tests which count the questions see the others' alone.
    fn told_only(&mut self, wish: &Wish) {
        let about = self.about(&wish.proposal);
        if let Some(watch) = &mut self.watch {
            watch(&self.desk, &self.state.governed, &wish.proposal, &about);
        }
        let Ruled { verdict, policy, gate } = self.desk.weigh(&self.state.governed, &wish.proposal, &about);
        let proposal = wish.proposal.clone();
        self.records.push(Record::Shadowed { proposal, verdict, policy, gate });
        self.state.health.said(wish);
    }

    /// Something that is done once in a firing.
    fn once(&mut self, wish: &Wish) {
        match self.decide(&wish.proposal) {
            Decision::Permitted(permit) => {
                self.state.health.said(wish);
                self.carry_out(permit);
            }
            // Not said: once it is approved, or the silence ends, it is done where the rule still fires.
            Decision::Withheld { verdict: Verdict::Review, gate, .. }
            | Decision::Withheld { gate: gate @ Gate::Silenced { .. }, .. } => self.withheld(wish, gate),
            Decision::Withheld { verdict, gate, policy } => {
                self.state.health.said(wish);
                let proposal = wish.proposal.clone();
                self.records.push(Record::Decided { proposal, verdict, policy, gate: Some(gate.clone()) });
                self.withheld(wish, gate);
            }
        }
    }

    /// A try of a healing.
    fn attempt(&mut self, wish: &Wish) {
        if let Some(missing) = self.unread(wish) {
            return self.wait_for_a_reading(wish, missing);
        }
        match self.decide(&wish.proposal) {
            Decision::Permitted(permit) => {
                let act = permit.act();
                self.whys.insert((wish.component.clone(), wish.rule.clone()), Why::Acted { act });
                self.carry_out(permit);
            }
            Decision::Withheld { verdict, gate, policy } => {
                if self.state.health.withheld(wish, &gate) {
                    let proposal = wish.proposal.clone();
                    let gate = Some(gate.clone());
                    self.records.push(Record::Decided { proposal, verdict, policy, gate });
                    self.announce_brake(wish);
                }
                self.withheld(wish, gate);
            }
        }
    }

    /// What is missing to tell whether the rule still wants its try.
    fn unread(&self, wish: &Wish) -> Option<Vec<FactId>> {
        if self.meaning < Meaning::VOTES { None } else { self.scene().unread(&self.state.health, wish) }
    }

    /// No try is proposed. Whatever else holds it back is still what it waits for first, and stays told.
    fn wait_for_a_reading(&mut self, wish: &Wish, missing: Vec<FactId>) {
        let about = self.about(&wish.proposal);
        let ruled = self.desk.weigh(&self.state.governed, &wish.proposal, &about);
        let gate = ruled.gate.unwrap_or(Gate::Unread { missing });
        if matches!(gate, Gate::Unread { .. }) && self.state.health.withheld(wish, &gate) {
            let (proposal, gate) = (wish.proposal.clone(), Some(gate.clone()));
            self.records.push(Record::Decided { proposal, verdict: Verdict::Wait, policy: None, gate });
        }
        self.withheld(wish, gate);
    }

    /// A spent budget or a failed healing is loud; a usual cooling down is not.
    fn announce_brake(&mut self, wish: &Wish) {
        let Some(Record::Decided { gate: Some(gate @ (Gate::Budget { .. } | Gate::SlowTry { .. })), .. }) =
            self.records.last()
        else {
            return;
        };
        let (component, by, gate) = (wish.component.clone(), wish.proposal.by.clone(), gate.clone());
        self.records.push(Record::Exhausted { component, by, gate });
    }

    fn withheld(&mut self, wish: &Wish, gate: Gate) {
        // Whatever holds the act back: as long as it is wanted, so is the approval that was asked for it.
        let asked = self.desk.approval(&self.state.governed, &wish.proposal).map(|(approval, _)| approval);
        self.wanted.extend(asked);
        self.whys.insert((wish.component.clone(), wish.rule.clone()), Why::Withheld { gate });
    }

    /// What governance has to know of what a proposal is about, by the meaning that decides.
    pub(super) fn about(&self, proposal: &Proposal) -> About {
        self.bundle.about(&self.scene(), &self.state, proposal, self.meaning)
    }

    pub(super) fn decide(&mut self, proposal: &Proposal) -> Decision {
        let about = self.about(proposal);
        self.decide_about(proposal, &about)
    }

    pub(super) fn decide_about(&mut self, proposal: &Proposal, about: &About) -> Decision {
        if let Some(watch) = &mut self.watch {
            watch(&self.desk, &self.state.governed, proposal, about);
        }
        if self.explains {
            self.questions.extend(self.desk.questions(&self.state.governed, proposal, about));
        }
        let since = self.records.len();
        let decision = self.desk.decide(&mut self.state.governed, proposal, about, &mut self.records);
        self.witness(since);
        decision
    }

    /// Does what a permit allows: Grace's own state and words here, effects by the hands after the commit.
    pub(super) fn carry_out(&mut self, permit: Permit) {
        let proposal = permit.proposal();
        if needs_hands(&permit) {
            if matches!(proposal.act, Act::Heal { .. }) {
                let scene = self.scene();
                self.state.health.permitted(&scene, permit.act(), proposal);
            }
            self.records.push(Record::Intent {
                act: permit.act(),
                proposal: proposal.clone(),
                policy: permit.policy().cloned(),
            });
            self.permits.push(permit);
            return;
        }
        self.note_signal(proposal);
        self.note_end_of_window(proposal);
        let said = match proposal.act.clone() {
            Act::Task { text, component } => Some(self.task(text, component, proposal.by.clone())),
            Act::Recommend { text, component } => self.recommend(text, component, proposal.by.clone()),
            _ => word(proposal),
        };
        let since = self.records.len();
        self.records.extend(said);
        self.desk.apply(&mut self.state.governed, &permit, &mut self.records);
        self.window_goes_on(permit.proposal());
        self.freeze(since);
    }

    pub(super) fn reply(&mut self, ticket: u64, answer: Answer) {
        self.answers.push(Answered { ticket, answer });
    }

    pub(super) fn finish(self) -> Step {
        let scene = self.scene();
        let mut why = BTreeMap::new();
        if self.explains {
            why = scene.whys(&self.state.health, &self.heard);
            for ((component, rule), said) in self.whys {
                why.entry(component).or_default().insert(rule, said);
            }
        }
        Step {
            state: self.state,
            records: self.records,
            permits: self.permits,
            answers: self.answers,
            why,
            questions: self.questions,
        }
    }
}

/// The record of something that is only said.
fn word(proposal: &Proposal) -> Option<Record> {
    let (by, reason) = (proposal.by.clone(), proposal.reason.clone());
    match proposal.act.clone() {
        Act::Event { event, component } => {
            Some(Record::Announced { event, component, by, reason, known: None })
        }
        _ => None,
    }
}
