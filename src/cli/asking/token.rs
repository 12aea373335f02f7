//! `grace token create`, `list` and `revoke`

use serde::Serialize;

use crate::api::shapes::{MadeToken, MakingToken, Reply, TokenLine};
use crate::cli::asking::answer::{exit_of, tell};
use crate::cli::asking::client::asking;
use crate::cli::asking::how::How;
use crate::cli::terminal::columns::{columns, head, plain};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::cli::terminal::times::duration;
use crate::model::Role;
use crate::record::Clock;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Over the unix socket the kernel says who asks; over TCP a token does. Its secret is shown once, and Grace \
                  keeps the digest alone. Whoever asks over TCP sends `Authorization: Bearer SECRET`.\n\n\
                  Examples:\n  grace token create deploy --role operator --for 30days\n  \
                  grace token create phone --role approver --person ann\n  grace token list\n  \
                  grace token revoke deploy --reason 'it was in a log'\n  grace token revoke deploy --dry-run"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a token; its secret goes to stdout, once
    Create(Create),
    /// List tokens, without their secrets
    List,
    /// End a token
    Revoke {
        /// Which
        name: String,
        /// Why; the journal keeps it
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// Its name: a-z, 0-9, `_` and `-`
    name: String,
    /// What it may
    #[arg(long, value_parser = Role::ALL.map(Role::word))]
    role: String,
    /// Whose acts those with it are; else yours. Nobody approves the own request, with whatever token
    #[arg(long)]
    person: Option<String>,
    /// For how long, such as `30days`, or `ever` [default: 90days]
    #[arg(long = "for", value_name = "DURATION", value_parser = length)]
    lasts: Option<String>,
    /// Why; the journal keeps it
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    how: How,
}

#[derive(Serialize)]
struct Revoking {
    reason: Option<String>,
}

fn length(text: &str) -> Result<String, String> {
    if text == "ever" { Ok(text.into()) } else { duration(text).map_err(|help| help + ", or `ever`") }
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    match args.what {
        What::Create(create) => make(create, shared, out),
        What::List => list(shared, out),
        What::Revoke { name, reason, how } => {
            let reply = asking(shared, out, |client, _| async move {
                client.asking(&how).delete::<Reply>(&["api", "tokens", &name], &Revoking { reason }).await
            })?;
            tell(out, &reply)
        }
    }
}

fn make(create: Create, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let Create { name, role, person, lasts, reason, how } = create;
    let body = MakingToken { name, role, person, lasts, reason };
    let made = asking(shared, out, |client, _| async move {
        client.asking(&how).post::<MadeToken>(&["api", "tokens"], &body).await
    })?;
    let Some(secret) = made.secret.as_ref().filter(|_| !out.is_json()) else {
        if out.is_json() {
            out.json(&made)?;
            return Ok(exit_of(&made.reply));
        }
        return tell(out, &made.reply);
    };
    out.line(secret)?;
    out.talk(format_args!("{}", made.reply.detail));
    out.talk("keep it now: it is shown this once");
    Ok(exit_of(&made.reply))
}

fn list(shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let path = &["api", "tokens"];
    let tokens = asking(shared, out, |client, _| async move { client.get::<Vec<TokenLine>>(path).await })?;
    if out.is_json() {
        out.json(&tokens)?;
        return Ok(Exit::Clean);
    }
    if tokens.is_empty() {
        out.line("there is no token")?;
        return Ok(Exit::Clean);
    }
    let now = Clock::start(None).now();
    let mut rows = vec![head(&["TOKEN", "ROLE", "PERSON", "MADE BY", "SINCE", "ENDS"])];
    rows.extend(tokens.iter().map(|token| {
        let ends = token.expires.as_ref().map_or("never".into(), |at| times::relative(at, now));
        let since = times::both(&token.since, now);
        plain(&[&token.name, &token.role, &token.person, &token.made_by, &since, &ends])
    }));
    for line in columns(out, &rows) {
        out.line(line)?;
    }
    Ok(Exit::Clean)
}
