//! What a rule would do when it fires, done by a person: each of its actions meets the policies as a person's act.
//!
//! Nothing is done where one of them may not be: half of what a rule does is something that nobody tested.

use crate::engine::requests::Unknown;
use crate::engine::run::Run;
use crate::model::{
    Act, Answer, Asked, By, ClaimKey, Class, ComponentId, Gate, Proposal, Record, RuleId, Verdict,
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

    /// What stops it, where something does that no approval could lift.
    fn stops(&self, proposal: &Proposal) -> Option<(Verdict, Gate)> {
        let about = self.about(proposal);
        let ruled = self.desk.weigh(&self.state.governed, proposal, &about);
        let stopped = matches!(ruled.verdict, Verdict::Deny | Verdict::Wait);
        ruled.gate.filter(|_| stopped).map(|gate| (ruled.verdict, gate))
    }
}

/// A claim that a person makes is a person's, and no condition ends it.
fn as_a_persons(act: Act) -> Act {
    match act {
        Act::SetMode { mode, lasts, .. } => Act::SetMode { mode, key: ClaimKey::person(), spot: None, lasts },
        other => other,
    }
}
