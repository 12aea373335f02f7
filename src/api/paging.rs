//! Lists that are read a page at a time, newest first: what comes meanwhile moves nothing.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::problem::Problem;
use crate::record::Paging;

/// So many a page has where nothing is said.
const USUALLY: usize = 100;

/// So many it has at the most.
const MOST: usize = 1_000;

/// The part of a query that says which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those before this one: `next` of the page before.
    #[param(minimum = 0)]
    before: Option<i64>,
    /// So many at the most.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Only of this component.
    component: Option<String>,
    /// Only those of which this holds: how they ended, or whether they are open.
    is: Option<String>,
}

impl Which {
    /// The page, and the word behind `is`, which is one of these.
    pub(super) fn page(self, words: &[&str]) -> Result<(Paging, Option<String>), Problem> {
        let (before, limit) = (entry("before", self.before)?, limit(self.limit)?);
        word("is", self.is.as_deref(), words)?;
        Ok((Paging { before, limit, component: self.component }, self.is))
    }
}

/// Is the word behind a key one of these?
pub(super) fn word(key: &str, given: Option<&str>, words: &[&str]) -> Result<(), Problem> {
    match given.filter(|given| !words.contains(given)) {
        None => Ok(()),
        Some(given) => {
            let help = crate::say::suggest(given, words.iter().copied());
            Err(Problem::invalid(format!("`{key}` is `{given}`; {help}")))
        }
    }
}

/// The number of an entry; 0 is before the first.
pub(super) fn entry(key: &str, given: Option<i64>) -> Result<Option<i64>, Problem> {
    match given.filter(|number| *number < 0) {
        None => Ok(given),
        Some(number) => Err(Problem::invalid(format!("`{key}` is {number}: it is the number of an entry"))),
    }
}

/// How many are wanted.
pub(super) fn limit(given: Option<usize>) -> Result<usize, Problem> {
    let limit = given.unwrap_or(USUALLY);
    if (1..=MOST).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::invalid(format!("`limit` is {limit}: it may be 1 to {MOST}")))
}

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// Newest first.
    items: Vec<T>,
    /// Where the next page begins: `before`. None on the last.
    next: Option<i64>,
}

impl<T> Page<T> {
    /// The page of these; one more was asked for than it shows, so that it knows whether there is a next.
    pub(super) fn of(mut items: Vec<T>, limit: usize, seq: impl Fn(&T) -> i64) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(seq);
        Self { items, next }
    }
}

/// The page to ask the journal for: one more than is shown.
pub(super) fn one_more(page: &Paging) -> Paging {
    Paging { limit: page.limit + 1, ..page.clone() }
}
