//! Questions that a person answers with y or n, before something is removed for good.

use super::words::Question;
use super::{lang, table};
use std::io::BufRead;

/// Ask, on standard output, and read the answer from standard input: only `y` or `yes` is yes.
pub fn confirm(question: Question) -> bool {
    let (warning, ask) = question.words(lang());
    table::raw(&format!("{warning}\n{ask} [y/N] "));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
