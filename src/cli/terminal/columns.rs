//! Aligned columns for people.

use crate::cli::terminal::out::{Look, Out};

/// One cell: how it looks, and its text.
pub(in crate::cli) type Cell = (Look, String);

/// The rows as lines, each column as wide as its widest cell.
pub(in crate::cli) fn columns(out: Out, rows: &[Vec<Cell>]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (at, (_, text)) in row.iter().enumerate() {
            let wide = text.chars().count();
            match widths.get_mut(at) {
                Some(width) => *width = wide.max(*width),
                None => widths.push(wide),
            }
        }
    }
    rows.iter().map(|row| line(out, row, &widths)).collect()
}

fn line(out: Out, row: &[Cell], widths: &[usize]) -> String {
    let cells: Vec<String> = row
        .iter()
        .zip(widths)
        .map(|((look, text), width)| {
            let gap = " ".repeat(width - text.chars().count().min(*width));
            format!("{}{gap}", out.paint(*look, text))
        })
        .collect();
    cells.join("  ").trim_end().to_owned()
}

/// A row of plain cells.
pub(in crate::cli) fn plain(cells: &[&str]) -> Vec<Cell> {
    cells.iter().map(|text| (Look::Plain, (*text).to_owned())).collect()
}

/// The row above all others.
pub(in crate::cli) fn head(cells: &[&str]) -> Vec<Cell> {
    cells.iter().map(|text| (Look::Head, (*text).to_owned())).collect()
}
