//! What clients have sent for the command to read, and it has not read yet.

use crate::console::ends::Ends;
use crate::sys::ready;

/// At most one message of each client: they send the next when this one is taken.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    ends: bool,
}

impl Input {
    /// One more message.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// No more comes: when all is taken the command finds end-of-file.
    pub(super) fn end(&mut self) {
        self.ends = true;
    }

    /// Whether there is something for the command to read.
    pub(super) fn is_waiting(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Write what `ends` has room for; whether nothing is left. What nobody will read any more is thrown away.
    pub(super) fn feed(&mut self, ends: &mut Ends) -> bool {
        if !self.bytes.is_empty() {
            match ends.input().map(|end| ready::write_some(end, &self.bytes)) {
                Some(Ok(count)) => drop(self.bytes.drain(..count)),
                Some(Err(_)) => {
                    self.bytes.clear();
                    ends.close_input();
                }
                None => self.bytes.clear(),
            }
        }
        if self.bytes.is_empty() && std::mem::take(&mut self.ends) {
            ends.close_input();
        }
        self.bytes.is_empty()
    }
}
