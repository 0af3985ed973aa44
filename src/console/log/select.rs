//! Which lines of a log are shown, and how.

use super::Stamp;
use super::read::Record;
use crate::console::message::Stream;
use crate::error::Result;

/// What is chosen of a log.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only so many lines, the last ones.
    pub tail: Option<u64>,
    /// Only lines that began at that time or later.
    pub since: Option<Stamp>,
    /// Only lines that began before that time.
    pub until: Option<Stamp>,
    /// Each line with the time at which it began.
    pub timestamps: bool,
}

/// The lines of a log, in the order in which they began. A line belongs to one stream, and lines of two may have been
/// written at once; what began is shown where its pieces stand in the log.
pub(super) struct Lines<'a> {
    selection: &'a Selection,
    /// The first line that may be shown.
    from: u64,
    begun: u64,
    /// Of each stream, whether a line is being written, and whether that line is shown.
    within: [bool; 2],
    shown: [bool; 2],
    chosen: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// The lines that `selection` chooses; `count` tells how many there are, if that must be known.
    pub(super) fn new(selection: &'a Selection, count: impl FnOnce() -> Result<u64>) -> Result<Self> {
        let from = selection.tail.map_or(Ok(0), |tail| Ok(count()?.saturating_sub(tail)))?;
        let (within, shown) = ([false; 2], [false; 2]);
        Ok(Self { selection, from, begun: 0, within, shown, chosen: Vec::new() })
    }

    /// How many lines have begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// Only count the lines of `record`.
    pub(super) fn count(&mut self, record: Record<'_>) {
        self.gather(record);
        self.chosen.clear();
    }

    /// Give out what is chosen of `record`; whether more may come.
    pub(super) fn choose(
        &mut self,
        record: Record<'_>,
        out: &mut dyn FnMut(Stream, &[u8]) -> Result<bool>,
    ) -> Result<bool> {
        self.gather(record);
        let more = self.chosen.is_empty() || out(record.stream, &self.chosen)?;
        self.chosen.clear();
        let over =
            self.selection.until.is_some_and(|until| record.stamp >= until) && self.shown == [false; 2];
        Ok(more && !over)
    }

    fn gather(&mut self, record: Record<'_>) {
        for line in record.bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line(&record, line);
        }
    }

    /// One line, or a piece of one.
    fn line(&mut self, record: &Record<'_>, line: &[u8]) {
        let stream = usize::from(record.stream == Stream::Stderr);
        if !self.within[stream] {
            let Selection { since, until, .. } = self.selection;
            self.shown[stream] = self.begun >= self.from
                && since.is_none_or(|since| record.stamp >= since)
                && until.is_none_or(|until| record.stamp < until);
            self.begun += 1;
            if self.shown[stream] && self.selection.timestamps {
                self.chosen.extend_from_slice(record.stamp.to_string().as_bytes());
                self.chosen.push(b' ');
            }
        }
        self.within[stream] = !line.ends_with(b"\n");
        if self.shown[stream] {
            self.chosen.extend_from_slice(line);
        }
    }
}
