//! Commands that end: run without a shell, in their time, with bounded output; and the control kind `command`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::model::{CommandControl, ComponentId, Launch, Reading, Surroundings};
use crate::services::control::{BoxFuture, Control, ControlError, Ran};
use crate::services::hire;
use crate::services::keeper::spec::{Answer, Task};
use crate::services::ready;
use crate::services::setting;

/// How much longer than a command its keeper may take: it has a tree to kill.
const KEEPER: Duration = Duration::from_secs(8);

/// So much of what a command complains of is told.
const TOLD: usize = 300;

/// Runs a command and kills whatever it leaves behind.
///
/// # Errors
/// It could not be started.
pub async fn run(component: &ComponentId, launch: &Launch, within: Duration) -> Result<Ran, String> {
    carry_out((component.as_str(), None), launch, within, false).await
}

/// Runs a command that finds this on its standard input, and kills whatever it leaves behind.
///
/// # Errors
/// It could not be started.
pub async fn tell(
    component: Option<&ComponentId>,
    launch: &Launch,
    input: String,
    within: Duration,
) -> Result<Ran, String> {
    let component = component.map_or("", ComponentId::as_str);
    carry_out((component, Some(input)), launch, within, false).await
}

async fn carry_out(
    (component, input): (&str, Option<String>),
    launch: &Launch,
    within: Duration,
    leaves: bool,
) -> Result<Ran, String> {
    let within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
    let mut spec =
        setting::spec(component, &at_home(launch), PathBuf::from("/"), Task::Answer { within_ms, leaves })
            .await?;
    spec.input = input;
    let began = Instant::now();
    match hire::ask(&spec, within + KEEPER).await? {
        Answer::Ended { code, output, errors } => Ok(Ran { code, output, errors, took: began.elapsed() }),
        Answer::Failed(why) => Err(why),
        Answer::Started(_) | Answer::Taken => Err("the keeper answered something else".into()),
    }
}

/// A command that names no directory works where it can do no harm.
fn at_home(launch: &Launch) -> Launch {
    let mut launch = launch.clone();
    launch.around.dir.get_or_insert_with(|| "/".to_owned());
    launch
}

/// One service of this kind.
pub(super) struct Commanded {
    pub(super) id: ComponentId,
    pub(super) control: CommandControl,
}

impl Commanded {
    async fn run(&self, argv: &[String]) -> Result<Ran, ControlError> {
        let around: Surroundings = self.control.around.clone();
        let launch = Launch { argv: argv.to_vec(), around };
        carry_out((self.id.as_str(), None), &launch, self.control.within.to_std(), true)
            .await
            .map_err(ControlError::Failed)
    }

    /// Does one thing, and says what the command said.
    async fn act(&self, argv: &[String]) -> Result<String, ControlError> {
        let ran = self.run(argv).await?;
        let said: String =
            [&ran.output, &ran.errors].map(|text| text.trim()).join(" ").trim().chars().take(TOLD).collect();
        match ran.code {
            Some(0) => Ok(said),
            Some(code) => Err(ControlError::Failed(format!("exit code {code}: {said}"))),
            None => Err(ControlError::Failed(format!("did not end within {}: {said}", self.control.within))),
        }
    }

    /// Does it run, as its own status command says? Nothing where there is none, or it says neither.
    async fn runs(&self) -> Option<bool> {
        let ran = self.run(self.control.status.as_ref()?).await.ok()?;
        // 3 is what init scripts say of a service that does not run.
        match ran.code? {
            0 => Some(true),
            3 => Some(false),
            _ => None,
        }
    }
}

impl Control for Commanded {
    fn facts(&self, _within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>> {
        // Nothing can be seen of it but by probes.
        Box::pin(async { BTreeMap::new() })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ControlError>> {
        let all = [Some(&self.control.stop), Some(&self.control.start), self.control.restart.as_ref()];
        let launches: Vec<Launch> = all
            .into_iter()
            .flatten()
            .map(|argv| Launch { argv: argv.clone(), around: self.control.around.clone() })
            .collect();
        Box::pin(async move {
            let checked =
                tokio::task::spawn_blocking(move || launches.iter().try_for_each(ready::check)).await;
            checked.unwrap_or_else(|_| Err("Grace is ending".into())).map_err(ControlError::Failed)
        })
    }

    fn start(&self, _workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async {
            if self.runs().await == Some(true) {
                return Ok("runs already".into());
            }
            self.act(&self.control.start).await
        })
    }

    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async {
            if self.runs().await == Some(false) {
                return Ok("does not run".into());
            }
            match self.act(&self.control.stop).await {
                // What does not run cannot be stopped either, and shall be started all the same. Only its own status
                // can say that it still runs.
                Err(why) if self.runs().await != Some(true) => {
                    Ok(format!("could not be stopped ({why}); perhaps it does not run"))
                }
                stopped => stopped,
            }
        })
    }

    fn restart(&self) -> Option<BoxFuture<'_, Result<String, ControlError>>> {
        let argv = self.control.restart.as_ref()?;
        Some(Box::pin(self.act(argv)))
    }

    fn status(&self) -> Option<BoxFuture<'_, Result<Ran, String>>> {
        let argv = self.control.status.as_ref()?;
        Some(Box::pin(async { self.run(argv).await.map_err(|why| why.to_string()) }))
    }

    fn scale(&self, _workers: u32) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async { Err(ControlError::NotSupported { component: self.id.clone(), what: "scale" }) })
    }
}
