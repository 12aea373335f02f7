//! `grace completions`

use clap::Command;
use clap_complete::Shell;

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grace completions bash > /etc/bash_completion.d/grace\n  \
                  grace completions zsh > /usr/local/share/zsh/site-functions/_grace\n  \
                  grace completions fish > ~/.config/fish/completions/grace.fish")]
pub(in crate::cli) struct Args {
    /// Which shell
    shell: Shell,
}

pub(in crate::cli) fn run(args: &Args, mut grammar: Command, out: Out) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut grammar, "grace", &mut script);
    out.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Clean)
}
