//! Message queues, the System V kind and the POSIX kind: msgget(2), msgsnd(2), msgrcv(2), mq_open(3), mq_send(3),
//! mq_receive(3). See sysvipc(7) and mq_overview(7).
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::ffi::CString;

/// What is asked of a message queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the arguments of the manual pages")]
pub enum Queue<'a> {
    Msgget { key: i32, make: bool },
    Msgsnd { id: i32, text: &'a str },
    Msgrcv { id: i32 },
    MqOpen { name: &'a str, make: bool },
    MqUnlink { name: &'a str },
}

impl Request for Queue<'_> {
    fn name(&self) -> &'static str {
        match self {
            Queue::Msgget { .. } => "msgget",
            Queue::Msgsnd { .. } => "msgsnd",
            Queue::Msgrcv { .. } => "msgrcv",
            Queue::MqOpen { .. } => "mq_open",
            Queue::MqUnlink { .. } => "mq_unlink",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        use Value as V;
        match *self {
            Queue::Msgget { key, make } => {
                each("key", V::Hexadecimal(key as u64));
                each("msgflg", V::Symbol(if make { "IPC_CREAT|0600" } else { "0" }));
            }
            Queue::Msgsnd { id, text } => {
                each("msqid", V::Number(id.into()));
                each("msgp", V::Text(text));
            }
            Queue::Msgrcv { id } => {
                each("msqid", V::Number(id.into()));
                each("msgflg", V::Symbol("IPC_NOWAIT"));
            }
            Queue::MqOpen { name, make } => {
                each("name", V::Text(name));
                each("oflag", V::Symbol(if make { "O_RDWR|O_CREAT" } else { "O_RDWR" }));
            }
            Queue::MqUnlink { name } => each("name", V::Text(name)),
        }
    }
}

/// The System V queue with `key`, by its id; with `make`, made if it is not there. `ENOENT` when it is not.
pub fn msgget(key: i32, make: bool) -> Result<i32> {
    let flags = if make { libc::IPC_CREAT | 0o600 } else { 0 };
    ask(Call::Other(&Queue::Msgget { key, make }), || {
        // SAFETY: the call takes two integers.
        Errno::result(unsafe { libc::msgget(key, flags) })
    })
}

/// The longest text of a message here.
const LONGEST: usize = 64;

/// struct msgbuf of msgop(2).
#[repr(C)]
struct Message {
    kind: libc::c_long,
    text: [u8; LONGEST],
}

/// Put `text`, of at most 64 bytes, into a System V queue.
pub fn msgsnd(id: i32, text: &str) -> Result<()> {
    ask(Call::Other(&Queue::Msgsnd { id, text }), || {
        let mut message = Message { kind: 1, text: [0; LONGEST] };
        let length = text.len().min(LONGEST);
        message.text[..length].copy_from_slice(&text.as_bytes()[..length]);
        // SAFETY: `message` is a struct msgbuf with at least `length` bytes of text.
        Errno::result(unsafe { libc::msgsnd(id, (&raw const message).cast(), length, libc::IPC_NOWAIT) })
            .map(drop)
    })
}

/// Take the next message out of a System V queue. `ENOMSG` when it is empty.
pub fn msgrcv(id: i32) -> Result<String> {
    ask(Call::Other(&Queue::Msgrcv { id }), || {
        let mut message = Message { kind: 0, text: [0; LONGEST] };
        // SAFETY: `message` has room for LONGEST bytes of text.
        let length = Errno::result(unsafe {
            libc::msgrcv(id, (&raw mut message).cast(), LONGEST, 0, libc::IPC_NOWAIT)
        })?;
        Ok(String::from_utf8_lossy(&message.text[..length as usize]).into_owned())
    })
}

/// Open the POSIX queue `name` (`/NAME`); with `make`, make it if it is not there. It is closed at once: only that it
/// can be found is asked here, and a queue lasts until it is unlinked or its IPC namespace ends. `ENOENT` when it is
/// not there.
pub fn mq_open(name: &str, make: bool) -> Result<()> {
    ask(Call::Other(&Queue::MqOpen { name, make }), || {
        let c_name = CString::new(name).map_err(|_| Errno::EINVAL)?;
        let flags = libc::O_RDWR | libc::O_CLOEXEC | if make { libc::O_CREAT } else { 0 };
        let no_attributes = std::ptr::null::<libc::mq_attr>();
        // SAFETY: the name is NUL-terminated; mode and attributes are read only with O_CREAT, and null attributes
        // ask for the default.
        let queue =
            retry(|| Errno::result(unsafe { libc::mq_open(c_name.as_ptr(), flags, 0o600, no_attributes) }))?;
        // SAFETY: the descriptor was just opened, and is used by nobody else.
        Errno::result(unsafe { libc::mq_close(queue) }).map(drop)
    })
}

/// Remove the name of a POSIX queue; the queue goes with it when nobody has it open.
pub fn mq_unlink(name: &str) -> Result<()> {
    ask(Call::Other(&Queue::MqUnlink { name }), || {
        let c_name = CString::new(name).map_err(|_| Errno::EINVAL)?;
        // SAFETY: the name is NUL-terminated.
        Errno::result(unsafe { libc::mq_unlink(c_name.as_ptr()) }).map(drop)
    })
}
