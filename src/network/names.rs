//! Who is called what: the part of a container's `/etc/hosts` that is kept up to date.
//!
//! Containers on a network that somebody defined find each other by name. Docker runs a resolver for that, in each
//! container's network namespace; here it is done by files, for these reasons. A file needs no process that could be
//! killed, fall behind, or be asked something that it passes on to the wrong resolver; a container that is on an
//! internal network, or whose supervisor is busy, resolves names as well as any other; and a person can read with `cat`
//! what will be answered. Every C library (glibc, musl) and busybox reads `/etc/hosts` at each look-up, so a name is
//! right as soon as the file is. What is lost: programs that speak DNS themselves (dig(1), nslookup(1)) find no names
//! of containers, there is no reverse zone, and of several containers that share an alias the first is always taken.
//!
//! The file belongs to the container's directory and is bind-mounted, so it must keep its inode; it is rewritten in
//! place whenever a container of one of its networks comes, goes, is renamed, or is connected or disconnected. That is
//! done by whoever changed the book, before they let go of the ledger's lock: no two write at a time, and what the
//! files say follows what the book says. Who is killed between the two leaves an entry in the book that the next
//! command strikes out, and so comes here again.
//!
//! Only the lines between two remarks are ours. What a container writes before or after them stays.

use super::book::{Book, DEFAULT, Lease, Tenant};
use crate::error::Result;
use crate::sys::errno::{ENOENT, ENOTDIR};
use crate::sys::{file, rewrite};
use std::collections::BTreeSet;
use std::path::Path;

/// The first of the lines that are ours.
const BEGIN: &str = "# minidocker: begin\n";
/// The last.
const END: &str = "# minidocker: end\n";

/// Larger than this the file is a container's own business, and left as it is.
const LONGEST: u64 = 1 << 20;

/// The lines of container `id`: its own addresses, and on networks that somebody defined those of its neighbours.
pub fn section(book: &Book, id: &str) -> String {
    let mut own = String::new();
    let mut others = String::new();
    for (name, net, lease) in book.networks_of(id) {
        if let Some(tenant) = book.tenants.get(id) {
            own += &line(lease, &own_names(tenant, id, lease, name != DEFAULT));
        }
        let neighbours = net.leases.iter().filter(|(other, _)| name != DEFAULT && *other != id);
        for (other, lease) in neighbours {
            let names = book.tenants.get(other).map(|tenant| names(tenant, other, lease));
            others += &names.map(|names| line(lease, &names)).unwrap_or_default();
        }
    }
    format!("{BEGIN}{own}{others}{END}")
}

/// A container calls itself first by its host name, of which the part before a dot is a name too.
fn own_names<'a>(tenant: &'a Tenant, id: &'a str, lease: &'a Lease, named: bool) -> Vec<&'a str> {
    let mut all = vec![tenant.hostname.as_str()];
    all.extend(tenant.hostname.split_once('.').map(|(short, _)| short));
    if named {
        all.extend(names(tenant, id, lease));
    }
    all
}

/// What others call it: its name, its aliases, its id, its host name.
fn names<'a>(tenant: &'a Tenant, id: &'a str, lease: &'a Lease) -> Vec<&'a str> {
    let aliases = lease.aliases.iter().map(String::as_str);
    [tenant.name.as_str()].into_iter().chain(aliases).chain([id, tenant.hostname.as_str()]).collect()
}

fn line(lease: &Lease, names: &[&str]) -> String {
    let mut said = BTreeSet::new();
    let names: Vec<&str> =
        names.iter().copied().filter(|name| !name.is_empty() && said.insert(*name)).collect();
    format!("{}\t{}\n", lease.address, names.join(" "))
}

/// `text` with `section` in the place of the one that it has, or at its end.
pub fn splice(text: &str, section: &str) -> String {
    let found =
        text.find(BEGIN).and_then(|start| Some((start, start + text[start..].find(END)? + END.len())));
    match found {
        Some((start, end)) => [&text[..start], section, &text[end..]].concat(),
        None if text.is_empty() || text.ends_with('\n') => [text, section].concat(),
        None => [text, "\n", section].concat(),
    }
}

/// The containers whose file depends on who is in one of `networks`, container `id` left out.
pub fn neighbours(book: &Book, networks: &BTreeSet<String>, id: &str) -> BTreeSet<String> {
    let nets = networks.iter().filter(|name| *name != DEFAULT).filter_map(|name| book.networks.get(name));
    nets.flat_map(|net| net.leases.keys()).filter(|other| *other != id).cloned().collect()
}

/// Bring the files of the containers `ids` up to date. One that cannot be written does not keep the others from it; the
/// first error is returned. A file that is not there yet, or no more, needs nothing.
pub fn refresh(book: &Book, ids: &BTreeSet<String>) -> Result<()> {
    let mut outcome = Ok(());
    for id in ids {
        let path = book.tenants.get(id).and_then(|tenant| tenant.hosts.as_deref());
        let done = path.map_or(Ok(()), |path| update(path, &section(book, id)));
        outcome = outcome.and(done);
    }
    outcome
}

fn update(path: &Path, section: &str) -> Result<()> {
    let there = file::read(path, LONGEST).and_then(|bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let new = splice(&text, section);
        if new == text { Ok(()) } else { rewrite::in_place(path, &new) }
    });
    match there {
        Err(error) if error.is(ENOENT) || error.is(ENOTDIR) => Ok(()),
        // It has been made too long from inside: whoever did so looks after it.
        Err(error) if matches!(error.problem, crate::error::Problem::TooLong { .. }) => Ok(()),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Wish;
    use super::super::book::{Rules, tests::book};
    use super::*;

    fn tenant(name: &str, hostname: &str) -> Tenant {
        let (name, hostname) = (name.to_owned(), hostname.to_owned());
        Tenant {
            name,
            hostname,
            hosts: None,
            bindings: Vec::new(),
            ports: Vec::new(),
            rules: Rules::Absent,
            backend: Default::default(),
        }
    }

    fn full() -> Book {
        let mut book =
            book(&[("bridge", "172.30.0.0/16"), ("front", "172.31.0.0/16"), ("back", "10.200.0.0/16")]);
        let who = [
            ("aaaaaaaaaaaa", "web", "web.lan"),
            ("bbbbbbbbbbbb", "db", "bbbbbbbbbbbb"),
            ("cccccccccccc", "odd", "odd"),
        ];
        for (id, name, hostname) in who {
            book.tenants.insert(id.to_owned(), tenant(name, hostname));
        }
        let mut admit = |id: &str, network: &str, aliases: &[&str]| {
            let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
            book.admit(id, &Wish { network: network.to_owned(), address: None, aliases }).unwrap();
        };
        admit("aaaaaaaaaaaa", "front", &[]);
        admit("aaaaaaaaaaaa", "back", &[]);
        admit("bbbbbbbbbbbb", "back", &["store", "db"]);
        admit("cccccccccccc", "bridge", &[]);
        book
    }

    #[test]
    fn a_container_knows_itself_and_its_neighbours() {
        let book = full();
        let expected = format!(
            "{BEGIN}172.31.0.2\tweb.lan web aaaaaaaaaaaa\n10.200.0.2\tweb.lan web aaaaaaaaaaaa\n\
             10.200.0.3\tdb store bbbbbbbbbbbb\n{END}"
        );
        assert_eq!(section(&book, "aaaaaaaaaaaa"), expected);
        assert!(section(&book, "bbbbbbbbbbbb").contains("10.200.0.2\tweb aaaaaaaaaaaa web.lan\n"));
        assert_eq!(section(&book, "cccccccccccc"), format!("{BEGIN}172.30.0.2\todd\n{END}"));
        let networks = BTreeSet::from(["back".to_owned(), "bridge".to_owned()]);
        let others = neighbours(&book, &networks, "bbbbbbbbbbbb");
        assert_eq!(others, BTreeSet::from(["aaaaaaaaaaaa".to_owned()]));
    }

    #[test]
    fn what_stands_around_our_lines_stays() {
        let first = splice("127.0.0.1\tlocalhost\n", &format!("{BEGIN}a\n{END}"));
        let added = first + "9.9.9.9\tmine\n";
        let second = splice(&added, &format!("{BEGIN}b\nc\n{END}"));
        assert_eq!(second, format!("127.0.0.1\tlocalhost\n{BEGIN}b\nc\n{END}9.9.9.9\tmine\n"));
        assert_eq!(splice("no end of line", "x\n"), "no end of line\nx\n");
        assert_eq!(splice(&format!("{BEGIN}torn"), "x\n"), format!("{BEGIN}torn\nx\n"));
    }

    #[test]
    fn files_are_brought_up_to_date_where_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hosts");
        let mut book = full();
        for (id, path) in [("aaaaaaaaaaaa", path.clone()), ("bbbbbbbbbbbb", directory.path().join("missing"))]
        {
            book.tenants.get_mut(id).unwrap().hosts = Some(path);
        }
        std::fs::write(&path, "::1\tlocalhost\n").unwrap();
        refresh(&book, &book.tenants.keys().cloned().collect()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("::1\tlocalhost\n{}", section(&book, "aaaaaaaaaaaa")));
        assert!(!directory.path().join("missing").exists());
    }
}
