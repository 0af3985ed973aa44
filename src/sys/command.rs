//! Run another program and take what it says: fork, execve and waitid in one request.
//!
//! Two programs are run in this crate: the host's `iptables-restore`/`iptables-save`, since the rules it is
//! given are the lesson, and the dynamic loader (`ld.so --list`), since only it knows what it would load.

use super::pipe::retry;
use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a program left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit status; 128 plus the signal if one ended it.
    pub status: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Run `program` with `arguments` and `stdin` as its standard input; wait until it ends. The error is about
/// starting it (`ENOENT`, `EACCES`); what it thinks of its task is in [`Output::status`].
///
/// The whole of `stdin` is written before its output is read: it must fit a pipe (64 KiB).
pub fn run(program: &Path, arguments: &[&str], stdin: &str) -> Result<Output> {
    let mut output = None;
    ask(Call::Command { program, arguments, stdin }, || {
        let done = retry(|| {
            spawn(program, arguments, stdin)
                .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
        })?;
        let status = done.status;
        output = Some(done);
        Ok(status)
    })?;
    output.ok_or_else(|| crate::error::Error::new(crate::error::Problem::Refused))
}

fn spawn(program: &Path, arguments: &[&str], stdin: &str) -> std::io::Result<Output> {
    use std::os::unix::process::ExitStatusExt;
    let mut command = Command::new(program);
    die_with_parent(&mut command);
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // The pipe is dropped, and so closed, at the end of the statement. A reader that went early is its affair.
    let _ = child.stdin.take().map(|mut pipe| pipe.write_all(stdin.as_bytes()));
    let output = child.wait_with_output()?;
    let status = output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Output { status, stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

/// A program that outlived us could still act after somebody has cleared up behind us: let it die with us.
#[allow(unsafe_code)]
fn die_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let die = || {
        // SAFETY: prctl with integers is allowed between fork and exec.
        let answer = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        Errno::result(answer).map(drop).map_err(std::io::Error::from)
    };
    // SAFETY: `die` makes one system call and allocates nothing.
    unsafe { command.pre_exec(die) };
}
