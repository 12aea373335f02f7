//! How facts are obtained: plain descriptions, performed by the shell.

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, FactSpec, Span};

/// One probe of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeSpec {
    /// Its name; its facts are `name.fact`.
    pub name: String,
    /// How long it may take.
    pub timeout: Span,
    /// What it does.
    #[serde(flatten)]
    pub kind: ProbeKind,
}

/// The kinds of probe. A new kind is one variant here and one file in `probe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProbeKind {
    /// Asks one of Grace's own parts.
    Builtin,
}

impl ProbeKind {
    /// The words files use for the kinds.
    pub const WORDS: [&'static str; 1] = ["builtin"];

    /// The facts this probe gives for this component, or nothing where the component cannot have it.
    #[must_use]
    pub fn facts(&self, component: &ComponentId) -> Option<&'static [FactSpec]> {
        match self {
            Self::Builtin => crate::model::builtin(component.as_str()).map(|spec| spec.facts),
        }
    }
}
