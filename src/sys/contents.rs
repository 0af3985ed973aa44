//! Contents of files that are not ours and not small: read whole or not at all, and without waiting.

use super::file::{errno, read};
use super::{Call, ask};
use crate::error::{Error, Problem, Result};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The text of the file at `path`, whole: one of more than `mebibytes` is `TooLong`. Bytes that are not UTF-8 are
/// replaced.
pub fn read_whole(path: &Path, mebibytes: u64) -> Result<String> {
    let limit = mebibytes << 20;
    let contents = read(path, limit + 1)?;
    if contents.len() as u64 > limit {
        return Err(Error::new(Problem::TooLong { path: path.display().to_string(), mebibytes }));
    }
    Ok(String::from_utf8_lossy(&contents).into_owned())
}

/// The first MiB of the text of a regular file that somebody else made; anything else is `NotAFile`. A pipe, which
/// would make open(2) wait for a writer, is not waited for (`O_NONBLOCK`).
pub fn read_regular_text(path: &Path) -> Result<String> {
    const MIB: u64 = 1 << 20;
    let mut regular = true;
    let contents = ask(Call::Read { path }, || {
        let mut contents = Vec::with_capacity(4096);
        let mut options = File::options();
        let file = options.read(true).custom_flags(libc::O_NONBLOCK).open(path);
        let file = file.map_err(|error| errno(&error))?;
        regular = file.metadata().map_err(|error| errno(&error))?.is_file();
        if regular {
            file.take(MIB).read_to_end(&mut contents).map_err(|error| errno(&error))?;
        }
        Ok(contents)
    })?;
    if !regular {
        return Err(Error::new(Problem::NotAFile { path: path.display().to_string() }));
    }
    Ok(String::from_utf8_lossy(&contents).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_read_whole_or_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("long");
        for (bytes, fits) in [(1 << 20, true), ((2 << 20) - 1, true), (2 << 20, true), ((2 << 20) + 1, false)]
        {
            std::fs::write(&path, "x".repeat(bytes)).unwrap();
            let length = read_whole(&path, 2).map(|text| text.len()).map_err(|error| error.problem);
            let too_long = Problem::TooLong { path: path.display().to_string(), mebibytes: 2 };
            assert_eq!(length, if fits { Ok(bytes) } else { Err(too_long) });
        }
    }

    #[test]
    fn only_a_regular_file_is_read_and_nobody_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in [&path, directory.path(), Path::new("/dev/zero")] {
            let problem = read_regular_text(path).unwrap_err().problem;
            assert_eq!(problem, Problem::NotAFile { path: path.display().to_string() });
        }
        std::fs::write(directory.path().join("text"), "text").unwrap();
        assert_eq!(read_regular_text(&directory.path().join("text")).unwrap(), "text");
    }
}
