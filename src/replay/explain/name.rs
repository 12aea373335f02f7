//! Which rule is meant: `rule/component`, or one of both where that is enough.

use crate::engine::Bundle;
use crate::evaluate::{Component, Rule, What};
use crate::model::{ActKind, ComponentId, RuleId};
use crate::replay::explain::NameError;
use crate::say::suggest;

/// The rule that a word means.
///
/// # Errors
/// There is none, or more than one.
pub fn rule_named(bundle: &Bundle, word: &str) -> Result<(RuleId, ComponentId), NameError> {
    let all = || {
        let of = |component: &Component| {
            let id = component.id.clone();
            component.rules.iter().map(move |rule| (rule.id.clone(), id.clone())).collect::<Vec<_>>()
        };
        bundle.components.values().flat_map(of)
    };
    let exact = |(rule, component): &(RuleId, ComponentId)| {
        word.split_once('/').is_some_and(|(r, c)| rule.as_str() == r && component.as_str() == c)
    };
    let either =
        |(rule, component): &(RuleId, ComponentId)| rule.as_str() == word || component.as_str() == word;
    let mut meant: Vec<_> = all().filter(|one| exact(one) || either(one)).collect();
    match (meant.pop(), meant.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(last), false) => {
            meant.push(last);
            let choices = meant.iter().map(|(rule, component)| format!("`{rule}/{component}`"));
            Err(NameError::Several { word: word.to_owned(), choices: choices.collect::<Vec<_>>().join(", ") })
        }
        (None, _) => {
            Err(unknown(bundle, word, &all().map(|(rule, on)| format!("{rule}/{on}")).collect::<Vec<_>>()))
        }
    }
}

/// A component without such a rule is told by its rules; anything else by what is most like it.
fn unknown(bundle: &Bundle, word: &str, all: &[String]) -> NameError {
    let component = word.split_once('/').and_then(|(rule, id)| Some((rule, bundle.components.get(id)?)));
    let help = if let Some((rule, component)) = component {
        of_component(rule, component)
    } else if word.contains('/') {
        suggest(word, all.iter().map(String::as_str))
    } else {
        let names = bundle.components.values().flat_map(|component| {
            component.rules.iter().map(|rule| rule.id.as_str()).chain([component.id.as_str()])
        });
        suggest(word, names)
    };
    NameError::Unknown { word: word.to_owned(), help }
}

fn of_component(word: &str, component: &Component) -> String {
    let rules: Vec<&str> = component.rules.iter().map(|rule| rule.id.as_str()).collect();
    let kind = ActKind::ALL.into_iter().find(|kind| kind.word() == word);
    let never = if kind.is_some_and(|kind| !component.rules.iter().any(|rule| can_do(rule, kind))) {
        format!("no rule of `{}` does `{word}`; ", component.id)
    } else {
        String::new()
    };
    format!("{never}{}", suggest(word, rules))
}

/// Does a rule do something of this kind, at once or when its healing failed?
pub(super) fn can_do(rule: &Rule, wanted: ActKind) -> bool {
    let kind = |what: &What| match what {
        What::Heal(step) => step.kind(),
        What::SetMode(_) => ActKind::SetMode,
        What::Block => ActKind::Block,
        What::Notify(..) => ActKind::Notify,
        What::Event(_) => ActKind::Event,
        What::Task(_) => ActKind::Task,
        What::Recommend(..) => ActKind::Recommend,
    };
    rule.acts.iter().chain(&rule.on_failure).any(|item| kind(&item.what) == wanted)
}
