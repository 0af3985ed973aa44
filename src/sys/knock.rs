//! Make a system call only to see how it is answered: is there a filter at this door, or does the kernel itself speak?
#![allow(unsafe_code)]

use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;

#[derive(Debug)]
struct Knock {
    name: &'static str,
    argument: u64,
}

impl Request for Knock {
    fn name(&self) -> &'static str {
        self.name
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("argument", Value::Number(self.argument as i64));
    }
}

/// Make the call with this number, every argument 0, and return its errno; 0 if it succeeds.
///
/// On entry the number is of a call that does no harm with such arguments: it fails (`EFAULT`, `EINVAL`), or makes a
/// descriptor.
pub fn answer(number: u32) -> i32 {
    let knock = Knock { name: "syscall", argument: number.into() };
    let asked = ask(Call::Other(&knock), || {
        // SAFETY: no argument points anywhere; which numbers are given is the caller's duty, above.
        Errno::result(unsafe { libc::syscall(libc::c_long::from(number), 0, 0, 0, 0, 0, 0) }).map(drop)
    });
    asked.err().and_then(|error| error.errno()).unwrap_or(0)
}

/// Make a child by the old clone(2), with these flags, and wait for its end: it ends at once.
///
/// A filter sees the flags here, in the first argument, and not in clone3(2), where they stand in memory.
pub fn clone(flags: u64) -> Result<()> {
    let knock = Knock { name: "clone", argument: flags };
    ask(Call::Other(&knock), || {
        let flags = flags | libc::SIGCHLD as u64;
        // SAFETY: as fork(2): no stack is given, and the child makes one call, which does not return.
        let pid = Errno::result(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })?;
        if pid == 0 {
            // SAFETY: the call takes an integer.
            unsafe { libc::_exit(0) };
        }
        // SAFETY: the status is not asked for.
        Errno::result(unsafe { libc::waitpid(pid as i32, std::ptr::null_mut(), 0) }).map(drop)
    })
}

/// The name of an error number: `EPERM`.
pub fn name(errno: i32) -> String {
    format!("{:?}", Errno::from_raw(errno))
}
