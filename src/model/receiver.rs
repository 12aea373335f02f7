//! Who is told when a person should know.

use crate::model::{Launch, Setting, Span};

/// One receiver of notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// A line in the daemon's log.
    Log,
    /// Somebody's URL.
    Webhook(Webhook),
    /// A program, which finds the notification on its standard input.
    Command {
        /// What is run.
        launch: Launch,
        /// How long it may take.
        within: Span,
    },
}

/// A URL that is told, with a signature by which it knows who tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// What it is signed with: `whsec_` and base64. It is named by its place, and read when it is used.
    pub secret: Setting,
    /// How long one try may take.
    pub within: Span,
}

/// Whoever raises the alarm when Grace falls silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Where to. It often holds a secret, and can stand elsewhere.
    pub url: Setting,
    /// How often; never more often than ticks.
    pub every: Span,
    /// How long one may take.
    pub within: Span,
}

impl Receiver {
    /// The words files use for the kinds.
    pub const WORDS: [&'static str; 3] = ["log", "webhook", "command"];
}
