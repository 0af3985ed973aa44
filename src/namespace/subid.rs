//! Which ids a user may use beside her own: `/etc/subuid` and `/etc/subgid`. subuid(5), subgid(5).
//!
//! Each line is `USER:FIRST:COUNT`, the user by name or by number, who may have several lines. The files are only a
//! promise: it is newuidmap(1) and newgidmap(1), programs with root's rights, that read them too and write a map.

use crate::error::Result;
use crate::sys::{contents, file, identity};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// As many ids in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first one.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// What this user has been given in both files; either list may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Of user ids.
    pub uids: Vec<Range>,
    /// Of group ids.
    pub gids: Vec<Range>,
}

/// Read what this process's user has been given. A file that is not there gives nothing.
pub fn given() -> Result<Given> {
    let uid = identity::uid();
    let names = names_of(uid, &read("/etc/passwd")?);
    let ranges = |path: &str| read(path).map(|text| ranges(&text, uid, &names));
    Ok(Given { uids: ranges("/etc/subuid")?, gids: ranges("/etc/subgid")? })
}

fn read(path: &str) -> Result<String> {
    Ok(file::if_there(contents::read_regular_text(Path::new(path)))?.unwrap_or_default())
}

/// The names that go by `uid` in a passwd(5) file.
fn names_of(uid: u32, passwd: &str) -> Vec<String> {
    let own = |line: &&str| line.split(':').nth(2).and_then(|field| field.parse().ok()) == Some(uid);
    let lines = passwd.lines().filter(own);
    lines.filter_map(|line| line.split(':').next().map(str::to_owned)).collect()
}

/// The ranges of a user. A line that makes no sense is nobody's, and so is a range that reaches the ids 2³¹ and
/// beyond, or holds the user's own id, which is mapped anyway.
fn ranges(text: &str, uid: u32, names: &[String]) -> Vec<Range> {
    let mut found: Vec<Range> = Vec::new();
    for line in text.lines() {
        let mut fields = line.trim().split(':');
        let (Some(user), Some(first), Some(count), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let theirs = user.parse() == Ok(uid) || names.iter().any(|name| name == user);
        let (Ok(first), Ok(count)) = (first.parse::<u32>(), count.parse::<u32>()) else { continue };
        let end = u64::from(first) + u64::from(count);
        let sound =
            first > 0 && count > 0 && end <= 1 << 31 && !(u64::from(first)..end).contains(&uid.into());
        let apart = |other: &Range| {
            u64::from(other.first) >= end || u64::from(other.first) + u64::from(other.count) <= first.into()
        };
        if theirs && sound && found.iter().all(apart) {
            found.push(Range { first, count });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_by_name_and_by_number() {
        let names = names_of(1000, "root:x:0:0::/:\nana:x:1000:1000::/:\nother:x:10:1000::/:\n");
        assert_eq!(names, ["ana"]);
        let text = "bob:100000:65536\nana:200000:65536\n1000:300000:10\n# ana:1:1\n\nana:x:1\nana:1:2:3\n";
        let expected = [Range { first: 200_000, count: 65_536 }, Range { first: 300_000, count: 10 }];
        assert_eq!(ranges(text, 1000, &names), expected);
        assert_eq!(ranges(text, 1001, &[]), []);
    }

    #[test]
    fn what_cannot_be_mapped_is_left_out() {
        let text = "7:0:10\n7:5:0\n7:4:6\n7:4294967290:100\n7:100:50\n7:149:2\n7:150:2\n";
        let expected = [Range { first: 100, count: 50 }, Range { first: 150, count: 2 }];
        assert_eq!(ranges(text, 7, &[]), expected);
    }
}
