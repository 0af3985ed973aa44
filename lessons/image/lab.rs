//! Lab `image`: three functions, by which a layer that a stranger packed becomes a directory, and touches nothing else.
//!
//! What helps: `mount`, `pivot_root`, `detach` of `minidocker::sys::mount` and `chdir` of `minidocker::sys::file` for the
//! first; nothing but names for the second; `places.go` and `names` of `minidocker::image::unpack` for the third.
//! The handout is README.md, and `cargo lab image` says what the kernel thinks.
#![allow(clippy::todo, unused_imports, unused_variables, dead_code)] // they are yours to fill in

use minidocker::container::parts::Parts;
use minidocker::error::{Error, ImageProblem, Problem, Result};
use minidocker::image::unpack::{Member, Places, Way, names};
use minidocker::sys::file::chdir;
use minidocker::sys::flags::MS_BIND;
use minidocker::sys::mount::{detach, mount, pivot_root};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Let `directory` be this process's root directory, and all there is. It is in a mount namespace of its own already.
pub fn confine(directory: &Path) -> Result<()> {
    todo!("leave nothing but {directory:?}")
}

/// What the member at `path` is, by its name: something to make, or a whiteout of some kind. `path` has no leading `/`
/// and no `..`. A name that would hide `.`, `..` or nothing is refused, and so is one inside of a `.wh.` directory.
pub fn member(path: &Path) -> Result<Member> {
    todo!("what does {path:?} say?")
}

/// Where the member at `path` is to be made: behind which links, seen from the layer as the root directory. The
/// directories on the way are made by `places.go`.
pub fn place(places: &mut Places<'_>, path: &Path) -> Result<PathBuf> {
    todo!("go to the directory of {path:?}")
}

/// The error for a name that is refused.
fn refused(path: &Path) -> Error {
    Error::new(Problem::Image(ImageProblem::ReservedName { path: path.display().to_string() }))
}

fn main() -> ExitCode {
    minidocker::main(Parts { confine, member, place, ..Parts::REFERENCE })
}
