//! This program's own file, which a process on its way into a container brings along.

use super::supervise;
use crate::error::Result;
use crate::sys::errno::{EACCES, ENOENT, EPERM, ESRCH};
use crate::sys::{file, memfd};
use std::path::Path;

const OWN: &str = "/proc/self/exe";

/// See that no process of a container can write to the file that this process executes, whatever way it finds to it.
///
/// The kernel refuses that (`ETXTBSY`) while anybody executes it. The parent of `first`, the container's first process,
/// does so for longer than there is a process in the container; if it is the same file, nothing is to be done. Else this
/// process begins anew, with the same arguments, as a copy of the file in memory that nobody can change: this function
/// does not return then.
pub fn be_out_of_reach(first: i32) -> Result<()> {
    if memfd::is_sealed(Path::new(OWN))? || is_executed_by(supervise::parent_of(first)?)? {
        return Ok(());
    }
    match memfd::become_program(&memfd::sealed_copy(Path::new(OWN))?)? {}
}

/// Whether process `pid` executes the file that this process executes. One that may not be looked at does not.
fn is_executed_by(pid: i32) -> Result<bool> {
    let own = file::status(Path::new(OWN))?.identity;
    match file::status(Path::new(&format!("/proc/{pid}/exe"))) {
        Err(error) if [EACCES, EPERM, ENOENT, ESRCH].iter().any(|errno| error.is(*errno)) => Ok(false),
        status => Ok(status?.identity == own),
    }
}
