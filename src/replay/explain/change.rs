//! One thing that could be otherwise: a reading, or a threshold in a file.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{ComponentId, FactId, Unit, Value};
use crate::replay::explain::shape::shown;

/// One reading or one threshold that is otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// `reading` or `threshold`.
    pub of: Place,
    /// Its name, as conditions write it.
    pub name: String,
    /// The component that was read, and which of its facts.
    #[serde(skip)]
    #[schema(ignore)]
    pub fact: Option<(ComponentId, FactId)>,
    /// What it was.
    #[schema(value_type = Option<serde_json::Value>)]
    pub from: Option<Value>,
    /// What it has to be: `> 120`.
    pub to: String,
    /// The value that was tried.
    #[schema(value_type = serde_json::Value)]
    pub tried: Value,
    /// The unit of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub unit: Option<Unit>,
    /// How large the change is, from 0 to 1.
    pub size: f64,
    /// The file of a threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A fact that was read.
    Reading,
    /// A threshold in a file.
    Threshold,
}

impl Change {
    pub(super) fn says(&self) -> String {
        let was = self
            .from
            .as_ref()
            .map_or("it could not be read".to_owned(), |from| format!("it was {}", shown(from, self.unit)));
        format!("{} {} ({was})", self.name, self.to)
    }
}
