//! One life with everything in it: a start on nothing, work, faults, healing, an outage, modes, services, what a person
//! approves, a reload, and a stop in good order. It is cut short wherever Grace dies.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::home::{Home, until};
use super::trace::{self, Point, Traced};

/// What the client was told, and so has to be true afterwards.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The texts of acknowledged tasks, in order.
    pub(crate) tasks: Vec<String>,
    /// The mode that was acknowledged last.
    pub(crate) mode: Option<&'static str>,
    /// What was asked for last, acknowledged or not.
    pub(crate) asked_mode: Option<&'static str>,
    /// How many the crew may be: what was acknowledged last, and what was asked for since.
    pub(crate) crew: Vec<u32>,
    /// What is to be approved was approved, and that was acknowledged.
    pub(crate) approved: bool,
    /// How far it came.
    pub(crate) chapters: usize,
}

/// One part of the life.
type Chapter<'a> = fn(&mut Teller<'a>) -> Result<(), String>;

struct Teller<'a> {
    home: &'a Home,
    dead: &'a AtomicBool,
    pid: &'a AtomicI32,
    story: Story,
    /// On a failing disk not everything comes about; then she goes on with the next chapter.
    lenient: bool,
}

/// So long a chapter lasts at the most where not everything comes about.
const CHAPTER: Duration = Duration::from_secs(1);

/// Lives the life under the tracer.
///
/// # Errors
/// Something did not come about although Grace was alive.
pub(crate) fn live(home: &Home, point: Option<&Point>) -> Result<(Story, Traced), String> {
    let (dead, pid) = (AtomicBool::new(false), AtomicI32::new(0));
    let lenient = point.is_some_and(|point| point.deed.is_fault());
    let (words, data) = (home.words(&Home::RUN), home.data());
    std::thread::scope(|scope| {
        let tracer = scope.spawn(|| {
            let traced =
                trace::run((&words, &data), &home.log(), point, |root| pid.store(root, Ordering::Release));
            dead.store(true, Ordering::Release);
            traced
        });
        let mut teller = Teller {
            home,
            dead: &dead,
            pid: &pid,
            story: Story { crew: vec![1], ..Story::default() },
            lenient,
        };
        let told = teller.tell();
        if told.is_err() {
            teller.signal(Signal::SIGKILL);
        }
        let ran = tracer.join().map_err(|_| "the tracer failed")??;
        told?;
        Ok((teller.story, ran))
    })
}

impl<'a> Teller<'a> {
    fn tell(&mut self) -> Result<(), String> {
        let chapters: [Chapter<'a>; 10] = [
            Self::start,
            Self::heal,
            Self::outage,
            Self::modes,
            Self::exit,
            Self::scale,
            Self::decide,
            Self::reload,
            Self::restart,
            Self::stop,
        ];
        for chapter in chapters {
            chapter(self)?;
            if self.is_dead() {
                break;
            }
            self.story.chapters += 1;
        }
        Ok(())
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    fn signal(&self, signal: Signal) {
        let pid = self.pid.load(Ordering::Acquire);
        if pid > 0 && !self.is_dead() {
            // The tracer may have seen its end a moment ago.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    /// Waits until it is so or she is dead.
    fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) -> Result<(), String> {
        let began = Instant::now();
        until(what, || self.is_dead() || is_so() || (self.lenient && began.elapsed() > CHAPTER))
    }

    fn task(&mut self) {
        let text = format!("task {}", self.story.tasks.len());
        if self.home.post("/api/tasks", &format!(r#"{{"text":"{text}"}}"#)) {
            self.story.tasks.push(text);
        }
    }

    fn fault(&self, component: &str, fault: &str) -> bool {
        self.home.post("/api/faults", &format!(r#"{{"component":"{component}","fault":"{fault}"}}"#))
    }

    fn start(&mut self) -> Result<(), String> {
        let home = self.home;
        self.until("she is ready", || {
            home.ask("GET", "/readyz", "").is_some_and(|(status, _)| status == 200)
        })?;
        self.task();
        self.until("the services run", || home.is_ok("job") && home.is_ok("crew"))
    }

    fn heal(&mut self) -> Result<(), String> {
        let home = self.home;
        self.fault("reflection_service", "stop");
        self.task();
        self.until("the reflection is healed", || {
            let (_, status) = home.ask("GET", "/api/health/status", "").unwrap_or_default();
            let tries = status["healing_actions"].as_array().cloned().unwrap_or_default();
            tries.iter().any(|one| one["component"] == "reflection_service" && one["result"] == "success")
        })
    }

    fn outage(&mut self) -> Result<(), String> {
        let home = self.home;
        self.fault("database", "down");
        self.until("the outage is seen", || {
            home.check("database").is_some_and(|check| check["status"] != "ok")
        })?;
        self.task();
        self.task();
        self.fault("database", "clear");
        self.until("what waited is done", || {
            let waits = |check: serde_json::Value| check["facts"]["ping.queued_writes"] == 0;
            home.check("database").is_some_and(|check| check["status"] == "ok" && waits(check))
        })?;
        self.task();
        Ok(())
    }

    fn modes(&mut self) -> Result<(), String> {
        for mode in ["read_only", "normal"] {
            self.story.asked_mode = Some(mode);
            let body = format!(r#"{{"mode":"{mode}","reason":"a test"}}"#);
            if self.home.post("/api/health/mode", &body) {
                self.story.mode = Some(mode);
            }
            self.task();
        }
        let home = self.home;
        self.until("the mode is normal again", || {
            home.ask("GET", "/api/health/mode", "").is_some_and(|(_, told)| told["mode"] == "normal")
        })
    }

    fn exit(&mut self) -> Result<(), String> {
        let home = self.home;
        let Some(before) = home.main("job", 0) else { return Ok(()) };
        let _ = kill(Pid::from_raw(before), Signal::SIGKILL);
        self.until("the exit is healed", || {
            home.main("job", 0).is_some_and(|now| now != before) && home.is_ok("job")
        })
    }

    fn scale(&mut self) -> Result<(), String> {
        let home = self.home;
        for workers in [2, 1] {
            self.story.crew.push(workers);
            let body = format!(r#"{{"workers":{workers},"reason":"a test"}}"#);
            let answer = home.ask("POST", "/api/components/crew/scale", &body);
            // `healed_by_itself` is a success as well, and the act had failed.
            if answer.is_some_and(|(status, told)| status == 200 && told["outcome"] == "healed") {
                // A rule's restart brings one.
                self.story.crew = vec![1, workers];
                self.until("the crew is as large", || {
                    let brings = if restarted_last(home) { 1 } else { workers };
                    home.main("crew", 0).is_some() && home.main("crew", 1).is_some() == (brings == 2)
                })?;
            }
        }
        Ok(())
    }

    /// Asks for what has to be approved, and approves it.
    fn decide(&mut self) -> Result<(), String> {
        let home = self.home;
        let asked = home.ask("POST", "/api/health/restart", r#"{"component":"crew","reason":"a test"}"#);
        let Some(approval) = asked.and_then(|(_, told)| told["approval"].as_u64()) else { return Ok(()) };
        let path = format!("/api/approvals/{approval}/approve");
        self.story.approved = home.post(&path, r#"{"reason":"a test","break_glass":true}"#);
        self.task();
        self.until("the crew runs again", || home.main("crew", 0).is_some())
    }

    fn reload(&mut self) -> Result<(), String> {
        let home = self.home;
        let generation = || {
            let (_, status) = home.ask("GET", "/api/health/status", "").unwrap_or_default();
            status["generation"].as_str().map(str::to_owned)
        };
        let Some(before) = generation() else { return Ok(()) };
        let text = home.text("config/rules/job.toml");
        home.put("rules/job.toml", &text.replace("attempts = 20", "attempts = 19"));
        self.until("the new files are active", || generation().is_some_and(|now| now != before))
    }

    fn restart(&mut self) -> Result<(), String> {
        self.home.post("/api/health/restart", r#"{"component":"job","reason":"a test"}"#);
        self.task();
        let home = self.home;
        self.until("it runs again", || home.main("job", 0).is_some())
    }

    fn stop(&mut self) -> Result<(), String> {
        self.signal(Signal::SIGTERM);
        until("she stops", || self.is_dead())
    }
}

/// Was the last that was done to the crew a restart? It brings as many as the file says: one that died just after
/// somebody wanted two is enough for that.
fn restarted_last(home: &Home) -> bool {
    let status = home.ask("GET", "/api/health/status", "").map(|(_, told)| told).unwrap_or_default();
    let last =
        status["healing_actions"].as_array().into_iter().flatten().find(|act| act["component"] == "crew");
    last.is_some_and(|act| act["action"] == "restart")
}
