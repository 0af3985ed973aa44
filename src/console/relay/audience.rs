//! The clients of one container, and what each of them has not been told yet.

use crate::console::Size;
use crate::console::message::{LARGEST, Message, ROOM, Stream, Wish};
use crate::sys::ready::{Ready, Watch};
use crate::sys::seqpacket::{self, Received};
use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};

/// How many may be there at once. Others wait until they are let in.
const MOST: usize = 64;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Input(Vec<u8>),
    InputEnd,
    Resize(Size),
    Signal(i32),
}

#[derive(Debug)]
struct Client {
    socket: OwnedFd,
    /// `None` until it has said it.
    wish: Option<Wish>,
    /// The number of the next piece of output that it is to be given.
    next: u64,
    /// It has been told that the container runs, and that it does no more.
    started: bool,
    exited: bool,
    /// It waits for its input to be taken; it was, and is to be told.
    waits: bool,
    owed: bool,
    /// It may still send input.
    sends: bool,
    /// It takes nothing any more: it has closed its end. What it has sent before is still heard.
    deaf: bool,
    /// It has left, or was told the last word.
    gone: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Audience {
    id: String,
    clients: Vec<Client>,
    /// What somebody has not been given yet. While the container runs this is one piece at most.
    output: VecDeque<(Stream, Vec<u8>)>,
    /// The number of the first of them.
    first: u64,
    runs: bool,
    exited: bool,
    last: Option<Vec<u8>>,
}

impl Audience {
    pub(super) fn new(id: &str) -> Self {
        let (clients, output) = (Vec::new(), VecDeque::new());
        Self { id: id.to_owned(), clients, output, first: 0, runs: false, exited: false, last: None }
    }

    /// One more, who is given what is said from now on.
    pub(super) fn add(&mut self, socket: OwnedFd, wish: Option<Wish>) {
        let next = self.end();
        let sends = wish.is_some_and(|wish| wish.input);
        let (started, exited, waits, owed, deaf, gone) = (false, false, false, false, false, false);
        self.clients.push(Client { socket, wish, next, started, exited, waits, owed, sends, deaf, gone });
    }

    /// The number of the next piece of output.
    fn end(&self) -> u64 {
        self.first + self.output.len() as u64
    }

    pub(super) fn has_room(&self) -> bool {
        self.clients.len() < MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Whether somebody has not been given all that was said.
    pub(super) fn is_behind(&self) -> bool {
        !self.output.is_empty()
    }

    /// The container runs, perhaps not for the first time.
    pub(super) fn begin(&mut self) {
        (self.runs, self.exited) = (true, false);
        for client in &mut self.clients {
            (client.started, client.exited) = (false, false);
        }
        self.deliver();
    }

    /// The container has ended, and all that it said was offered.
    pub(super) fn exited(&mut self) {
        (self.runs, self.exited) = (false, true);
        // Input that it has not read is nobody's.
        self.wants_more();
        self.deliver();
    }

    /// What is to be told to everybody at last. Who has connected, and not said what it wants, has come too late.
    pub(super) fn say_last(&mut self, json: &[u8]) {
        self.last = Some(json.to_vec());
        let ready = vec![Ready { read: true, write: false }; self.clients.len()];
        drop(self.hear(&ready));
        self.clients.retain(|client| client.wish.is_some());
    }

    /// All input is taken.
    pub(super) fn wants_more(&mut self) {
        for client in self.clients.iter_mut().filter(|client| client.waits) {
            (client.waits, client.owed) = (false, true);
        }
    }

    /// Something was said.
    pub(super) fn offer(&mut self, stream: Stream, bytes: &[u8]) {
        if self.clients.iter().any(Client::listens) {
            self.output.push_back((stream, bytes.to_vec()));
            self.deliver();
        }
    }

    /// Tell everybody as much as there is room for.
    pub(super) fn deliver(&mut self) {
        let Self { id, clients, output, first, runs, exited, last } = self;
        for client in clients.iter_mut().filter(|client| client.wish.is_some()) {
            let ended = (*exited, last.as_deref());
            client.deliver(id, *runs, (output, *first), ended);
        }
        self.forget();
    }

    /// Forget who has gone, and what everybody has been given.
    fn forget(&mut self) {
        self.clients.retain(|client| !client.gone);
        let end = self.end();
        let behind = self.clients.iter().filter(|client| client.listens()).map(|client| client.next).min();
        let passed = behind.unwrap_or(end) - self.first;
        self.output.drain(..passed as usize);
        self.first += passed;
        if self.clients.is_empty() {
            self.last = None;
        }
    }

    /// What to wait for, in the order of the clients.
    pub(super) fn watches(&self) -> impl Iterator<Item = Watch<'_>> {
        let end = self.end();
        self.clients.iter().map(move |client| {
            let due = client.wish.is_some()
                && !client.deaf
                && (client.listens() && client.next < end
                    || self.runs && !client.started
                    || client.owed
                    || self.exited && !client.exited
                    || self.last.is_some());
            Watch::of(client.socket.as_fd(), true, due)
        })
    }

    /// What those clients say that `ready` was found for, in the order of [`watches`](Self::watches).
    pub(super) fn hear(&mut self, ready: &[Ready]) -> Vec<Heard> {
        let mut heard = Vec::new();
        let mut room = Vec::new();
        let end = self.end();
        for (client, _) in self.clients.iter_mut().zip(ready).filter(|(_, ready)| ready.read) {
            room.resize(ROOM, 0);
            if client.wish.is_none() {
                // Nothing was kept for it so far.
                client.next = end;
            }
            client.hear(&mut room, &mut heard);
        }
        self.forget();
        heard
    }
}

impl Client {
    /// Whether it is given what the container says.
    fn listens(&self) -> bool {
        self.wish.is_some_and(|wish| wish.output) && !self.deaf && !self.gone
    }

    /// Send it `message`; whether it was taken, be it by nobody.
    fn tell(&mut self, message: &Message<'_>) -> bool {
        if self.deaf {
            return true;
        }
        message.send(self.socket.as_fd()).unwrap_or_else(|_| {
            self.deaf = true;
            true
        })
    }

    /// Tell it all that is due, in its order, until there is no room.
    fn deliver(
        &mut self,
        id: &str,
        runs: bool,
        (output, first): (&VecDeque<(Stream, Vec<u8>)>, u64),
        (exited, last): (bool, Option<&[u8]>),
    ) {
        if !self.started && (runs || exited) {
            self.started = self.tell(&Message::Started(id));
            if !self.started {
                return;
            }
        }
        if self.listens() {
            let given = (self.next - first) as usize;
            for (stream, bytes) in output.iter().skip(given) {
                if !self.tell(&Message::Output(*stream, bytes)) {
                    return;
                }
                self.next += 1;
            }
        }
        if self.owed {
            self.owed = !self.tell(&Message::More);
        }
        if exited && !self.exited {
            self.exited = self.tell(&Message::Exited);
        }
        // One that never ran has not exited either.
        if let Some(json) = last.filter(|_| self.exited || !exited) {
            self.gone = self.tell(&Message::Ended(json));
        }
    }

    /// Take one message. Who has closed its end, or cannot be understood, has gone; and when it could still send input,
    /// it sends none any more.
    fn hear(&mut self, room: &mut [u8], heard: &mut Vec<Heard>) {
        let message = match seqpacket::receive(self.socket.as_fd(), room) {
            Ok(Received::Message(count)) => Message::read(&room[..count]),
            Ok(Received::Nothing) => return,
            Ok(Received::End) | Err(_) => None,
        };
        match message {
            Some(Message::Hello(wish)) if self.wish.is_none() => {
                self.wish = Some(wish);
                self.sends = wish.input;
            }
            Some(Message::Input(bytes)) if self.sends && !self.waits && bytes.len() <= LARGEST => {
                self.waits = true;
                heard.push(Heard::Input(bytes.to_vec()));
            }
            Some(Message::InputEnd) if self.sends => {
                self.sends = false;
                heard.push(Heard::InputEnd);
            }
            Some(Message::Resize(size)) => heard.push(Heard::Resize(size)),
            Some(Message::Signal(signal)) => heard.push(Heard::Signal(signal)),
            Some(Message::Detach) => self.gone = true,
            _ => {
                self.gone = true;
                if std::mem::take(&mut self.sends) {
                    heard.push(Heard::InputEnd);
                }
            }
        }
    }
}
