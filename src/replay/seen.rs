//! What could be seen in one second of a test: states as they were at its end, and whatever happened in it.

use crate::model::{Act, ComponentId, HealResult, PolicyId, Proposal, Record};
use crate::replay::moment::Moment;
use crate::replay::wanted::Wanted;

/// The ticks of one second, seen by one component, or by all of them.
pub(super) struct Seen<'m> {
    pub(super) of: Option<&'m ComponentId>,
    pub(super) there: &'m [&'m Moment],
}

/// One wanted thing, and what was there instead, if it was not there.
#[derive(Debug)]
pub(super) struct Check {
    /// The key that wants it; of several that speak of one thing the first that does not hold.
    pub(super) key: &'static str,
    pub(super) what: String,
    pub(super) was: Option<String>,
}

/// The label of a try; other acts have none here.
pub(super) fn heal_label(proposal: &Proposal) -> Option<String> {
    matches!(proposal.act, Act::Heal { .. }).then(|| proposal.act.label())
}

/// A decision as tests ask for it.
struct Decision {
    verdict: String,
    policy: Option<PolicyId>,
    why: String,
}

impl Seen<'_> {
    /// How it was at the end of the second; nothing where there is no such state.
    pub(super) fn state(&self, key: &str) -> Option<String> {
        let last = self.there.last()?;
        let own = self.of.and_then(|of| last.sight.components.get(of));
        match key {
            "status" => own.map(|(status, _)| status.to_string()),
            "failures" => own.map(|(_, failures)| failures.to_string()),
            "mode" => Some(last.sight.mode.to_string()),
            "writes" => Some(format!("{:?}", last.writes).to_lowercase()),
            "blocked" => self.of.map(|of| last.sight.blocked.contains(of).to_string()),
            _ => None,
        }
    }

    /// What happened of the kind that a key asks for, each once, in order.
    pub(super) fn happened(&self, key: &str) -> Vec<String> {
        let mut found: Vec<String> = match key {
            "verdict" => self.decisions().into_iter().map(|decision| decision.verdict).collect(),
            "policy" => self.policies(),
            "why" => self.whys(),
            _ => self.records().filter_map(|record| value(key, record)).collect(),
        };
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|one| !one.is_empty() && seen.insert(one.clone()));
        found
    }

    /// Records about the component, or about none.
    fn records(&self) -> impl Iterator<Item = &Record> {
        let mine = |record: &&Record| {
            self.of.is_none() || record.component().is_none() || record.component() == self.of
        };
        self.there.iter().flat_map(|moment| &moment.records).filter(mine)
    }

    fn decisions(&self) -> Vec<Decision> {
        let decision = |record: &Record| match record {
            Record::Decided { verdict, gate, policy, .. } => Some(Decision {
                verdict: verdict.to_string(),
                policy: policy.clone(),
                why: gate.as_ref().map(ToString::to_string).unwrap_or_default(),
            }),
            Record::Intent { policy, .. } => {
                Some(Decision { verdict: "allow".into(), policy: policy.clone(), why: String::new() })
            }
            _ => None,
        };
        self.records().filter_map(decision).collect()
    }

    /// Policies that decided, or asked for approval.
    fn policies(&self) -> Vec<String> {
        let asked = self.records().filter_map(|record| match record {
            Record::ApprovalAsked { policy, .. } => Some(policy.to_string()),
            _ => None,
        });
        let decided = self.decisions().into_iter().filter_map(|decision| decision.policy);
        asked.chain(decided.map(|policy| policy.to_string())).collect()
    }

    /// Why gates were shut and rules wait, and what people were refused for.
    fn whys(&self) -> Vec<String> {
        let decided = self.decisions().into_iter().map(|decision| decision.why);
        let refused = self.records().filter_map(|record| match record {
            Record::Refused { says, .. } => Some(says.clone()),
            _ => None,
        });
        let rules = self.there.iter().flat_map(|moment| &*moment.why);
        let rules = rules.filter(|(id, _)| self.of.is_none_or(|of| of == *id));
        let waiting = rules.flat_map(|(_, rules)| rules.values()).map(ToString::to_string);
        decided.chain(refused).chain(waiting).collect()
    }
}

/// What a record says of the kind that a key asks for.
fn value(key: &str, record: &Record) -> Option<String> {
    match (key, record) {
        ("act", Record::Intent { proposal, .. }) => heal_label(proposal),
        ("attempt", Record::Intent { proposal, .. }) => {
            heal_label(proposal).map(|_| proposal.attempt.to_string())
        }
        ("notify", Record::Intent { proposal, .. }) => match &proposal.act {
            Act::Notify { receiver, .. } => Some(receiver.to_string()),
            _ => None,
        },
        ("shadow", Record::Shadowed { proposal, .. }) => Some(proposal.act.label()),
        ("outcome", Record::End { outcome: Some(outcome), .. }) => Some(outcome.word().to_owned()),
        ("outcome", Record::Relapsed { .. }) => Some("relapsed".into()),
        ("result", Record::End { outcome: Some(_), result, .. }) => Some(word(*result).to_owned()),
        ("event", _) => record.event().map(str::to_owned),
        ("task", Record::TaskCreated { text, .. }) | ("recommend", Record::Recommended { text, .. }) => {
            Some(text.clone())
        }
        _ => None,
    }
}

fn word(result: HealResult) -> &'static str {
    if result == HealResult::Success { "success" } else { "failed" }
}

impl Wanted {
    /// Each wanted thing held against what was there.
    pub(super) fn checks(&self, seen: &Seen) -> Vec<Check> {
        let mut checks = Vec::new();
        for (key, what, wanted) in self.states() {
            let is = seen.state(key).unwrap_or_else(|| "not known".into());
            checks.push(Check { key, what, was: (is != wanted).then_some(is) });
        }
        for (key, wanted) in self.texts() {
            let found = seen.happened(key);
            let holds = found.iter().any(|one| one == wanted);
            let what = if matches!(key, "task" | "recommend") {
                format!("{key} {wanted:?}")
            } else {
                format!("{key} {wanted}")
            };
            checks.push(Check { key, what, was: (!holds).then(|| listed(&found)) });
        }
        checks.extend(self.act_check(seen));
        checks.extend(self.end_check(seen));
        checks.extend(self.decision_check(seen));
        checks
    }

    /// What is wanted of states: the key, the words for it, and the value.
    fn states(&self) -> Vec<(&'static str, String, String)> {
        let mut all = Vec::new();
        if let Some(status) = self.status {
            all.push(("status", format!("status {status}"), status.to_string()));
        }
        if let Some(failures) = self.failures {
            all.push(("failures", format!("{failures} failures"), failures.to_string()));
        }
        if let Some(mode) = &self.mode {
            all.push(("mode", format!("mode {mode}"), mode.clone()));
        }
        if let Some(writes) = &self.writes {
            all.push(("writes", format!("writes {writes}"), writes.clone()));
        }
        if let Some(blocked) = self.blocked {
            all.push(("blocked", format!("blocked = {blocked}"), blocked.to_string()));
        }
        all
    }

    /// What is wanted of things that have one key of their own.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let all = [
            ("event", &self.event),
            ("task", &self.task),
            ("notify", &self.notify),
            ("recommend", &self.recommend),
            ("shadow", &self.shadow),
        ];
        all.into_iter().filter_map(|(key, wanted)| Some((key, wanted.as_ref()?)))
    }

    fn act_check(&self, seen: &Seen) -> Option<Check> {
        let act = self.act.as_ref()?;
        let attempt = self.attempt.map(|attempt| format!(", try {attempt}")).unwrap_or_default();
        let tries: Vec<(String, u32)> = seen
            .records()
            .filter_map(|record| match record {
                Record::Intent { proposal, .. } => Some((heal_label(proposal)?, proposal.attempt)),
                _ => None,
            })
            .collect();
        let same = tries.iter().filter(|(label, _)| label == act);
        let key = if same.clone().next().is_some() { "attempt" } else { "act" };
        let holds = same.into_iter().any(|(_, made)| self.attempt.is_none_or(|wanted| wanted == *made));
        let was: Vec<String> = tries.iter().map(|(label, made)| format!("{label}, try {made}")).collect();
        Some(Check { key, what: format!("act {act}{attempt}"), was: (!holds).then(|| listed(&was)) })
    }

    fn end_check(&self, seen: &Seen) -> Option<Check> {
        let wanted = self.outcome.as_ref().or(self.result.as_ref())?;
        let ends: Vec<(String, &str)> = seen
            .records()
            .filter_map(|record| {
                let outcome = value("outcome", record)?;
                let result = if let Record::End { result, .. } = record { word(*result) } else { "failed" };
                Some((outcome, result))
            })
            .collect();
        let same = ends.iter().filter(|(is, _)| self.outcome.as_ref().is_none_or(|outcome| outcome == is));
        let key = if self.outcome.is_some() && same.clone().next().is_none() { "outcome" } else { "result" };
        let holds = same.into_iter().any(|(_, is)| self.result.as_ref().is_none_or(|result| result == is));
        let was: Vec<String> = ends.iter().map(|(outcome, result)| format!("{outcome} ({result})")).collect();
        Some(Check { key, what: format!("outcome {wanted}"), was: (!holds).then(|| listed(&was)) })
    }

    /// Was there a decision of this kind, or does a rule say that it waits for this reason?
    fn decision_check(&self, seen: &Seen) -> Option<Check> {
        let key = match (&self.verdict, &self.policy, &self.why) {
            (None, None, None) => return None,
            (None, None, Some(_)) => "why",
            (None, Some(_), _) => "policy",
            (Some(_), ..) => "verdict",
        };
        let mut words = Vec::new();
        words.extend(self.verdict.as_ref().map(|verdict| format!("verdict {verdict}")));
        words.extend(self.policy.as_ref().map(|policy| format!("by policy {policy}")));
        words.extend(self.why.as_ref().map(|why| format!("because {why}")));
        let what = words.join(" ");
        let fits = |why: &String| self.why.as_ref().is_none_or(|wanted| why.contains(wanted.as_str()));
        if self.verdict.is_none() && self.policy.is_none() {
            let whys = seen.whys();
            let holds = whys.iter().any(fits);
            return Some(Check { key, what, was: (!holds).then(|| listed(&seen.happened("why"))) });
        }
        let decisions = seen.decisions();
        let verdict = |is: &Decision| self.verdict.as_ref().is_none_or(|wanted| *wanted == is.verdict);
        let policy = |is: &Decision| {
            let id = is.policy.as_ref().map(PolicyId::as_str);
            self.policy.as_ref().is_none_or(|wanted| Some(wanted.as_str()) == id)
        };
        let asked = self.verdict.is_none()
            && self.why.is_none()
            && self.policy.as_ref().is_some_and(|wanted| seen.policies().contains(wanted));
        let holds = asked || decisions.iter().any(|is| verdict(is) && policy(is) && fits(&is.why));
        // The first key that nothing there answers to is the one that is wrong.
        let key = match () {
            () if !decisions.iter().any(verdict) => key,
            () if !decisions.iter().any(|is| verdict(is) && policy(is)) => "policy",
            () => "why",
        };
        let said = |is: &Decision| {
            let policy = is.policy.as_ref().map(|policy| format!(" by policy {policy}")).unwrap_or_default();
            let why = if is.why.is_empty() { String::new() } else { format!(" because {}", is.why) };
            format!("{}{policy}{why}", is.verdict)
        };
        let was: Vec<String> = decisions.iter().map(said).collect();
        Some(Check { key, what, was: (!holds).then(|| listed(&was)) })
    }
}

fn listed(found: &[String]) -> String {
    if found.is_empty() { "nothing of the kind".into() } else { found.join("; ") }
}
