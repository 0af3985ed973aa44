//! In which system call somebody waits.
//!
//! `/proc/PID/syscall` (proc_pid_syscall(5)) has the number and the arguments of the call that a process is in, or
//! `running`. Its root may read it.

use crate::sys::{file, syscalls};
use std::path::Path;

/// Where process `pid` is, as its kernel sees it: `wait4(2)`, `running`, or what else the kernel says.
pub fn place(pid: i32) -> String {
    let said = file::read_text(Path::new(&format!("/proc/{pid}/syscall"))).unwrap_or_default();
    let first = said.split_whitespace().next().unwrap_or("gone").to_owned();
    match first.parse::<u32>() {
        Ok(number) => {
            syscalls::name(number).map_or(format!("system call {number}"), |name| format!("{name}(2)"))
        }
        Err(_) => first,
    }
}
