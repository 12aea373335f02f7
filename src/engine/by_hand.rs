//! What a rule would do when it fires, done by a person: each of its actions meets the policies as a person's act.
//!
//! Nothing is done where one of them may not be: half of what a rule does is something that nobody tested.

use crate::engine::requests::Unknown;
use crate::engine::run::Run;
use crate::govern::Ruled;
use crate::model::{
    Act, Answer, Asked, By, Claim, ClaimKey, Class, ComponentId, Gate, HealStep, Meaning, Proposal, Record,
    RuleId, Verdict,
};
use crate::say::suggest;

impl Run<'_> {
    /// The proposals, what acts outside last: it sees what the others changed.
    pub(super) fn by_hand(
        &self,
        asked: &Asked,
        rule: &RuleId,
        component: &ComponentId,
    ) -> Result<Vec<Proposal>, Unknown> {
        self.component(component)?;
        let declared = self.bundle.components.get(component);
        let Some((declared, rule)) = declared.and_then(|found| Some((found, found.rule(rule)?))) else {
            let known = declared.into_iter().flat_map(|found| &found.rules).map(|rule| rule.id.as_str());
            return Err(format!("`{component}` has no rule `{rule}`; {}", suggest(rule.as_str(), known)));
        };
        let scene = self.scene();
        let status = self.state.health.components.get(&declared.id).map(|own| own.status).unwrap_or_default();
        let by = By::Person { actor: asked.actor.clone() };
        let mut acts = scene.acts_of(&self.state.health, declared, rule, status);
        acts.sort_by_key(|act| act.class() == Class::Heal);
        let proposals = acts.into_iter().map(|act| Proposal {
            by: by.clone(),
            act: as_a_persons(act),
            reason: asked.reason.clone(),
            component: Some(declared.id.clone()),
            attempt: 0,
            slow: false,
        });
        Ok(proposals.collect())
    }

    /// Does all of it, or nothing.
    pub(super) fn run_by_hand(&mut self, asked: &Asked, proposals: &[Proposal]) -> Answer {
        if self.meaning >= Meaning::VOTES {
            return match proposals {
                [one] => self.one_by_hand(asked, one),
                all => self.all_by_hand(asked, all),
            };
        }
        if let Some((verdict, gate)) = proposals.iter().find_map(|proposal| self.stops(proposal)) {
            self.records.push(Record::Refused { asked: asked.clone().into(), says: gate.to_string() });
            return Answer::Refused { verdict, gate };
        }
        let mut answer = Answer::Done { says: "this rule does nothing".into() };
        for proposal in proposals {
            answer = self.consider(asked, proposal);
        }
        answer
    }

    fn one_by_hand(&mut self, asked: &Asked, proposal: &Proposal) -> Answer {
        match self.consider(asked, proposal) {
            Answer::Done { says } => Answer::Done { says: format!("{says}{}", self.leaves(proposal)) },
            other => other,
        }
    }

    /// Each act is asked about as the ones before it leave everything. Where one of them may not be done at once, and be it
    /// that somebody has to approve it, none is: an approval is for one act, and the others would stand done beside it.
    fn all_by_hand(&mut self, asked: &Asked, proposals: &[Proposal]) -> Answer {
        let mut state = self.state.governed.clone();
        let mut ruled = Vec::new();
        for proposal in proposals {
            ruled.push((proposal, self.desk.weigh(&state, proposal, &self.about(proposal))));
            state = self.desk.what_if(&state, proposal);
        }
        let stopped =
            ruled.iter().map(|(_, ruled)| ruled.verdict).filter(|verdict| *verdict != Verdict::Allow);
        if let Some(verdict) =
            stopped.max_by_key(|verdict| (*verdict == Verdict::Deny, *verdict == Verdict::Review))
        {
            let says = in_parts(&ruled);
            self.records.push(Record::Refused { asked: asked.clone().into(), says: says.clone() });
            return Answer::InParts { verdict, says };
        }
        let (mut done, mut started) = (Vec::new(), None);
        for proposal in proposals {
            match self.consider(asked, proposal) {
                Answer::Started { act, .. } => started = Some(act),
                Answer::Done { says } => {
                    done.push(format!("{}: {says}{}", proposal.act.words(), self.leaves(proposal)));
                }
                // It was weighed in this very state.
                other => return other,
            }
        }
        let says = done.join("; ");
        match started {
            Some(act) => Answer::Started { act, besides: says },
            None if says.is_empty() => Answer::Done { says: "this rule does nothing".into() },
            None => Answer::Done { says },
        }
    }

    /// What a person leaves behind who does a rule's act: what a condition would end is a claim that nothing ends by itself.
    fn leaves(&self, proposal: &Proposal) -> String {
        let Act::SetMode { key, lasts: None, .. } = &proposal.act else { return String::new() };
        let lowest = self.bundle.policies.modes.lowest();
        let claim = self.state.governed.claims.get(key);
        let says = |claim: &Claim| {
            format!("; {key} claims {} until a person ends it: `grace mode {lowest}`", claim.mode)
        };
        claim.map(says).unwrap_or_default()
    }

    /// What stops it, where something does that no approval could lift.
    fn stops(&self, proposal: &Proposal) -> Option<(Verdict, Gate)> {
        let about = self.about(proposal);
        let ruled = self.desk.weigh(&self.state.governed, proposal, &about);
        let stopped = matches!(ruled.verdict, Verdict::Deny | Verdict::Wait);
        ruled.gate.filter(|_| stopped).map(|gate| (ruled.verdict, gate))
    }
}

/// Each part with what would become of it, and how what has to be approved is asked for alone.
fn in_parts(ruled: &[(&Proposal, Ruled)]) -> String {
    let mut says: Vec<String> = ruled.iter().map(|(proposal, ruled)| part(proposal, ruled)).collect();
    says.push("half of what a rule does is nothing that anybody tested, and so none of it is done".into());
    let waits = ruled.iter().filter(|(_, ruled)| ruled.verdict == Verdict::Review);
    let alone: Vec<String> = waits.filter_map(|(proposal, _)| alone(&proposal.act)).collect();
    if !alone.is_empty() {
        says.push(format!("{} asks for that part alone", alone.join(" or ")));
    }
    says.join("; ")
}

fn part(proposal: &Proposal, Ruled { verdict, policy, gate }: &Ruled) -> String {
    let is = match (verdict, gate) {
        (Verdict::Allow, _) => "may be done now".to_owned(),
        (_, Some(gate)) => format!("may not: {gate}"),
        (_, None) => {
            let by = policy.as_ref().map(|policy| format!(", says policy {policy}")).unwrap_or_default();
            format!("has to be approved first{by}")
        }
    };
    format!("{} {is}", proposal.act.words())
}

/// The command for one act, where there is one.
fn alone(act: &Act) -> Option<String> {
    match act {
        Act::Heal { component, steps } if matches!(steps[..], [HealStep::Restart { .. }]) => {
            Some(format!("`grace restart {component}`"))
        }
        Act::SetMode { mode, .. } => Some(format!("`grace mode {mode}`")),
        _ => None,
    }
}

/// A claim that a person makes is a person's, and no condition ends it.
fn as_a_persons(act: Act) -> Act {
    match act {
        Act::SetMode { mode, lasts, .. } => Act::SetMode { mode, key: ClaimKey::person(), spot: None, lasts },
        other => other,
    }
}
