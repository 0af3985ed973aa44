//! `--step`: before a step, say how to look from a second terminal, and wait for Enter.

use super::page::{Ink, Page};
use super::words::{Label, Lang, StepWords};
use crate::error::{Error, Problem, Result};
use crate::sys::file::{self, Kind};
use crate::sys::signal::interruptible;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

/// The numbers of `/dev/null`.
const NULL: (u32, u32) = (1, 3);

/// Waits for a person.
///
/// It reads the terminal itself, not standard input, which belongs to the command in the container; without a
/// terminal it reads standard input, so that a script can press Enter too.
#[derive(Debug)]
pub struct Gate {
    input: File,
    /// The person's Enter is echoed by the terminal and ends the line of the prompt.
    echoes: bool,
    open: bool,
}

impl Gate {
    /// A gate at the controlling terminal or, if there is none, at standard input. `StepNeedsTerminal` when that is
    /// closed or `/dev/null`: nobody ever was there to wait for. (What was closed when we started, Rust's own
    /// start-up opened as `/dev/null`.)
    pub fn new() -> Result<Self> {
        if let Ok(terminal) = file::open_file("/dev/tty".as_ref(), 0, 0) {
            return Ok(Self { input: terminal.into(), echoes: true, open: false });
        }
        let nobody = || Error::new(Problem::StepNeedsTerminal);
        let stdin = std::io::stdin().as_fd().try_clone_to_owned().map_err(|_| nobody())?;
        let status = file::descriptor_status(stdin.as_fd(), "/dev/stdin".as_ref())?;
        if status.kind == Kind::Character && status.device == NULL {
            return Err(nobody());
        }
        Ok(Self { input: stdin.into(), echoes: false, open: false })
    }

    /// Say how to look at process `pid`, and wait.
    pub fn wait(&mut self, page: &Page, lang: Lang, words: &StepWords, pid: u32) {
        if !words.look.is_empty() {
            page.set(3, 5, &[(Ink::Faint, Label::Look.get(lang))]);
        }
        for command in words.look {
            page.set(5, 7, &[(Ink::Command, &command.replace("PID", &pid.to_string()))]);
        }
        self.pause(page, lang);
    }

    /// Wait. After an end of file, go on without waiting ever again.
    pub fn pause(&mut self, page: &Page, lang: Lang) {
        if self.open {
            return;
        }
        page.prompt(3, Label::Enter.get(lang));
        self.open = !interruptible(|| self.read_line());
        if self.open || !self.echoes {
            page.blank();
        }
    }

    /// Take one line and nothing beyond it; false at end of file.
    fn read_line(&mut self) -> bool {
        let mut byte = [0];
        loop {
            match self.input.read(&mut byte) {
                Ok(0) => return false,
                Ok(_) if byte[0] == b'\n' => return true,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }
}
