//! The host's ps(1), asked for other columns than ours.

use crate::error::{Error, InsideProblem, Problem, Result};
use crate::sys::command;
use crate::sys::errno::ENOENT;
use std::path::Path;

/// The heads and the rows of what `ps` with these words lists, of those processes that are among `pids`. The last
/// column of a row holds all that is left of it.
///
/// Errors: `NoPs` without one; `PsRefused` with what it said; `NoPidColumn` when it was asked for columns without that.
pub fn list(words: &[String], pids: &[i32]) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let problem = |problem| Error::new(Problem::Inside(problem));
    let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = ["/usr/bin/ps", "/bin/ps"].iter().find_map(|path| {
        match command::run(Path::new(path), &arguments, "") {
            Err(error) if error.is(ENOENT) => None,
            answer => Some(answer),
        }
    });
    let output = output.ok_or_else(|| problem(InsideProblem::NoPs))??;
    if output.status != 0 {
        let said = output.stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(problem(InsideProblem::PsRefused { said: said.trim().to_owned() }));
    }
    parse(&output.stdout, pids).ok_or_else(|| problem(InsideProblem::NoPidColumn))
}

fn parse(text: &str, pids: &[i32]) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let mut lines = text.lines();
    let heads: Vec<String> = lines.next()?.split_whitespace().map(str::to_owned).collect();
    let column = heads.iter().position(|head| head == "PID")?;
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let pid: i32 = fields.get(column)?.parse().ok()?;
        let (first, rest) = fields.split_at(fields.len().min(heads.len() - 1));
        let row = first.iter().map(|field| (*field).to_owned());
        let mut row: Vec<String> = row.chain((!rest.is_empty()).then(|| rest.join(" "))).collect();
        row.resize(heads.len(), String::new());
        pids.contains(&pid).then_some(row)
    };
    let rows = lines.filter_map(row).collect();
    Some((heads, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_their_pid() {
        let text = "  PID TTY  CMD\n    1 ?    init\n   42 pts/0 sleep 1 2\n   43\n";
        let (heads, rows) = parse(text, &[42, 43]).unwrap();
        assert_eq!(heads, ["PID", "TTY", "CMD"]);
        assert_eq!(rows, [["42", "pts/0", "sleep 1 2"], ["43", "", ""]]);
        assert_eq!(parse("TTY CMD\n", &[1]), None);
    }
}
