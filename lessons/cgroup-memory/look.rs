//! What the checks of lab `cgroup-memory` read of a container's group.

use crate::cgroup::Group;
use crate::cgroup::hierarchy::Version;
use crate::lab::ration;
use crate::lab::verdict::{Outcome, Said, Stop, wrong};
use crate::said;
use crate::sys::file;
use std::path::{Path, PathBuf};

/// The group of the container that runs.
pub fn group() -> Outcome<Group> {
    ration::only_group()?.ok_or_else(|| {
        let saw = said!("the container has no cgroup directory", "容器没有 Cgroup 目录");
        wrong(saw, said!("one directory minidocker-ID", "一个目录 minidocker-ID"))
    })
}

/// The file of the group that `controller` has for it in its version: its path and what is in it. `None` if there is none.
pub fn read(group: &Group, controller: &str, v1: &str, v2: &str) -> Outcome<Option<(PathBuf, String)>> {
    let Some((directory, version)) = group.directory_of(controller) else {
        return Err(Stop::Cannot(Said::plain(format!("no controller {controller}"))));
    };
    let path = directory.join(if version == Version::V1 { v1 } else { v2 });
    let text = file::if_there(file::read_text(&path))?;
    Ok(text.map(|text| (path, text.trim().to_owned())))
}

/// The same of a file that every group has.
pub fn must_read(group: &Group, controller: &str, v1: &str, v2: &str) -> Outcome<(PathBuf, String)> {
    let lacking = || Stop::Cannot(Said::plain(format!("{v1} / {v2}: ENOENT")));
    read(group, controller, v1, v2)?.ok_or_else(lacking)
}

/// What a file says, as a command would show it.
pub fn content(path: &Path, text: &str) -> Said {
    Said::plain(format!("{}: {text}", path.display()))
}
