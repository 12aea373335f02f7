//! The unit's lines, each with its reason where it is not obvious.
//!
//! What Grace starts inherits the sandbox. So what is locked away here is what hardly any service needs; what many
//! need stays open, and its line says so.

use std::fmt::Write;

use crate::cli::installing::unit::{USER, Wanted, quote};
use crate::model::Span;

/// From this version on systemd sends SIGHUP itself and waits for the word that the reload is over.
const NOTIFY_RELOAD: u16 = 253;

/// No comment is wider.
const WIDTH: usize = 100;

/// A watchdog waits for so many ticks, and at least so long: a busy machine is no reason to kill Grace.
const TICKS: i64 = 3;
const AT_LEAST: Span = Span::seconds(10);

/// A unit that is being written.
#[derive(Default)]
struct Unit(String);

impl Unit {
    fn section(&mut self, name: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        self.add(format_args!("{gap}[{name}]"));
    }

    /// A comment, broken where its lines grow too long.
    fn why(&mut self, text: &str) {
        let mut line = String::from("#");
        for word in text.split_whitespace() {
            if line.len() + word.len() >= WIDTH {
                self.add(format_args!("{line}"));
                line.truncate(1);
            }
            line.push(' ');
            line.push_str(word);
        }
        self.add(format_args!("{line}"));
    }

    fn set(&mut self, key: &str, value: &str) {
        self.add(format_args!("{key}={value}"));
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }

    fn add(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

pub(super) fn of(wanted: &Wanted) -> String {
    let mut unit = Unit::default();
    unit.why(&format!(
        "Written by `grace unit` {}. Changes belong into a drop-in: systemctl edit grace",
        env!("CARGO_PKG_VERSION")
    ));
    unit.section("Unit");
    unit.set("Description", "Grace, who keeps services healthy by rules");
    unit.set("Documentation", "man:grace(1)");
    unit.set("After", "network.target");
    unit.why(
        "Never give up on Grace: when she ends three times within a minute of her start, she \
         herself (crash_loop in policies/system.toml) starts on the last good files and only \
         watches.",
    );
    unit.set("StartLimitIntervalSec", "0");
    unit.section("Service");
    start(&mut unit, wanted);
    life(&mut unit, wanted);
    places(&mut unit, wanted);
    if wanted.user == "root" {
        rooted(&mut unit);
    } else {
        locked(&mut unit);
    }
    open(&mut unit);
    unit.section("Install");
    unit.set("WantedBy", "multi-user.target");
    unit.0
}

fn start(unit: &mut Unit, wanted: &Wanted) {
    let notify_reload = wanted.systemd >= NOTIFY_RELOAD;
    unit.why("Started is she when her socket answers and her first tick stands in the journal.");
    unit.set("Type", if notify_reload { "notify-reload" } else { "notify" });
    unit.set("NotifyAccess", "main");
    if wanted.user == USER {
        unit.set("User", USER);
        unit.set("Group", USER);
    } else if wanted.user != "root" {
        unit.set("User", &wanted.user);
    }
    if let Some(group) = &wanted.socket_group {
        unit.why("socket_group in policies/system.toml: Grace gives the socket to it.");
        unit.set("SupplementaryGroups", &quote::path(group));
    }
    let flag = if wanted.stop_services { " --stop-services" } else { "" };
    let (config, data) = (quote::word(&wanted.config), quote::word(&wanted.data));
    let binary = quote::program(&wanted.binary);
    unit.set("ExecStart", &format!("{binary} run --config {config} --data {data}{flag}"));
    if !notify_reload {
        unit.why(
            "Saved files are read without it. The command ends when the signal is sent; `systemctl \
         status grace` and `grace status` say what became of it.",
        );
        unit.set("ExecReload", "/bin/kill -HUP $MAINPID");
    }
}

fn life(unit: &mut Unit, wanted: &Wanted) {
    unit.gap();
    unit.set("Restart", "always");
    unit.set("RestartSec", "2s");
    unit.why("A migration of a large journal takes its time.");
    unit.set("TimeoutStartSec", "5min");
    let watchdog = Span(wanted.tick.0.saturating_mul(TICKS)).max(AT_LEAST);
    unit.why(&format!(
        "Fed by each tick that stands in the journal; {TICKS} ticks of {} (at least {AT_LEAST}). \
         Print the unit anew when the interval in policies/system.toml grows.",
        wanted.tick
    ));
    unit.set("WatchdogSec", &format!("{}s", watchdog.0.saturating_add(999) / 1000));
    if wanted.stop_services {
        unit.why(
            "SIGTERM to Grace alone, who ends what she started, in order, a minute at the most. When she \
             is killed, hangs or fails it outlives her, and she finds it again.",
        );
        unit.set("KillMode", "process");
        unit.set("TimeoutStopSec", "90s");
    } else {
        unit.why(
            "Only Grace: what she started outlives her, and she finds it again. `systemctl stop \
         grace` stops no service; `grace unit --stop-services` prints a unit that does.",
        );
        unit.set("KillMode", "process");
        unit.why("What is under way gets 10 seconds to end, and is written down.");
        unit.set("TimeoutStopSec", "30s");
    }
    unit.why("She makes a cgroup for each service that she starts, to end all of it.");
    unit.set("Delegate", "yes");
    unit.why("A service that was killed for want of memory is hers to heal, and no reason to stop her.");
    unit.set("OOMPolicy", "continue");
}

/// Where she and what she starts find their files.
fn places(unit: &mut Unit, wanted: &Wanted) {
    let below = |path: &str, root: &str| path.strip_prefix(root).map(quote::path);
    unit.gap();
    let mut writable: Vec<String> = wanted.writable.iter().map(|dir| quote::path(dir)).collect();
    if let Some(name) = below(&wanted.data, "/var/lib/") {
        unit.set("StateDirectory", &name);
        if wanted.socket_group.is_some() {
            unit.why("Others go through to the socket, and see nothing else.");
        }
        unit.set("StateDirectoryMode", if wanted.socket_group.is_some() { "0711" } else { "0700" });
    } else {
        writable.insert(0, quote::path(&wanted.data));
    }
    if let Some(name) = below(&wanted.config, "/etc/") {
        unit.set("ConfigurationDirectory", &name);
    }
    unit.why(
        "For sockets and pid files of services; they outlive a restart of Grace as the services \
         do.",
    );
    unit.set("RuntimeDirectory", "grace");
    unit.set("RuntimeDirectoryPreserve", "yes");
    unit.gap();
    if wanted.user == "root" {
        unit.why("What services of other users write stays open, but /usr, /boot and /etc.");
        unit.set("ProtectSystem", "full");
    } else {
        unit.why(
            "Everything is read-only but what is named here. Services write as well: add their \
         directories in a drop-in, or print the unit with --writable DIR.",
        );
        unit.set("ProtectSystem", "strict");
        unit.set("ProtectHome", "read-only");
        unit.why(
            "Services meet their clients in /tmp, and outlive the one Grace that had a /tmp of her \
         own.",
        );
        unit.set("PrivateTmp", "no");
        writable.extend(["-/tmp".into(), "-/var/tmp".into()]);
    }
    if !writable.is_empty() {
        unit.why("What has no - in front has to be there, and to be hers, before the start.");
        unit.set("ReadWritePaths", &writable.join(" "));
    }
}

/// For a user of her own.
fn locked(unit: &mut Unit) {
    unit.why(
        "No way to more rights. A service on a port below 1024 needs CAP_NET_BIND_SERVICE in \
         both, in a drop-in; signals to other users' processes need CAP_KILL.",
    );
    unit.set("NoNewPrivileges", "yes");
    unit.set("CapabilityBoundingSet", "");
    unit.set("AmbientCapabilities", "");
    unit.set("RestrictSUIDSGID", "yes");
    unit.why("Disks, cameras, cards; /dev/null, /dev/random, /dev/shm and the like stay.");
    unit.set("PrivateDevices", "yes");
    unit.set("ProtectClock", "yes");
    unit.why("A container runtime or a browser as a service needs this one off.");
    unit.set("RestrictNamespaces", "yes");
    unit.why("What services of the system use; anything else fails with an error, and kills nobody.");
    unit.set("SystemCallFilter", "@system-service");
    unit.set("SystemCallErrorNumber", "EPERM");
    unit.why("What services write is for their user and group.");
    unit.set("UMask", "0027");
}

/// For root, who starts services of other users: what would keep those from their work is left out.
fn rooted(unit: &mut Unit) {
    unit.why(
        "As root: no NoNewPrivileges=, PrivateDevices=, RestrictNamespaces=, SystemCallFilter= \
         and ProtectHome=, because services of other users inherit them. Of root's powers those \
         go that change the machine itself.",
    );
    let gone = "~CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_TIME CAP_SYS_BOOT CAP_SYSLOG CAP_MAC_ADMIN CAP_BPF";
    unit.set("CapabilityBoundingSet", gone);
    unit.set("UMask", "0022");
}

/// What no service misses, and what has to stay open.
fn open(unit: &mut Unit) {
    for key in ["ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables"] {
        unit.set(key, "yes");
    }
    unit.set("LockPersonality", "yes");
    unit.set("RestrictRealtime", "yes");
    unit.set("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK");
    unit.set("SystemCallArchitectures", "native");
    unit.why(
        "Open on purpose: cgroups, because she makes some; the processes of others, because \
         probes look for them; writable code, because Java, Node, PostgreSQL and others compile \
         as they run; shared memory, because services outlive her.",
    );
    unit.set("ProtectControlGroups", "no");
    unit.set("ProtectProc", "default");
    unit.set("MemoryDenyWriteExecute", "no");
    unit.set("RemoveIPC", "no");
    unit.why("Services inherit the first, and may raise theirs up to the second.");
    unit.set("LimitNOFILE", "16384:524288");
    unit.why("A core holds what was in memory, secrets too.");
    unit.set("LimitCORE", "0");
}
