//! The small files of one directory: each is there whole or not at all.

use crate::error::{Error, Problem, Result};
use crate::sys::errno::ENOENT;
use crate::sys::{file, process};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// How long a record may be: it holds the command and its environment, of which the kernel takes some MiB.
const LONGEST: u64 = 16 << 20;

/// Write `record` as the file `name` of a directory: whole or not at all, since the name is moved at the end.
pub fn save(directory: &Path, name: &str, record: &impl Serialize) -> Result<()> {
    let damaged = |detail: String| Problem::StateDamaged { path: directory.display().to_string(), detail };
    let text = serde_json::to_string(record).map_err(|error| Error::new(damaged(error.to_string())))?;
    let new = directory.join(format!("{name}.new"));
    file::write_new(&new, &text, 0o600)?;
    file::rename(&new, &directory.join(name))
}

/// Read the record `name` of a directory; `None` when none was written yet.
pub fn load<T: DeserializeOwned>(directory: &Path, name: &str) -> Result<Option<T>> {
    let path = directory.join(name);
    match file::read(&path, LONGEST) {
        Err(error) if error.is(ENOENT) => Ok(None),
        answer => serde_json::from_slice(&answer?).map(Some).map_err(|error| {
            Error::new(Problem::StateDamaged { path: path.display().to_string(), detail: error.to_string() })
        }),
    }
}

/// Write a small text file into a directory.
pub fn put(directory: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = directory.join(name);
    file::write_new(&path, text, 0o644)?;
    Ok(path)
}

/// The text of a small file; `None` when it is not there.
pub fn get(directory: &Path, name: &str) -> Result<Option<String>> {
    file::if_there(file::read_text(&directory.join(name)))
}

/// Remove a small file; one that is not there is fine.
pub fn drop_file(directory: &Path, name: &str) -> Result<()> {
    file::remove_file(&directory.join(name))
}

/// A new id: twelve hexadecimal digits at random.
pub fn new_id() -> Result<String> {
    Ok(process::random(6)?.iter().map(|byte| format!("{byte:02x}")).collect())
}
