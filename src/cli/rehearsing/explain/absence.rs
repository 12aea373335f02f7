//! Why an action was not done, for people: the sentence first, then each rule that could have done it, then what rules
//! did instead.

use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::text::cleaned;
use crate::replay::explain::Absence;

/// One line.
pub(super) fn short(told: &Absence) -> String {
    let warning = told.contradiction.as_ref().map(|found| format!(" (warning: {})", found.says()));
    let idle = told.idle.as_ref().map(|idle| format!(" ({})", idle.says()));
    let behind: String = idle.into_iter().chain(warning).collect();
    cleaned(&format!("{} {}{behind}", told.at, told.summary))
}

pub(super) fn text(told: &Absence, pen: Out) -> String {
    let rules: String = told.generation.as_str().chars().take(12).collect();
    let place = format!("tick {} at {}, mode {}, rules {rules}", told.tick, told.at, told.mode);
    let mut lines = vec![pen.paint(Look::Head, &cleaned(&told.summary)), pen.paint(Look::Dim, &place)];
    if let Some(idle) = &told.idle {
        lines.push(format!("{} {}", pen.paint(Look::Odd, "note:"), idle.says()));
    }
    if let Some(contradiction) = &told.contradiction {
        lines.push(format!("{} {}", pen.paint(Look::Bad, "warning:"), cleaned(&contradiction.says())));
    }
    lines.push(String::new());
    lines.push(pen.paint(Look::Head, &format!("rules that do {}", told.action)));
    if told.could.is_empty() {
        let whom = told.component.as_ref().map(|on| format!(" of {on}")).unwrap_or_default();
        lines.push(format!("  none{whom}"));
    }
    lines.extend(told.could.iter().map(|could| cleaned(&format!("  {}", could.says))));
    if told.more > 0 {
        lines.push(format!("  and {} more: name a component, `{}/COMPONENT`", told.more, told.action));
    }
    if !told.instead.is_empty() {
        lines.push(String::new());
        lines.push(pen.paint(Look::Head, "what rules did instead"));
    }
    for one in &told.instead {
        for deed in &one.did {
            let act = deed.act.map_or(String::new(), |act| format!(" (act {act})"));
            lines.push(cleaned(&format!("  {}: {}{act}, because {}", one.rule, deed.what, deed.reason)));
        }
        lines.extend(one.claims.iter().map(|mode| cleaned(&format!("  {} claims {mode}", one.rule))));
    }
    lines.join("\n")
}
