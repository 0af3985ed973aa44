//! The user namespace: user and group ids of its own, and with them capabilities. user_namespaces(7).
//!
//! The process that creates one has every capability in it and none outside: an ordinary user can so be root
//! over namespaces created there, and over nothing else. Until ids are mapped, everybody is `nobody` inside.
//!
//! What a user may map by herself is her own id. More of them are for programs with root's rights to map, from
//! outside: newuidmap(1) and newgidmap(1), which look up what the user has been given ([`subid`]).

use super::subid::{self, Range};
use crate::error::{Error, Problem, Result, RootlessProblem};
use crate::sys::file::{self, write};
use crate::sys::{command, identity, security};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Map the ids 0 inside to `uid` and `gid` outside, from within the new user namespace.
///
/// One id each is what the kernel grants without help. For the group it also demands that setgroups(2) be given
/// up first: a process could otherwise shed a group whose members are *denied* something (CVE-2014-8989).
/// Each file can be written once.
pub fn map_root(uid: u32, gid: u32) -> Result<()> {
    write(Path::new("/proc/self/setgroups"), "deny")?;
    write(Path::new("/proc/self/uid_map"), &format!("0 {uid} 1"))?;
    write(Path::new("/proc/self/gid_map"), &format!("0 {gid} 1"))
}

/// Which ids outside those inside are: 0 is the user's own, and 1, 2, … are those she has been given, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    uid: u32,
    gid: u32,
    uids: Vec<Range>,
    gids: Vec<Range>,
    /// Its writer holds CAP_SETUID and CAP_SETGID over these ids, and needs nobody's help.
    #[serde(default)]
    by_right: bool,
}

impl Map {
    /// All the ids that this process's user has a right to; her own alone, if that is all.
    pub fn own() -> Result<Self> {
        let subid::Given { uids, gids } = subid::given()?;
        let (uid, gid) = (identity::uid(), identity::gid());
        // With ids of one kind only, half of what a person could ask for would fail half-way.
        let both = !uids.is_empty() && !gids.is_empty();
        let [uids, gids] = if both { [uids, gids] } else { [Vec::new(), Vec::new()] };
        Ok(Self { uid, gid, uids, gids, by_right: false })
    }

    /// The same for who needs some ids, whosesoever they are: one who may map any takes, besides their own, ids from the
    /// middle of all, which are hardly anybody's.
    pub fn any() -> Result<Self> {
        const CAP_SETGID_AND_SETUID: u64 = 1 << 6 | 1 << 7;
        if security::effective_capabilities() & CAP_SETGID_AND_SETUID != CAP_SETGID_AND_SETUID {
            return Self::own();
        }
        let middle = |path: &str| file::read_text(Path::new(path)).map(|text| middle(&text));
        let (uids, gids) = (middle("/proc/self/uid_map")?, middle("/proc/self/gid_map")?);
        Ok(Self { uid: identity::uid(), gid: identity::gid(), uids, gids, by_right: true })
    }

    /// Whether it is more than the user's own id, so that it takes help from outside to write it.
    pub fn is_full(&self) -> bool {
        !self.uids.is_empty()
    }

    /// How many user ids there are inside, from 0 on.
    pub fn count(&self) -> u32 {
        1 + self.uids.iter().map(|range| range.count).sum::<u32>()
    }

    /// Write the map of the user namespace that process `pid`, a child of this one, was born in. Nothing is written
    /// there yet, and the child waits.
    ///
    /// Where newuidmap(1) or newgidmap(1) is missing or refuses, the user's own id alone is mapped, and the reason is
    /// returned.
    pub fn write(&self, pid: i32) -> Result<Option<Error>> {
        let path = |name: &str| PathBuf::from(format!("/proc/{pid}/{name}"));
        if !self.is_full() {
            write(&path("setgroups"), "deny")?;
            write(&path("uid_map"), &format!("0 {} 1", self.uid))?;
            return write(&path("gid_map"), &format!("0 {} 1", self.gid)).map(|()| None);
        }
        if self.by_right {
            write(&path("uid_map"), &rows(self.uid, &self.uids))?;
            return write(&path("gid_map"), &rows(self.gid, &self.gids)).map(|()| None);
        }
        let refused = [
            help("newuidmap", pid, self.uid, &self.uids).err(),
            help("newgidmap", pid, self.gid, &self.gids).err(),
        ];
        if refused[0].is_some() {
            write(&path("uid_map"), &format!("0 {} 1", self.uid))?;
        }
        if refused[1].is_some() {
            write(&path("setgroups"), "deny")?;
            write(&path("gid_map"), &format!("0 {} 1", self.gid))?;
        }
        Ok(refused.into_iter().flatten().next())
    }
}

/// Have `program` write the map of one kind of ids: `own` is 0 inside, and `ranges` follow it.
fn help(program: &str, pid: i32, own: u32, ranges: &[Range]) -> Result<()> {
    let words: Vec<String> = [pid.to_string()].into_iter().chain(triples(own, ranges)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = command::run(&find(program)?, &words, "")?;
    match output.status {
        0 => Ok(()),
        _ => {
            let (program, said) = (program.to_owned(), output.stderr.trim().to_owned());
            Err(Error::new(Problem::Rootless(RootlessProblem::MapRefused { program, said })))
        }
    }
}

/// `INSIDE OUTSIDE COUNT` for each row of the map.
fn triples(own: u32, ranges: &[Range]) -> Vec<String> {
    let mut inside = 0;
    let mut rows = Vec::new();
    for Range { first, count } in [Range { first: own, count: 1 }].iter().chain(ranges) {
        rows.extend([inside, *first, *count].map(|number| number.to_string()));
        inside += count;
    }
    rows
}

/// The same as the file takes it: a line for each row.
fn rows(own: u32, ranges: &[Range]) -> String {
    triples(own, ranges).chunks(3).map(|row| row.join(" ") + "\n").collect()
}

/// Up to 65535 ids from the middle of the longest row of `map`, the text of a uid_map(5); none of a row too short.
fn middle(map: &str) -> Vec<Range> {
    const MOST: u32 = 65_535;
    let numbers =
        |line: &str| line.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>();
    let rows = map.lines().map(numbers).filter(|row| row.len() == 3);
    let longest = rows.max_by_key(|row| row[2]).map_or((0, 0), |row| (row[0], row[2]));
    let (first, count) = (longest.0 + longest.1 / 2, (longest.1 / 2).min(MOST));
    if count == 0 { Vec::new() } else { vec![Range { first, count }] }
}

fn find(program: &str) -> Result<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let directories = path.split(':').filter(|directory| directory.starts_with('/'));
    directories
        .chain(["/usr/bin", "/bin"])
        .map(|directory| Path::new(directory).join(program))
        .find(|candidate| file::access(candidate, true).is_ok())
        .ok_or_else(|| {
            Error::new(Problem::Rootless(RootlessProblem::NoMapper { program: program.to_owned() }))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_inside_are_in_a_row() {
        let ranges = [Range { first: 100_000, count: 65_536 }, Range { first: 300_000, count: 10 }];
        let rows = triples(1000, &ranges).join(" ");
        assert_eq!(rows, "0 1000 1 1 100000 65536 65537 300000 10");
        let map = Map { uid: 1000, gid: 1000, uids: ranges.to_vec(), gids: ranges.to_vec(), by_right: false };
        assert_eq!((map.count(), map.is_full()), (65_547, true));
        assert_eq!(super::rows(1000, &ranges[..1]), "0 1000 1\n1 100000 65536\n");
    }

    #[test]
    fn hardly_anybodys_are_in_the_middle() {
        let all = "         0          0 4294967295\n";
        assert_eq!(middle(all), [Range { first: 2_147_483_647, count: 65_535 }]);
        assert_eq!(middle("0 1000 1\n1 100000 65536\n"), [Range { first: 32_769, count: 32_768 }]);
        assert_eq!(middle("0 1000 1\n"), []);
    }
}
