//! The variables of a command: those of `-e` and `--env-file` understood, and several lists made one.

use crate::error::{Error, Problem, Result};
use crate::process::command;
use std::env::VarError;
use std::path::PathBuf;

/// The variables that `files` and then `texts` ask for, in their order: `NAME=VALUE`.
pub fn asked(files: &[PathBuf], texts: &[String]) -> Result<Vec<String>> {
    let mut asked = Vec::new();
    for path in files {
        for line in command::read_variables(path)?.lines() {
            let line = line.trim_start();
            if !line.is_empty() && !line.starts_with('#') {
                asked.extend(from_file(line)?);
            }
        }
    }
    for text in texts {
        asked.extend(variable(text)?);
    }
    Ok(asked)
}

/// A line of a file: as on the command line, but that a name has no blanks in it.
fn from_file(line: &str) -> Result<Option<String>> {
    let name = line.split('=').next().unwrap_or_default();
    if name.contains(char::is_whitespace) {
        return Err(Error::new(Problem::BadEnvironment { text: line.to_owned() }));
    }
    variable(line)
}

/// `NAME=VALUE` as it is; `NAME` with the value it has here, or left out when it has none.
pub fn variable(text: &str) -> Result<Option<String>> {
    let name = text.split('=').next().unwrap_or_default();
    if name.is_empty() || text.contains('\0') {
        return Err(Error::new(Problem::BadEnvironment { text: text.to_owned() }));
    }
    if name.len() < text.len() {
        return Ok(Some(text.to_owned()));
    }
    match std::env::var(name) {
        Ok(value) => Ok(Some(format!("{name}={value}"))),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Error::new(Problem::EnvironmentNotUtf8 { name: name.to_owned() }))
        }
    }
}

/// Several lists as one; of two variables with one name the later wins.
pub fn merge<'a>(variables: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut merged: Vec<String> = Vec::new();
    for variable in variables {
        let name = variable.split('=').next().unwrap_or_default();
        merged.retain(|earlier| earlier.split('=').next() != Some(name));
        merged.push(variable.clone());
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_later_variable_wins() {
        let lists = [own(&["A=1", "B=2"]), own(&["HOSTNAME=h"]), own(&["A=3", "HOSTNAME=x"])];
        assert_eq!(merge(lists.iter().flatten()), own(&["B=2", "A=3", "HOSTNAME=x"]));
    }

    #[test]
    fn a_file_has_a_variable_a_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# note\n\nA=1 # kept\n  B==\nNO_SUCH_VARIABLE_HERE\n").unwrap();
        let files = [file.path().to_owned()];
        assert_eq!(asked(&files, &own(&["A=2"])).unwrap(), own(&["A=1 # kept", "B==", "A=2"]));
        std::fs::write(file.path(), "A B=1\n").unwrap();
        assert!(asked(&files, &[]).is_err());
    }
}
