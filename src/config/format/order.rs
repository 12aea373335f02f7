//! The order of tables and keys: the grammar's where it knows them; what people named stays as they wrote it.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::config::format::parts::{Parts, Section};
use crate::config::format::rows::What;
use crate::config::grammar::{Form, Key, Shape, Table};

/// Where something belongs: at each step its place in the grammar, then the line that named it first.
type Rank = Vec<(usize, usize)>;

/// Everything a file names, as a tree.
#[derive(Debug, Default)]
struct Named<'a> {
    first: usize,
    value: Option<&'a str>,
    /// Which form its table has; found out once.
    form: OnceCell<Option<usize>>,
    inside: BTreeMap<&'a str, Named<'a>>,
}

/// Puts tables and keys into their order.
pub(super) fn sort(parts: &mut Parts, grammar: Table) {
    let mut tree = Named::default();
    let mut count = 0;
    let mut many = false;
    for section in &parts.sections {
        let mut above: Vec<&str> = Vec::new();
        if let Some(header) = &section.header {
            above.clone_from(&header.line.path);
            many |= matches!(header.line.what, What::Header { many: true, .. });
            tree.note(&above, count, None);
            count += 1;
        }
        for pair in &section.pairs {
            let What::Pair { value, .. } = pair.line.what else { continue };
            tree.note(&[above.as_slice(), pair.line.path.as_slice()].concat(), count, Some(value));
            count += 1;
        }
    }
    let grammar = Shape::Table(grammar);
    for section in &mut parts.sections {
        let above = path(section);
        section.pairs.sort_by_cached_key(|pair| {
            rank(&tree, &grammar, &[above.as_slice(), pair.line.path.as_slice()].concat())
        });
    }
    // A table below `[[table]]` belongs to the last one above it: there the order means something.
    if !many {
        parts
            .sections
            .sort_by_cached_key(|section| (section.header.is_some(), rank(&tree, &grammar, &path(section))));
    }
}

fn path<'a>(section: &Section<'a>) -> Vec<&'a str> {
    section.header.as_ref().map(|header| header.line.path.clone()).unwrap_or_default()
}

impl<'a> Named<'a> {
    fn note(&mut self, path: &[&'a str], count: usize, value: Option<&'a str>) {
        let mut node = self;
        for name in path {
            node = node.inside.entry(name).or_insert_with(|| Self { first: count, ..Self::default() });
        }
        node.value = node.value.or(value);
    }
}

fn rank(tree: &Named, grammar: &Shape, path: &[&str]) -> Rank {
    let mut rank = Rank::new();
    let (mut node, mut shape) = (Some(tree), Some(grammar));
    for name in path {
        let (place, below) = match (shape, node) {
            (Some(Shape::Table(table)), Some(node)) => place(form(table, node), name),
            (Some(Shape::Named(_, inside)), _) => (0, Some(&**inside)),
            _ => (0, None),
        };
        node = node.and_then(|node| node.inside.get(name));
        rank.push((place, node.map_or(0, |node| node.first)));
        shape = below;
    }
    rank
}

/// A key's place in its form; what the grammar does not know comes last.
fn place<'g>(form: Option<&'g Form>, name: &str) -> (usize, Option<&'g Shape>) {
    let keys: &[Key] = form.map_or(&[], |form| form.keys.as_slice());
    let found = keys.iter().position(|key| key.name == name);
    (found.unwrap_or(keys.len()), found.and_then(|at| keys.get(at)).map(|key| &key.shape))
}

/// The form that the table most likely has: its kind tells, or else the keys in it.
fn form<'g>(table: &'g Table, node: &Named) -> Option<&'g Form> {
    let most_like = || {
        let likeness = |at: &usize| table.forms.get(*at).map(|form| likeness(form, node));
        // Of equals the first.
        (0..table.forms.len()).rev().max_by_key(likeness)
    };
    table.forms.get((*node.form.get_or_init(most_like))?)
}

fn likeness(form: &Form, node: &Named) -> i64 {
    let key = |name: &str| form.keys.iter().find(|key| key.name == name);
    let points = node.inside.iter().map(|(name, inside)| match key(name).map(|key| &key.shape) {
        Some(Shape::Words(words)) if words.len() == 1 && inside.value.is_some() => {
            let said = inside.value.unwrap_or_default().trim_matches(['"', '\'']);
            if words.contains(&said) { 1000 } else { -1000 }
        }
        Some(_) => 1,
        None => 0,
    });
    points.sum()
}
