//! Grace keeps services healthy by rules that people can read, test, rehearse and audit.
//!
//! Every 30 seconds she probes her components and takes a snapshot. Rules (TOML with one-line conditions) are
//! held against it and propose actions; policies allow, hold for review or deny each proposal. What is allowed
//! is written down durably, then done, then verified by later snapshots, and every step is an entry in a
//! tamper-evident journal.
//!
//! # The story, in reading order
//!
//! The pure half: no clock, no files, no async, no randomness, no logging. The same input gives the same bytes.
//!
//! - [`say`]: how a problem becomes a sentence: a stable code, a place, the nearest right thing.
//!   The command line and the API say it with the same words, because both ask here.
//! - [`model`]: words that several stages share: snapshots, acts, proposals, outcomes, reasons.
//!   Plain data and closed enums; nothing here decides or does.
//! - [`condition`]: single Rhai expressions, checked for types and units before they run.
//!   They yield True, False or Unknown, and what cannot be read never acts.
//! - [`evaluate`]: rules and readings become statuses, rule states and proposals, and why not.
//!   It knows nothing of policies, and may therefore want anything.
//! - [`govern`]: policies, modes, holds and budgets turn proposals into decisions and permits.
//!   It knows nothing of rules, and therefore treats them and people alike.
//! - [`figures`]: the journal's entries, in their order, become uptime, recovery, success of healing and time per mode.
//!   One definition of each; every surface shows the same digits.
//! - [`engine`]: `step(&Bundle, &State, &Input) -> Step`, total and deterministic.
//!   Production, rule tests and replay call this one function.
//!
//! The shell: effects, in the order in which a tick meets them.
//!
//! - [`config`]: from the files people edit to a bundle, or a report of every problem with its place.
//!   All files are one generation: used whole or not at all.
//! - [`store`]: SQLite, opened in one way: version check, pragmas, migrations after a copy; backup files.
//!   A reserve is kept, so that even a full disk can be recorded.
//! - [`record`]: the journal: hash-chained entries, intent before action, exactly one end for each intent.
//!   When it cannot be written, nothing acts; when it was replaced, nothing acts by itself.
//! - [`replay`]: the engine without hands: rule tests and how good they are, and the past played again: what other rules
//!   would have done, why something was done, whether it was what the rules say.
//!   Nothing in it can reach what acts.
//! - [`services`]: programs that are none of Grace's parts: started, kept, found and ended, without rules.
//!   Their processes belong to small keepers, and go on when Grace dies or is upgraded.
//! - [`components`]: the four built-ins behind one small trait, and the gate every write passes.
//!   The only code that knows their names.
//! - [`probe`]: asks every component at the same time, under deadlines; what does not answer delays nobody.
//!   The target's silence is a fact; that Grace could not look is a missing reading.
//! - [`act`]: performs a committed permit, in bounded time and without a choice left.
//!   It looks for the STOP file before each effect.
//! - [`supervisor`]: the loop, sole owner of the state; one closed enum of signals reaches it.
//!   It commits, and only then acts, answers and announces.
//! - [`api`]: HTTP on a unix socket and on TCP; whoever changes something is named by the kernel or by a token.
//!   What people ask meets the same policies as what rules want.
//! - [`client`]: how other programs in Rust ask whether something may happen now.
//!   It blocks, briefly, and leaves to them what to do without an answer.
//! - [`cli`]: one thin file for each verb; data on stdout, talk on stderr, exit codes for scripts.
//!   It asks the daemon over the socket, or works on the files alone.
//!
//! # What makes a wrong way impossible to compile
//!
//! `Proposal -> Permit -> Committed<Permit> -> Performed -> Outcome`
//!
//! A [`Proposal`](model::Proposal) is plain data: anybody may want anything, and wanting does nothing.
//! A [`Permit`](govern::Permit) can only be made by [`govern`]:
//!
//! ```compile_fail,E0451
//! fn forge(proposal: grace::model::Proposal) -> grace::govern::Permit {
//!     grace::govern::Permit { act: grace::model::ActId(1), proposal, policy: None }
//! }
//! ```
//!
//! ```compile_fail,E0624
//! fn ask_the_back_door(proposal: grace::model::Proposal) -> grace::govern::Permit {
//!     grace::govern::Permit::new(grace::model::ActId(1), proposal, None)
//! }
//! ```
//!
//! One permit is one act: it can be neither copied nor cloned, nor read back from where it was written.
//!
//! ```compile_fail,E0277
//! fn spend_twice<T: Clone>(_: T) {}
//! fn twice(permit: grace::govern::Permit) {
//!     spend_twice(permit)
//! }
//! ```
//!
//! ```compile_fail,E0277
//! fn read_back(text: &str) -> grace::govern::Permit {
//!     serde_json::from_str(text).unwrap()
//! }
//! ```
//!
//! [`Committed`](record::Committed) says that something stands in the journal, on the disk. Only [`record`]
//! makes one, after its transaction:
//!
//! ```compile_fail,E0423
//! fn pretend(permit: grace::govern::Permit) -> grace::record::Committed<grace::govern::Permit> {
//!     grace::record::Committed(permit)
//! }
//! ```
//!
//! ```compile_fail,E0624
//! fn pretend(permit: grace::govern::Permit) -> grace::record::Committed<grace::govern::Permit> {
//!     grace::record::Committed::new(permit)
//! }
//! ```
//!
//! And [`act::perform`] takes nothing else, so that what was not written down cannot be done:
//!
//! ```compile_fail,E0308
//! async fn act_first(permit: grace::govern::Permit, hands: &grace::act::Hands) {
//!     grace::act::perform(permit, hands).await;
//! }
//! ```
//!
//! The way that compiles is the only one there is:
//!
//! ```
//! use grace::{act, engine, govern::Permit, model::Performed, record};
//!
//! fn decide(bundle: &engine::Bundle, state: &engine::State, input: &engine::Input) -> engine::Step {
//!     engine::step(bundle, state, input)
//! }
//!
//! async fn perform(permit: record::Committed<Permit>, hands: &act::Hands) -> Performed {
//!     act::perform(permit, hands).await
//! }
//! ```
//!
//! [`Performed`](model::Performed) says how the act went, never that it helped. It goes into the next input, and
//! the [`Outcome`](model::Outcome) is what later readings make of it.
//!
//! # What is absent
//!
//! A test reads the sources and fails when one of these is there after all (`tests/it/tidy.rs`).
//!
//! - No module imports one above it, and siblings do not import each other: the order above is the order of
//!   floors.
//! - The pure half reads no clock. "Now" is a field of the input.
//! - `replay` cannot reach `act`, `probe`, `services` or `components`: a test or a replay can never restart anything.
//! - `evaluate` and `govern` do not know each other.
//! - Rhai is nowhere but in `condition`; SQL nowhere but in `store`, `record` and `components`.
//! - No generic code knows a component by name.
//! - There is no `unsafe`, no lint that is switched off, no test that is ignored.

pub mod say;

pub mod model;

pub mod condition;
pub mod evaluate;
pub mod figures;
pub mod govern;

pub mod engine;

pub mod config;

pub mod store;

pub mod record;

pub mod replay;
pub mod services;

pub mod components;

pub mod probe;

pub mod act;

pub mod supervisor;

pub mod api;

pub mod client;

pub mod cli;
