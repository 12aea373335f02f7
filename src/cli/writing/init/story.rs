//! The first rule file of a service and its tests, made of what is known about the service.

use std::fmt::Write;

/// What is known about the service.
#[derive(Debug, Clone, Default)]
pub(super) struct Service {
    pub(super) name: String,
    /// Grace starts it.
    pub(super) argv: Vec<String>,
    pub(super) pid_file: Option<String>,
    pub(super) http: Option<String>,
    pub(super) tcp: Option<String>,
}

impl Service {
    fn controlled(&self) -> bool {
        !self.argv.is_empty()
    }

    /// Its processes can be seen.
    fn process(&self) -> bool {
        self.controlled() || self.pid_file.is_some()
    }

    /// What makes its answers bad, where it is asked.
    fn silence(&self) -> Vec<&'static str> {
        let page = self.http.as_ref().map(|_| "!page.answered || page.status_code >= 500");
        page.into_iter().chain(self.tcp.as_ref().map(|_| "!port.answered")).collect()
    }

    /// What is slow, where it is asked.
    fn slow(&self) -> Option<&'static str> {
        let page = self.http.as_ref().map(|_| "page.latency_ms");
        page.or(self.tcp.as_ref().map(|_| "port.latency_ms"))
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    // JSON's escapes are TOML's as well, and it lacks only this one.
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// `rules/NAME.toml`
pub(super) fn rules(service: &Service) -> String {
    let name = &service.name;
    let mut text = format!(
        "# The story of {name}: what it is, how it is seen, what is wrong, and what is done about it.\n\
         # `grace validate` checks this file, `grace test` runs the tests beside it, `grace fmt` keeps its form;\n\
         # `grace schema facts` lists what conditions can speak of.\n\n\
         [component]\nlabel = {}\n{}\
         # depends_on = [\"database\"]          # not healed for the fault of these\n\n",
        quoted(&name.replace('_', " ")),
        behind("tier = 2", "1 = critical: policies may ask a person first")
    );
    text.push_str(&control(service));
    text.push_str(&probes(service));
    let critical = service.process().then_some("!process.running");
    let critical: Vec<&str> = critical.into_iter().chain(service.silence()).collect();
    if service.slow().is_some() {
        text.push_str("[threshold]\nslow_ms = \"500ms\"\n\n");
    }
    text.push_str(&behind("[status]", "critical is asked first, then warn; neither: ok"));
    let _ = writeln!(text, "critical = '{}'", critical.join(" || "));
    if let Some(slow) = service.slow() {
        let _ = writeln!(text, "warn = '{slow} > threshold.slow_ms'");
    }
    text.push('\n');
    text.push_str(&what_to_do(service));
    text
}

fn control(service: &Service) -> String {
    if !service.controlled() {
        return format!(
            "# Nothing here starts or stops {0}, so it is watched, and people are told. To have it restarted, say how:\n\
             # [control]\n# kind  = \"command\"\n# start = [\"systemctl\", \"start\", {1}]\n\
             # stop  = [\"systemctl\", \"stop\", {1}]\n\n",
            service.name,
            quoted(&service.name)
        );
    }
    let words: Vec<String> = service.argv.iter().map(|word| quoted(word)).collect();
    format!(
        "{}kind = \"process\"\nargv = [{}]\n{}\n",
        behind("[control]", "Grace starts it and keeps it; run it in the foreground"),
        words.join(", "),
        behind("stop = { signal = \"TERM\", within = \"10s\" }", "then the whole tree is killed")
    )
}

fn probes(service: &Service) -> String {
    let mut text = String::new();
    if service.controlled() {
        text.push_str(&behind("[probe.process]", "an exit is noticed at once"));
        text.push_str("kind = \"process\"\n\n");
    } else if let Some(file) = &service.pid_file {
        let _ = write!(text, "[probe.process]\nkind = \"process\"\npid_file = {}\n\n", quoted(file));
    }
    if let Some(url) = &service.http {
        let _ = write!(text, "[probe.page]\nkind = \"http\"\nurl = {}\ntimeout = \"2s\"\n\n", quoted(url));
    }
    if let Some(address) = &service.tcp {
        text.push_str(&behind("[probe.port]", "better with `send` and `expect`: what hangs still accepts"));
        let _ = write!(text, "kind = \"tcp\"\naddress = {}\ntimeout = \"2s\"\n\n", quoted(address));
    }
    text
}

fn what_to_do(service: &Service) -> String {
    let loud = "[{ notify = \"oncall\" }, { task = \"Look at {label}: it is {status}\" }]";
    if !service.controlled() {
        let after = behind("after = 2", "readings in a row");
        return format!("[rule.tell]\nwhen = 'critical'\n{after}do = {loud}\n");
    }
    let verify = "verify = { delay = \"1s\", within = \"30s\" }";
    let mut text = format!(
        "[rule.start]\n{}do = [\"restart\"]\n{}on_failure = {loud}\n",
        behind("when = '!process.running'", "the kernel says so: one reading is proof"),
        behind(verify, "looked at again after a second; healed when ok")
    );
    if !service.silence().is_empty() {
        let _ = write!(
            text,
            "\n[rule.wake]\nwhen = 'process.running && critical'\n{}do = [\"restart\"]\n{verify}\n{}on_failure = {loud}\n",
            behind("after = 2", "readings in a row: one bad answer is no proof"),
            behind("attempts = 3", "tries of one healing, spaced by the backoff")
        );
    }
    text
}

/// A line with a comment behind it.
fn behind(line: &str, comment: &str) -> String {
    format!("{line:<37}# {comment}\n")
}

/// `rules/NAME.test.toml`
pub(super) fn tests(service: &Service) -> String {
    let name = &service.name;
    let mut text = format!(
        "# What becomes of {name}, on virtual time: `grace test --verbose` shows it second by second.\n\
         # Every component starts healthy; a test says what differs, what is expected, and what must not happen.\n\n"
    );
    if service.process() {
        text.push_str(&dead(service));
    }
    if service.http.is_some() {
        text.push_str(&twice(service, "a_failing_page", "page.status_code", "200", "503"));
    }
    if service.tcp.is_some() {
        text.push_str(&twice(service, "a_silent_port", "port.answered", "true", "false"));
    }
    if let Some(slow) = service.slow() {
        let _ = write!(
            text,
            "[test.a_slow_answer_is_a_warning]\nstart = \"12:00:00\"\nend = \"12:02:00\"\n\
             series = {{ \"{slow}\" = \"1 501 500\" }}\n\
             expect = [\n    {{ at = \"12:00:30\", status = \"warn\" }},\n    {{ at = \"12:01:00\", status = \"ok\" }},\n]\n\
             only = [\"act\", \"mode\", \"task\"]\n\n"
        );
    }
    text
}

fn dead(service: &Service) -> String {
    let (given, expect) = if service.controlled() {
        (
            "given = [\n    { at = \"12:00:10\", set = { \"process.running\" = false }, report = true },\n    \
             { on = \"restart\", set = { \"process.running\" = true } },\n]\n",
            "expect = [\n    { at = \"12:00:10\", act = \"restart\" },\n    { at = \"12:00:11\", outcome = \"healed\", status = \"ok\" },\n]\n",
        )
    } else {
        (
            "given = [{ at = \"12:00:10\", set = { \"process.running\" = false } }]\n",
            "expect = [\n    { at = \"12:00:30\", status = \"critical\", failures = 1 },\n    \
             { at = \"12:01:00\", task = \"Look at LABEL: it is critical\" },\n]\nforbid = [{ act = \"restart\" }]\n",
        )
    };
    let label = service.name.replace('_', " ");
    format!(
        "[test.a_dead_process]\nstart = \"12:00:00\"\nend = \"12:02:00\"\n{given}{}\n",
        expect.replace("LABEL", &label)
    )
}

/// One bad reading is no proof, and two are.
fn twice(service: &Service, test: &str, fact: &str, good: &str, bad: &str) -> String {
    let series = format!("series = {{ \"{fact}\" = \"{good} {bad} {good} {bad} {bad}\" }}\n");
    let (given, what) = if service.controlled() {
        (
            format!("given = [{{ on = \"restart\", set = {{ \"{fact}\" = {good} }} }}]\n"),
            "act = \"restart\"".to_owned(),
        )
    } else {
        (String::new(), format!("task = \"Look at {}: it is critical\"", service.name.replace('_', " ")))
    };
    format!(
        "[test.{test}_once_is_no_proof_and_twice_is]\nstart = \"12:00:00\"\nend = \"12:03:00\"\n{series}{given}\
         expect = [{{ at = \"12:02:00\", {what} }}]\nforbid = [{{ to = \"12:01:59\", {what} }}]\n\n"
    )
}
