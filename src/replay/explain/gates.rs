//! Every gate in the order in which it is asked: first the rule's own, then governance's.

use crate::condition::Truth;
use crate::evaluate::Healing;
use crate::govern::{Desk, GateKind, Inspected, PolicyEffect, Question, deciding};
use crate::model::{self, By, Meaning, Time, Why};
use crate::replay::explain::shape::{Gate, GateState, Policy, name, word};
use crate::replay::explain::{Case, Met, Tick, after};

/// The tiers that are tried: files hardly ever have more.
const TIERS: std::ops::RangeInclusive<i64> = 1..=5;

/// The gates of a rule, and of what it wanted or would have wanted first.
pub(super) fn of_rule(case: &Case, met: &[Met], truth: Truth) -> (Option<String>, Vec<Gate>) {
    let mut gates = own(case, met, truth);
    // What was held back is what is asked about; where all went through, the first stands for them.
    let main = met.iter().find(|met| met.act.is_none()).or(met.first());
    let (met, real) = match main {
        Some(met) => (Some(met.clone()), true),
        None => (supposed(case), false),
    };
    gates.extend(met.iter().flat_map(|met| of_governance(case.tick, met, real)));
    if let Some(gate) = gates.iter_mut().find(|gate| gate.state == GateState::Closed) {
        gate.decided = true;
    }
    (met.map(|met| met.proposal.act.label()), gates)
}

/// What the rule would have wanted, in the state that the tick left behind.
fn supposed(case: &Case) -> Option<Met> {
    let state = after(case.tick);
    let wish = case.scene.first_wish(&state.health, &case.component.id, &case.rule.id)?;
    let about = case.tick.bundle.about(&case.scene, state, &wish.proposal, case.tick.input.meaning);
    Some(Met { proposal: wish.proposal, about, governed: state.governed.clone(), act: None })
}

/// The rule's own gates: its condition, the readings that it needs, and what it is at.
fn own(case: &Case, met: &[Met], truth: Truth) -> Vec<Gate> {
    let health = &after(case.tick).health;
    let state = health.components.get(&case.component.id).and_then(|own| own.rules.get(&case.rule.id));
    let why = case.tick.step.why.get(&case.component.id).and_then(|whys| whys.get(&case.rule.id));
    let when = format!("`{}` is {}", case.rule.when.source(), word(truth));
    let fires = state.and_then(|state| state.firing.as_ref());
    let wants_try = state.is_some_and(|state| state.healing.and_then(Healing::wants).is_some());
    let (after, of) = (case.rule.after, case.rule.of);
    let row = if of == after { String::new() } else { format!(" of the last {of}") };
    let have = state.map_or(0, |state| case.rule.readings(state));
    let readings = format!("{have} of {after} readings{row}");
    let readings = match fires {
        Some(firing) => gate("readings", GateState::Open, format!("fired at {}", firing.since.clock())),
        None if truth == Truth::True => gate("readings", GateState::Closed, format!("pending: {readings}"))
            .opens("with the next readings in which it holds"),
        None => gate("readings", GateState::NotAsked, readings),
    };
    let condition = match (truth, fires) {
        (Truth::True, _) => gate("condition", GateState::Open, when),
        // What fires goes on firing while nobody can tell, and tries nothing.
        (Truth::Unknown, Some(_)) if wants_try && case.tick.input.meaning >= Meaning::VOTES => {
            gate("condition", GateState::Closed, format!("{when}, so that it tries nothing"))
                .opens("with a reading that says whether it holds")
        }
        (Truth::Unknown, Some(_)) => {
            gate("condition", GateState::Open, format!("{when}, and it fires since before"))
        }
        _ => gate("condition", GateState::Closed, when),
    };
    let mut gates = vec![condition, readings, effort(case, met, why)];
    if case.rule.shadow {
        let says = "it is a shadow rule: what it wants is written down, and never done";
        gates.push(
            gate("shadow", GateState::Closed, says.into()).opens("without `shadow = true` in its file"),
        );
    }
    gates
}

/// What the rule is at: a try under way, or everything done for this firing.
fn effort(case: &Case, met: &[Met], why: Option<&Why>) -> Gate {
    let closed = |says: String| gate("effort", GateState::Closed, says);
    match why {
        Some(said @ Why::Trying { act, .. }) => {
            closed(said.to_string()).opens(&format!("when act {act} ends"))
        }
        Some(said @ Why::Verifying { until, .. }) => {
            closed(said.to_string()).until(*until).opens("when a reading says whether it helped")
        }
        Some(said @ Why::Fired { .. }) if met.is_empty() => {
            closed(said.to_string()).opens("with a new firing, once the condition was false")
        }
        Some(Why::Inactive | Why::Pending { .. } | Why::Unknown { .. }) | None => {
            gate("effort", GateState::NotAsked, "no try is under way".into())
        }
        Some(_) if case.rule.heals() => gate("effort", GateState::Open, "no other try is under way".into()),
        Some(_) => gate("effort", GateState::Open, "not yet done in this firing".into()),
    }
}

/// The gates of governance for one proposal; where it was never made they say what they would have said.
pub(super) fn of_governance(tick: &Tick, met: &Met, real: bool) -> Vec<Gate> {
    let desk = tick.bundle.desk(after(tick).now, tick.input.stop);
    let look = Look { tick, desk, met };
    let inspected = look.desk.inspect(&met.governed, &met.proposal, &met.about);
    inspected.into_iter().map(|one| look.gate(&one, real)).collect()
}

struct Look<'t> {
    tick: &'t Tick,
    desk: Desk<'t>,
    met: &'t Met,
}

impl Look<'_> {
    fn gate(&self, one: &Inspected, real: bool) -> Gate {
        let stands = if one.shut.is_some() { GateState::Closed } else { GateState::Open };
        let state = if real && one.applies { stands } else { GateState::NotAsked };
        let would = (!real && one.applies).then_some(stands);
        let says = match (&one.shut, one.applies) {
            (_, false) => self.spared(one.kind),
            (Some(shut), true) => self.shut(one, shut),
            (None, true) => self.open(one),
        };
        let mut gate = Gate { would, ..gate(name(one.kind), state, says) };
        if let Some(shut) = &one.shut {
            gate.until = shut.until().map(|until| until.to_string());
            gate.opens = Some(self.opens(shut));
        }
        if one.kind == GateKind::Policy {
            gate.policies = self.policies();
        }
        gate
    }

    fn shut(&self, one: &Inspected, shut: &model::Gate) -> String {
        match (shut, &one.used) {
            (model::Gate::Budget { until, .. }, Some(used)) => {
                let (max, within) = (used.budget.max, used.budget.within);
                format!("{} of {max} used in {within}; frees at {}", used.tries, until.clock())
            }
            (model::Gate::Mode { lacks, .. }, _) => format!("{shut}; {}", self.claims(lacks)),
            _ => shut.to_string(),
        }
    }

    /// Who claims what does not permit it, and since when.
    fn claims(&self, lacks: &str) -> String {
        let modes = &self.desk.policies.modes;
        let forbids = |mode: &model::ModeId| {
            let permits = modes.permits(mode);
            if lacks == "heal" { !permits.heal } else { !permits.control }
        };
        let claims: Vec<String> = self
            .met
            .governed
            .claims
            .iter()
            .filter(|(_, claim)| forbids(&claim.mode))
            .map(|(key, claim)| {
                format!("{} is claimed by {key} since {}: {}", claim.mode, claim.since.clock(), claim.reason)
            })
            .collect();
        if claims.is_empty() { "no claim demands it".into() } else { claims.join("; ") }
    }

    fn open(&self, one: &Inspected) -> String {
        let governed = &self.met.governed;
        let on = self.met.proposal.component.as_ref();
        match one.kind {
            GateKind::Stop => "there is no STOP file".into(),
            GateKind::Hold => "nobody holds it".into(),
            GateKind::Silence => "nobody silenced it".into(),
            GateKind::Block => "it is not blocked".into(),
            GateKind::Dependency => self.needs(),
            GateKind::Mode => format!("mode {} permits it", governed.mode),
            GateKind::Policy => match self.policies().iter().find(|policy| policy.decided) {
                Some(policy) if policy.effect == "review" => {
                    format!("policy {} asks for approval", policy.policy)
                }
                Some(policy) => format!("policy {} allows it", policy.policy),
                None => "a policy allows it".into(),
            },
            GateKind::Approval => "the approval is given".into(),
            GateKind::InFlight => "no act on it is in flight".into(),
            GateKind::Crowded => {
                let most = self.desk.policies.brakes.overall_in_flight;
                format!("{} of {most} acts are in flight", governed.accounts.flights.len())
            }
            GateKind::SlowTry => "it is time for a slow try".into(),
            GateKind::Backoff => {
                match on.and_then(|on| governed.accounts.spent.get(on)).and_then(|spent| spent.ended) {
                    Some(ended) => format!("rested since the try that ended at {}", ended.clock()),
                    None => "no try was made before".into(),
                }
            }
            GateKind::Budget => one.used.as_ref().map_or(String::new(), |used| {
                format!("{} of {} used in {}", used.tries, used.budget.max, used.budget.within)
            }),
        }
    }

    /// How the components are on which this one depends.
    fn needs(&self) -> String {
        let component =
            self.met.proposal.component.as_ref().and_then(|id| self.tick.bundle.components.get(id));
        let health = &after(self.tick).health;
        let needs = component.into_iter().flat_map(|component| &component.depends_on);
        let all: Vec<String> = needs
            .map(|id| {
                let status = health.components.get(id).map(|own| own.status).unwrap_or_default();
                format!("{id} is {status}")
            })
            .collect();
        if all.is_empty() { "it depends on nothing".into() } else { all.join(", ") }
    }

    /// Why a gate does not ask such a proposal.
    fn spared(&self, kind: GateKind) -> String {
        let by_rule = matches!(self.met.proposal.by, By::Rule { .. });
        let heals = matches!(self.met.proposal.act, model::Act::Heal { .. });
        match kind {
            GateKind::Approval => "no policy asks for approval",
            GateKind::SlowTry if heals && by_rule => "this is no slow try",
            GateKind::Backoff | GateKind::Budget if heals && by_rule => "a slow try is not spaced by it",
            _ if heals && !by_rule => "it is for rules, and a person asks",
            GateKind::Mode => "in every mode this may be done",
            _ => "it is for restarts and the like",
        }
        .into()
    }

    fn opens(&self, shut: &model::Gate) -> String {
        use model::Gate as Shut;
        let on = self.met.proposal.component.as_ref().map_or("all", model::ComponentId::as_str);
        match shut {
            Shut::Stop => "when somebody removes the file STOP from the data directory".into(),
            Shut::Held { until, .. } => {
                let held = self
                    .met
                    .governed
                    .holds
                    .iter()
                    .any(|hold| hold.component.as_ref().is_some_and(|held| held.as_str() == on));
                let by_itself =
                    until.map(|until| format!("by itself at {}, or ", until.clock())).unwrap_or_default();
                format!("{by_itself}with `grace hold {} --end`", if held { on } else { "all" })
            }
            Shut::Silenced { until, .. } => {
                let mut silences = self.met.governed.silences.iter();
                let own =
                    silences.any(|silence| silence.component.as_ref().is_some_and(|of| of.as_str() == on));
                let by_itself =
                    until.map(|until| format!("by itself at {}, or ", until.clock())).unwrap_or_default();
                format!("{by_itself}with `grace silence {} --end`", if own { on } else { "all" })
            }
            Shut::Unread { .. } => "with a reading that says whether the condition holds".into(),
            Shut::Protected => {
                format!("without `protected` in rules/{on}.toml, and with a rule there that heals it")
            }
            Shut::Blocks { .. } => "when a person lifts one of the blocks: `grace unblock`".into(),
            Shut::Blocked { .. } => format!("with `grace unblock {on}`"),
            Shut::WaitingFor { on } => format!("when {on} is no longer critical"),
            Shut::Mode { lacks, .. } => self.releases(lacks),
            Shut::Edge { from, to } => format!("with an edge from {from} to {to} in policies/modes.toml"),
            Shut::Policy { policy: Some(policy) } => {
                format!("when policy {policy} does not match{}", self.elsewhere())
            }
            Shut::Policy { policy: None } => {
                "with a policy that allows it, in policies/governance.toml".into()
            }
            Shut::Approval { approval, expires, .. } => {
                format!("when somebody else says `grace approve {approval}` before {}", expires.clock())
            }
            Shut::NotApproved { .. } => {
                "when it is asked anew: once the condition was false, or with new rules".into()
            }
            Shut::InFlight { act } => format!("when act {act} ends"),
            Shut::Crowded { .. } => "when one of them ends".into(),
            Shut::Backoff { until } | Shut::Budget { until, .. } | Shut::SlowTry { until } => {
                format!("by itself at {}", until.clock())
            }
        }
    }

    /// In which modes, and with which tiers, the policies would have allowed the same; each is asked.
    fn elsewhere(&self) -> String {
        let questions = self.desk.questions(&self.met.governed, &self.met.proposal, &self.met.about);
        let all = &self.desk.policies.policies;
        let allows = |change: &dyn Fn(&mut Question)| {
            questions.iter().all(|question| {
                let mut question = question.clone();
                change(&mut question);
                let by = deciding(all, &question);
                all.iter()
                    .any(|policy| Some(&policy.id) == by.as_ref() && policy.effect == PolicyEffect::Allow)
            })
        };
        let modes = self.desk.policies.modes.modes.keys();
        let modes = modes.filter(|mode| allows(&|question| question.mode = (*mode).clone()));
        let tier = self.met.about.tier;
        let tiers = TIERS.filter(|other| Some(*other) != tier && tier.is_some());
        let tiers = tiers.filter(|other| allows(&|question| question.tier = Some(*other)));
        let mut ways: Vec<String> = modes.map(|mode| format!("in mode {mode}")).collect();
        ways.extend(tiers.map(|tier| format!("with `tier = {tier}`")));
        if ways.is_empty() { String::new() } else { format!(": it would be allowed {}", ways.join(", or ")) }
    }

    fn releases(&self, lacks: &str) -> String {
        let modes = &self.desk.policies.modes;
        let claims = self.met.governed.claims.iter().filter(|(_, claim)| {
            let permits = modes.permits(&claim.mode);
            if lacks == "heal" { !permits.heal } else { !permits.control }
        });
        let ways: Vec<String> = claims
            .map(|(key, claim)| match (claim.spot, claim.over) {
                (Some(_), false) => {
                    format!("the `until` of {key} is true, or with `grace mode release {key}`")
                }
                _ => format!("somebody says `grace mode release {key}`"),
            })
            .collect();
        if ways.is_empty() {
            "with another mode: `grace mode`".into()
        } else {
            format!("when {}", ways.join("; and "))
        }
    }

    /// The policies that are about the proposal, with what their `when` says.
    fn policies(&self) -> Vec<Policy> {
        let all = &self.desk.policies.policies;
        let mut found = Vec::new();
        for question in self.desk.questions(&self.met.governed, &self.met.proposal, &self.met.about) {
            let decides = deciding(all, &question);
            for policy in all.iter().filter(|policy| policy.is_about(&question)) {
                found.push(Policy {
                    policy: policy.id.to_string(),
                    action: question.kind.word(),
                    effect: match policy.effect {
                        PolicyEffect::Allow => "allow",
                        PolicyEffect::Review { .. } => "review",
                        PolicyEffect::Deny => "deny",
                    },
                    applies: word(policy.when.as_ref().map_or(Truth::True, |when| when.eval(&question))),
                    decided: decides.as_ref() == Some(&policy.id),
                    tree: policy.when.as_ref().and_then(|when| when.explain(&question)),
                });
            }
        }
        found
    }
}

fn gate(name: &str, state: GateState, says: String) -> Gate {
    let gate = name.to_owned();
    let (would, decided, until, opens, policies) = (None, false, None, None, Vec::new());
    Gate { gate, state, would, decided, says, until, opens, policies }
}

impl Gate {
    fn opens(self, how: &str) -> Self {
        Self { opens: Some(how.to_owned()), ..self }
    }

    fn until(self, until: Time) -> Self {
        Self { until: Some(until.to_string()), ..self }
    }
}
