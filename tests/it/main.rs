//! The integration tests: one binary, one module a subject.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests say what they mean, as tests do"
)]

mod access;
mod activation;
mod admission;
mod adversary;
mod api;
mod approvals;
mod asked;
mod audit;
mod by_hand;
mod cli;
mod clock;
mod components;
mod config;
mod confined;
mod contradiction;
mod crash;
mod crowds;
mod daemon;
mod damaged;
mod decided;
mod diff;
mod documented;
mod edited;
mod engine;
mod envoy;
mod examples;
mod explain;
mod figures;
mod fixture;
mod fmt;
mod forged;
mod gate;
mod ground;
mod healings;
mod histories;
mod holes;
mod hook;
mod hunter;
mod init;
mod injected;
mod journal;
mod keys;
mod lowered;
mod man;
mod memory;
mod mends;
mod mesh;
mod meta;
mod metrics;
mod notifiers;
mod notify;
mod once;
mod packages;
mod pages;
mod parts;
mod planned;
mod prove;
mod reach;
mod reload;
mod resources;
mod rules;
mod scenarios;
mod schema;
mod services;
mod shadow;
mod simulate;
mod slips;
mod stricter;
mod supervisor;
mod survive;
mod systemd;
mod tasks;
mod tidy;
mod tls;
mod touched;
mod tried;
mod unit;
mod unknown;
mod verdicts;
mod votes;
mod written_whole;
