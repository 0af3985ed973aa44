//! A client that wants nothing but to be told how the container ended.

use crate::console::listener;
use crate::console::message::{Message, ROOM, Wish};
use crate::error::Result;
use crate::sys::ready::{self, Watch};
use crate::sys::seqpacket::{self, Received};
use std::os::fd::AsFd;
use std::path::Path;

/// Wait until the running container with this `directory` has ended; its supervisor's words on how, in JSON. `None` when
/// it does not run, or its supervisor was killed.
pub fn wait_for_end(directory: &Path) -> Result<Option<Vec<u8>>> {
    let Some(supervisor) = listener::connect(directory)? else { return Ok(None) };
    // One that has gone meanwhile is found out by what it says last.
    let _ = Message::Hello(Wish::default()).send(supervisor.as_fd());
    let mut room = vec![0; ROOM];
    loop {
        ready::wait(&[Watch::of(supervisor.as_fd(), true, false)])?;
        match seqpacket::receive(supervisor.as_fd(), &mut room)? {
            Received::Message(count) => {
                if let Some(Message::Ended(json)) = Message::read(&room[..count]) {
                    return Ok(Some(json.to_vec()));
                }
            }
            Received::Nothing => {}
            Received::End => return Ok(None),
        }
    }
}
