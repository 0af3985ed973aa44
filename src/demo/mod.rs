//! SCENES: each fact about containers, shown on the running kernel by the code that `minidocker` is composed of.
//!
//! A [`Walk`] is one demo: a name, a title, and a function that tells a story on a [`Stage`] and ends with what was
//! seen. It uses the mechanisms as `container` does, one at a time, and proves what it claims with what the kernel
//! says: read by `observe`, or asked from both sides of a wall by an [`actor`]. By default a walk is played on a
//! throw-away [`host`], so that it needs no root, cannot hurt the machine, and leaves nothing.
//!
//! | module | whose demos |
//! |---|---|
//! | [`host`], [`actor`] | the house all of them play in: a throw-away host, and processes that answer from elsewhere |
//! | [`attend`] | for demos on the real cgroups: a parent that clears up after them |
//! | [`ns`] | `ns-demo`: the eight namespaces |
//! | [`cgroup`] | `cgroup-demo`: the controllers |
//! | [`overlay`] | `overlay-demo`: layers |
//! | [`net`] | `net-demo`: the four modes of a container's network |
//! | [`structs`] | the kernel's structures, for `ns-demo structs` and `cgroup-demo structs` |

pub mod actor;
pub mod attend;
pub mod cgroup;
pub mod host;
pub mod net;
pub mod ns;
pub mod overlay;
pub mod structs;

use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage};

/// Where a demo is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On a throw-away host, unless `--on-host` asks for the real one.
    ThrowAway,
    /// In the namespaces of the person: it only looks, or what it makes dies by other means.
    Here,
    /// There too, by a child of the program, which clears away the child's cgroups however it ends.
    Attended,
}

/// One demo, which is one stop of its program's tour.
#[derive(Debug)]
pub struct Walk {
    /// Its subcommand.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub title: Text,
    /// Where it is played.
    pub place: Place,
    /// The demo. On return nothing of it is left, but what dies with the throw-away host.
    pub show: fn(&Stage) -> Result<Ending>,
}

impl Walk {
    /// Play it: heading, story, ending.
    pub fn play(&self, stage: &Stage) -> Result<()> {
        self.play_as(stage, self.show)
    }

    /// The same with another story, for one that takes arguments.
    pub fn play_as(&self, stage: &Stage, show: impl FnOnce(&Stage) -> Result<Ending>) -> Result<()> {
        stage.title(self.name, self.title.get(crate::narrate::lang()));
        let ending = show(stage)?;
        stage.end(&ending);
        Ok(())
    }
}
