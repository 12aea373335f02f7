//! The keys that a query may have: those that the route declares. A slip is told, and never passed over in silence.

use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn};

use crate::api::problem::{Problem, code};
use crate::say::suggest;

/// Whoever changes something may ask what would become of it.
pub(super) const DRY_RUN: &str = "dry_run";

/// So much of a wrong key is said back.
const SHOWN: usize = 40;

/// The keys that a route knows. None for a path that takes over a client's own: its query is the client's, too.
#[derive(Clone, Default)]
pub(super) struct Keys(Option<Arc<Known>>);

/// Made when the first query comes.
type Known = LazyLock<Vec<String>, Box<dyn FnOnce() -> Vec<String> + Send>>;

impl Keys {
    /// What the document says of a route.
    pub(super) fn of(path: &str, operation: fn() -> Operation, changes: bool) -> Self {
        if path.contains("{*") || path.ends_with('/') {
            return Self::default();
        }
        Self::made(move || names(&operation()).chain(changes.then(|| DRY_RUN.to_owned())).collect())
    }

    fn made(names: impl FnOnce() -> Vec<String> + Send + 'static) -> Self {
        Self(Some(Arc::new(LazyLock::new(Box::new(names)))))
    }

    /// Are all keys of this query known?
    ///
    /// # Errors
    /// One is not.
    pub(super) fn check(&self, uri: &Uri) -> Result<(), Problem> {
        let (Some(query), Some(known)) = (uri.query(), &self.0) else { return Ok(()) };
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

fn names(operation: &Operation) -> impl Iterator<Item = String> {
    let all = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    all.filter(|one| one.parameter_in == ParameterIn::Query).map(|one| one.name.clone())
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
    keys.check(request.uri())?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(known: &[&'static str], path: &str) -> Option<String> {
        let known: Vec<String> = known.iter().copied().map(str::to_owned).collect();
        let keys = Keys::made(move || known);
        keys.check(&path.parse().expect("a path")).err().map(|problem| problem.detail)
    }

    #[test]
    fn a_slip_in_the_name_never_acts() {
        for slip in
            ["dryrun=true", "dry-run=true", "DRY_RUN=true", "dry_run%3Dtrue", "dry%5Frun=true", "x", "="]
        {
            assert!(says(&[DRY_RUN], &format!("/x?{slip}")).is_some(), "{slip}");
        }
        for path in ["/x", "/x?", "/x?&", "/x?dry_run=true"] {
            assert_eq!(says(&[DRY_RUN], path), None, "{path}");
        }
    }

    #[test]
    fn each_route_has_its_own_keys_and_the_nearest_is_said() {
        assert_eq!(says(&["limit"], "/x?limit=1"), None);
        assert!(says(&["limit"], "/x?limt=1").expect("a slip").contains("did you mean `limit`?"));
        assert!(says(&["limit"], "/x?dry_run=true").expect("none here").contains("there is: `limit`"));
        assert!(says(&[], "/x?limit=1").expect("none here").contains("there is none"));
        assert!(Keys::default().check(&"/x?anything=1".parse().expect("a path")).is_ok());
    }
}
