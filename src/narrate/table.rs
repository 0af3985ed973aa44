//! Tables as Docker prints them: columns in upper case, set apart by blanks, on standard output.

use super::page::{Color, Page, columns};
use crate::error::Result;
use crate::sys::errno::EPIPE;
use crate::sys::pipe;
use std::io::IsTerminal;
use std::os::fd::AsFd;

/// Columns of the screen between those of a table, at least, and how wide each is with them, at least: Docker's.
const GAP: usize = 3;
const LEAST: usize = 10;

/// Print `text` and the end of a line on standard output. If nobody reads it, nobody misses it.
pub fn print(text: &str) {
    raw(&format!("{text}\n"));
}

/// Print `text` as it is on standard output.
pub fn raw(text: &str) {
    Page::of_stdout(Color::Never).raw(text);
}

/// Print `text` for a program. A reader who has gone has read enough; where it could not be written, that is an error.
pub fn deliver(text: &str) -> Result<()> {
    match pipe::write_all(std::io::stdout().as_fd(), text.as_bytes()) {
        Err(error) if error.is(EPIPE) => Ok(()),
        answer => answer,
    }
}

/// Print `text` in the place of what was printed before, if standard output is a terminal; else below it.
pub fn redraw(text: &str) {
    const HOME_AND_CLEAR: &str = "\x1b[H\x1b[J";
    let clear = if std::io::stdout().is_terminal() { HOME_AND_CLEAR } else { "" };
    raw(&format!("{clear}{text}\n"));
}

/// Print a table: one row below the heads, each column as wide as its widest word.
pub fn table(heads: &[&str], rows: &[Vec<String>]) {
    print(&set(heads, rows));
}

/// The text of such a table, without the end of the last line.
pub fn set(heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&heads).chain(rows).collect();
    let width = |column: usize| {
        all.iter().map(|row| columns(&row[column])).max().map_or(LEAST, |widest| LEAST.max(widest + GAP))
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |row: &&Vec<String>| {
        let mut text = String::new();
        for (word, width) in row.iter().zip(&widths) {
            text += word;
            text += &" ".repeat(width - columns(word));
        }
        text.trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_widest_word() {
        let rows = [vec!["web".to_owned(), "Up".to_owned()], vec!["数据库".to_owned(), String::new()]];
        assert_eq!(set(&["NAME", "STATUS"], &rows), "NAME      STATUS\nweb       Up\n数据库");
    }
}
