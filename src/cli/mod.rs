//! The command line: one thin file for each verb.
//!
//! In reading order, and a room knows only those above it:
//!
//! - `terminal`: how every verb speaks, and how it ends.
//! - `asking`: verbs about a running Grace, over the unix socket.
//! - `checking`: verbs about rule and policy files.
//! - `writing`: verbs for who begins to write them.
//! - `rehearsing`: verbs about what was, and what would have been.
//! - `keeping`: verbs about a data directory.
//! - `running`: Grace herself.
//! - `installing`: verbs for who installs her.
//!
//! Data goes to stdout, talk to stderr; what goes wrong is a `Failure`, which knows its sentence, its hint and its exit
//! code.

mod asking;
mod checking;
mod installing;
mod keeping;
mod rehearsing;
mod running;
mod terminal;
mod writing;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use asking::{approve, events, fault, hold, mode, restart, status, task, token};
use checking::{diff, fmt, test, validate};
use installing::{completions, export, man, unit};
use keeping::{audit, backup};
use rehearsing::{explain, fixture, prove, recommendations, report, shadow, simulate};
use running::run;
use terminal::exit::Exit;
use terminal::failure::Failure;
use terminal::out::{Out, Output};
use terminal::outputs::{self, Target};
use terminal::shared::Shared;
use writing::{init, schema};

/// Grace keeps services healthy by rules that people can read, test, rehearse and audit.
#[derive(Debug, Parser)]
#[command(
    name = "grace",
    version,
    propagate_version = false,
    disable_help_subcommand = true,
    after_help = "Examples:\n  grace run                                 start, in this directory\n  \
                  grace status                              how is everything?\n  \
                  grace mode read_only --reason maintenance --for 2h\n  \
                  grace events --follow --pattern 'health.*'\n  \
                  grace validate && grace test              check the rules before they run\n  \
                  grace explain why-not restart/web         why was nothing done?\n  \
                  grace report --since 30d                  uptime, recovery, success of healing\n  \
                  grace init DIR --service web --http URL   begin with a service of your own\n\n\
                  Exit codes: 0 clean; 1 findings (invalid, failed, unhealthy); 2 usage or unreadable input;\n\
                  3 daemon not reachable; 4 refused; 5 waiting for approval; 6 timed out waiting."
)]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start Grace and stay in the foreground
    Run(run::Args),
    /// Show how everything is
    Status(status::Args),
    /// Show, set or release the mode
    Mode(mode::Args),
    /// Restart a component
    Restart(restart::Args),
    /// Approve what waits for approval, or list it
    Approve(approve::Args),
    /// Refuse what waits for approval
    Deny(approve::DenyArgs),
    /// Hold healing of a component or of all, end a hold, or list holds
    Hold(hold::Args),
    /// Notify nobody about a component or all for a while, end that, or list silences
    Silence(hold::SilenceArgs),
    /// Do by hand what a rule would do when it fires
    Do(hold::DoArgs),
    /// Lift a block: allow automatic healing of a component again
    Unblock(hold::UnblockArgs),
    /// Add or list tasks for people
    Task(task::Args),
    /// See what would heal better, rehearsed on the journal; accept or decline it
    Recommendations(recommendations::Args),
    /// Make, list or revoke tokens for programs and people who ask over TCP
    Token(token::Args),
    /// Show or follow events
    Events(events::Args),
    /// Check that nobody changed the journal
    Audit(audit::Args),
    /// Write both databases into one file, proven
    Backup(backup::Args),
    /// Bring both databases back from a backup
    Restore(backup::RestoreArgs),
    /// Check rules and policies
    Validate(validate::Args),
    /// Say what two sets of rules and policies say differently
    Diff(diff::Args),
    /// Run the rules' tests on virtual time
    Test(test::Args),
    /// Say why a rule acted or did not, why an act was made, or what a code means
    Explain(explain::Args),
    /// Uptime, recovery and success of healing over a window, or one incident's timeline
    Report(report::Args),
    /// Play recorded history through the rules: what would they have done?
    Simulate(simulate::Args),
    /// Run a candidate beside the live rules, without acts; compare; make it live
    Shadow(shadow::Args),
    /// Make a rule test from a recorded incident
    Fixture(fixture::Args),
    /// Decide everything again that was recorded, and compare
    Prove(prove::Args),
    /// Bring rule, policy and test files into their form
    Fmt(fmt::Args),
    /// Print JSON Schemas for editors, or the table of facts
    Schema(schema::Args),
    /// Write a first set of files for a service
    Init(init::Args),
    /// Print a unit for systemd
    Unit(unit::Args),
    /// Make a component fail, where Grace was started with `--allow-faults`
    Fault(fault::Args),
    /// Print alert rules for Prometheus, or a dashboard for Grafana
    Export(export::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Print the manual's page, or write those of all verbs
    Man(man::Args),
}

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    // Before anything else: these start for every service, and have no use for the rest.
    if let Some(code) = crate::services::errand(std::env::args_os()) {
        return ExitCode::from(code);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody may be there to read it; the code says the same.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
        }
    };
    let stdout = cli.verb.stdout(&cli.shared.output);
    let out = Out::new(*stdout.as_ref().unwrap_or(&Output::Human));
    let ended = stdout.and_then(|_| cli.verb.run(&cli.shared, out));
    ended.unwrap_or_else(|failure| out.fail(&failure)).into()
}

impl Verb {
    /// What goes to stdout.
    fn stdout(&self, targets: &[Target]) -> Result<Output, Failure> {
        match self {
            // With everything in files nobody waits for data on stdout: people are told how it went.
            Self::Validate(_) => Ok(outputs::on_stdout(targets, &validate::CAN)?.unwrap_or(Output::Human)),
            Self::Test(_) => Ok(outputs::on_stdout(targets, &test::CAN)?.unwrap_or(Output::Human)),
            Self::Shadow(_) => Ok(outputs::on_stdout(targets, &shadow::CAN)?.unwrap_or(Output::Human)),
            Self::Report(_) => Ok(outputs::on_stdout(targets, &report::CAN)?.unwrap_or(Output::Human)),
            Self::Simulate(_) => Ok(outputs::on_stdout(targets, &simulate::CAN)?.unwrap_or(Output::Human)),
            _ => outputs::plain(targets),
        }
    }

    fn run(self, shared: &Shared, out: Out) -> Result<Exit, Failure> {
        match self {
            Self::Run(args) => run::run(&args, shared, out),
            Self::Status(args) => status::run(&args, shared, out),
            Self::Mode(args) => mode::run(args, shared, out),
            Self::Restart(args) => restart::run(args, shared, out),
            Self::Approve(args) => approve::run(args, shared, out),
            Self::Deny(args) => approve::deny(args, shared, out),
            Self::Hold(args) => hold::run(args, shared, out),
            Self::Silence(args) => hold::silence(args, shared, out),
            Self::Do(args) => hold::by_hand(&args, shared, out),
            Self::Unblock(args) => hold::unblock(args, shared, out),
            Self::Task(args) => task::run(args, shared, out),
            Self::Recommendations(args) => recommendations::run(args, shared, out),
            Self::Token(args) => token::run(args, shared, out),
            Self::Events(args) => events::run(&args, shared, out),
            Self::Audit(args) => audit::run(&args, shared, out),
            Self::Backup(args) => backup::run(&args, shared, out),
            Self::Restore(args) => backup::restore(&args, shared, out),
            Self::Validate(args) => validate::run(&args, shared, out),
            Self::Explain(args) => explain::run(&args, shared, out),
            Self::Diff(args) => diff::run(&args, shared, out),
            Self::Test(args) => test::run(&args, shared, out),
            Self::Prove(args) => prove::run(&args, shared, out),
            Self::Report(args) => report::run(&args, shared, out),
            Self::Simulate(args) => simulate::run(&args, shared, out),
            Self::Shadow(args) => shadow::run(args, shared, out),
            Self::Fixture(args) => fixture::run(&args, shared, out),
            Self::Fmt(args) => fmt::run(&args, shared, out),
            Self::Schema(args) => schema::run(&args, out),
            Self::Init(args) => init::run(args, shared, out),
            Self::Unit(args) => unit::run(&args, shared, out),
            Self::Fault(args) => fault::run(args, shared, out),
            Self::Export(args) => export::run(&args, out),
            Self::Completions(args) => completions::run(&args, grammar(), out),
            Self::Man(args) => man::run(&args, &grammar(), out),
        }
    }
}

/// The grammar of the command line, as shells and manuals want it.
fn grammar() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_grammar_of_the_command_line_holds() {
        super::Cli::command().debug_assert();
    }
}
