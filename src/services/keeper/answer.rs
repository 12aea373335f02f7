//! A keeper for commands that end: they have their time, their output is bounded, and their tree is killed
//! when the time is over or Grace goes away.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::services::identity::Identity;
use crate::services::keeper::output::hide;
use crate::services::keeper::program::{code, go, launch, next, reply};
use crate::services::keeper::spec::{Answer, Spec};
use crate::services::tree::Tree;

/// So much of what a command says is kept; the rest is read and thrown away.
const KEPT: usize = 64 * 1024;

/// So long what was said last is waited for after the end: somebody may keep the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Runs the command and answers how it ended.
pub(super) fn run(spec: &Spec, within: Duration, leaves: bool) -> Result<(), String> {
    let keeper = Identity::own().ok_or("the keeper cannot find itself")?;
    let tree = Tree { keeper, main: None, group: None };
    let pipe = || io::pipe().map_err(|why| format!("no pipe: {why}"));
    let ((output, out), (errors, err)) = (pipe()?, pipe()?);
    let (launched, main) = launch(spec, out.into(), err.into())?;
    go(launched, spec.input.as_deref())?;
    let (said, complained) = (Collected::begin(output), Collected::begin(errors));
    let (over, guard) = guard(tree.clone(), within);
    let mut ended = None;
    while ended.is_none()
        && let Some((pid, status)) = next()
    {
        ended = (pid.as_raw_nonzero().get() == main.pid).then(|| code(status));
    }
    // The guard says whether it had to come in.
    let _ = over.send(());
    let killed = guard.recv().unwrap_or(true);
    if !(leaves && ended == Some(0)) {
        tree.kill();
    }
    let text = |said: &Collected| String::from_utf8_lossy(&hide(said.so_far(), &spec.secrets)).into_owned();
    let (output, errors) = (text(&said), text(&complained));
    reply(&Answer::Ended { code: ended.filter(|_| !killed), output, errors });
    // What was left running may go on saying something: with us gone it would die of a broken pipe.
    if leaves && !killed {
        said.to_the_end();
        complained.to_the_end();
    }
    Ok(())
}

/// Kills the tree when its time is over or Grace went away, unless it is told before that all is over.
fn guard(tree: Tree, within: Duration) -> (Sender<()>, Receiver<bool>) {
    let (over, is_over) = channel();
    let (tell, told) = channel();
    let gone = over.clone();
    let cut = Arc::new(Mutex::new(false));
    let noted = Arc::clone(&cut);
    std::thread::spawn(move || {
        // Grace holds the other end for as long as she wants an answer.
        let _ = io::stdin().lock().read(&mut [0]);
        *noted.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let _ = gone.send(());
    });
    std::thread::spawn(move || {
        let late = matches!(is_over.recv_timeout(within), Err(RecvTimeoutError::Timeout));
        let killed = late || *cut.lock().unwrap_or_else(PoisonError::into_inner);
        if killed {
            tree.kill();
        }
        let _ = tell.send(killed);
    });
    (over, told)
}

/// What is read on a thread of its own, up to a bound.
struct Collected {
    text: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

impl Collected {
    fn begin(mut from: io::PipeReader) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&text);
        let (end, ended) = channel();
        std::thread::spawn(move || {
            let mut piece = vec![0; 16 * 1024];
            while let Ok(length @ 1..) = from.read(&mut piece) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = KEPT.saturating_sub(kept.len()).min(length);
                kept.extend_from_slice(piece.get(..room).unwrap_or_default());
            }
            let _ = end.send(());
        });
        Self { text, ended }
    }

    fn so_far(&self) -> Vec<u8> {
        let _ = self.ended.recv_timeout(LAST_WORDS);
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn to_the_end(&self) {
        // Told already, or told when the last who holds the pipe lets go.
        let _ = self.ended.recv();
    }
}
