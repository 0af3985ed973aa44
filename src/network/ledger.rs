//! Where the [`Book`] is kept between one `minidocker` and the next. Whether `ip_forward` was changed stands on the
//! bridges themselves ([`mark`](super::mark)).
//!
//! The ledger is the file `network/ledger.json` in the state root, read and written under an exclusive
//! lock on `network/lock`. Each change is written to a file beside it and renamed, so a reader finds the old
//! text or the new. What is to be made in the kernel is noted before it is made, what was removed is struck
//! out afterwards: a process that dies between the two leaves too much in the ledger, never too little.

use super::book::Book;
use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::errno::ENOENT;
use crate::sys::file;
use crate::sys::flags::{O_CREAT, O_RDWR};
use crate::sys::lock;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The ledger, locked for as long as this value lives.
#[derive(Debug)]
pub struct Ledger {
    directory: PathBuf,
    _lock: OwnedFd,
}

impl Ledger {
    /// Whether the state root `root` has a ledger, or one that a killed process did not finish: no lock is taken.
    pub fn is_written(root: &Path) -> Result<bool> {
        match file::list(&directory(root)) {
            Ok(names) => Ok(names.iter().any(|(name, _)| name.as_bytes().starts_with(LEDGER.as_bytes()))),
            Err(error) if error.is(ENOENT) => Ok(false),
            Err(error) => Err(error.meaning(unusable(&directory(root)))),
        }
    }

    /// Lock the ledger of `root`; wait for whoever has it. The directory is made if it is missing.
    pub fn open(root: &Path) -> Result<Self> {
        let directory = directory(root);
        let path = directory.join("lock");
        let open = || file::open_file(&path, O_RDWR | O_CREAT, 0o600);
        let locked = open()
            .or_else(|error| {
                if !error.is(ENOENT) {
                    return Err(error);
                }
                file::mkdir_all(&directory, 0o700)?;
                open()
            })
            .and_then(|lock| lock::lock_file(lock.as_fd(), &path, true, true).map(|()| lock));
        let lock = locked.meaning(|| unusable(&path))?;
        Ok(Self { directory, _lock: lock })
    }

    /// What the book of `root` says to whoever only looks: no lock is taken, and nothing made. Blank when there is none.
    pub fn look(root: &Path) -> Result<Book> {
        parse(&written(&directory(root))).map(Option::unwrap_or_default)
    }

    /// What it says; `None` when there is none.
    ///
    /// An empty file is none: only a machine that lost its power can leave one, and with it all that was noted.
    pub fn read(&self) -> Result<Option<Book>> {
        parse(&written(&self.directory))
    }

    /// Replace what it says.
    pub fn write(&self, book: &Book) -> Result<()> {
        let (path, beside) = (written(&self.directory), unfinished(&self.directory));
        let text = serde_json::to_string(book).unwrap_or_default();
        let done = file::write_new(&beside, &text, 0o600).and_then(|()| file::rename(&beside, &path));
        if done.is_err() {
            // The first error is the one to tell; the next minidocker removes what stays here.
            let _ = file::remove_file(&beside);
        }
        done.meaning(|| unusable(&path))
    }

    /// Remove what a killed process did not finish to write.
    pub fn remove_unfinished(&self) -> Result<()> {
        file::remove_file(&unfinished(&self.directory))
    }

    /// Remove it: nothing is left to put back.
    pub fn remove(self) -> Result<()> {
        self.remove_unfinished()?;
        file::remove_file(&written(&self.directory))
    }
}

fn directory(root: &Path) -> PathBuf {
    root.join("network")
}

/// How the names of the ledger, finished or not, begin.
const LEDGER: &str = "ledger.json";

fn written(directory: &Path) -> PathBuf {
    directory.join(LEDGER)
}

fn unfinished(directory: &Path) -> PathBuf {
    directory.join(format!("{LEDGER}.new"))
}

fn parse(path: &Path) -> Result<Option<Book>> {
    let Some(text) = read(path)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        let path = path.display().to_string();
        Error::new(Problem::StateDamaged { path, detail: error.to_string() })
    })
}

fn read(path: &Path) -> Result<Option<String>> {
    match file::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is(ENOENT) => Ok(None),
        Err(error) => Err(error.meaning(unusable(path))),
    }
}

fn unusable(path: &Path) -> Problem {
    Problem::StateUnusable { path: path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_removed() {
        let root = tempfile::tempdir().unwrap();
        assert!(!Ledger::is_written(root.path()).unwrap());
        let book = crate::network::book::tests::book(&[("bridge", "172.30.0.0/16")]);
        let ledger = Ledger::open(root.path()).unwrap();
        assert_eq!(ledger.read().unwrap(), None);
        ledger.write(&book).unwrap();
        assert_eq!(ledger.read().unwrap(), Some(book));
        assert!(Ledger::is_written(root.path()).unwrap());
        ledger.remove().unwrap();
        assert!(!Ledger::is_written(root.path()).unwrap());
    }

    #[test]
    fn a_damaged_ledger_says_so_and_an_empty_one_is_none() {
        let root = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(root.path()).unwrap();
        let path = written(&ledger.directory);
        std::fs::write(&path, "{\"networks\": 3").unwrap();
        assert!(matches!(ledger.read().unwrap_err().problem, Problem::StateDamaged { .. }));
        std::fs::write(&path, "").unwrap();
        assert_eq!(ledger.read().unwrap(), None);
    }
}
