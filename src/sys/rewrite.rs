//! Exchange the text of a file that others have open or mounted, without exchanging the file: pwrite(2), ftruncate(2).

use super::file::errno;
use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Let the regular file at `path`, which must be there, hold `contents` and nothing else. It keeps its inode, and so is
/// seen to change wherever it is bind-mounted.
///
/// Whoever reads meanwhile finds the old text, the new, or the new with the rest of the old replaced by empty lines:
/// first the whole is written over, then it is cut. `ELOOP` for a symbolic link, `EINVAL` for what is no regular file.
pub fn in_place(path: &Path, contents: &str) -> Result<()> {
    ask(Call::Write { path, contents }, || {
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let file =
            File::options().write(true).custom_flags(flags).open(path).map_err(|error| errno(&error))?;
        let status = file.metadata().map_err(|error| errno(&error))?;
        if !status.is_file() {
            return Err(Errno::EINVAL);
        }
        let mut text = contents.as_bytes().to_vec();
        text.resize(text.len().max(status.len().min(LONGEST) as usize), b'\n');
        file.write_all_at(&text, 0).map_err(|error| errno(&error))?;
        file.set_len(contents.len() as u64).map_err(|error| errno(&error))
    })
}

/// What lies beyond this of an old text is cut off without having been written over.
const LONGEST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn the_text_changes_and_the_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hosts");
        std::fs::write(&path, "a longer text than the next\n").unwrap();
        let inode = std::fs::metadata(&path).unwrap().ino();
        for text in ["short\n", "and a longer one again\n", ""] {
            in_place(&path, text).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(std::fs::metadata(&path).unwrap().ino(), inode);
    }

    #[test]
    fn only_a_regular_file_is_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("missing"), directory.path().join("link"));
        assert!(in_place(&path, "x").unwrap_err().is(libc::ENOENT));
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        assert!(in_place(&link, "x").unwrap_err().is(libc::ELOOP));
        assert!(in_place(Path::new("/dev/null"), "x").unwrap_err().is(libc::EINVAL));
    }
}
