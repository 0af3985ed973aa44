//! One call as the explanation writes it: arguments, answer, and how alarming the answer is.

use super::line::Line;
use super::page::Ink;
use crate::security::capabilities;
use crate::sys::errno::{EEXIST, ENOENT, ENOTEMPTY};
use crate::sys::{Answer, Call, Value};
use std::fmt::Write;

/// Bytes shown of a text argument.
const TEXT: usize = 240;

/// `("/merged", MS_NODEV, NULL)`; of rtnetlink, whose attributes have no fixed order, with their names.
pub fn arguments(call: &Call<'_>) -> Line {
    let named = matches!(call, Call::Rtnetlink(_));
    let named_by_descriptor = !matches!(call, Call::Symlink { .. });
    let mut line = Line::new();
    line.push("(");
    let mut separator = "";
    call.arguments(&mut |name, value| {
        line.push(separator);
        separator = ", ";
        if named {
            line.push(name);
            line.push("=");
        }
        // Writing to a Line cannot fail.
        let _ = match value {
            Value::Number(number) if name == "capability" => {
                write!(line, "CAP_{}", capability(number as u32))
            }
            Value::Text(text) if text.len() > TEXT => write!(line, "{:?}…", beginning(text)),
            // As `strace -y` shows it: what the descriptor stands for.
            Value::Path(path) if named_by_descriptor && path.starts_with("/proc/self/fd/") => {
                write!(line, "{path:?}<{}>", crate::observe::place(path).display())
            }
            value => write!(line, "{value}"),
        };
    });
    line.push(")");
    line
}

/// `0`, `3`, `"text"` or `-1 EPERM (Operation not permitted)`, as strace(1) has it, after the blank that parts it
/// from the sign of equality: there a line may end.
pub fn result(answer: &Answer<'_>) -> Line {
    let mut line = Line::new();
    line.push(" ");
    let _ = match *answer {
        Answer::Done => write!(line, "0"),
        Answer::Number(number) => write!(line, "{number}"),
        Answer::Descriptor(descriptor) => write!(line, "{descriptor}"),
        Answer::Text(text) => write!(line, "{:?}", beginning(text)),
        Answer::Refused(_, name, message) => write!(line, "-1 {name} ({message})"),
    };
    line
}

/// A refusal that a program expects is no alarm: the directory was there, or is not empty yet.
pub fn ink(call: &Call<'_>, answer: &Answer<'_>) -> Ink {
    match (call, answer) {
        (Call::Mkdir { .. }, Answer::Refused(EEXIST | ENOENT, ..)) => Ink::Faint,
        (Call::Rmdir { .. }, Answer::Refused(ENOTEMPTY | EEXIST | ENOENT, ..)) => Ink::Faint,
        (_, Answer::Refused(..)) => Ink::Refused,
        _ => Ink::Granted,
    }
}

/// The name of a capability, without its prefix.
pub fn capability(number: u32) -> &'static str {
    capabilities::NAMES.get(number as usize).copied().unwrap_or("?")
}

/// As much of a text as is shown.
fn beginning(text: &str) -> &str {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
