//! A part of the work, done by a child process while this one does another: both meet by a pipe of their own.

use super::supervise;
use crate::error::{Error, Problem, Result};
use crate::namespace::{pid, user::Map};
use crate::step::{Role, become_role};
use crate::sys::errno::EPIPE;
use crate::sys::process::{self, Child, Forked};
use crate::sys::{file, identity, pipe, security};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::os::fd::{AsFd, OwnedFd};

/// Where the child is born.
#[derive(Debug)]
pub enum Birthplace<'a> {
    /// Where this process is.
    Here,
    /// In a mount namespace of its own, and as root over the ids of `map`, if there is one, in a user namespace too.
    Apart(Option<&'a Map>),
}

/// A child at work.
#[derive(Debug)]
pub struct Aside {
    child: Child,
    early: OwnedFd,
    report: OwnedFd,
}

/// By which the child says something before its end, once.
#[derive(Debug)]
pub struct Early(OwnedFd);

impl Early {
    /// Say it.
    pub fn tell(self, what: &impl Serialize) -> Result<()> {
        pipe::write_all(self.0.as_fd(), &serde_json::to_vec(what).unwrap_or_default())
    }
}

/// One end of a pipe, which one of two processes keeps, and the other must let go.
#[derive(Debug)]
pub struct End(RefCell<Option<OwnedFd>>);

impl End {
    /// Both ends of a new pipe: the reading one, and the writing one.
    pub fn pair() -> Result<(Self, Self)> {
        let (read, write) = pipe::pipe()?;
        Ok((Self(RefCell::new(Some(read))), Self(RefCell::new(Some(write)))))
    }

    /// Let it go, in this process.
    pub fn close(&self) {
        drop(self.0.take());
    }

    /// Read what comes next into `room`; 0 at the end.
    pub fn read(&self, room: &mut [u8]) -> Result<usize> {
        self.0.borrow().as_ref().map_or(Ok(0), |end| pipe::read_into(end.as_fd(), room))
    }

    /// Write all of `bytes`. `EPIPE` when nobody reads.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        self.0.borrow().as_ref().map_or(Ok(()), |end| pipe::write_all(end.as_fd(), bytes))
    }
}

/// Begin `part` in a child, told of as `role`, which dies with this process. On entry this process has one thread.
pub fn begin<T, F>(role: &'static str, birthplace: &Birthplace<'_>, part: F) -> Result<Aside>
where
    T: Serialize,
    F: FnOnce(Early) -> Result<T>,
{
    let map = if let Birthplace::Apart(map) = birthplace { *map } else { None };
    let flags = if map.is_some() { crate::namespace::USER } else { 0 };
    let (go, parent) = pipe::pipe()?;
    let (early, tell) = pipe::pipe()?;
    let (report, result) = pipe::pipe()?;
    let child = match pid::birth(flags, None)? {
        Forked::Parent(child) => child,
        Forked::Child => {
            drop((parent, early, report));
            become_role(Role::Actor(role));
            let done = accompany(&go, &result)
                .and_then(|()| match birthplace {
                    Birthplace::Here => Ok(()),
                    Birthplace::Apart(_) => crate::namespace::mount::enter(),
                })
                .and_then(|()| part(Early(tell)));
            // If even this fails, the parent sees the end of the file.
            let _ = pipe::write_all(result.as_fd(), &serde_json::to_vec(&done).unwrap_or_default());
            process::exit_now(0)
        }
    };
    let aside = Aside { child, early, report };
    let settled = map.map_or(Ok(None), |map| map.write(aside.child.pid));
    if let Err(error) = settled {
        aside.give_up()?;
        return Err(error);
    }
    // A child that has died already cannot be told; that nothing comes from it says so.
    let _ = pipe::write_all(parent.as_fd(), b"g");
    Ok(aside)
}

impl Aside {
    /// Wait for what the child says early; `None` when it ended without.
    pub fn early<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        Ok(serde_json::from_slice(&pipe::read_to_end(self.early.as_fd())?).ok())
    }

    /// Wait for the child's end: what came of its part, or its error. `ChildVanished` when it was killed.
    pub fn end<T: DeserializeOwned>(self) -> Result<T> {
        let told = pipe::read_to_end(self.report.as_fd());
        process::wait(&self.child)?;
        serde_json::from_slice::<Result<T>>(&told?).map_err(|_| Error::new(Problem::ChildVanished))?
    }

    /// End the child, whose part is of no use any more.
    pub fn give_up(self) -> Result<()> {
        supervise::kill(&self.child).map(drop)
    }
}

/// In the child: wait for the parent's go, and die with the parent from now on. When that has died already, nobody
/// reads the report.
fn accompany(go: &OwnedFd, report: &OwnedFd) -> Result<()> {
    let told = pipe::read_byte(go.as_fd())?;
    supervise::die_with_parent()?;
    match told {
        Some(_) if pipe::has_reader(report.as_fd())? => Ok(()),
        _ => process::exit_now(125),
    }
}

/// Read all that comes from `end`, and write it on standard output; how many bytes that were.
pub fn pour_out(end: &End) -> Result<u64> {
    let [_, (stdout, _), _] = file::standard();
    let (mut room, mut bytes) = (vec![0; ROOM], 0);
    loop {
        match end.read(&mut room)? {
            0 => return Ok(bytes),
            length => {
                pipe::write_all(stdout, &room[..length])?;
                bytes += length as u64;
            }
        }
    }
}

/// Read all of standard input, and write it into `end`.
pub fn pour_in(end: &End) -> Result<()> {
    let [(stdin, _), ..] = file::standard();
    let mut room = vec![0; ROOM];
    loop {
        match pipe::read_into(stdin, &mut room)? {
            0 => return Ok(()),
            length => end.write(&room[..length])?,
        }
    }
}

const ROOM: usize = 128 << 10;

/// Whether an error says that nobody reads what was to be written.
pub fn is_broken_pipe(error: &Error) -> bool {
    error.is(EPIPE)
}

/// The map of ids by which an ordinary user is root over all files of her containers; `None` for whoever needs none.
pub fn map_needed() -> Result<Option<Map>> {
    const SYS_ADMIN: u64 = 1 << 21;
    if security::effective_capabilities() & SYS_ADMIN != 0 { Ok(None) } else { Map::own().map(Some) }
}

/// Whether this process is root, where it is.
pub fn is_root() -> bool {
    identity::uid() == 0
}
