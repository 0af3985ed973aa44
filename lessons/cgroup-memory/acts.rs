//! What the probe does inside the container for lab `cgroup-memory`.

use crate::error::Result;
use crate::sys::errno::EAGAIN;
use crate::sys::memory::Mapping;
use crate::sys::process::Ended;
use crate::sys::{file, pipe, process, signal};
use serde_json::{Value, json};
use std::os::fd::AsFd;
use std::path::Path;

/// Inside: a child takes so many bytes; whether it was killed.
pub fn hog(bytes: Value) -> Result<Value> {
    let bytes = bytes.as_u64().unwrap_or_default() as usize;
    let Some(child) = process::fork()? else {
        let took = Mapping::used(bytes);
        process::exit_now(took.map_or(1, |_| 0));
    };
    // Pid 1 may be handed orphans, too.
    loop {
        let (pid, ended) = process::wait_any()?;
        if pid == child {
            return Ok(json!(ended == Ended::Signaled(signal::SIGKILL)));
        }
    }
}

/// Inside: take so many bytes, and keep them.
pub fn keep(bytes: Value) -> Result<Value> {
    let bytes = bytes.as_u64().unwrap_or_default() as usize;
    if bytes > 0 {
        std::mem::forget(Mapping::used(bytes)?);
    }
    Ok(Value::Null)
}

/// Inside: make so many children that live at once, or until the kernel refuses; how many there were. On return all have
/// ended.
pub fn fork(most: Value) -> Result<Value> {
    let (waits, ends) = pipe::pipe()?;
    let mut children = 0;
    while children < most.as_u64().unwrap_or_default() {
        match process::fork() {
            Ok(Some(_)) => children += 1,
            Ok(None) => {
                drop(ends);
                // Nothing is ever written: this ends when all others have let go.
                let _ = pipe::read_byte(waits.as_fd());
                process::exit_now(0)
            }
            Err(error) if error.is(EAGAIN) => break,
            Err(error) => return Err(error),
        }
    }
    drop(ends);
    for _child in 0..children {
        process::wait_any()?;
    }
    Ok(json!(children))
}

/// Inside: what it reads of its own place.
pub fn place(_: Value) -> Result<Value> {
    file::read_text(Path::new("/proc/self/cgroup")).map(|text| json!(text))
}
