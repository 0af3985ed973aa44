//! One line of output in a fixed buffer: formatted without allocating, sent in one write(2).
//!
//! Two reasons. Both processes of a run speak into the same standard error and the same trace file, and a
//! single write of less than 4 KiB is not torn apart there. And once the seccomp filter is loaded a process
//! must do nothing but write, so it may not ask the allocator for memory, which may ask the kernel.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd;
use std::sync::OnceLock;

/// The longest line, with its newline.
pub const LONGEST: usize = 4095;

/// Room kept for what closes a line that was cut: a reset of the colour, the mark, the newline.
const RESERVE: usize = 16;

/// Text under construction. Writing to it cannot fail: what does not fit is dropped and remembered in `cut`.
pub struct Line {
    bytes: [u8; LONGEST],
    length: usize,
    cut: bool,
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self { bytes: [0; LONGEST], length: 0, cut: false }
    }

    /// Start again.
    pub fn clear(&mut self) {
        self.length = 0;
        self.cut = false;
    }

    /// Whether something did not fit.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Append text; all of it, or as many whole characters as fit.
    pub fn push(&mut self, text: &str) {
        let room = if self.cut { 0 } else { LONGEST - RESERVE - self.length };
        let mut end = text.len().min(room);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.cut |= end < text.len();
        self.bytes[self.length..self.length + end].copy_from_slice(&text.as_bytes()[..end]);
        self.length += end;
    }

    /// What was written so far.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    /// Append the newline, after a mark and `reset` if the line was cut, and hand everything to `out`.
    pub fn send(&mut self, out: &Out, reset: &str) {
        if self.cut {
            self.append(reset.as_bytes());
            self.append("…".as_bytes());
        }
        self.append(b"\n");
        out.write(&self.bytes[..self.length]);
        self.clear();
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = (self.length + bytes.len()).min(LONGEST);
        self.bytes[self.length..end].copy_from_slice(&bytes[..end - self.length]);
        self.length = end;
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// Where lines go.
#[derive(Debug)]
pub enum Out {
    /// Standard error, which every process of a run shares.
    Stderr,
    /// Standard output, where a demo tells its story.
    Stdout,
    /// A file opened for appending.
    File(File),
}

/// Standard error as it was when this process still had it; close-on-exec.
static STDERR: OnceLock<File> = OnceLock::new();

/// Go on writing to what is standard error now, when descriptor 2 becomes another file.
pub fn keep_stderr() {
    if let Ok(own) = std::io::stderr().as_fd().try_clone_to_owned() {
        let _ = STDERR.set(own.into());
    }
}

impl Out {
    /// One write(2). That nobody may be listening is no reason to fail.
    pub fn write(&self, bytes: &[u8]) {
        let _ = match self {
            Out::Stderr => match STDERR.get() {
                Some(mut own) => own.write_all(bytes),
                None => std::io::stderr().write_all(bytes),
            },
            // Flushed line by line, so a fork finds nothing to print twice.
            Out::Stdout => {
                let mut out = std::io::stdout();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Out::File(file) => (&*file).write_all(bytes),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_fit_is_cut_between_characters() {
        let mut line = Line::new();
        line.push(&"界".repeat(2000));
        assert!(line.is_cut());
        assert!(line.as_str().len() <= LONGEST - RESERVE);
        assert!(line.as_str().chars().all(|character| character == '界'));
        line.push("x");
        assert!(!line.as_str().ends_with('x'), "nothing follows a cut");
    }
}
