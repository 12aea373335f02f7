//! Grace keeps services healthy by rules that people can read, test, rehearse and audit.

pub mod model;

pub mod govern;

pub mod engine;

pub mod store;

pub mod record;

pub mod components;

pub mod probe;

pub mod act;
