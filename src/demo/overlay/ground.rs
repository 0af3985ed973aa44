//! The directories that the demos unite: below [`SCRATCH`], which is a file system in memory.

use crate::demo::host::SCRATCH;
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::{Ink, Stage, text};
use crate::overlay::{self, Layers, mark::Marks};
use crate::process::identity;
use crate::sys::errno::EPERM;
use crate::sys::file::{Kind, Status};
use crate::sys::{file, inode};
use std::path::{Path, PathBuf};

/// The layers of one overlay, all below one directory, by their usual names.
pub struct Ground {
    /// What is mounted.
    pub layers: Layers,
    top: PathBuf,
}

impl Ground {
    /// The directories `upper`, `work`, `merged` and those called `lower`, the topmost first. Nothing is made yet.
    ///
    /// In a user namespace nobody may write `trusted.*`, so the notes are kept in `user.*` there.
    pub fn plan(lower: &[&str]) -> Result<Self> {
        Self::plan_in(Path::new(SCRATCH), lower)
    }

    /// The same below the directory `top`.
    fn plan_in(top: &Path, lower: &[&str]) -> Result<Self> {
        let layers = Layers {
            lower: lower.iter().map(|name| top.join(name)).collect(),
            upper: top.join("upper"),
            work: top.join("work"),
            merged: top.join("merged"),
            userxattr: !identity::in_first_user_namespace()?,
            ..Layers::default()
        };
        Ok(Self { layers, top: top.to_owned() })
    }

    /// Plan one, make its directories, and say the command for that.
    pub fn make(stage: &Stage, lower: &[&str]) -> Result<Self> {
        stage.command(&format!("mkdir {} upper work merged", lower.join(" ")));
        let ground = Self::plan(lower)?;
        ground.make_directories()?;
        Ok(ground)
    }

    /// The same in a directory of its own, `top`.
    pub fn make_in(stage: &Stage, top: &str, lower: &[&str]) -> Result<Self> {
        let names = lower.iter().chain(&["upper", "work", "merged"]).map(|name| format!(" {top}/{name}"));
        stage.command(&format!("mkdir -p{}", names.collect::<String>()));
        let ground = Self::plan_in(&Path::new(SCRATCH).join(top), lower)?;
        file::mkdir(&ground.top, 0o755)?;
        ground.make_directories()?;
        Ok(ground)
    }

    /// Make all its directories.
    pub fn make_directories(&self) -> Result<()> {
        self.layers.lower.iter().try_for_each(|lower| file::mkdir(lower, 0o755))?;
        overlay::make_directories(&self.layers)
    }

    /// Mount it, and say the command for it.
    pub fn mount(&self, stage: &Stage) -> Result<()> {
        stage.command(&self.mount_command());
        overlay::mount(&self.layers)
    }

    /// Unmount it, and say the command for it.
    pub fn unmount(&self, stage: &Stage) -> Result<()> {
        stage.command(&format!("sudo umount {}", self.short(&self.layers.merged)));
        overlay::unmount(&self.layers)
    }

    /// The command that mounts it, in the working directory.
    pub fn mount_command(&self) -> String {
        self.command_with(&self.layers.options())
    }

    /// The same with other options.
    pub fn command_with(&self, options: &str) -> String {
        let options = options.replace(&format!("{SCRATCH}/"), "");
        format!("sudo mount -t overlay overlay -o {options} {}", self.short(&self.layers.merged))
    }

    /// A path from the working directory.
    pub fn short(&self, path: &Path) -> String {
        path.strip_prefix(SCRATCH).unwrap_or(path).display().to_string()
    }

    /// A path below its directory: `upper/file`.
    pub fn path(&self, path: &str) -> PathBuf {
        self.top.join(path)
    }

    /// Make a file of this text, and say the command for it.
    pub fn echo(&self, stage: &Stage, text: &str, path: &str) -> Result<()> {
        let path = self.path(path);
        stage.command(&format!("echo \"{text}\" > {}", self.short(&path)));
        file::write_new(&path, &format!("{text}\n"), 0o644)
    }

    /// The notes of its overlay.
    pub fn marks(&self) -> Marks {
        Marks::of(&self.layers)
    }

    /// Whether the file system can keep the notes of its overlay; if not, say so.
    pub fn keeps_marks(&self, stage: &Stage) -> Result<bool> {
        let kept = self.marks().are_kept(&self.layers.upper)?;
        if !kept {
            let name = self.marks().name("opaque");
            stage.lacks(&text!(
                "the attribute {name} cannot be kept on this tmpfs (that takes Linux 6.6). As root, --on-host uses \
                 trusted.overlay.*, which every tmpfs keeps.",
                "这个 tmpfs 不能保存扩展属性 {name}（需要 Linux 6.6）。以 root 加 --on-host 运行时使用 \
                 trusted.overlay.*，任何 tmpfs 都能保存。"
            ));
        }
        Ok(kept)
    }
}

/// Make a whiteout by hand, as only mknod(2) can. `false`, and said, where a user namespace may not (before Linux 5.8).
pub fn mknod_whiteout(stage: &Stage, path: &Path) -> Result<bool> {
    match file::mknod_character(path, 0, 0, 0) {
        Err(error) if error.is(EPERM) => {
            stage.lacks(&text!(
                "mknod(2) of the device 0:0 is allowed in a user namespace since Linux 5.8. As root: --on-host.",
                "从 Linux 5.8 起，User Namespace 里才允许 mknod(2) 创建 0:0 设备。以 root 运行时可加 --on-host。"
            ));
            Ok(false)
        }
        answer => answer.map(|()| true),
    }
}

/// `lower/file`, and what lstat(2) says of it: inode, bytes, blocks of 512 bytes, time of the last change. Nothing
/// but the name for one that is not there.
pub fn stat_row(ground: &Ground, name: &str) -> Result<Vec<Entry>> {
    let Some(inode) = file::if_there(inode::inode(&ground.path(name)))? else {
        return Ok(vec![name.into(), Entry::of(Ink::Faint, "-")]);
    };
    let (seconds, nanoseconds) = inode.modified;
    let cells = [
        inode.number().to_string(),
        mode_string(&inode.status),
        inode.status.size.to_string(),
        inode.blocks.to_string(),
        format!("{seconds}.{nanoseconds:09}"),
    ];
    Ok(std::iter::once(name.into()).chain(cells.map(|cell| Entry::of(Ink::Fact, cell))).collect())
}

/// The heads of the columns of [`stat_row`].
pub const STAT_HEADS: [&str; 6] = ["", "st_ino", "mode", "st_size", "st_blocks", "st_mtime"];

/// Kind and permission bits as ls(1) writes them: `-rw-r--r--`.
pub fn mode_string(status: &Status) -> String {
    let kind = match status.kind {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Link => 'l',
        Kind::Character => 'c',
        Kind::Pipe => 'p',
        Kind::Other => '?',
    };
    let bit = |(index, letter): (usize, char)| if status.mode >> (8 - index) & 1 == 1 { letter } else { '-' };
    std::iter::once(kind).chain("rwxrwxrwx".chars().enumerate().map(bit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_written_as_ls_does() {
        let status = file::status(Path::new("/dev/null")).unwrap();
        assert_eq!(mode_string(&status), "crw-rw-rw-");
        assert_eq!(mode_string(&Status { kind: Kind::Directory, mode: 0o750, ..status }), "drwxr-x---");
    }
}
