//! list, show, matrix, enter: who is in which namespace, and how to join them. lsns(8), nsenter(1), namespaces(7).

pub mod enter;
pub mod list;
pub mod matrix;
pub mod show;

use crate::narrate::{Ending, Stage, text};
use crate::observe::Resident;

/// End a scene that was played outside of a walk; its exit status.
fn ended(stage: &Stage, ending: &Ending) -> u8 {
    stage.end(ending);
    u8::from(!stage.all_held())
}

/// Say how many processes could not be looked at, if any.
fn say_hidden(stage: &Stage, hidden: usize) {
    if hidden > 0 {
        stage.say(&text!(
            "Processes not shown: {hidden}. This user may not look at their namespaces (ptrace(2)).",
            "另有 {hidden} 个进程没有列出：当前用户无权查看它们的 Namespace（ptrace(2)）。"
        ));
    }
}

/// `text`, cut to `width` columns where it is longer.
fn cut(text: &str, width: usize) -> String {
    if crate::narrate::columns(text) <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        if crate::narrate::columns(&short) + 2 > width.saturating_sub(1) {
            break;
        }
        short.push(character);
    }
    short.push('…');
    short
}

/// Whether two processes are in the same namespaces of every kind.
fn same(one: &Resident, other: &Resident) -> bool {
    one.namespaces == other.namespaces
}
