//! Which programs the base image has, and where the host keeps them.

use super::elf::{self, Linkage};
use super::host::{Found, Host};
use crate::error::Result;
use crate::sys::command;
use crate::sys::errno::{EACCES, ENOENT, ENOEXEC};
use crate::sys::file::{self, Kind};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Where programs are looked for, in this order; the last is NixOS's only place.
const DIRECTORIES: &[&str] = &["usr/sbin", "usr/bin", "sbin", "bin", "run/current-system/sw/bin"];

/// The same, for a message.
pub const LOOKED: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// What is brought when the host has it: shells; GNU coreutils; text and archives; processes; namespaces,
/// cgroups, capabilities and mounts; networks and users.
const NAMES: &str = "
    sh bash busybox

    [ arch b2sum base32 base64 basename cat chgrp chmod chown chroot cksum comm cp csplit cut date dd df dir
    dircolors dirname du echo env expand expr factor false fmt fold groups head hostid id install join link ln
    logname ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pr printenv printf
    ptx pwd readlink realpath rm rmdir seq sha1sum sha256sum sha512sum shred shuf sleep sort split stat stdbuf stty
    sum sync tac tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq unlink users vdir wc
    who whoami yes

    awk clear cmp diff egrep fgrep find grep gunzip gzip hexdump less more reset rev sed tar tput which xargs zcat

    free kill killall pgrep pidof pkill pmap ps pstree renice setsid taskset top uptime vmstat w watch

    capsh findmnt flock getcap getpcaps ipcmk ipcrm ipcs lsns mount mountpoint nsenter pivot_root prlimit setcap
    setpriv sysctl umount unshare

    bridge getent hostname ip nc ping ss tc traceroute
";

/// What is taken from busybox only, since elsewhere it brings megabytes of libraries.
const BUSYBOX_NAMES: &str = "httpd nslookup vi wget";

/// A program of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What a person types.
    pub name: &'static str,
    /// Where that name stands in the image.
    pub place: PathBuf,
    /// The file.
    pub found: Found,
    /// How it comes by its libraries.
    pub linkage: Linkage,
}

/// The host's programs among those named above. Scripts are passed over: what they in turn call is unknown.
/// For what is missing, a busybox steps in if there is one.
pub fn find(host: &Host) -> Result<Vec<Program>> {
    let mut search = Search { host, seen: HashMap::new() };
    let mut programs = Vec::new();
    let mut missing = Vec::new();
    for name in NAMES.split_whitespace() {
        match search.program(name)? {
            Some(program) => programs.push(program),
            None => missing.push(name),
        }
    }
    missing.extend(BUSYBOX_NAMES.split_whitespace());
    if let Some(busybox) = programs.iter().find(|program| program.name == "busybox").cloned() {
        let applets = applets(host, &busybox)?;
        let steps_in = missing.into_iter().filter(|name| applets.contains(*name));
        programs.extend(steps_in.map(|name| Program { name, place: in_usr_bin(name), ..busybox.clone() }));
    }
    Ok(programs)
}

/// The program called `name`, if the host has it.
pub fn named(host: &Host, name: &'static str) -> Result<Option<Program>> {
    Search { host, seen: HashMap::new() }.program(name)
}

struct Search<'a> {
    host: &'a Host,
    /// The linkage of each file looked into, by its path: many names can lead to one file.
    seen: HashMap<PathBuf, Option<Linkage>>,
}

impl Search<'_> {
    /// The first program called `name` in the directories.
    fn program(&mut self, name: &'static str) -> Result<Option<Program>> {
        for directory in DIRECTORIES {
            let path = Path::new(directory).join(name);
            let Some(found) = self.host.find(&path)? else { continue };
            let executable = found.status.kind == Kind::File && found.status.mode & 0o111 != 0;
            if !executable {
                continue;
            }
            if let Some(linkage) = self.linkage(&found)? {
                // A directory that is not in the image's PATH is not followed.
                let standard = LOOKED.split(':').any(|known| known[1..] == **directory);
                let place = if standard { self.host.place(&path)? } else { in_usr_bin(name) };
                return Ok(Some(Program { name, place, found, linkage }));
            }
        }
        Ok(None)
    }

    fn linkage(&mut self, found: &Found) -> Result<Option<Linkage>> {
        const LARGEST: u64 = 64 << 20;
        if let Some(linkage) = self.seen.get(&found.path) {
            return Ok(linkage.clone());
        }
        let linkage = match file::read(&self.host.reach(&found.path), LARGEST) {
            // Some programs may be executed but not read, so not copied.
            Err(error) if error.is(EACCES) || error.is(ENOENT) => None,
            contents => elf::linkage(&contents?),
        };
        self.seen.insert(found.path.clone(), linkage.clone());
        Ok(linkage)
    }
}

/// The names under which `busybox` is willing to run.
fn applets(host: &Host, busybox: &Program) -> Result<BTreeSet<String>> {
    match command::run(&host.reach(&busybox.found.path), &["--list"], "") {
        Ok(output) => Ok(output.stdout.lines().map(str::to_owned).collect()),
        Err(error) if error.is(ENOEXEC) || error.is(ENOENT) || error.is(EACCES) => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

fn in_usr_bin(name: &str) -> PathBuf {
    Path::new("usr/bin").join(name)
}
