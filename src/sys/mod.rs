//! THE DOOR: every request this crate makes of the kernel passes through [`ask`].
//!
//! The folder holds the only `unsafe` and the only uses of `libc` and `nix`; one small file per family of
//! calls, each function named after its call and documented with its manual page. A function here does three
//! things: it describes the request as a [`Call`], hands it to [`ask`] together with the closure that makes
//! it, and turns the answer into an owned Rust value. It decides nothing.
//!
//! `ask` tells the [`observer`] what is about to be asked, asks, tells the answer, and builds the error. The
//! narration, the JSON trace, the equivalent shell commands, the error texts and the fault hook all hang on
//! that one line, so none of them can drift from what is executed. With no observer it is one load and one
//! branch around the call.

pub mod affinity;
mod answer;
pub mod append;
pub mod attribute;
pub mod bpf;
mod call;
pub mod cgroup_skb;
pub mod chroot;
pub mod command;
pub mod contents;
pub mod copy_tree;
pub mod datagram;
pub mod descriptor;
pub mod detach;
pub mod directory;
pub mod eventfd;
#[cfg(feature = "fault")]
mod fault;
pub mod file;
pub mod flags;
pub mod hold;
pub mod identity;
pub mod inode;
pub mod inotify;
pub mod ipc;
pub mod iterator;
pub mod knock;
pub mod local;
pub mod lock;
pub mod loop_device;
pub mod memfd;
pub mod memory;
pub mod mount;
pub mod namespace;
pub mod netlink;
pub mod notice;
pub mod observer;
pub mod orphan;
pub mod packet;
pub mod pipe;
pub mod plant;
pub mod process;
pub mod program;
pub mod pty;
pub mod ready;
pub mod relay;
pub mod remove;
pub mod rewrite;
pub mod security;
pub mod senders;
pub mod seqpacket;
pub mod signal;
pub mod socket;
pub mod standard;
pub mod stream;
pub mod syscalls;
pub mod terminal;
pub mod termios;
pub mod wire;
pub mod within;
pub mod zone;

pub use answer::{Answer, Tell};
pub use call::{Call, Request, Value};

use crate::error::{Error, Problem, Refusal, Result};
use nix::errno::Errno;

/// The error numbers that mechanisms tell apart, as in errno(3).
pub mod errno {
    pub use libc::{
        EACCES, EADDRINUSE, EAGAIN, EBUSY, ECHILD, ECONNREFUSED, EEXIST, EINVAL, EISDIR, ELOOP, EMFILE,
        ENETUNREACH, ENFILE, ENODATA, ENODEV, ENOENT, ENOEXEC, ENOMEM, ENOMSG, ENOSPC, ENOSYS, ENOTDIR,
        ENOTEMPTY, EOPNOTSUPP, EPERM, EPIPE, EROFS, ESRCH, ETIMEDOUT, ETXTBSY, EXDEV,
    };
}

/// Ask the kernel: tell the observer, make the request, tell the answer, build the error.
///
/// `call` must describe exactly what `request` does; the two stand side by side in each function of `sys`.
/// On failure the error holds the call, its arguments as the narration shows them, and the errno.
pub(crate) fn ask<T: Tell>(call: Call<'_>, request: impl FnOnce() -> nix::Result<T>) -> Result<T> {
    #[cfg(feature = "fault")]
    let verdict = fault::at_the_door();
    #[cfg(not(feature = "fault"))]
    let verdict: Option<Errno> = None;

    let Some(observer) = observer::installed() else {
        return verdict.map_or_else(request, Err).map_err(|errno| refused(&call, errno));
    };
    observer.asking(&call);
    let answer = verdict.map_or_else(request, Err);
    match &answer {
        Ok(value) => observer.answered(&call, &value.tell()),
        Err(errno) => observer.answered(&call, &Answer::refused(*errno)),
    }
    answer.map_err(|errno| refused(&call, errno))
}

/// The error for a refused call. Formatting happens only here, when something went wrong.
#[cold]
fn refused(call: &Call<'_>, errno: Errno) -> Error {
    let refusal = Refusal {
        call: call.name().to_owned(),
        args: call.to_arguments(),
        errno: errno as i32,
        name: format!("{errno:?}"),
        message: errno.desc().to_owned(),
    };
    Error { problem: Problem::Refused, refusal: Some(Box::new(refusal)) }
}
