//! A file or a directory carried from one root file system to another, as one stream in the form of tar(1).
//!
//! | file | what |
//! |---|---|
//! | [`place`] | where something is, or shall be: what a path means on either side |
//! | [`pack`] | what is at a place, as a stream |
//! | [`unpack`] | a stream, as files at a place |
//!
//! What a copy is called depends on what is at both ends, as with cp(1) and Docker's `cp`:
//!
//! | from | to: nothing there | to: a directory | to: anything else |
//! |---|---|---|---|
//! | a file | under that name (but `NAME/` asks for a directory: refused) | into it | in its place |
//! | a directory | under that name | into it; with `/.`, what is in it | refused |

pub mod pack;
pub mod place;
pub mod unpack;

pub use crate::sys::plant::Bounds;
pub use place::{Landing, Origin};

use crate::error::{Error, InsideProblem, Problem, Result};
use std::path::PathBuf;

/// The name that the copy of `origin` gets in the directory of `landing`; `None` when only what is in it is copied, into
/// that very directory.
///
/// Errors: `DirectoryOverFile`; `NoSuchDirectory` where a file was to be copied into a directory that is not there.
pub fn name(origin: &Origin, landing: &Landing) -> Result<Option<PathBuf>> {
    let refuse = |problem| Err(Error::new(Problem::Inside(problem)));
    let path = landing.path.display().to_string();
    match &landing.name {
        None if origin.contents => Ok(None),
        None => Ok(Some(origin.name.clone().into())),
        Some(_) if landing.there && origin.is_directory => refuse(InsideProblem::DirectoryOverFile { path }),
        Some(_) if landing.asks_directory && !origin.is_directory => {
            refuse(InsideProblem::NoSuchDirectory { path })
        }
        Some(name) => Ok(Some(name.clone().into())),
    }
}
