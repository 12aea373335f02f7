//! Which of the two texts is asked for.

use axum::http::{HeaderMap, header};
use prometheus_client::encoding::prometheus_text;

/// One of the two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Prometheus' own, version 0.0.4.
    Classic,
    /// OpenMetrics, version 1.0.0.
    OpenMetrics,
}

impl Form {
    /// OpenMetrics where it is named and liked at least as much as plain text; the classic text else.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let given = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let (mut open, mut plain) = (0.0, 0.0);
        for (kind, liked) in given.flat_map(|value| value.split(',')).map(preference) {
            match kind {
                "application/openmetrics-text" => open = liked.max(open),
                "text/plain" => plain = liked.max(plain),
                _ => {}
            }
        }
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Classic }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Classic => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A kind of text, and how much it is liked: from 0, not at all, to 1. What cannot be read is not liked.
fn preference(part: &str) -> (&str, f32) {
    let mut words = part.split(';').map(str::trim);
    let kind = words.next().unwrap_or_default();
    let liked = words.find_map(|word| word.strip_prefix("q="));
    (kind, liked.map_or(1.0, |text| text.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_those_who_ask_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, form) in [
            (None, Form::Classic),
            (Some("*/*"), Form::Classic),
            (Some("text/html, text/plain;q=0.5"), Form::Classic),
            (Some(prometheus), Form::OpenMetrics),
            (Some("application/openmetrics-text"), Form::OpenMetrics),
            (Some("text/plain, application/openmetrics-text; q=0.5"), Form::Classic),
            (Some("application/openmetrics-text;q=0"), Form::Classic),
            (Some("application/openmetrics-text;q=very"), Form::Classic),
            (Some(",;;q=,"), Form::Classic),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(accept.map(|text| (header::ACCEPT, text.parse().expect("a header"))));
            assert_eq!(Form::wanted(&headers), form, "{accept:?}");
        }
    }
}
