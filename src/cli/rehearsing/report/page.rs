//! A page: a title, lines under it, and blocks that are tables. Whoever writes it, in whatever form, writes the same words.

use serde::Serialize;

use crate::cli::terminal::columns::{Cell, columns, head};
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::text::cleaned;

/// A page.
#[derive(Debug, Default, Serialize)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    pub(super) blocks: Vec<Block>,
}

/// A table with a title and lines below it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Block {
    pub(super) title: String,
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) lines: Vec<String>,
}

impl Page {
    /// For people at a terminal.
    pub(super) fn human(&self, out: Out) -> String {
        let mut parts = vec![out.paint(Look::Head, &cleaned(&self.title))];
        parts.extend(self.lines.iter().map(|line| cleaned(line)));
        let mut texts = vec![parts.join("\n")];
        texts.extend(self.blocks.iter().map(|block| block.human(out)));
        texts.join("\n\n")
    }
}

impl Block {
    fn human(&self, out: Out) -> String {
        let mut lines = vec![out.paint(Look::Head, &cleaned(&self.title))];
        if !self.rows.is_empty() {
            let cell = |text: &String| (Look::Plain, cleaned(text));
            let rows = self.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<Cell>>());
            let upper: Vec<String> = self.head.iter().map(|word| word.to_uppercase()).collect();
            let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
            let all: Vec<Vec<Cell>> = std::iter::once(head(&upper)).chain(rows).collect();
            lines.extend(columns(out, &all));
        }
        lines.extend(self.lines.iter().map(|line| cleaned(line)));
        lines.join("\n")
    }
}
