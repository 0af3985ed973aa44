//! A process breaks out of a chroot, and does not break out after pivot_root. chroot(2), pivot_root(2).

use super::Claim;
use crate::demo::{actor, host};
use crate::error::Result;
use crate::namespace;
use crate::narrate::{Stage, text};
use crate::observe::{self, Subject};
use crate::rootfs::pivot;
use crate::step::Role;
use crate::sys::chroot::chroot;
use crate::sys::flags::{MS_NODEV, MS_NOSUID};
use crate::sys::{file, mount};
use std::path::{Path, PathBuf};

/// What `/` was: at first, in the new root, and after the attempt; and whether the secret could be read then.
type Roots = ([Option<String>; 3], bool);

/// A file of the host's, outside of both new roots.
const SECRET: &str = "secret";

/// Further up than any working directory here can be deep.
const UP: usize = 16;

pub(super) fn show(stage: &Stage) -> Result<Claim> {
    file::write_new(&scratch(SECRET), "of the host", 0o600)?;
    let jail = scratch("jail");
    file::mkdir(&jail, 0o755)?;
    stage.scene(&text!("A chroot, and the way out of it", "chroot，以及逃出去的路"));
    stage.say(&text!(
        "chroot(2) changes where absolute paths begin, and no more. `..` stops at the root; but a process whose working \
         directory is outside of its root never meets it. A second chroot, without chdir, puts it there.",
        "chroot(2) 只改变绝对路径的起点，别的都不变。`..` 走到根就停；但如果进程的工作目录在根之外，它就永远碰不到这个根。\
         再做一次 chroot 而不 chdir，就能站到外面。"
    ));
    stage.command(
        "sudo perl -e 'chdir \"jail\"; chroot \".\"; mkdir \"inner\"; chroot \"inner\"; chdir \"..\" for 1..9; \
         chroot \".\"; exec \"sh\"'",
    );
    let free = actor::apart(Role::Actor("prisoner"), 0, || {
        let before = root();
        chroot(&jail)?;
        file::chdir(Path::new("/"))?;
        attempt(before)
    })?;
    tell(stage, &free);

    let wall = scratch("wall");
    file::mkdir(&wall, 0o755)?;
    stage.scene(&text!("pivot_root, and no way out", "pivot_root，没有出路"));
    stage.say(&text!(
        "In a mount namespace of its own the new root is a mount; pivot_root(2) makes it the root, and the old one is \
         unmounted. The same steps again: above the new root there is nothing to walk to.",
        "在自己的 Mount Namespace 里，新的根是一个挂载点；pivot_root(2) 让它成为根，旧的根随后被卸载。\
         同样的步骤再来一遍：新的根上面已经没有可去的地方。"
    ));
    stage.command("cd /tmp/wall; pivot_root . .; umount -l .");
    let held = actor::apart(Role::Actor("prisoner"), 0, || {
        let before = root();
        namespace::mount::enter()?;
        mount::mount("tmpfs", &wall, "tmpfs", MS_NOSUID | MS_NODEV, Some("mode=755,size=64k"))?;
        pivot::enter(&wall)?;
        pivot::detach_old()?;
        attempt(before)
    })?;
    tell(stage, &held);
    let escaped = free.0[0] == free.0[2] && free.0[0] != free.0[1] && free.1;
    let stayed = held.0[1] == held.0[2] && held.0[0] != held.0[1] && !held.1;
    Ok((
        escaped && stayed,
        text!(
            "Out of the chroot the process came, and read the host's file; after pivot_root the same steps led nowhere.",
            "进程逃出了 chroot，读到了宿主机的文件；pivot_root 之后，同样的步骤哪里也去不了。"
        ),
    ))
}

fn scratch(name: &str) -> PathBuf {
    Path::new(host::SCRATCH).join(name)
}

/// Which directory `/` is.
fn root() -> Option<String> {
    observe::read(&Subject::Root)
}

/// On entry: in a new root, standing in it. Try to get out.
fn attempt(before: Option<String>) -> Result<Roots> {
    let inside = root();
    file::mkdir(Path::new("inner"), 0o755)?;
    chroot(Path::new("inner"))?;
    let up = PathBuf::from_iter(std::iter::repeat_n("..", UP));
    file::chdir(&up)?;
    chroot(Path::new("."))?;
    let secret = file::if_there(file::read_text(&scratch(SECRET)))?;
    Ok(([before, inside, root()], secret.is_some()))
}

fn tell(stage: &Stage, (roots, secret): &Roots) {
    let same = |root: &Option<String>| match root {
        root if *root == roots[0] => text!("the host's", "宿主机的"),
        _ => text!("the new one", "新的"),
    };
    let names = [text!("at first", "最初"), text!("inside", "里面"), text!("after the attempt", "尝试之后")];
    let rows: Vec<_> = names
        .into_iter()
        .zip(roots)
        .map(|(name, root)| vec![name.into(), same(root).into(), root.clone().unwrap_or_default().into()])
        .collect();
    stage.table(&["", &text!("root is", "根是"), "/"], &rows);
    let read = if *secret { text!("can be read", "读得到") } else { text!("does not exist", "不存在") };
    stage.fact("/tmp/secret", &read);
}
