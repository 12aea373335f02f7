//! Verbs about a running Grace: how she is, her mode, and what people want of her. They ask her over the unix socket
//! (`client`), and tell what became of it (`answer`).
//!
//! Each is one request and one page for people; nothing is decided here.

pub(super) mod answer;
pub(super) mod approve;
pub(super) mod client;
pub(super) mod events;
pub(super) mod fault;
pub(super) mod hold;
pub(super) mod how;
pub(super) mod mode;
mod pending;
pub(super) mod restart;
mod sse;
pub(super) mod status;
pub(super) mod task;
mod tell;
pub(super) mod token;
