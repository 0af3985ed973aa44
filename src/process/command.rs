//! The last act: find the command, and become it.

use crate::error::{Error, InsideProblem, Meaning, Problem, Result};
use crate::sys::errno::{EACCES, EISDIR, ENOENT, ENOEXEC, ENOTDIR, EPERM, EPIPE};
use crate::sys::file::{self, Kind};
use crate::sys::flags::O_RDWR;
use crate::sys::process::{self, Child, Ended, Forked, Program};
use crate::sys::{contents, descriptor, directory, observer, standard};
use std::convert::Infallible;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A command that was found, ready to be executed.
#[derive(Debug)]
pub struct Command {
    path: PathBuf,
    name: String,
    program: Program,
}

/// Find `argv[0]`: a path if it has a slash in it, else a name to be looked for in the `PATH` of `environment`.
///
/// Looked for as the user and in the root and directory that the command will have. Not found is exit status
/// 127; found but not executable is 126.
pub fn find(argv: &[String], environment: &[String]) -> Result<Command> {
    let name = argv.first().cloned().unwrap_or_default();
    let ready =
        |path: PathBuf| Command { path, name: name.clone(), program: Program::new(argv, environment) };
    if name.contains('/') {
        return Ok(ready(name.clone().into()));
    }
    let path =
        environment.iter().find_map(|variable| variable.strip_prefix("PATH=")).unwrap_or("/bin:/usr/bin");
    let mut denied = None;
    for directory in path.split(':').filter(|_| !name.is_empty()) {
        let candidate = Path::new(if directory.is_empty() { "." } else { directory }).join(&name);
        match file::access(&candidate, true) {
            Ok(()) if file::status(&candidate).is_ok_and(|status| status.kind != Kind::Directory) => {
                return Ok(ready(candidate));
            }
            Err(error) if error.is(EACCES) => denied = Some(error),
            _ => {}
        }
    }
    match denied {
        Some(error) => Err(error).meaning(|| Problem::CommandNotExecutable { name: name.clone() }),
        None => Err(Error::new(Problem::CommandNotFound { name: name.clone() })),
    }
}

impl Command {
    /// Become the command. Returns only when the kernel refuses.
    pub fn execute(&self) -> Result<Infallible> {
        let name = || self.name.clone();
        match self.program.execve(&self.path) {
            Err(error) if error.is(ENOENT) || error.is(ENOTDIR) => {
                Err(error).meaning(|| Problem::CommandNotFound { name: name() })
            }
            Err(error) if [EACCES, EPERM, ENOEXEC, EISDIR].iter().any(|errno| error.is(*errno)) => {
                Err(error).meaning(|| Problem::CommandNotExecutable { name: name() })
            }
            answer => answer,
        }
    }
}

/// Leave the person's terminal session, so that no key pressed and no ioctl(TIOCSTI) reaches across.
pub fn leave_session() -> Result<()> {
    process::setsid()
}

/// Let go of the person's terminal and files: the standard three become `/dev/null`, and what else whoever started this
/// program had left open is closed. What this program opened itself is close-on-exec, and stays.
pub fn let_go() -> Result<()> {
    let null = Path::new("/dev/null");
    standard::become_standard(&file::open_file(null, O_RDWR, 0)?, null)?;
    standard::close_inherited()
}

/// The same, but for standard error where somebody tells there of the requests that this process makes.
pub fn let_go_but_tell() -> Result<()> {
    let path = Path::new("/dev/null");
    let null = file::open_file(path, O_RDWR, 0)?;
    let numbers = if observer::is_installed() { 0..2 } else { 0..3 };
    numbers.into_iter().try_for_each(|number| descriptor::become_standard(&null, path, number))?;
    standard::close_inherited()
}

/// Stand where nobody's directory is kept from being unmounted.
pub fn stand_at_root() -> Result<()> {
    file::chdir(Path::new("/"))
}

/// Set the permission bits that new files do not get.
pub fn set_umask(mask: u32) -> Result<()> {
    file::umask(mask)
}

/// Mark all descriptors but the standard three to be closed by exec, whoever opened them: a directory of the
/// host's left open would be a way out (CVE-2024-21626).
pub fn keep_no_descriptors() -> Result<()> {
    process::close_on_exec_from(3)
}

/// Close all descriptors but the standard three, in a pid 1 that stays behind as reaper: it lives as long as the
/// container, and would keep open the host's files, the runtime's pipes and its locks. It ends by [`exit_now`].
pub fn close_descriptors() -> Result<()> {
    process::close_from(3)
}

/// Stand in `workdir`, and see that it lies inside: a path that leads through the magic links of `/proc` could end at
/// whatever directory of the host's this process has open (CVE-2024-21626).
pub fn stand_in(workdir: &Path) -> Result<()> {
    let missing = || Problem::WorkdirMissing { path: workdir.display().to_string() };
    file::chdir(workdir).meaning(missing)?;
    match directory::working_directory().meaning(missing)?.is_absolute() {
        true => Ok(()),
        false => Err(Error::new(missing())),
    }
}

/// The text of a file of variables that the person named.
pub fn read_variables(path: &Path) -> Result<String> {
    const MEBIBYTES: u64 = 16;
    contents::read_whole(path, MEBIBYTES)
        .meaning(|| Problem::Inside(InsideProblem::EnvFile { path: path.display().to_string() }))
}

/// Split into two: the parent goes on as pid 1 and learns its child's pid, the child is to become the command.
pub fn fork() -> Result<Option<i32>> {
    process::fork()
}

/// Split into two in the same namespaces: the parent gets a descriptor of its child.
pub fn split() -> Result<Forked> {
    process::split()
}

/// A pipe between the two: the reading end and the writing end.
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    crate::sys::pipe::pipe()
}

/// Let the process at the other end of a pipe go on. One that has ended already is not missed; one that could not be told
/// ends.
pub fn tell_go(end: OwnedFd) -> Result<()> {
    match crate::sys::pipe::write_all(end.as_fd(), b"g") {
        Err(error) if error.is(EPIPE) => Ok(()),
        answer => answer,
    }
}

/// Wait until the process at the other end of a pipe says so; when it ends without a word, end too.
pub fn wait_for_go(end: &OwnedFd) -> Result<()> {
    match crate::sys::pipe::read_byte(end.as_fd())? {
        Some(_) => Ok(()),
        None => process::exit_now(125),
    }
}

/// Wait for the end of a child, and reap it.
pub fn wait(child: &Child) -> Result<Ended> {
    process::wait(child)
}

/// End this process at once, with `status`.
pub fn exit_now(status: u8) -> ! {
    process::exit_now(status.into())
}
