//! Verbs for who installs Grace: a unit for systemd, manual pages, what shells complete, what Prometheus and Grafana need.
//!
//! They print; they write into a directory only where one is named.

pub(super) mod completions;
pub(super) mod export;
pub(super) mod man;
pub(super) mod unit;
