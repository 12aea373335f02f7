//! A page as Markdown, for tickets and pull requests.

use std::fmt::Write;

use crate::cli::rehearsing::report::page::{Block, Page};
use crate::cli::rehearsing::simulate::escaped;

pub(super) fn text(page: &Page) -> String {
    // Writing to a string cannot fail, here and below.
    let mut text = format!("## {}\n", escaped(&page.title));
    for line in &page.lines {
        let _ = write!(text, "\n{}\n", escaped(line));
    }
    page.blocks.iter().for_each(|block| table(block, &mut text));
    text
}

fn table(block: &Block, text: &mut String) {
    let _ = writeln!(text, "\n### {}", escaped(&block.title));
    if !block.rows.is_empty() {
        let _ = writeln!(text, "\n| {} |", block.head.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(block.head.len()));
    }
    for row in &block.rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    for line in &block.lines {
        let _ = write!(text, "\n{}\n", escaped(line));
    }
}
