//! Being told by the kernel who sent a message: SO_PASSCRED and SCM_CREDENTIALS, unix(7).
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::seqpacket::Received;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd};

#[derive(Debug)]
enum Senders {
    Want,
    ReceiveFrom { room: usize },
}

impl Request for Senders {
    fn name(&self) -> &'static str {
        match self {
            Senders::Want => "setsockopt",
            Senders::ReceiveFrom { .. } => "recvmsg",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        match *self {
            Senders::Want => each("optname", Value::Symbol("SO_PASSCRED")),
            Senders::ReceiveFrom { room } => {
                each("room", Value::Number(room as i64));
                each("msg_control", Value::Symbol("SCM_CREDENTIALS"));
            }
        }
    }

    fn only_looks(&self) -> bool {
        true
    }
}

/// From now on the kernel says with each message that `socket` receives who sent it: SO_PASSCRED, unix(7).
pub fn want(socket: BorrowedFd<'_>) -> Result<()> {
    ask(Call::Other(&Senders::Want), || {
        let on: libc::c_int = 1;
        let length = size_of::<libc::c_int>() as libc::socklen_t;
        let (level, name) = (libc::SOL_SOCKET, libc::SO_PASSCRED);
        // SAFETY: the option is an int of the length passed.
        let answer =
            unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const on).cast(), length) };
        Errno::result(answer).map(drop)
    })
}

/// Room for the control data that say who sent a message, aligned as the kernel wants it.
#[repr(C)]
union Credentials {
    header: libc::cmsghdr,
    // SAFETY: the computation of a size touches nothing.
    room: [u8; unsafe { libc::CMSG_SPACE(size_of::<libc::ucred>() as u32) } as usize],
}

/// Take one message into `room`, and the pid of its sender as this process's pid namespace knows it (0 for one that it
/// does not know): SCM_CREDENTIALS, which the kernel fills in. On entry [`want`] was asked. Does not wait.
pub fn receive_from(socket: BorrowedFd<'_>, room: &mut [u8]) -> Result<(Received, i32)> {
    let mut pid = 0;
    let received = ask(Call::Other(&Senders::ReceiveFrom { room: room.len() }), || {
        let mut part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
        // SAFETY: all zeroes are a valid Credentials.
        let mut control: Credentials = unsafe { std::mem::zeroed() };
        // SAFETY: all zeroes are a valid msghdr.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = (&raw mut control).cast();
        message.msg_controllen = size_of::<Credentials>() as _;
        let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
        let answer = retry(|| {
            // SAFETY: the message and all it names live until the call returns.
            Errno::result(unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) })
        });
        match answer {
            Ok(0) | Err(Errno::ECONNRESET) => return Ok(Received::End),
            Err(Errno::EAGAIN) => return Ok(Received::Nothing),
            Err(errno) => return Err(errno),
            Ok(_) => {}
        }
        // SAFETY: the kernel has filled in the control data; a header of this kind is followed by a ucred.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            if !header.is_null() && (*header).cmsg_type == libc::SCM_CREDENTIALS {
                pid = libc::CMSG_DATA(header).cast::<libc::ucred>().read_unaligned().pid;
            }
        }
        Ok(Received::Message(answer? as usize))
    })?;
    Ok((received, pid))
}
