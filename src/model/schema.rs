//! What each probe kind can say: the names and types of its facts. Conditions are checked against this
//! table before they ever run.

use crate::model::{Type, Unit, Value};

/// One fact that a probe gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactSpec {
    /// Its name behind the probe's: `latency_ms`.
    pub name: &'static str,
    /// Its type, without the unit that the name says.
    pub shape: Shape,
    /// What it reads when all is well; rule tests start from it.
    pub healthy: f64,
    /// What it tells, for people.
    pub says: &'static str,
}

/// The plain type of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Yes or no.
    Bool,
    /// A whole number.
    Count,
    /// A number.
    Measure,
}

impl FactSpec {
    /// The type with the unit that the name says.
    #[must_use]
    pub fn kind(&self) -> Type {
        match self.shape {
            Shape::Bool => Type::Bool,
            Shape::Count => Type::Count,
            Shape::Measure => Type::Measure(Unit::of_name(self.name)),
        }
    }

    /// The healthy value in the fact's type.
    #[must_use]
    pub fn healthy_value(&self) -> Value {
        match self.shape {
            Shape::Bool => Value::Bool(self.healthy > 0.5),
            #[expect(clippy::cast_possible_truncation, reason = "the table below holds small whole numbers")]
            Shape::Count => Value::Int(self.healthy as i64),
            Shape::Measure => Value::Float(self.healthy),
        }
    }
}

const fn yes(name: &'static str, says: &'static str) -> FactSpec {
    FactSpec { name, shape: Shape::Bool, healthy: 1.0, says }
}

const fn count(name: &'static str, healthy: f64, says: &'static str) -> FactSpec {
    FactSpec { name, shape: Shape::Count, healthy, says }
}

const fn measure(name: &'static str, healthy: f64, says: &'static str) -> FactSpec {
    FactSpec { name, shape: Shape::Measure, healthy, says }
}

/// A built-in as files know it: the component's name, its control's kind is fixed, and its facts.
#[derive(Debug, Clone, Copy)]
pub struct BuiltinSpec {
    /// The component's id.
    pub component: &'static str,
    /// The facts its `builtin` probe gives.
    pub facts: &'static [FactSpec],
}

/// The four built-ins. This table and the module `components` are the only code that knows their names.
pub const BUILTINS: [BuiltinSpec; 4] = [
    BuiltinSpec {
        component: "reflection_service",
        facts: &[
            yes("running", "the reflection loop is alive"),
            measure("age_s", 5.0, "time since the last reflection that the write gate accepted"),
            count("reflections", 1.0, "reflections since the start of Grace"),
        ],
    },
    BuiltinSpec {
        component: "database",
        facts: &[
            yes("connected", "the database answered a ping in time"),
            measure("latency_ms", 1.0, "how long the ping took, or how long was waited in vain"),
            count("queued_writes", 0.0, "writes that wait in the journal for the database"),
        ],
    },
    BuiltinSpec {
        component: "task_executor",
        facts: &[
            count("workers", 3.0, "workers that are alive"),
            count("wanted", 3.0, "workers that there should be"),
            count("queued", 0.0, "jobs that wait"),
            measure("oldest_queued_s", 0.0, "how long the oldest job has waited"),
            count("stuck", 0.0, "workers whose job runs over its time"),
        ],
    },
    BuiltinSpec {
        component: "trigger_mesh",
        facts: &[
            yes("running", "the router is alive"),
            yes("routing", "a self-addressed ping came back"),
            measure("route_latency_ms", 1.0, "how long that ping took"),
            count("dropped", 0.0, "events that the router lost since its start"),
            count("subscribers", 3.0, "handlers that are subscribed"),
        ],
    },
];

/// The built-in of this name.
#[must_use]
pub fn builtin(component: &str) -> Option<&'static BuiltinSpec> {
    BUILTINS.iter().find(|spec| spec.component == component)
}
