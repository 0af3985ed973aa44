//! show: the namespaces of one process, as `ls -la /proc/PID/ns` shows them.

use super::ended;
use crate::demo::{Place, Walk};
use crate::error::{Meaning, Problem, Result};
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::sys::{errno, file};
use std::path::{Path, PathBuf};

/// `ns-demo show`.
pub const WALK: Walk = Walk {
    name: "show",
    title: Text { en: "The namespaces of one process", zh: "一个进程的 Namespace" },
    place: Place::Here,
    show: |stage| tell(stage, None),
};

/// `ns-demo show PID`.
pub fn show(stage: &Stage, pid: i32) -> Result<u8> {
    stage.title(WALK.name, WALK.title.get(crate::narrate::lang()));
    tell(stage, Some(pid)).map(|ending| ended(stage, &ending))
}

/// A link in `/proc/PID/ns`.
struct Link {
    name: String,
    /// What it says: `uts:[4026531838]`.
    target: String,
    /// The inode number of the file that it leads to.
    inode: u64,
    /// What the same link of this process says.
    own: String,
}

fn tell(stage: &Stage, pid: Option<i32>) -> Result<Ending> {
    let whose = pid.map_or("self".to_owned(), |pid| pid.to_string());
    let directory = PathBuf::from(format!("/proc/{whose}/ns"));
    stage.scene(&text!("Links that are files", "是链接，也是文件"));
    stage.command(&format!("ls -la /proc/{whose}/ns"));
    let links = read(&directory, pid.unwrap_or(0))?;
    let row = |link: &Link| -> Vec<Entry> {
        let same =
            if link.target == link.own { text!("= yours", "= 你的") } else { format!("≠ {}", link.own) };
        vec![
            link.name.as_str().into(),
            Entry::of(Ink::Fact, &*link.target),
            link.inode.to_string().into(),
            Entry::of(if link.target == link.own { Ink::Faint } else { Ink::Refused }, same),
        ]
    };
    let heads = ["", &text!("the link says", "链接的内容"), &text!("inode of the file", "文件的 inode"), ""];
    stage.table(&heads, &links.iter().map(row).collect::<Vec<_>>());

    let numbered = links.iter().all(|link| link.target.contains(&format!("[{}]", link.inode)));
    let apart = links.iter().filter(|link| link.target != link.own).count();
    let shared = links.len() - apart;
    let ending = Ending::default().saw(
        numbered && !links.is_empty(),
        text!(
            "The number of a namespace is the inode number of a file: two processes with the same one share it.",
            "Namespace 的编号就是一个文件的 inode 号：编号相同的两个进程共享它。"
        ),
    );
    let ending = match pid {
        None => ending,
        Some(pid) => ending.saw(
            true,
            text!(
                "Process {pid} shares {shared} of these with the program that looks, and has {apart} others.",
                "进程 {pid} 与查看它的程序共享其中 {shared} 个，另外 {apart} 个不同。"
            ),
        ),
    };
    let target = pid.map_or("$$".to_owned(), |pid| pid.to_string());
    Ok(ending.next(&format!("ns-demo enter -t {target} --uts -- hostname")).next("ns-demo matrix"))
}

/// The links in `directory`, of process `pid`.
fn read(directory: &Path, pid: i32) -> Result<Vec<Link>> {
    let gone = |error: crate::error::Error| match error.errno() {
        Some(errno::ENOENT | errno::ESRCH) => error.meaning(Problem::NoSuchProcess { pid }),
        Some(errno::EACCES | errno::EPERM) => error.meaning(Problem::ProcessClosed { pid }),
        _ => error,
    };
    let mut names: Vec<String> = file::list(directory)
        .map_err(gone)?
        .into_iter()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect();
    names.sort_unstable();
    let mut links = Vec::new();
    for name in names {
        let path = directory.join(&name);
        let target = match file::readlink(&path) {
            // `pid_for_children` leads nowhere until the first child is born.
            Err(error) if error.is(errno::ENOENT) => continue,
            answer => answer.meaning(|| Problem::ProcessClosed { pid })?.display().to_string(),
        };
        let inode = file::status(&path)?.identity.1;
        let own = file::readlink(&Path::new("/proc/self/ns").join(&name))?.display().to_string();
        links.push(Link { name, target, inode, own });
    }
    Ok(links)
}
