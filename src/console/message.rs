//! What supervisor and clients tell each other: one message of SOCK_SEQPACKET each, on the socketpair of the client that
//! made the supervisor as on every connection to the socket `attach`.
//!
//! A message is one byte that says what it is, and the rest of it:
//!
//! | byte | message | from | the rest |
//! |---|---|---|---|
//! | 1 | [`Output`](Message::Output), standard output | supervisor | what the command wrote |
//! | 2 | [`Output`](Message::Output), standard error | supervisor | what the command wrote |
//! | 3 | [`Started`](Message::Started) | supervisor | the container's id: it runs, perhaps once more |
//! | 4 | [`Exited`](Message::Exited) | supervisor | nothing: no more output comes, and no more input is taken, unless it is started again |
//! | 5 | [`Ended`](Message::Ended) | supervisor | how it ended, in JSON: all is cleared up, and this was the last message |
//! | 6 | [`More`](Message::More) | supervisor | nothing: the input that was sent last is taken, more may be sent |
//! | 16 | [`Hello`](Message::Hello) | client | one byte: 1 to be sent output, 2 to send input. The first message of who attaches |
//! | 17 | [`Input`](Message::Input) | client | what the command is to read; the next only after `More` |
//! | 18 | [`InputEnd`](Message::InputEnd) | client | nothing: no more input comes from this client |
//! | 19 | [`Resize`](Message::Resize) | client | rows and columns of its terminal, two numbers of two bytes, the lower byte first |
//! | 20 | [`Detach`](Message::Detach) | client | nothing: it leaves, and the container is to go on as it is |
//! | 21 | [`Signal`](Message::Signal) | client | one byte, the number of a signal for the container |
//!
//! A client that waits for `More` keeps its other messages from queueing behind input that nobody reads. Whoever cannot be understood is left. Only who may enter the container's directory can connect.

use super::Size;
use crate::error::Result;
use crate::sys::seqpacket;
use std::io::IoSlice;
use std::os::fd::BorrowedFd;

/// Of the command's two ways to speak, one. On a terminal everything is standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// To be sent what the command writes.
    pub output: bool,
    /// To send what the command reads.
    pub input: bool,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table above says what each is")]
pub enum Message<'a> {
    Output(Stream, &'a [u8]),
    Started(&'a str),
    Exited,
    Ended(&'a [u8]),
    More,
    Hello(Wish),
    Input(&'a [u8]),
    InputEnd,
    Resize(Size),
    Detach,
    Signal(i32),
}

/// The most bytes of output or input in one message.
pub const LARGEST: usize = 16 << 10;

/// Room for every message: how a container ended may take more than output does.
pub const ROOM: usize = 64 << 10;

impl<'a> Message<'a> {
    /// Send it. Does not wait: `false` when there is no room for it now. An error when the other side has gone.
    pub fn send(&self, socket: BorrowedFd<'_>) -> Result<bool> {
        let small;
        let (kind, rest): (u8, &[u8]) = match *self {
            Message::Output(Stream::Stdout, bytes) => (1, bytes),
            Message::Output(Stream::Stderr, bytes) => (2, bytes),
            Message::Started(id) => (3, id.as_bytes()),
            Message::Exited => (4, &[]),
            Message::Ended(json) => (5, json),
            Message::More => (6, &[]),
            Message::Hello(wish) => {
                small = [u8::from(wish.output) | u8::from(wish.input) << 1, 0, 0, 0];
                (16, &small[..1])
            }
            Message::Input(bytes) => (17, bytes),
            Message::InputEnd => (18, &[]),
            Message::Resize(Size { rows, columns }) => {
                let ([a, b], [c, d]) = (rows.to_le_bytes(), columns.to_le_bytes());
                small = [a, b, c, d];
                (19, &small)
            }
            Message::Detach => (20, &[]),
            Message::Signal(signal) => {
                small = [signal as u8, 0, 0, 0];
                (21, &small[..1])
            }
        };
        seqpacket::send(socket, &[IoSlice::new(&[kind]), IoSlice::new(rest)])
    }

    /// What `bytes` say; `None` when they say nothing.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        Some(match (kind, rest) {
            (1, _) => Message::Output(Stream::Stdout, rest),
            (2, _) => Message::Output(Stream::Stderr, rest),
            (3, _) => Message::Started(std::str::from_utf8(rest).ok()?),
            (4, []) => Message::Exited,
            (5, _) => Message::Ended(rest),
            (6, []) => Message::More,
            (16, [wish]) => Message::Hello(Wish { output: wish & 1 != 0, input: wish & 2 != 0 }),
            (17, _) => Message::Input(rest),
            (18, []) => Message::InputEnd,
            (19, [a, b, c, d]) => Message::Resize(Size {
                rows: u16::from_le_bytes([*a, *b]),
                columns: u16::from_le_bytes([*c, *d]),
            }),
            (20, []) => Message::Detach,
            (21, [signal]) => Message::Signal((*signal).into()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::seqpacket::{Received, pair, receive};
    use std::os::fd::AsFd;

    #[test]
    fn what_is_sent_is_read() {
        let (one, other) = pair().unwrap();
        for message in [
            Message::Output(Stream::Stdout, b"out"),
            Message::Output(Stream::Stderr, b""),
            Message::Started("0123456789ab"),
            Message::Exited,
            Message::Ended(b"{}"),
            Message::More,
            Message::Hello(Wish { output: true, input: false }),
            Message::Hello(Wish { output: false, input: true }),
            Message::Input(b"in"),
            Message::InputEnd,
            Message::Resize(Size { rows: 25, columns: 300 }),
            Message::Detach,
            Message::Signal(15),
        ] {
            assert!(message.send(one.as_fd()).unwrap());
            let mut room = [0; 64];
            let Received::Message(count) = receive(other.as_fd(), &mut room).unwrap() else {
                panic!("{message:?}");
            };
            assert_eq!(Message::read(&room[..count]), Some(message));
        }
    }

    #[test]
    fn what_is_no_message_is_none() {
        for bytes in [&b""[..], b"\0", b"\x04x", b"\x10", b"\x13abc", b"\x15", b"\xff", b"\x03\xff"] {
            assert_eq!(Message::read(bytes), None, "{bytes:?}");
        }
    }
}
