//! Grace keeps services healthy by rules that people can read, test, rehearse and audit.

pub mod say;

pub mod model;

pub mod condition;
pub mod evaluate;
pub mod govern;

pub mod engine;

pub mod config;

pub mod store;

pub mod record;

pub mod replay;

pub mod components;

pub mod probe;

pub mod act;

pub mod supervisor;

pub mod api;

pub mod cli;
