//! A state whose components are written down otherwise than they write themselves; all else is as they would.

use std::collections::BTreeMap;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::engine::State;
use crate::evaluate::{ComponentHealth, Health};
use crate::model::ComponentId;

/// A state, and how its so many-th component is written down.
pub(super) struct Parts<'s, F>(&'s State, F);

impl<'s, F> Parts<'s, F> {
    pub(super) fn new<C>(state: &'s State, component: F) -> Self
    where
        F: Fn(usize, &'s ComponentHealth) -> C,
    {
        Self(state, component)
    }
}

impl<'s, C: Serialize, F: Fn(usize, &'s ComponentHealth) -> C> Serialize for Parts<'s, F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(
            State { tick, now, health, governed, tasks, recommendations, windows, kept_back },
            component,
        ) = self;
        let mut all = to.serialize_struct("State", 8)?;
        all.serialize_field("tick", tick)?;
        all.serialize_field("now", now)?;
        all.serialize_field("health", &HealthParts(health, component))?;
        all.serialize_field("governed", governed)?;
        if !tasks.is_new() {
            all.serialize_field("tasks", tasks)?;
        }
        if !recommendations.is_new() {
            all.serialize_field("recommendations", recommendations)?;
        }
        if !windows.is_empty() {
            all.serialize_field("windows", windows)?;
        }
        if !kept_back.is_empty() {
            all.serialize_field("kept_back", kept_back)?;
        }
        all.end()
    }
}

struct HealthParts<'p, 's, F>(&'s Health, &'p F);

impl<'s, C: Serialize, F: Fn(usize, &'s ComponentHealth) -> C> Serialize for HealthParts<'_, 's, F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(Health { components, tries, last_incident, signals, tallies }, component) = self;
        let mut all = to.serialize_struct("Health", 5)?;
        all.serialize_field("components", &Components(components, *component))?;
        all.serialize_field("tries", tries)?;
        all.serialize_field("last_incident", last_incident)?;
        if !signals.is_empty() {
            all.serialize_field("signals", signals)?;
        }
        if !tallies.is_empty() {
            all.serialize_field("tallies", tallies)?;
        }
        all.end()
    }
}

struct Components<'p, 's, F>(&'s BTreeMap<ComponentId, ComponentHealth>, &'p F);

impl<'s, C: Serialize, F: Fn(usize, &'s ComponentHealth) -> C> Serialize for Components<'_, 's, F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().enumerate().map(|(place, (id, own))| (id, (self.1)(place, own))))
    }
}
