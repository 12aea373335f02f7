//! The keys that a query may have: those that the route declares. A slip is told, and never passed over in silence.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};

use crate::api::problem::{Problem, code};
use crate::say::suggest;

/// So much of a wrong key is said back.
const SHOWN: usize = 40;

/// The keys that each method of a path knows. None for a path that takes over a client's own: its query is the client's, too.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(Option<Arc<[OfMethod]>>);

/// A method, and the keys that it knows.
type OfMethod = (Method, Vec<String>);

impl Keys {
    /// What the document says of a path.
    pub(super) fn of(path: &str, item: &PathItem) -> Self {
        if path.contains("{*") || path.ends_with('/') {
            return Self(None);
        }
        let declared = [
            (Method::GET, &item.get),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
            (Method::DELETE, &item.delete),
            (Method::PATCH, &item.patch),
            (Method::OPTIONS, &item.options),
        ];
        let known = declared.into_iter().filter_map(|(method, operation)| {
            let operation = operation.as_ref()?;
            Some((method, names(operation)))
        });
        Self(Some(known.collect()))
    }

    /// Are all keys of this query known?
    ///
    /// # Errors
    /// One is not.
    pub(super) fn check(&self, method: &Method, uri: &Uri) -> Result<(), Problem> {
        let (Some(query), Some(known)) = (uri.query(), &self.0) else { return Ok(()) };
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let known = known.iter().find(|(own, _)| own == method).map_or(&[][..], |(_, names)| names);
        // As it is written: what is spelt in another way is no key of ours, and whoever reads it takes none for one.
        let mut given =
            query.split('&').filter(|word| !word.is_empty()).map(|word| match word.split_once('=') {
                Some((name, _)) => name,
                None => word,
            });
        match given.find(|name| !known.iter().any(|own| own == name)) {
            None => Ok(()),
            Some(name) => Err(unknown(name, known)),
        }
    }
}

fn names(operation: &Operation) -> Vec<String> {
    let all = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        utoipa::openapi::RefOr::T(parameter) => Some(parameter),
        utoipa::openapi::RefOr::Ref(_) => None,
    });
    all.filter(|one| one.parameter_in == ParameterIn::Query).map(|one| one.name.clone()).collect()
}

fn unknown(name: &str, known: &[String]) -> Problem {
    let name: String = name.chars().take(SHOWN).collect();
    let help = suggest(&name, known.iter().map(String::as_str));
    let detail = format!("the query has no `{}` here; {help}", name.escape_debug());
    Problem::new(StatusCode::BAD_REQUEST, code::INVALID, detail)
}

/// Looks at the query of a route that asks for no permission.
pub(super) async fn known(
    State(keys): State<Keys>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    keys.check(request.method(), request.uri())?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(method: &Method, path: &str) -> Option<String> {
        let keys = [(Method::GET, vec!["limit".into()]), (Method::POST, vec!["dry_run".into()])];
        let keys = Keys(Some(keys.into()));
        keys.check(method, &path.parse().expect("a path")).err().map(|problem| problem.detail)
    }

    #[test]
    fn a_slip_in_the_name_never_acts() {
        for slip in
            ["dryrun=true", "dry-run=true", "DRY_RUN=true", "dry_run%3Dtrue", "dry%5Frun=true", "x", "="]
        {
            assert!(says(&Method::POST, &format!("/x?{slip}")).is_some(), "{slip}");
        }
        for path in ["/x", "/x?", "/x?&", "/x?dry_run=true"] {
            assert_eq!(says(&Method::POST, path), None, "{path}");
        }
    }

    #[test]
    fn each_method_has_its_own_keys_and_the_nearest_is_said() {
        assert_eq!(says(&Method::GET, "/x?limit=1"), None);
        assert_eq!(says(&Method::HEAD, "/x?limit=1"), None);
        assert!(says(&Method::GET, "/x?limt=1").expect("a slip").contains("did you mean `limit`?"));
        assert!(says(&Method::GET, "/x?dry_run=true").expect("none here").contains("there is: `limit`"));
        assert!(says(&Method::DELETE, "/x?limit=1").expect("none here").contains("there is none"));
        let any = Keys(None);
        assert!(any.check(&Method::GET, &"/x?anything=1".parse().expect("a path")).is_ok());
    }
}
