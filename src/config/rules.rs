//! A rule file's second reading: its rules, with their conditions compiled for one component.

use toml::de::DeValue;

use crate::condition::{Condition, Vocabulary};
use crate::config::conditions::compile;
use crate::config::counsel;
use crate::config::known::{Can, Known};
use crate::config::reader::{Item, Table};
use crate::evaluate::{self, Rule, Text, Verify, What};
use crate::model::{HealStep, ModeId, ReceiverId, RuleId, Span};
use crate::say::{Code, Diagnostic, nearest, suggest};

/// Tries of one healing, where the file does not say.
const ATTEMPTS: u32 = 3;

/// Reads one rule for one component.
pub(super) fn read(name: &str, table: &Table, vocabulary: &Vocabulary, known: &Known) -> Option<Rule> {
    let reader = RuleReader { table, vocabulary, known };
    let when = table.need("when", "say when it applies: `when = 'critical'`");
    let when = when.and_then(|item| compile(&item, vocabulary));
    let (after, of) = reader.after();
    let listed = table.need("do", "say what to do: `do = [\"restart\"]`");
    let acts = listed.as_ref().map(|item| reader.list(item, true));
    let on_failure = table.get("on_failure").map(|item| reader.list(&item, false)).unwrap_or_default();
    let verify =
        table.get("verify").and_then(|item| item.table()).map(|table| verify(&table)).unwrap_or_default();
    let attempts = table.get("attempts").and_then(|item| item.whole(1..21));
    let shadow = table.get("shadow").and_then(|item| item.truth()).unwrap_or(false);
    let why = table.get("why").and_then(|item| item.text().map(str::to_owned));
    table.finish();
    let healing = known.healing.clone();
    let rule = Rule {
        id: healing.as_ref().map_or_else(|| RuleId::from(name), |healing| Rule::of_healing(name, healing)),
        file: table.file.name.to_string(),
        when: when?,
        after,
        of,
        acts: acts?,
        on_failure,
        verify,
        attempts: attempts.and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(ATTEMPTS),
        shadow,
        why,
        healing,
    };
    // What was not understood is told already; nothing can be said of the rest.
    if listed.and_then(|item| item.value.as_array()).is_some_and(|listed| listed.len() == rule.acts.len()) {
        reader.check(&rule);
    }
    Some(rule)
}

struct RuleReader<'t, 'a> {
    table: &'t Table<'a>,
    vocabulary: &'t Vocabulary,
    known: &'t Known,
}

impl RuleReader<'_, '_> {
    fn after(&self) -> (u32, u32) {
        let count = |key| {
            let item = self.table.get(key)?;
            Some((u32::try_from(item.whole(1..61)?).ok()?, item.span))
        };
        let (after, of) = (count("after").map_or(1, |(after, _)| after), count("of"));
        match of {
            Some((of, span)) if of < after => {
                let message = format!("{after} of the last {of} readings can never be");
                let help = "`of` is at least as much as `after`";
                self.table.file.error(Code::Unverifiable, span, message, help);
                (after, after)
            }
            Some((of, _)) => (after, of),
            None => (after, after),
        }
    }

    fn check(&self, rule: &Rule) {
        if rule.acts.is_empty() {
            let help = "name at least one action, such as `\"restart\"`";
            self.table.file.error(
                Code::NothingToDo,
                self.table.head(),
                format!("rule `{}` does nothing", rule.id),
                help,
            );
        }
        if !rule.on_failure.is_empty() && !rule.heals() {
            let message = format!("rule `{}` heals nothing, so no healing of it can fail", rule.id);
            let help = "leave `on_failure` out, or heal: `do = [\"restart\"]`";
            self.table.file.error(Code::NothingToDo, self.table.head(), message, help);
        }
    }

    fn list(&self, list: &Item, heals: bool) -> Vec<evaluate::Item> {
        list.items().iter().filter_map(|item| self.action(item, heals)).collect()
    }

    fn action(&self, item: &Item, heals: bool) -> Option<evaluate::Item> {
        let (what, until) = match item.value {
            DeValue::String(word) => (self.word(item, word)?, None),
            DeValue::Table(_) => self.table_action(item)?,
            _ => {
                item.error(
                    Code::WrongType,
                    "an action is a word or a table",
                    "write `\"restart\"` or `{ notify = \"oncall\" }`",
                );
                return None;
            }
        };
        if !heals && matches!(what, What::Heal(_)) {
            let help = "after a failed healing Grace can claim a mode, block, and tell people";
            item.error(Code::NotAllowed, "`on_failure` cannot heal", help);
            return None;
        }
        if let What::Heal(step) = &what {
            self.possible(item, step);
        }
        Some(evaluate::Item { what, until })
    }

    /// What nothing can do is no action.
    fn possible(&self, item: &Item, step: &HealStep) {
        if self.known.healing.is_some() {
            let help = "recommend a change, or ask a person";
            item.error(Code::NotAllowed, "a rule that looks at healings heals nothing itself", help);
        }
        let (message, help) = match (self.known.can, step) {
            (Can::Nothing, _) => (
                "nothing here knows how to start or stop this component",
                "say how: `[control]` with `kind = \"process\"` or \"command\"",
            ),
            (Can::Restart, HealStep::Scale { .. }) => (
                "a component that commands start has no number of workers",
                "write `\"restart\"`, or let Grace start it: `kind = \"process\"` in `[control]`",
            ),
            _ => return,
        };
        item.error(Code::NoControl, message, help);
    }

    fn word(&self, item: &Item, word: &str) -> Option<What> {
        match word {
            "restart" => Some(What::Heal(HealStep::Restart { workers: self.known.workers })),
            "block" => Some(What::Block),
            other => {
                let message = format!("there is no action `{other}` in one word");
                if ACTIONS.contains(&other) {
                    let help = format!("it is about something: write `{{ {other} = ... }}`");
                    item.error(Code::UnknownAction, message, help);
                } else if nearest(other, ACTIONS).is_some_and(|meant| WORDS.contains(&meant)) {
                    item.file.unknown(Code::UnknownAction, item.span.clone(), message, (other, ACTIONS));
                } else {
                    // Another word would still lack what it is about.
                    item.error(Code::UnknownAction, message, suggest(other, ACTIONS));
                }
                None
            }
        }
    }

    fn table_action(&self, item: &Item) -> Option<(What, Option<Condition>)> {
        let table = item.table()?;
        let keys: Vec<&str> = table.named().iter().map(|(key, ..)| *key).collect();
        let actions: Vec<&str> = keys.iter().filter(|key| ACTIONS.contains(key)).copied().collect();
        let action = match actions.as_slice() {
            [action] => *action,
            [] => {
                no_action(item, &table);
                return None;
            }
            [first, second, ..] => {
                let message = format!("`{first}` and `{second}` are two actions in one table");
                item.error(
                    Code::UnknownAction,
                    message,
                    "write a table for each, in the order they are done",
                );
                return None;
            }
        };
        let mut until = None;
        let what = match action {
            "set_mode" => {
                until = table.get("until").and_then(|until| compile(&until, self.vocabulary));
                table.get("set_mode").and_then(|mode| self.mode(&mode)).map(What::SetMode)
            }
            "scale" => {
                let workers = table.get("scale").and_then(|workers| workers.whole(1..1001));
                let workers = workers.and_then(|workers| u32::try_from(workers).ok());
                workers.map(|workers| What::Heal(HealStep::Scale { workers }))
            }
            "notify" => {
                let text = table.get("text").and_then(|text| template(&text));
                let text = text.unwrap_or_else(|| Text("{label} is {status} (rule {rule})".into()));
                let receiver = table.get("notify").and_then(|receiver| self.receiver(&receiver));
                receiver.map(|receiver| What::Notify(receiver, text))
            }
            "event" => table.get("event").and_then(|event| event_type(&event)).map(What::Event),
            "task" => table.get("task").and_then(|text| template(&text)).map(What::Task),
            "recommend" => {
                let counsel = counsel::read(&table, self.known.healing.is_some());
                let text = table.get("recommend").and_then(|text| template(&text));
                text.map(|text| What::Recommend(text, counsel))
            }
            word => {
                item.error(
                    Code::UnknownAction,
                    format!("`{word}` takes nothing"),
                    format!("write `\"{word}\"`"),
                );
                return None;
            }
        };
        table.finish();
        what.map(|what| (what, until))
    }

    fn mode(&self, item: &Item) -> Option<ModeId> {
        let word = item.text()?;
        let mode = ModeId::from(word);
        if let Some(modes) = self.known.modes.as_ref().filter(|modes| !modes.contains(&mode)) {
            let known = (word, modes.iter().map(ModeId::as_str));
            item.file.unknown_name(
                Code::UnknownMode,
                item.span.clone(),
                format!("there is no mode `{word}`"),
                known,
            );
            return None;
        }
        if self.known.lowest.as_ref() == Some(&mode) {
            let help = "a claim ends by itself with `until`; then the mode falls back";
            item.error(Code::LowestMode, format!("a rule cannot claim `{word}`, the lowest mode"), help);
            return None;
        }
        Some(mode)
    }

    fn receiver(&self, item: &Item) -> Option<ReceiverId> {
        let word = item.text()?;
        let receiver = ReceiverId::from(word);
        if let Some(known) = self.known.receivers.as_ref().filter(|known| !known.contains(&receiver)) {
            let known = (word, known.iter().map(ReceiverId::as_str));
            let message = format!("there is no receiver `{word}`");
            item.file.unknown_name(Code::UnknownReceiver, item.span.clone(), message, known);
            return None;
        }
        Some(receiver)
    }
}

/// A table whose keys name no action: the one that is nearly one is told, else the first.
fn no_action(item: &Item, table: &Table) {
    let named: Vec<_> = table.named().into_iter().filter(|(key, ..)| !BESIDES.contains(key)).collect();
    let nearly = named.iter().find(|(key, ..)| nearest(key, ACTIONS).is_some());
    let Some((key, span, _)) = nearly.or(named.first()) else {
        let help = format!("name it by its key: {}", suggest("", ACTIONS));
        item.error(Code::UnknownAction, "a table without an action", help);
        return;
    };
    let message = format!("there is no action `{key}`");
    item.file.unknown(Code::UnknownAction, span.clone(), message, (key, ACTIONS));
}

/// Actions that are about nothing.
const WORDS: [&str; 2] = ["restart", "block"];

/// Keys that stand beside an action.
const BESIDES: [&str; 5] = ["until", "text", "expects", "review", "change"];

const ACTIONS: [&str; 8] = ["restart", "block", "scale", "set_mode", "notify", "event", "task", "recommend"];

fn verify(table: &Table) -> Verify {
    let delay = table.get("delay").and_then(|item| item.duration()).unwrap_or(Span::ZERO);
    let within = table.get("within");
    let span = within.as_ref().map(|item| item.span.clone());
    let within = within.and_then(|item| item.length()).unwrap_or(delay.max(Verify::default().within));
    table.finish();
    if within < delay {
        let message = "the verification would end before it begins";
        let help = "`within` is at least as long as `delay`";
        table.file.error(Code::Unverifiable, span.unwrap_or_else(|| table.head()), message, help);
    }
    Verify { delay, within }
}

/// A text whose braces hold only names that are known.
fn template(item: &Item) -> Option<Text> {
    let text = item.text()?;
    let Some((open, word)) = strange_brace(text) else { return Some(Text(text.to_owned())) };
    let (message, help) = match word {
        Some(word) => (format!("`{{{word}}}` is not known in a text"), suggest(word, Text::NAMES)),
        None => (
            "a brace without its other half".to_owned(),
            "write `{label}`; no text holds other braces".into(),
        ),
    };
    let place = item.file.place(item.within(&(open..open + 1)));
    item.file.problems.push(Diagnostic::error(Code::BadValue, message).at(place).help(help));
    None
}

/// The first brace that holds no known name, and what it holds.
fn strange_brace(text: &str) -> Option<(usize, Option<&str>)> {
    let mut from = 0;
    while let Some(open) = text.get(from..)?.find(['{', '}']).map(|at| from + at) {
        let inside = text.get(open..)?.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        match inside {
            Some((name, _)) if Text::NAMES.contains(&name) => from = open + name.len() + 2,
            Some((name, _)) => return Some((open, Some(name))),
            None => return Some((open, None)),
        }
    }
    None
}

/// An event's type: words with dots between them.
fn event_type(item: &Item) -> Option<String> {
    let text = item.text()?;
    let plain = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if text.contains('.') && text.split('.').all(plain) && text.len() <= 128 {
        return Some(text.to_owned());
    }
    item.error(
        Code::BadValue,
        format!("`{text}` is no type of event"),
        "write words with dots, such as `security.suspicious_failures`",
    );
    None
}
