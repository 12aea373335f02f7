//! How Grace starts a keeper, tells it what to keep, and hears its answer.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::services::keeper::spec::{Answer, GRACE, Spec};

/// A keeper's answer holds at most two outputs of 64 KiB, and JSON may make six bytes of one.
const LONGEST: u64 = 1 << 20;

/// Starts a keeper and waits for its answer. A future that is dropped before lets go of the keeper's input,
/// and one that keeps a command ends its tree then.
pub(super) async fn ask(spec: &Spec, patience: Duration) -> Result<Answer, String> {
    let mut line = serde_json::to_string(spec).map_err(|why| why.to_string())?;
    line.push('\n');
    let mut child = keeper()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    // Whenever it ends it is collected, whether or not anybody still waits here.
    tokio::spawn(async move { child.wait().await });
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else { return Err("no pipes".into()) };
    let work = async {
        stdin.write_all(line.as_bytes()).await.map_err(|why| format!("the keeper went away: {why}"))?;
        let mut answer = String::new();
        let mut stdout = BufReader::new(stdout.take(LONGEST));
        stdout.read_line(&mut answer).await.map_err(|why| why.to_string())?;
        // Kept open until here: its end would be the word to stop.
        drop(stdin);
        serde_json::from_str(&answer).map_err(|_| "the keeper ended without an answer".to_owned())
    };
    match tokio::time::timeout(patience, work).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", patience.as_secs_f64())),
    }
}

fn keeper() -> Result<Child, String> {
    let mut command = Command::new(GRACE);
    command.arg0("grace").arg("keep").env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().map_err(|why| format!("no process: {why}"))
}
