//! What is mounted on top of files that tell too much: two checks of lesson `harden`.

use super::run;
use crate::lab::bench::Bench;
use crate::lab::verdict::{Diagnosis, Outcome, Said, ensure};
use crate::lab::witness;
use crate::rootfs::mask::{HIDDEN, READ_ONLY};
use crate::said;
use crate::sys::file::{self, Kind};
use serde_json::{Value, json};
use std::path::Path;

pub fn hidden(bench: &Bench) -> Outcome {
    let subject = run(bench, &[])?;
    let pid = subject.probe.pid();
    let table = witness::mounts(pid)?;
    let mut left_out = Vec::new();
    for path in HIDDEN {
        // What this machine does not have needs no mask.
        let Some(there) = file::if_there(file::status(Path::new(path)))? else { continue };
        if !table.iter().any(|line| line.split(' ').nth(4) == Some(path)) {
            left_out.push((path, there.kind));
        }
    }
    let missed: Vec<&str> = left_out.iter().map(|(path, _)| *path).collect();
    let list = missed.join(" ");
    let mistake = match left_out.as_slice() {
        left if left.iter().all(|(_, kind)| *kind == Kind::Directory) => "files-alone",
        _ => "first-missing",
    };
    ensure(
        missed.is_empty(),
        said!("not hidden: {list}", "没有遮住：{list}"),
        said!("something on top of each of them", "它们上面都盖着东西"),
    )
    .known_as(mistake)?;
    for path in
        HIDDEN.into_iter().filter(|path| table.iter().any(|line| line.split(' ').nth(4) == Some(path)))
    {
        let seen = format!("/proc/{pid}/root{path}");
        let status = file::status(Path::new(&seen))?;
        let is_empty = match status.kind {
            Kind::Directory => file::list(Path::new(&seen))?.is_empty(),
            kind => kind == Kind::Character && status.device == (1, 3),
        };
        ensure(
            is_empty,
            said!("{path} still says something", "{path} 还在说话"),
            said!("an empty directory, or the device 1:3", "空目录，或设备 1:3"),
        )?;
    }
    Ok(())
}

pub fn read_only(bench: &Bench) -> Outcome {
    const SETTING: &str = "/proc/sys/net/ipv4/ip_default_ttl";
    let subject = run(bench, &["--cap-add", "NET_ADMIN"])?;
    let table = witness::mounts(subject.probe.pid())?;
    let listed = |path: &str| table.iter().rfind(|line| line.split(' ').nth(4) == Some(path)).cloned();
    let missing: Vec<&str> = READ_ONLY
        .into_iter()
        .filter(|path| file::exists(Path::new(path)).unwrap_or(false) && listed(path).is_none())
        .collect();
    let list = missing.join(" ");
    let mistake = if missing.is_empty() { "still-writable" } else { "first-missing" };
    let written = subject.probe.ask::<Value>("write", json!([SETTING, "65"]))?;
    ensure(
        written.is_err(),
        said!("inside, 65 was written to {SETTING}", "在容器里把 65 写进了 {SETTING}"),
        said!("EROFS: a read-only file system", "EROFS：只读文件系统"),
    )
    .known_as(mistake)?;
    ensure(
        missing.is_empty(),
        said!("not protected: {list}", "没有保护：{list}"),
        said!("each laid read-only on itself", "每一处都以只读方式盖在自己上面"),
    )
    .known_as(mistake)?;
    let writable = READ_ONLY.into_iter().filter_map(listed).find(|line| {
        let options = line.split(' ').nth(5).unwrap_or_default();
        !options.split(',').any(|option| option == "ro")
    });
    let line = writable.clone().unwrap_or_default();
    ensure(writable.is_none(), Said::plain(line), said!("with the option ro", "带选项 ro"))
        .known_as("still-writable")
}
