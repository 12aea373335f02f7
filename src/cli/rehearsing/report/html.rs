//! A page as one HTML file: no script, nothing from elsewhere, and everything that is filled in is escaped, and without what
//! would move a cursor or turn the direction of what follows.

use minijinja::{Environment, context};

use crate::cli::rehearsing::report::page::Page;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::text::clean;

/// The template. Its name ends so that what is filled in is escaped.
const NAME: &str = "page.html";
const TEMPLATE: &str = include_str!("page.html");

pub(super) fn text(page: &Page) -> Result<String, Failure> {
    let mut page = serde_json::to_value(page).map_err(|error| Failure::Answer(error.to_string()))?;
    clean(&mut page);
    let mut templates = Environment::new();
    let made = templates.add_template(NAME, TEMPLATE).and_then(|()| {
        templates.get_template(NAME)?.render(context! { page, version => env!("CARGO_PKG_VERSION") })
    });
    made.map_err(|error| Failure::Answer(format!("the page cannot be written: {error:#}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::rehearsing::report::markdown;
    use crate::cli::rehearsing::report::page::Block;

    #[test]
    fn what_others_wrote_is_no_markup() {
        let evil = "<script>alert(1)</script> | [x](http://evil.example) \"'& `code` ~~gone~~ &amp; \u{1b}[31m \u{202e}";
        let block = Block {
            title: evil.into(),
            head: vec!["a"],
            rows: vec![vec![evil.into()]],
            lines: vec![evil.into()],
        };
        let page = Page { title: evil.into(), lines: vec![evil.into()], blocks: vec![block] };
        let html = text(&page).expect("is written");
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("&lt;script&gt;").count(), 6, "{html}");
        assert!(!html.contains(['\u{1b}', '\u{202e}']), "{html}");
        assert!(!html.contains("href") && !html.contains("src="), "{html}");
        let markdown = markdown::text(&page);
        for markup in ["<", "[", "]", "`", "~", "&"] {
            let bare = markdown.replace(&format!("\\{markup}"), "");
            assert!(markdown.len() > bare.len() && !bare.contains(markup), "{markup}: {markdown}");
        }
    }
}
