//! `grace export`: what Prometheus and Grafana need to watch Grace.
//!
//! Both are files that people edit; they name nothing that `/metrics` does not have, and a test compares.

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;

const ALERTS: &str = include_str!("alerts.yml");
const DASHBOARD: &str = include_str!("dashboard.json");

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grace export alerts > /etc/prometheus/grace.alerts.yml\n  \
                  grace export dashboard > grace.json      import it in Grafana")]
pub(in crate::cli) struct Args {
    /// What
    what: What,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Alert rules for Prometheus
    Alerts,
    /// A dashboard for Grafana
    Dashboard,
}

pub(in crate::cli) fn run(args: &Args, out: Out) -> Result<Exit, Failure> {
    let text = match args.what {
        What::Alerts => ALERTS,
        What::Dashboard => DASHBOARD,
    };
    out.line(text.trim_end())?;
    Ok(Exit::Clean)
}
