//! Connections between processes of one machine that keep messages whole: unix(7) with SOCK_SEQPACKET; and the passing
//! of open files along them: SCM_RIGHTS.
//!
//! A socket lies in a directory like a file, and a name for it may have no more than 107 bytes. So the directory is
//! opened first, and where its path is longer, the name given is `/proc/self/fd/N/NAME`.
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[derive(Debug)]
enum Seqpacket<'a> {
    Socketpair,
    Bind { path: &'a Path },
    Connect { path: &'a Path },
    Accept,
    Send { bytes: usize },
    Receive { room: usize },
    SendDescriptor { descriptor: RawFd },
    ReceiveDescriptor,
}

impl Request for Seqpacket<'_> {
    fn name(&self) -> &'static str {
        match self {
            Seqpacket::Socketpair => "socketpair",
            Seqpacket::Bind { .. } => "bind",
            Seqpacket::Connect { .. } => "connect",
            Seqpacket::Accept => "accept4",
            Seqpacket::Send { .. } | Seqpacket::SendDescriptor { .. } => "sendmsg",
            Seqpacket::Receive { .. } | Seqpacket::ReceiveDescriptor => "recvmsg",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        match *self {
            Seqpacket::Socketpair => {
                each("domain", Value::Symbol("AF_UNIX"));
                each("type", Value::Symbol("SOCK_SEQPACKET|SOCK_CLOEXEC"));
            }
            Seqpacket::Bind { path } | Seqpacket::Connect { path } => each("sun_path", Value::Path(path)),
            Seqpacket::Accept => {}
            Seqpacket::Send { bytes } => each("bytes", Value::Number(bytes as i64)),
            Seqpacket::Receive { room } => each("room", Value::Number(room as i64)),
            Seqpacket::SendDescriptor { descriptor } => each("SCM_RIGHTS", Value::Number(descriptor.into())),
            Seqpacket::ReceiveDescriptor => each("msg_control", Value::Symbol("SCM_RIGHTS")),
        }
    }

    fn only_looks(&self) -> bool {
        !matches!(self, Seqpacket::Bind { .. } | Seqpacket::SendDescriptor { .. })
    }
}

/// What came of asking for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// One of so many bytes.
    Message(usize),
    /// None just now.
    Nothing,
    /// None any more: the other side has closed its end.
    End,
}

impl super::Tell for Received {
    fn tell(&self) -> super::Answer<'_> {
        match self {
            Received::Message(bytes) => super::Answer::Number(*bytes as i64),
            Received::Nothing | Received::End => super::Answer::Number(0),
        }
    }
}

/// Two connected ends, close-on-exec; what is written to one is read from the other.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    ask(Call::Other(&Seqpacket::Socketpair), || {
        let mut ends = [-1; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        // SAFETY: `ends` has room for two descriptors.
        Errno::result(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
        // SAFETY: the kernel has just returned both; nobody else owns them.
        Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
    })
}

fn socket(flags: libc::c_int) -> nix::Result<OwnedFd> {
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | flags;
    // SAFETY: the call takes three integers.
    let descriptor = Errno::result(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// The address of `name` in the open `directory`, whose path is `above`.
fn address(directory: BorrowedFd<'_>, above: &Path, name: &str) -> nix::Result<libc::sockaddr_un> {
    let mut address =
        libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path: [0; 108] };
    let fits = |path: &Path| path.as_os_str().len() < address.sun_path.len();
    let by_descriptor = || format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()).into();
    let path = Some(above.join(name)).filter(|path| fits(path)).unwrap_or_else(by_descriptor);
    if !fits(&path) {
        return Err(Errno::ENAMETOOLONG);
    }
    for (place, byte) in address.sun_path.iter_mut().zip(path.as_os_str().as_bytes()) {
        *place = *byte as libc::c_char;
    }
    Ok(address)
}

const LENGTH: libc::socklen_t = size_of::<libc::sockaddr_un>() as libc::socklen_t;

/// Listen as `name` in the open `directory`, whose path is `above`. Accepting does not wait. `EADDRINUSE` when there is
/// such a name already, be it of one who listens no more.
pub fn listen(directory: BorrowedFd<'_>, above: &Path, name: &str) -> Result<OwnedFd> {
    ask(Call::Other(&Seqpacket::Bind { path: &above.join(name) }), || {
        let socket = socket(libc::SOCK_NONBLOCK)?;
        let address = address(directory, above, name)?;
        // SAFETY: the address is a sockaddr_un of the length passed.
        Errno::result(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), LENGTH) })?;
        // SAFETY: the call takes two integers.
        Errno::result(unsafe { libc::listen(socket.as_raw_fd(), 16) })?;
        Ok(socket)
    })
}

/// Connect to who listens as `name` in the open `directory`, whose path is `above`. `ENOENT` when nobody ever did,
/// `ECONNREFUSED` when nobody does any more.
pub fn connect(directory: BorrowedFd<'_>, above: &Path, name: &str) -> Result<OwnedFd> {
    ask(Call::Other(&Seqpacket::Connect { path: &above.join(name) }), || {
        let socket = socket(0)?;
        let address = address(directory, above, name)?;
        retry(|| {
            // SAFETY: the address is a sockaddr_un of the length passed.
            Errno::result(unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), LENGTH) })
        })?;
        Ok(socket)
    })
}

/// Take the next connection to `listener`; `None` when there is none just now.
pub fn accept(listener: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    ask(Call::Other(&Seqpacket::Accept), || {
        let none = std::ptr::null_mut();
        let answer = retry(|| {
            // SAFETY: the address of the other side is not asked for.
            Errno::result(unsafe {
                libc::accept4(listener.as_raw_fd(), none, none.cast(), libc::SOCK_CLOEXEC)
            })
        });
        match answer {
            Err(Errno::EAGAIN | Errno::ECONNABORTED) => Ok(None),
            // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
            answer => answer.map(|descriptor| Some(unsafe { OwnedFd::from_raw_fd(descriptor) })),
        }
    })
}

/// Send `parts`, one after the other, as one message. Does not wait: `false` when there is no room for it now. `EPIPE` or
/// `ECONNRESET` when the other side has gone.
pub fn send(socket: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> Result<bool> {
    let bytes = parts.iter().map(|part| part.len()).sum();
    ask(Call::Other(&Seqpacket::Send { bytes }), || {
        // SAFETY: all zeroes are a valid msghdr, with neither address nor control data.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = parts.as_ptr().cast_mut().cast();
        message.msg_iovlen = parts.len() as _;
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        let answer = retry(|| {
            // SAFETY: an IoSlice has the layout of an iovec, and the kernel only reads what they name.
            Errno::result(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags) })
        });
        match answer {
            Err(Errno::EAGAIN) => Ok(false),
            answer => answer.map(|_| true),
        }
    })
}

/// Take one message into `room`; what does not fit is lost. Does not wait. Messages that were sent before the other
/// side closed its end are all received.
pub fn receive(socket: BorrowedFd<'_>, room: &mut [u8]) -> Result<Received> {
    ask(Call::Other(&Seqpacket::Receive { room: room.len() }), || {
        loop {
            let (at, length) = (room.as_mut_ptr().cast(), room.len());
            // SAFETY: `room` is `length` bytes long.
            let answer = unsafe { libc::recv(socket.as_raw_fd(), at, length, libc::MSG_DONTWAIT) };
            match Errno::result(answer) {
                Ok(0) => break Ok(Received::End),
                Ok(bytes) => break Ok(Received::Message(bytes as usize)),
                Err(Errno::EAGAIN) => break Ok(Received::Nothing),
                // Said once when the other side closed before it had read all; what it has sent comes after.
                Err(Errno::EINTR | Errno::ECONNRESET) => {}
                Err(errno) => break Err(errno),
            }
        }
    })
}

/// Room for the control data that carry one descriptor, aligned as the kernel wants it.
#[repr(C)]
union Control {
    header: libc::cmsghdr,
    // SAFETY: the computation of a size touches nothing.
    room: [u8; unsafe { libc::CMSG_SPACE(size_of::<RawFd>() as u32) } as usize],
}

/// A message of one byte, with room for the control data of one descriptor. `byte` and `control` live as long as it.
fn message_with(byte: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: all zeroes are a valid msghdr.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = byte;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut *control).cast();
    message.msg_controllen = size_of::<Control>() as _;
    message
}

/// Pass an open file to the other side of `socket`, which gets a descriptor of its own for it.
pub fn send_descriptor(socket: BorrowedFd<'_>, descriptor: BorrowedFd<'_>) -> Result<()> {
    ask(Call::Other(&Seqpacket::SendDescriptor { descriptor: descriptor.as_raw_fd() }), || {
        let mut byte = b'f';
        let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        // SAFETY: all zeroes are a valid Control.
        let mut control: Control = unsafe { std::mem::zeroed() };
        let message = message_with(&mut part, &mut control);
        // SAFETY: the message's control data have room for one header and one descriptor.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as _;
            libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(descriptor.as_raw_fd());
        }
        retry(|| {
            // SAFETY: the message and all it names live until the call returns.
            Errno::result(unsafe {
                libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
            })
        })
        .map(drop)
    })
}

/// Take the open file that was passed; `None` when the other side closed its end, or sent a message without one. Waits.
pub fn receive_descriptor(socket: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    ask(Call::Other(&Seqpacket::ReceiveDescriptor), || {
        let mut byte = 0u8;
        let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        // SAFETY: all zeroes are a valid Control.
        let mut control: Control = unsafe { std::mem::zeroed() };
        let mut message = message_with(&mut part, &mut control);
        retry(|| {
            // SAFETY: the message and all it names are valid to write to.
            Errno::result(unsafe {
                libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC)
            })
        })?;
        // SAFETY: the kernel has filled in the control data and their length; a descriptor in them is new, and
        // nobody else owns it.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            if header.is_null()
                || (*header).cmsg_level != libc::SOL_SOCKET
                || (*header).cmsg_type != libc::SCM_RIGHTS
            {
                return Ok(None);
            }
            Ok(Some(OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned())))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn messages_stay_whole_and_an_end_is_seen_after_them() {
        let (one, other) = pair().unwrap();
        assert!(send(one.as_fd(), &[IoSlice::new(b"a"), IoSlice::new(b"bc")]).unwrap());
        assert!(send(one.as_fd(), &[IoSlice::new(b"d")]).unwrap());
        // Left unread by the one who closes: the other must not lose what was sent to it.
        assert!(send(other.as_fd(), &[IoSlice::new(b"unread")]).unwrap());
        drop(one);
        let mut room = [0; 8];
        assert_eq!(receive(other.as_fd(), &mut room).unwrap(), Received::Message(3));
        assert_eq!(&room[..3], b"abc");
        assert_eq!(receive(other.as_fd(), &mut room).unwrap(), Received::Message(1));
        assert_eq!(receive(other.as_fd(), &mut room).unwrap(), Received::End);
        assert!(send(other.as_fd(), &[IoSlice::new(b"x")]).is_err());
    }

    #[test]
    fn a_full_socket_takes_nothing_more_and_keeps_what_it_has() {
        let (one, other) = pair().unwrap();
        let block = [7; 16 << 10];
        let taken = (0..1000).take_while(|_| send(one.as_fd(), &[IoSlice::new(&block)]).unwrap()).count();
        assert!((1..1000).contains(&taken));
        let mut room = [0; 16 << 10];
        for _ in 0..taken {
            assert_eq!(receive(other.as_fd(), &mut room).unwrap(), Received::Message(16 << 10));
        }
        assert_eq!(receive(other.as_fd(), &mut room).unwrap(), Received::Nothing);
    }

    #[test]
    fn an_open_file_passes() {
        let (one, other) = pair().unwrap();
        let (out, into) = super::super::pipe::pipe().unwrap();
        send_descriptor(one.as_fd(), into.as_fd()).unwrap();
        let passed = receive_descriptor(other.as_fd()).unwrap().unwrap();
        drop(into);
        super::super::pipe::write_all(passed.as_fd(), b"x").unwrap();
        drop(passed);
        assert_eq!(super::super::pipe::read_to_end(out.as_fd()).unwrap(), b"x");
        drop(one);
        assert!(receive_descriptor(other.as_fd()).unwrap().is_none());
    }

    #[test]
    fn a_path_may_be_long() {
        let above = tempfile::tempdir().unwrap();
        let long = above.path().join("d".repeat(200));
        std::fs::create_dir(&long).unwrap();
        let directory = std::fs::File::open(&long).unwrap();
        let listener = listen(directory.as_fd(), &long, "attach").unwrap();
        assert!(accept(listener.as_fd()).unwrap().is_none());
        let client = connect(directory.as_fd(), &long, "attach").unwrap();
        let server = accept(listener.as_fd()).unwrap().unwrap();
        assert!(send(client.as_fd(), &[IoSlice::new(b"x")]).unwrap());
        assert_eq!(receive(server.as_fd(), &mut [0; 4]).unwrap(), Received::Message(1));
        drop(listener);
        assert!(connect(directory.as_fd(), &long, "attach").unwrap_err().is(libc::ECONNREFUSED));
    }
}
