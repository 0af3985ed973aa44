//! What the name of a layer's member says: that something is made, or that something below is not to be seen.
//!
//! A tar archive knows no deletion, so the OCI image specification gives names that begin with `.wh.` a meaning; see
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts>. The rest of such a name comes from
//! whoever made the archive, and is believed in nothing: `.wh...` would hide `..`, which is no name of the directory's.

use super::super::store::image_problem;
use crate::error::{ImageProblem, Result};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How the name of a whiteout begins; the rest is the name of what it hides.
const WHITEOUT: &[u8] = b".wh.";
/// What makes its directory opaque.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// How the names begin that another union file system kept its own notes under.
const FOREIGN: &[u8] = b".wh..wh.";

/// What a member is, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// The layer's own directory: the empty path.
    Top,
    /// A file, a directory, a link, to be made under that name.
    Node,
    /// Nothing to be made: what the layers below have at this path is hidden.
    Whiteout(PathBuf),
    /// Nothing to be made: the directory that it is in hides what the layers below have in theirs of the same path.
    Opaque,
    /// A note of another union file system's to itself: passed over.
    Foreign,
}

/// What the member at `path` is. `path` begins at the layer's top, without a `/`, and has no `..` in it.
///
/// `ReservedName` for a whiteout of no name, of `.` or of `..`, and for anything in a directory whose name begins as
/// whiteouts do.
pub fn member(path: &Path) -> Result<Member> {
    let Some(name) = path.file_name().map(OsStr::as_bytes) else { return Ok(Member::Top) };
    let refuse = || Err(image_problem(ImageProblem::ReservedName { path: path.display().to_string() }));
    let reserved = |part: &OsStr| part.as_bytes().starts_with(WHITEOUT);
    if path.parent().is_some_and(|parent| parent.iter().any(reserved)) {
        return refuse();
    }
    match name.strip_prefix(WHITEOUT) {
        _ if name == OPAQUE => Ok(Member::Opaque),
        _ if name.starts_with(FOREIGN) => Ok(Member::Foreign),
        Some(b"" | b"." | b"..") => refuse(),
        Some(gone) => Ok(Member::Whiteout(path.with_file_name(OsStr::from_bytes(gone)))),
        None => Ok(Member::Node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_becomes_of_it() {
        let says = |path: &str| member(Path::new(path)).ok();
        assert_eq!((says(""), says("d/.whale")), (Some(Member::Top), Some(Member::Node)));
        assert_eq!(says("d/.wh.gone"), Some(Member::Whiteout("d/gone".into())));
        assert_eq!(says("d/.wh..hidden"), Some(Member::Whiteout("d/.hidden".into())));
        assert_eq!(says("d/.wh..wh..opq"), Some(Member::Opaque));
        assert_eq!(says(".wh..wh.plnk"), Some(Member::Foreign));
        for refused in ["d/.wh.", "d/.wh..", ".wh...", ".wh.d/x", ".wh..wh..opq/x"] {
            assert_eq!(says(refused), None, "{refused}");
        }
    }
}
