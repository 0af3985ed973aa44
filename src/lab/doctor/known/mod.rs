//! The table of blockers: by what each is known, and the one command that changes it.
//!
//! A refusal is looked up from the top, and the first row that explains it is told. So a row that knows more of the
//! cause stands before one that knows less.

mod cgroups;
mod devices;
mod namespaces;
#[cfg(test)]
mod tests;

use super::signs::Signs;
use crate::lab::need::Lack;
use crate::narrate::words::Text;
use crate::sys::errno::{EACCES, EPERM};

/// One row.
pub struct Known {
    /// Its name, in tables and in JSON.
    pub name: &'static str,
    /// What it is.
    pub title: Text,
    /// Whether it explains this refusal.
    pub explains: fn(&Signs, &Lack) -> bool,
    /// What the kernel shows of it.
    pub sign: fn(&Signs, &Lack) -> Option<String>,
    /// The command.
    pub fix: fn(&Signs, &Lack) -> String,
}

/// The row that explains `lack`.
pub fn find(signs: &Signs, lack: &Lack) -> Option<&'static Known> {
    let all = [namespaces::KNOWN, devices::KNOWN, cgroups::KNOWN];
    all.into_iter().flatten().find(|known| (known.explains)(signs, lack))
}

/// Refused for want of a right.
fn denied(lack: &Lack) -> bool {
    lack.error.is(EPERM) || lack.error.is(EACCES)
}

/// A setting as sysctl(8) shows it.
fn setting(signs: &Signs, name: &str) -> Option<String> {
    signs.setting(name).map(|value| format!("{name} = {value}"))
}

/// The options by which Docker and Podman start a container in which others can be made.
const OPEN_CONTAINER: &str = "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined";

/// The command that starts this container anew with `options`.
fn container(signs: &Signs, options: &str) -> String {
    let program = if signs.container == Some("Podman") { "podman" } else { "docker" };
    format!("{program} run {options} …")
}

/// The command that brings a newer kernel.
fn newer_kernel(signs: &Signs) -> String {
    match signs.is_wsl2() {
        true => "wsl.exe --update".to_owned(),
        false => format!("{} && sudo reboot", signs.packages.upgrade),
    }
}
