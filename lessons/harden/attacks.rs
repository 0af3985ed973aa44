//! What the probe does inside the student's container, as root there, on behalf of the checks of lesson `harden`.

use crate::error::Result;
use crate::lab::lesson::Act;
use crate::sys::errno::EPERM;
use crate::sys::flags::{CLONE_NEWUSER, clone};
use crate::sys::process::Forked;
use crate::sys::{file, knock, mount, namespace, process};
use serde_json::{Value, json};
use std::path::Path;

/// All of them.
pub const ACTS: &[Act] = &[
    Act { name: "knock", act: knock_at },
    Act { name: "new-user-namespace", act: new_user_namespace },
    Act { name: "live", act: live },
    Act { name: "mount", act: mount_something },
    Act { name: "write", act: write },
];

/// Inside: the errno with which a system call is answered that was given nothing, by its number.
fn knock_at(number: Value) -> Result<Value> {
    Ok(json!(knock::answer(number.as_u64().unwrap_or_default() as u32)))
}

/// Inside: make a user namespace in this way; 0, or the errno.
fn new_user_namespace(way: Value) -> Result<Value> {
    let answer = match way.as_str() {
        Some("clone3") => process::clone3(CLONE_NEWUSER, None).and_then(end_the_child),
        Some("clone") => knock::clone(CLONE_NEWUSER),
        _ => namespace::unshare(clone(CLONE_NEWUSER)),
    };
    Ok(json!(errno_of(answer)))
}

/// Inside: make a child, or a thread, and wait for its end; 0, or the errno.
fn live(way: Value) -> Result<Value> {
    if way.as_str() == Some("child") {
        return Ok(json!(errno_of(knock::clone(0))));
    }
    let answer = std::thread::Builder::new().spawn(|| ()).map(|thread| thread.join().is_ok());
    Ok(json!(answer.err().map_or(0, |error| error.raw_os_error().unwrap_or(EPERM))))
}

/// Inside: mount a file system somewhere.
fn mount_something(_: Value) -> Result<Value> {
    let place = Path::new("/attack");
    file::mkdir_all(place, 0o755)?;
    mount::mount("attack", place, "tmpfs", 0, Some("size=4k")).map(|()| Value::Null)
}

/// Inside: write to a file: path and text.
fn write(what: Value) -> Result<Value> {
    let text = |index: usize| what.get(index).and_then(Value::as_str).unwrap_or_default();
    file::write(Path::new(text(0)), text(1)).map(|()| Value::Null)
}

fn end_the_child(forked: Forked) -> Result<()> {
    match forked {
        Forked::Child => process::exit_now(0),
        Forked::Parent(child) => process::wait(&child).map(drop),
    }
}

fn errno_of(answer: Result<()>) -> i32 {
    answer.err().map_or(0, |error| error.errno().unwrap_or(EPERM))
}
