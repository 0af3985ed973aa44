//! What the probe does inside the container for the checks of lab `pid`.

use crate::error::Result;
use crate::sys::process;
use crate::sys::signal::{self, SIGCHLD, SIGCONT};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Inside: have so many children that have a child each and end. Those live until they are killed.
pub fn orphans(count: Value) -> Result<Value> {
    for _ in 0..count.as_u64().unwrap_or_default() {
        if process::fork()?.is_none() {
            if let Ok(None) = process::fork() {
                let _held = signal::block_all();
                while signal::take_next().is_ok() {}
            }
            process::exit_now(0);
        }
        process::wait_any()?;
    }
    Ok(Value::Null)
}

/// Inside: from now on signals wait until they are asked for.
pub fn hold_signals(_: Value) -> Result<Value> {
    signal::block_all().map(|_| Value::Null)
}

/// Inside: the next signal that waits or comes, so many milliseconds at most; none of this process's own children, and no
/// SIGCONT, which came when pid 1 was let go on.
pub fn next_signal(milliseconds: Value) -> Result<Value> {
    let end = Instant::now() + Duration::from_millis(milliseconds.as_u64().unwrap_or_default());
    let held = signal::block_all()?;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match held.wait_at_most(left)? {
            Some(SIGCHLD | SIGCONT) => {}
            None if !left.is_zero() => {}
            other => return Ok(json!(other)),
        }
    }
}
