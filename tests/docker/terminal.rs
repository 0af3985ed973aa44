//! A terminal with a person at it: the test has the master, and what it starts has the slave.

use crate::common::space::Space;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long anything may take to be said.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Terminal {
    master: PtyMaster,
    name: String,
    process: Child,
    seen: String,
}

impl Terminal {
    /// `minidocker` with `arguments` at a new terminal of 30 lines of 100 characters.
    pub fn start(space: &Space, arguments: &[&str]) -> Self {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname_r(&master).unwrap();
        stty(&name, &["rows", "30", "cols", "100"]);
        let slave = || File::options().read(true).write(true).open(&name).unwrap();
        let mut command = space.command_through(&["setsid", "--ctty"]);
        command.args(arguments).stdin(slave()).stdout(slave()).stderr(slave());
        let process = command.spawn().unwrap();
        Self { master, name, process, seen: String::new() }
    }

    /// Type.
    pub fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Wait until `text` is seen after all that was seen before.
    pub fn expect(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{text:?} is not in {:?}", self.seen);
            let mut one = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
            if poll(&mut one, PollTimeout::from(100u16)).unwrap() > 0 {
                let mut block = [0; 4096];
                let count = self.master.read(&mut block).unwrap_or(0);
                assert!(count > 0, "{text:?} is not in {:?}, and no more comes", self.seen);
                self.seen += &String::from_utf8_lossy(&block[..count]);
            }
        }
    }

    /// Make it another size.
    pub fn resize(&self, rows: u32, columns: u32) {
        stty(&self.name, &["rows", &rows.to_string(), "cols", &columns.to_string()]);
    }

    /// Whether every key goes to who reads, as it is.
    pub fn is_raw(&self) -> bool {
        stty(&self.name, &["-a"]).contains("-icanon")
    }

    /// Send a signal to `minidocker`.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id() as i32), signal).unwrap();
    }

    /// Wait for the end of `minidocker`; its exit status.
    pub fn end(&mut self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code().or(status.signal().map(|signal| 128 + signal)).unwrap();
            }
            assert!(start.elapsed() < PATIENCE, "minidocker does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn stty(terminal: &str, words: &[&str]) -> String {
    let output = Command::new("stty").args(["-F", terminal]).args(words).output().unwrap();
    assert!(output.status.success(), "stty: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A container that was started in the background, and is removed in the end.
pub struct Background<'a>(pub &'a Space);

impl<'a> Background<'a> {
    /// `run -d --name NAME OPTIONS base sh -c SCRIPT`.
    pub fn start(space: &'a Space, name: &str, options: &[&str], script: &str) -> Self {
        let words = [&["run", "-d", "--network", "none", "--name", name], options].concat();
        let started = space.minidocker(&[&words[..], &["base", "sh", "-c", script]].concat());
        assert_eq!(started.status, 0, "{}", started.err);
        Self(space)
    }
}

impl Drop for Background<'_> {
    fn drop(&mut self) {
        for id in self.0.containers() {
            let _ = self.0.minidocker(&["rm", "-f", &id]);
        }
    }
}

/// Look until `done`, for what no file descriptor announces.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
