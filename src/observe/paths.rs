//! Files and directories: what stands at a path, and what a small file says.

use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// What a file says, on one line: blanks joined, cut when long. `None` when empty or unreadable.
pub(super) fn contents(path: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
    one_line(&text)
}

/// All that a file says, a mebibyte at most. `None` when it cannot be read.
pub fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(1 << 20).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Where a path leads that names an open descriptor, `/proc/self/fd/7`; other paths are what they are.
pub fn place(path: &Path) -> PathBuf {
    match path.starts_with("/proc/self/fd") {
        true => std::fs::read_link(path).unwrap_or_else(|_| path.into()),
        false => path.into(),
    }
}

fn one_line(text: &str) -> Option<String> {
    const LONGEST: usize = 160;
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect();
    let joined = lines.join("; ");
    match joined.char_indices().nth(LONGEST) {
        _ if joined.is_empty() => None,
        Some((end, _)) => Some(format!("{}…", &joined[..end])),
        None => Some(joined),
    }
}

/// `directory 0755`, `character device 1:3 0666`, `link to /proc/self/fd`.
pub(super) fn kind(path: &Path) -> Option<String> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    let mode = metadata.mode() & 0o7777;
    let kind = metadata.file_type();
    Some(if kind.is_symlink() {
        format!("link to {}", std::fs::read_link(path).ok()?.display())
    } else if kind.is_dir() {
        format!("directory {mode:04o}")
    } else if kind.is_char_device() {
        let (major, minor) = device(metadata.rdev());
        format!("character device {major}:{minor} {mode:04o}")
    } else {
        format!("file {mode:04o}")
    })
}

/// Which file system and which directory of it a path is: `device 254:1, inode 2`.
pub(super) fn identity(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    let (major, minor) = device(metadata.dev());
    Some(format!("device {major}:{minor}, inode {}", metadata.ino()))
}

/// Major and minor number, as `makedev` of the C library packs them.
fn device(number: u64) -> (u64, u64) {
    ((number >> 8) & 0xfff | (number >> 32) & !0xfff, number & 0xff | (number >> 12) & !0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lines_become_one() {
        assert_eq!(one_line("max\n").as_deref(), Some("max"));
        assert_eq!(one_line("         0       1000          1\n").as_deref(), Some("0 1000 1"));
        assert_eq!(
            one_line("monotonic  -5 0\nboottime -7 0\n").as_deref(),
            Some("monotonic -5 0; boottime -7 0")
        );
        assert_eq!(one_line("\n"), None);
        assert_eq!(one_line(&"x".repeat(500)).map(|line| line.chars().count()), Some(161));
    }

    #[test]
    fn device_numbers_are_unpacked() {
        assert_eq!(device(0x103), (1, 3));
        assert_eq!(
            kind(Path::new("/dev/null")).map(|kind| kind.starts_with("character device 1:3")),
            Some(true)
        );
        assert_eq!(kind(Path::new("/no/such/thing")), None);
    }
}
