//! Copy between a container and this machine.
//!
//! Two processes, and a stream in the form of tar(1) between them. The client stays on this machine, as the person, and
//! finds its own side's path as any program would. The other side is done by a child that has gone in: through the doors
//! of a container that runs, or, where it does not run, into its layers united anew in a mount namespace that dies with
//! the child. For the child the container's root directory is all there is, so no link of the container's leads anywhere
//! else; the magic links of a `/proc`, which would, it does not follow; and what it would not need for files, it gives up.
//! The child runs nothing of the container's, and the container cannot see it. What it sends is unpacked without
//! following any link: CVE-2018-15664, CVE-2019-14271, CVE-2019-10152.

use super::changes;
use super::parts::Parts;
use super::running::Running;
use super::spec::Spec;
use super::volumes;
use crate::error::{Error, InsideProblem, Problem, Result};
use crate::overlay;
use crate::overlay::carry::unpack::{Made, Owner, unpack};
use crate::overlay::carry::{Bounds, Landing, Origin, name, pack};
use crate::process::aside::{self, Aside, Birthplace, Early, End};
use crate::process::command;
use crate::rootfs::{pivot, target};
use crate::security::capabilities::{self, Capabilities};
use crate::state::{Claim, Root};
use crate::step::{Step, take};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What was asked for, in the person's own words.
#[derive(Debug, Clone, Default)]
#[allow(
    missing_docs,
    reason = "each field is the option or argument of that name; see `minidocker cp --help`"
)]
pub struct Request {
    pub archive: bool,
    pub follow_link: bool,
    pub source: String,
    pub destination: String,
}

/// One side of a copy.
#[derive(Debug, PartialEq, Eq)]
enum Side<'a> {
    /// A path on this machine; `-` is a stream.
    Here(&'a str),
    /// A container, and a path in it.
    There(&'a str, &'a str),
}

impl<'a> Side<'a> {
    /// `CONTAINER:PATH`, or a path here: one that begins with `/` or `.`, or has no colon in it.
    fn of(text: &'a str) -> Self {
        match text.split_once(':') {
            Some((container, path)) if !text.starts_with('/') && !container.starts_with('.') => {
                Side::There(container, path)
            }
            _ => Side::Here(text),
        }
    }
}

/// Copy what was asked for.
pub fn cp(root: &Root, request: &Request, parts: &Parts) -> Result<Made> {
    // Modes are those of the originals, exactly.
    command::set_umask(0)?;
    match (Side::of(&request.source), Side::of(&request.destination)) {
        (Side::There(word, path), Side::Here(here)) => {
            let house = take(Step::Doors, || House::find(root, word, parts))?;
            take(Step::Copy, || from_container(&house, &inside(path), here, request))
        }
        (Side::Here(here), Side::There(word, path)) => {
            let house = take(Step::Doors, || House::find(root, word, parts))?;
            take(Step::Copy, || to_container(&house, &inside(path), here, request))
        }
        (Side::There(..), Side::There(..)) => {
            Err(Error::new(Problem::Inside(InsideProblem::BetweenContainers)))
        }
        (Side::Here(_), Side::Here(_)) => Err(Error::new(Problem::Inside(InsideProblem::NoContainerNamed))),
    }
}

/// A path in a container from its root directory, cleaned by its text, as Docker does; whether it ended in `/` or `/.`
/// stays to be seen.
fn inside(text: &str) -> PathBuf {
    let clean = target::clean(Path::new(text)).into_os_string();
    let end = if text == "." || text.ends_with("/.") {
        "/."
    } else if text.ends_with('/') {
        "/"
    } else {
        ""
    };
    let mut bytes = clean.into_vec();
    if !(bytes.ends_with(b"/") && end == "/") {
        bytes.extend(end.bytes());
    }
    OsString::from_vec(bytes).into()
}

fn from_container(house: &House<'_>, path: &Path, here: &str, request: &Request) -> Result<Made> {
    let stream = here == "-";
    let landing = if stream { None } else { Some(Landing::find(Path::new(here), Bounds::Free)?) };
    let (read, write) = End::pair()?;
    let child = house.begin(|_early| {
        read.close();
        let origin = Origin::find(path, Bounds::Root, request.follow_link);
        let origin = origin.map_err(|error| house.missing(error, path))?;
        let top = match &landing {
            Some(landing) => name(&origin, landing)?,
            None if origin.contents => Some(".".into()),
            None => Some(origin.name.clone().into()),
        };
        pack::pack(&origin, top.as_deref(), &mut |bytes| write.write(bytes))
    })?;
    write.close();
    let owner = if request.archive && aside::is_root() { Owner::Same } else { Owner::Maker };
    let made = match &landing {
        Some(landing) => unpack(landing, Bounds::Beneath, owner, &mut |room| read.read(room)),
        None => aside::pour_out(&read).map(|bytes| Made { bytes, left_out: 0 }),
    };
    read.close();
    // A child that failed has ended the stream before its end: why is what it says.
    let left_out: usize = end(child, &made)?;
    made.map(|made| Made { left_out: made.left_out + left_out, ..made })
}

fn to_container(house: &House<'_>, path: &Path, here: &str, request: &Request) -> Result<Made> {
    let stream = here == "-";
    let origin = match stream {
        true => None,
        false => Some(Origin::find(Path::new(here), Bounds::Free, request.follow_link)?),
    };
    let (read, write) = End::pair()?;
    let owner = if request.archive || stream { Owner::Same } else { Owner::These(0, 0) };
    let child = house.begin(|early: Early| {
        write.close();
        let landing =
            if stream { Landing::directory(path, Bounds::Root) } else { Landing::find(path, Bounds::Root) };
        let landing = landing.map_err(|error| house.missing(error, path))?;
        let name = origin.as_ref().map(|origin| name(origin, &landing)).transpose()?.flatten();
        early.tell(&name.map(|name| name.as_os_str().as_bytes().to_vec()))?;
        unpack(&landing, Bounds::Root, owner, &mut |room| read.read(room))
    })?;
    read.close();
    let sent = match child.early::<Option<Vec<u8>>>()? {
        // It has failed already.
        None => Ok(0),
        Some(name) => match &origin {
            Some(origin) => {
                let name = name.map(|name| PathBuf::from(OsString::from_vec(name)));
                pack::pack(origin, name.as_deref(), &mut |bytes| write.write(bytes))
            }
            None => aside::pour_in(&write).map(|()| 0),
        },
    };
    write.close();
    let made: Made = end(child, &sent)?;
    sent.map(|left_out| Made { left_out: made.left_out + left_out, ..made })
}

/// Wait for the child. Of two errors one is the other's consequence: whose process stops makes the other's write into a
/// pipe that nobody reads, or read a stream that is cut off.
fn end<T: serde::de::DeserializeOwned, U>(child: Aside, ours: &Result<U>) -> Result<T> {
    match (child.end(), ours) {
        (Err(theirs), Err(ours)) if is_consequence(&theirs) => Err(ours.clone()),
        (theirs, _) => theirs,
    }
}

fn is_consequence(error: &Error) -> bool {
    aside::is_broken_pipe(error) || matches!(error.problem, Problem::BadArchive { .. })
}

/// The container, and how to go in.
struct House<'a> {
    word: &'a str,
    parts: &'a Parts,
    way: Way,
}

enum Way {
    /// It runs: through its doors.
    Doors(Box<Running>),
    /// It does not: its layers, which nobody else unites while the claim is held.
    Layers(Box<Spec>, #[allow(dead_code, reason = "held for its lock")] Claim),
}

impl<'a> House<'a> {
    fn find(root: &Root, word: &'a str, parts: &'a Parts) -> Result<Self> {
        let way = match Running::find(root, word) {
            Err(Error { problem: Problem::NotRunning { .. }, .. }) => {
                let spec = changes::spec_of(root, word)?;
                let claim = { root.adopt(&root.lock()?, &spec.id)? };
                let starting = || Error::new(Problem::NotRunning { name: word.to_owned() });
                let claim = claim.ok_or_else(starting)?;
                // One that was never started has none of these yet.
                overlay::make_directories(&spec.layers)?;
                volumes::prepare(root, &spec)?;
                Way::Layers(Box::new(spec), claim)
            }
            running => Way::Doors(Box::new(running?)),
        };
        Ok(Self { word, parts, way })
    }

    /// Do `part` in a child whose root directory is the container's.
    fn begin<T: serde::Serialize>(&self, part: impl FnOnce(Early) -> Result<T>) -> Result<Aside> {
        let map = match &self.way {
            Way::Layers(spec, _) if spec.is_of_user() => aside::map_needed()?,
            _ => None,
        };
        let birthplace = match &self.way {
            Way::Doors(_) => Birthplace::Here,
            Way::Layers(..) => Birthplace::Apart(map.as_ref()),
        };
        aside::begin("inside", &birthplace, |early| {
            self.enter()?;
            capabilities::hold(FOR_FILES)?;
            part(early)
        })
    }

    fn enter(&self) -> Result<()> {
        match &self.way {
            Way::Doors(running) => take(Step::Join, || running.enter()),
            Way::Layers(spec, _) => {
                let held = take(Step::Overlay, || {
                    overlay::understood(&spec.layers, (self.parts.overlay)(spec))?;
                    (self.parts.hold)(spec)
                })?;
                take(Step::Root, || {
                    pivot::enter(&spec.layers.merged)?;
                    pivot::detach_old()
                })?;
                take(Step::Volumes, || (self.parts.volumes)(spec, &held))
            }
        }
    }

    /// What it means that there is nothing at `path`.
    fn missing(&self, error: Error, path: &Path) -> Error {
        match error.problem {
            Problem::Inside(InsideProblem::NothingThere { .. }) => {
                let (path, name) = (path.display().to_string(), self.word.to_owned());
                Error { problem: Problem::Inside(InsideProblem::NotInContainer { path, name }), ..error }
            }
            _ => error,
        }
    }
}

/// CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER and CAP_FSETID: all that files of others ask for.
const FOR_FILES: Capabilities = Capabilities(0b1_1111);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_apart_as_docker_does() {
        for here in ["/a:b", "./a:b", "../a:b", "a", "-", ".:b"] {
            assert_eq!(Side::of(here), Side::Here(here));
        }
        assert_eq!(Side::of("web:/a:b"), Side::There("web", "/a:b"));
        assert_eq!(Side::of("web:"), Side::There("web", ""));
    }

    #[test]
    fn paths_inside_begin_at_the_root() {
        for (text, path) in
            [("a", "/a"), ("/a/../b", "/b"), ("a/", "/a/"), ("/a/.", "/a/."), ("", "/"), ("/", "/")]
        {
            assert_eq!(inside(text).as_os_str(), path, "{text}");
        }
    }
}
