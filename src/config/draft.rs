//! A rule file's first reading: what it declares, before any condition is compiled. Conditions may speak of
//! other components, so every file has to be read once before the first condition is.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::config::names::check_name;
use crate::config::probes::Owner;
use crate::config::reader::{Item, Table};
use crate::config::{controls, probes, quantity, windows};
use crate::model::{ComponentId, ControlKind, FactId, ProbeSpec, Type, Unit, Value, Window, builtin};
use crate::say::Code;

/// What the rules of a file are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Each {
    /// For the component that the file declares.
    No,
    /// For each component.
    Component,
    /// For each rule that heals, on each component.
    Healing,
}

/// What a rule file declares.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) id: ComponentId,
    /// What its rules are for; but for its own component it declares none.
    pub(super) each: Each,
    pub(super) label: Option<String>,
    pub(super) tier: i64,
    /// Nothing may block it.
    pub(super) protected: bool,
    /// When downtime is planned.
    pub(super) windows: Vec<Window>,
    /// Where each of them stands.
    pub(super) window_items: Vec<Item<'a>>,
    pub(super) depends_on: Vec<(Item<'a>, ComponentId)>,
    pub(super) workers: Option<u32>,
    pub(super) control: Option<ControlKind>,
    /// A control is declared, whether or not it can be read.
    pub(super) controlled: bool,
    pub(super) probes: Vec<ProbeSpec>,
    pub(super) probe_items: Vec<(&'a str, Item<'a>)>,
    pub(super) facts: BTreeMap<FactId, Type>,
    /// Those that tell that something changed between two starts.
    pub(super) changes: Vec<FactId>,
    pub(super) thresholds: BTreeMap<String, Value>,
    /// Beginnings of names that a broken declaration hides: conditions that use them may be right.
    pub(super) hidden: Vec<String>,
    pub(super) critical: Option<Item<'a>>,
    pub(super) warn: Option<Item<'a>>,
    pub(super) rules: Vec<(&'a str, Range<usize>, Table<'a>)>,
}

/// A component nobody ranks is an ordinary one.
const TIER: i64 = 2;

impl<'a> Draft<'a> {
    pub(super) fn read(root: &Table<'a>, stem: &str) -> Self {
        let mut draft = Self {
            id: ComponentId::from(stem),
            each: each(root),
            label: None,
            tier: TIER,
            protected: false,
            windows: Vec::new(),
            window_items: Vec::new(),
            depends_on: Vec::new(),
            workers: None,
            control: None,
            controlled: false,
            probes: Vec::new(),
            probe_items: Vec::new(),
            facts: BTreeMap::new(),
            changes: Vec::new(),
            thresholds: BTreeMap::new(),
            hidden: Vec::new(),
            critical: None,
            warn: None,
            rules: Vec::new(),
        };
        check_name("a component's file", stem, root.file, 0..0);
        if let Some(item) = root.get("threshold") {
            match item.table() {
                Some(table) => draft.thresholds(&table),
                None => draft.hidden.push("threshold.".to_owned()),
            }
        }
        if draft.each == Each::No {
            draft.component(root);
        }
        if let Some(rules) = root.table("rule") {
            for (name, span, item) in rules.named() {
                check_name("a rule", name, root.file, span.clone());
                draft.rules.extend(item.table().map(|table| (name, span, table)));
            }
        }
        root.finish();
        draft
    }

    fn component(&mut self, root: &Table<'a>) {
        if let Some(table) = root.table("component") {
            self.label = table.get("label").and_then(|item| item.text().map(str::to_owned));
            self.tier = table.get("tier").and_then(|item| item.whole(1..10)).unwrap_or(TIER);
            let depends = table.get("depends_on").map(|item| item.texts()).unwrap_or_default();
            self.depends_on = depends.into_iter().map(|(item, id)| (item, ComponentId::from(id))).collect();
            self.protected = table.get("protected").and_then(|item| item.truth()).unwrap_or(false);
            (self.window_items, self.windows) = windows::read(&table).into_iter().unzip();
            let workers = table.get("workers").and_then(|item| item.whole(1..1001));
            self.workers = workers.and_then(|workers| u32::try_from(workers).ok());
            table.finish();
        }
        if let Some(item) = root.get("control") {
            self.controlled = true;
            if builtin(self.id.as_str()).is_some() {
                let message = format!("`{}` is a part of Grace, which starts and stops itself", self.id);
                item.error(Code::NotAllowed, message, "leave `control` out, or watch another component");
            }
            self.control = item.table().and_then(|table| controls::read(&table));
        }
        let help = "a component is watched by probes: `[probe.NAME]` with `kind = \"builtin\"`";
        let probes = root.need("probe", help).and_then(|item| item.table());
        if probes.is_none() {
            self.hidden.push(String::new());
        }
        for (name, span, item) in probes.iter().flat_map(Table::named) {
            if !check_name("a probe", name, root.file, span) {
                // Conditions may use the name it should have.
                self.hidden.push(String::new());
            }
            if item.table().and_then(|table| self.probe(name, &table)).is_none() {
                self.hidden.push(format!("{name}."));
            }
            self.probe_items.push((name, item));
        }
        let help = "say when it is critical: `[status]` with `critical = '...'`";
        if let Some(status) = root.need("status", help).and_then(|item| item.table()) {
            self.critical = status.need("critical", help);
            self.warn = status.get("warn");
            status.finish();
        }
    }

    /// Reads a probe; nothing where its facts cannot be known, and then a problem says why.
    fn probe(&mut self, name: &str, table: &Table<'a>) -> Option<()> {
        let owner = Owner { id: &self.id, control: self.control.as_ref(), controlled: self.controlled };
        let probe = probes::read(name, table, &owner)?;
        let specs = probe.kind.facts(&self.id)?;
        self.facts.extend(specs.iter().map(|spec| (FactId::new(name, &spec.name), spec.kind())));
        let changes = specs.iter().filter(|spec| spec.tells_change());
        self.changes.extend(changes.map(|spec| FactId::new(name, &spec.name)));
        self.probes.push(probe);
        Some(())
    }

    fn thresholds(&mut self, table: &Table) {
        for (name, span, item) in table.named() {
            check_name("a threshold", name, table.file, span);
            match threshold(name, &item) {
                Some(value) => {
                    self.thresholds.insert(name.to_owned(), value);
                }
                None => self.hidden.push(format!("threshold.{name}")),
            }
        }
    }
}

fn each(root: &Table) -> Each {
    let Some(item) = root.get("each") else { return Each::No };
    match item.one_of(&["component", "healing"]).as_deref() {
        Some("healing") => Each::Healing,
        _ => Each::Component,
    }
}

/// A threshold is worth its text in the unit of its name: `stale_s = "2m"` is 120.0.
fn threshold(name: &str, item: &Item) -> Option<Value> {
    use toml::de::DeValue;
    match (item.value, Unit::of_name(name)) {
        (DeValue::String(text), Some(unit)) => quantity::in_unit(unit, text).map_or_else(
            |help| {
                item.error(Code::BadValue, format!("`{name}` cannot be `{text}`"), help);
                None
            },
            Some,
        ),
        (DeValue::Integer(_) | DeValue::Float(_), Some(unit @ (Unit::Seconds | Unit::Milliseconds))) => {
            let message = format!("`{name}` wants a duration, and this is a number");
            item.error(Code::WrongType, message, quantity::example(unit));
            None
        }
        (DeValue::Integer(_), Some(_)) | (DeValue::Float(_), _) => item.number().and_then(Value::float),
        (DeValue::Integer(_), None) => item.whole(i64::MIN..i64::MAX).map(Value::Int),
        (DeValue::Boolean(value), None) => Some(Value::Bool(*value)),
        (DeValue::String(text), None) => Some(Value::text(text)),
        _ => {
            item.error(
                Code::WrongType,
                format!("`{name}` cannot be of this type"),
                "a threshold is a number, a duration, a text or true or false",
            );
            None
        }
    }
}
