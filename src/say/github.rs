//! A report as commands of GitHub's workflows, which shows each problem beside the line it is in.
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use crate::say::{Diagnostic, Report};

/// One command for each problem: `::error file=rules/web.toml,line=3,col=7,title=GR2002::...`.
#[must_use]
pub fn github(report: &Report) -> String {
    report.diagnostics.iter().map(|found| command(report, found) + "\n").collect()
}

fn command(report: &Report, found: &Diagnostic) -> String {
    let mut properties = Vec::new();
    if let Some(place) = &found.place {
        properties.push(format!("file={}", property(&place.file)));
    }
    if let Some((line, column)) = report.position(found) {
        properties.push(format!("line={line},col={column}"));
    }
    properties.push(format!("title={}", found.code));
    let help = found.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!(
        "::{} {}::{}",
        found.severity.word(),
        properties.join(","),
        data(&format!("{}{help}", found.message))
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say::{Code, Place};

    #[test]
    fn what_could_end_a_command_is_escaped() {
        let name = "rules/a,b:c.toml".into();
        let found = Diagnostic::error(Code::BadValue, "100% of\nit").at(Place::new(&name, 0..0)).help("mend");
        let report = Report { diagnostics: vec![found], ..Report::default() };
        assert_eq!(
            github(&report),
            "::error file=rules/a%2Cb%3Ac.toml,title=GR2005::100%25 of\\nit (mend)\n"
        );
    }
}
