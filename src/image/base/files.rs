//! The files under `/etc` and the few data files that the programs of the base image read.

use super::host::Host;
use super::tree::Tree;
use crate::error::Result;
use crate::sys::file;
use std::path::Path;

/// The ordinary user of the image, as in `minidocker run --user student`.
const STUDENT: u32 = 1000;

const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
student:x:1000:1000:student:/home/student:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
";

const GROUP: &str = "\
root:x:0:
tty:x:5:
student:x:1000:
nogroup:x:65534:
";

const NSSWITCH: &str = "\
passwd: files
group: files
hosts: files dns
";

const PROFILE: &str = "\
PS1='\\$ '
[ -z \"$BASH\" ] || PS1='\\u@\\h:\\w\\$ '
";

/// Where ncurses keeps what it knows about terminals: a file for each, in a directory named by its first letter.
const TERMINFO: &str = "etc/terminfo lib/terminfo usr/lib/terminfo usr/share/terminfo";

/// The terminals a person is likely to sit at.
const TERMINALS: &str = "dumb linux screen screen-256color tmux tmux-256color vt100 xterm xterm-256color";

/// The locale in which text is UTF-8 and everything else is as in C, and what it may cost.
const LOCALE: (&str, u64) = ("usr/lib/locale/C.utf8", 500_000);

/// Plan the files.
pub fn plan(tree: &mut Tree, host: &Host) -> Result<()> {
    tree.text(Path::new("etc/passwd"), PASSWD);
    tree.text(Path::new("etc/group"), GROUP);
    tree.text(Path::new("etc/nsswitch.conf"), NSSWITCH);
    // Each container has its own of these mounted on them; being there already, they need not be made each time.
    for name in ["etc/hosts", "etc/hostname", "etc/resolv.conf"] {
        tree.text(Path::new(name), "");
    }
    tree.text(Path::new("etc/os-release"), os_release(host));
    tree.link(Path::new("etc/mtab"), Path::new("../proc/self/mounts"));
    tree.home(Path::new("home/student"), STUDENT);
    for directory in TERMINFO.split_whitespace() {
        for terminal in TERMINALS.split_whitespace() {
            tree.bring(host, &Path::new(directory).join(&terminal[..1]).join(terminal))?;
        }
    }
    let utf8 = tree.bring_directory(host, Path::new(LOCALE.0), LOCALE.1)?;
    let language = if utf8 { "export LANG=C.UTF-8\n" } else { "" };
    tree.text(Path::new("etc/profile"), format!("{PROFILE}{language}"));
    // The loader's index of libraries outside its built-in directories. It skips what the image does not have.
    tree.bring(host, Path::new("etc/ld.so.cache"))?;
    Ok(())
}

/// An os-release(5) that says what the image was made from.
fn os_release(host: &Host) -> String {
    let text = file::read_text(&host.reach(Path::new("etc/os-release"))).unwrap_or_default();
    let value = |line: &str| {
        line.strip_prefix("PRETTY_NAME=").map(|value| value.trim_matches(['"', '\'']).to_owned())
    };
    let made_from = text.lines().find_map(value).unwrap_or_else(|| "an unnamed Linux".to_owned());
    format!(
        "PRETTY_NAME=\"minidocker base (made from {made_from})\"\nNAME=\"minidocker base\"\nID=minidocker\n"
    )
}
