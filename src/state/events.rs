//! What became of containers, images, networks and volumes, as it happened: `ROOT/events`, one JSON object a line.
//!
//! ```json
//! {"v":1,"time_ns":1795962474000000000,"pid":4242,"type":"container","action":"die",
//!  "id":"0123456789ab","attributes":{"exitCode":"0","image":"base:latest","name":"web"}}
//! ```
//!
//! The lines follow the rules of `--trace`: UTF-8, shorter than 4096 bytes, each written by one write(2) at the end of
//! the file, so that those of several processes never mix; members may be added, and readers ignore what they do not
//! know. The file is bounded: when it has grown to 1 MiB it becomes `events.old`, in the place of the one before, and
//! a new one begins.

use super::Root;
use crate::error::Result;
use crate::sys::append;
use crate::sys::flags::{O_APPEND, O_CREAT, O_RDWR, O_WRONLY};
use crate::sys::inotify::Changes;
use crate::sys::{file, lock, notice};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::IoSlice;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The version of this format.
    pub v: u32,
    /// When: nanoseconds since 1970.
    pub time_ns: u64,
    /// Who wrote it, as its own `/proc` has it.
    pub pid: u32,
    /// To what.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What: Docker's word.
    pub action: String,
    /// To which: a container's id, an image's name or id, a network's or volume's name.
    pub id: String,
    /// More of it: `name`, `image`, `exitCode`, `signal`, labels.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// What something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A network.
    Network,
    /// A volume.
    Volume,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Container => "container",
            Kind::Image => "image",
            Kind::Network => "network",
            Kind::Volume => "volume",
        }
    }
}

const VERSION: u32 = 1;
pub(super) const FILE: &str = "events";
pub(super) const OLD: &str = "events.old";
/// Bytes of the file at most, and a line more.
const MOST: u64 = 1 << 20;
/// Bytes of a line at most.
const LONGEST: usize = 4095;

/// Note that `action` has just happened to `id`. What was done is done, whether or not it could be noted: a full disk
/// keeps nobody from stopping a container.
pub fn record(root: &Root, kind: Kind, action: &str, id: &str, attributes: &[(&str, &str)]) {
    let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let (action, id) = (action.to_owned(), id.to_owned());
    let event = Event { v: VERSION, time_ns: now(), pid: std::process::id(), kind, action, id, attributes };
    let _ = append(&root.path().join(FILE), &line(event));
}

/// The event as a line; one that would be too long loses its attributes, the longest first.
fn line(mut event: Event) -> String {
    loop {
        let text = serde_json::to_string(&event).unwrap_or_default() + "\n";
        let longest =
            event.attributes.iter().max_by_key(|(_, value)| value.len()).map(|(key, _)| key.clone());
        match longest {
            Some(key) if text.len() > LONGEST => drop(event.attributes.remove(&key)),
            _ => return text,
        }
    }
}

fn append(path: &Path, line: &str) -> Result<()> {
    let file = file::open_file(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)?;
    append::append(file.as_fd(), path, &[IoSlice::new(line.as_bytes())])?;
    if file::descriptor_status(file.as_fd(), path)?.size > MOST { turn(path) } else { Ok(()) }
}

/// Begin a new file. Of several who come at once, the first does it: the lock is on the file itself, and who gets it
/// later sees that the name means another by then.
fn turn(path: &Path) -> Result<()> {
    let held = file::open_file(path, O_RDWR, 0)?;
    lock::lock_file(held.as_fd(), path, true, true)?;
    let full = file::descriptor_status(held.as_fd(), path)?;
    match file::if_there(file::link_status(path))? {
        Some(now) if now.identity == full.identity => file::rename(path, &path.with_file_name(OLD)),
        _ => Ok(()),
    }
}

/// What was noted: the file that was full, and the one that grows.
#[derive(Debug)]
pub struct Past {
    /// The events, in the order in which they were noted.
    pub events: Vec<Event>,
    /// Where the reading may go on.
    pub position: Position,
}

/// How far the events have been read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The file, by its identity.
    file: Option<(u64, u64)>,
    /// Bytes of it.
    bytes: usize,
}

/// All events that are still known.
pub fn past(root: &Root) -> Result<Past> {
    let mut past = Past { events: Vec::new(), position: Position::default() };
    let (old, _) = lines(&root.path().join(OLD), 0)?;
    past.events.extend(old);
    past.events.extend(since(root, &mut past.position)?);
    Ok(past)
}

/// The events that were noted since `position`, which moves on.
pub fn since(root: &Root, position: &mut Position) -> Result<Vec<Event>> {
    loop {
        let (events, next) = read_on(root, *position)?;
        // Whoever made a turn meanwhile may have exchanged the file between two looks at it.
        if identity(&root.path().join(FILE))? == next.file {
            *position = next;
            return Ok(events);
        }
    }
}

fn read_on(root: &Root, position: Position) -> Result<(Vec<Event>, Position)> {
    let (old, path) = (root.path().join(OLD), root.path().join(FILE));
    let file = identity(&path)?;
    let (mut events, mut skipped) = (Vec::new(), position.bytes);
    if position.file.is_some() && file != position.file {
        // It has become the old one: its rest first.
        if identity(&old)? == position.file {
            events = lines(&old, skipped)?.0;
        }
        skipped = 0;
    }
    let (new, bytes) = lines(&path, skipped)?;
    events.extend(new);
    Ok((events, Position { file, bytes }))
}

fn identity(path: &Path) -> Result<Option<(u64, u64)>> {
    Ok(file::if_there(file::link_status(path))?.map(|status| status.identity))
}

/// The events to come.
#[derive(Debug)]
pub struct Coming {
    position: Position,
    changes: Changes,
}

impl Coming {
    /// Those that are noted after `position`; `None` for those from now on.
    pub fn after(root: &Root, position: Option<Position>) -> Result<Self> {
        // Watched from before the first look, so that nothing is missed.
        let changes = Changes::of(root.path())?;
        let position = match position {
            Some(position) => position,
            None => past(root)?.position,
        };
        Ok(Self { position, changes })
    }

    /// Wait for the next, but not longer than `time`; none when it is over.
    pub fn wait(&mut self, root: &Root, time: Duration) -> Result<Vec<Event>> {
        let end = Instant::now().checked_add(time);
        loop {
            self.changes.forget()?;
            let events = since(root, &mut self.position)?;
            let left = end.map_or(time, |end| end.saturating_duration_since(Instant::now()));
            if !events.is_empty() || left.is_zero() {
                return Ok(events);
            }
            notice::readable_within(self.changes.descriptor(), left)?;
        }
    }
}

/// The events in the file at `path` behind its first `skipped` bytes, and how many bytes whole lines take. A line that
/// is none costs itself alone.
fn lines(path: &Path, skipped: usize) -> Result<(Vec<Event>, usize)> {
    let Some(bytes) = file::if_there(file::read(path, 4 * MOST))? else { return Ok((Vec::new(), 0)) };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let new = bytes.get(skipped..whole).unwrap_or_default();
    let events = new.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    Ok((events.collect(), whole))
}

/// Nanoseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root { path: directory.path().to_owned() };
        (directory, root)
    }

    fn ids(events: &[Event]) -> Vec<&str> {
        events.iter().map(|event| event.id.as_str()).collect()
    }

    #[test]
    fn what_was_noted_is_read_in_order_and_goes_on() {
        let (_directory, root) = root();
        assert_eq!(past(&root).unwrap().events, []);
        record(&root, Kind::Container, "create", "a", &[("name", "web")]);
        record(&root, Kind::Volume, "create", "b", &[]);
        let Past { events, mut position } = past(&root).unwrap();
        assert_eq!(ids(&events), ["a", "b"]);
        assert_eq!((events[0].attributes["name"].as_str(), events[0].pid), ("web", std::process::id()));
        assert_eq!(since(&root, &mut position).unwrap(), []);
        append(&root.path().join(FILE), "no event\n{\"v\":1").unwrap();
        assert_eq!(since(&root, &mut position).unwrap(), []);
        append(&root.path().join(FILE), "}\n").unwrap();
        record(&root, Kind::Image, "tag", "c", &[]);
        assert_eq!(ids(&since(&root, &mut position).unwrap()), ["c"]);
    }

    #[test]
    fn the_file_is_bounded_and_nothing_is_missed_at_its_turn() {
        let (_directory, root) = root();
        record(&root, Kind::Container, "create", "first", &[]);
        let mut position = past(&root).unwrap().position;
        let long = "x".repeat(3000);
        for number in 0..400 {
            record(&root, Kind::Container, "create", &number.to_string(), &[("label", &long)]);
        }
        let seen = since(&root, &mut position).unwrap();
        assert_eq!((seen.len(), seen[0].id.as_str(), seen[399].id.as_str()), (400, "0", "399"));
        assert!(std::fs::metadata(root.path().join(FILE)).unwrap().len() < MOST);
        assert!(std::fs::metadata(root.path().join(OLD)).unwrap().len() < MOST + 4096);
        assert_eq!(past(&root).unwrap().events.len(), 401);
    }

    #[test]
    fn what_comes_is_waited_for_and_not_for_ever() {
        let (_directory, root) = root();
        record(&root, Kind::Container, "create", "old", &[]);
        let mut coming = Coming::after(&root, None).unwrap();
        assert_eq!(coming.wait(&root, Duration::from_millis(5)).unwrap(), []);
        let noting = root.clone();
        let noter = std::thread::spawn(move || record(&noting, Kind::Container, "start", "new", &[]));
        assert_eq!(ids(&coming.wait(&root, Duration::from_secs(30)).unwrap()), ["new"]);
        noter.join().unwrap();
    }

    #[test]
    fn a_line_is_never_too_long() {
        let long = "x".repeat(5000);
        let (_directory, root) = root();
        record(&root, Kind::Container, "create", "a", &[("label", &long), ("name", "web")]);
        let events = past(&root).unwrap().events;
        assert_eq!(events[0].attributes.keys().collect::<Vec<_>>(), ["name"]);
    }
}
