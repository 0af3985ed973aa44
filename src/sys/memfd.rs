//! Files that exist in memory alone, and to execute one: memfd_create(2), fcntl(2) with F_ADD_SEALS and F_GET_SEALS,
//! execveat(2).
#![allow(unsafe_code)]

use super::call::Value;
use super::file::errno;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::ffi::{CString, OsString};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// What is asked of such a file.
#[derive(Debug, Clone, Copy)]
enum Asked<'a> {
    Create,
    Fill(&'a Path),
    Seal,
    Seals(&'a Path),
    Execveat,
}

impl Request for Asked<'_> {
    fn name(&self) -> &'static str {
        match self {
            Asked::Create => "memfd_create",
            Asked::Fill(_) => "copy_file_range",
            Asked::Seal | Asked::Seals(_) => "fcntl",
            Asked::Execveat => "execveat",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        use Value as V;
        match *self {
            Asked::Create => {
                each("name", V::Text(NAME));
                each("flags", V::Symbol("MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_EXEC"));
            }
            Asked::Fill(from) => {
                each("from", V::Path(from));
                each("to", V::Symbol("memfd"));
            }
            Asked::Seal => {
                each("fd", V::Symbol("memfd"));
                each("op", V::Symbol("F_ADD_SEALS"));
                each("seals", V::Symbol("F_SEAL_SEAL|F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE"));
            }
            Asked::Seals(path) => {
                each("fd", V::Path(path));
                each("op", V::Symbol("F_GET_SEALS"));
            }
            Asked::Execveat => {
                each("dirfd", V::Symbol("memfd"));
                each("path", V::Text(""));
                each("flags", V::Symbol("AT_EMPTY_PATH"));
            }
        }
    }

    fn only_looks(&self) -> bool {
        matches!(self, Asked::Seals(_))
    }
}

/// What such a file is called in `/proc/PID/maps`.
const NAME: &str = "minidocker";

/// All that a program's file could be changed by.
const SEALS: libc::c_int = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;

/// Whether the file at `path` is in memory and sealed against every change. `EINVAL` of the kernel means that it is
/// a file like others.
pub fn is_sealed(path: &Path) -> Result<bool> {
    let answer = ask(Call::Other(&Asked::Seals(path)), || {
        let file = File::open(path).map_err(|error| errno(&error))?;
        // SAFETY: the descriptor is open, and F_GET_SEALS takes no argument.
        Errno::result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) })
    });
    match answer {
        Err(error) if error.is(libc::EINVAL) => Ok(false),
        seals => Ok(seals? & SEALS == SEALS),
    }
}

/// A copy in memory of the file at `path`, sealed against every change, that can be executed.
pub fn sealed_copy(path: &Path) -> Result<OwnedFd> {
    let memory: File = ask(Call::Other(&Asked::Create), create)?.into();
    ask(Call::Other(&Asked::Fill(path)), || {
        let mut from = File::open(path).map_err(|error| errno(&error))?;
        let bytes = std::io::copy(&mut from, &mut &memory).map_err(|error| errno(&error))?;
        Ok(bytes as i64)
    })?;
    ask(Call::Other(&Asked::Seal), || {
        // SAFETY: the descriptor is open, and F_ADD_SEALS takes an integer.
        Errno::result(unsafe { libc::fcntl(memory.as_raw_fd(), libc::F_ADD_SEALS, SEALS) }).map(drop)
    })?;
    Ok(memory.into())
}

/// `MFD_EXEC` says that it will be executed, which `vm.memfd_noexec` may ask to be said; a kernel before 6.3 does not
/// know the flag (`EINVAL`).
fn create() -> nix::Result<OwnedFd> {
    const MFD_EXEC: libc::c_uint = 0x10;
    let name = CString::new(NAME).map_err(|_| Errno::EINVAL)?;
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name ends in NUL.
    let ask = |flags| Errno::result(unsafe { libc::memfd_create(name.as_ptr(), flags) });
    let descriptor = match ask(flags | MFD_EXEC) {
        Err(Errno::EINVAL) => ask(flags)?,
        answer => answer?,
    };
    // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Become the program in the open file `program`, with the arguments and the environment of this process. Returns only
/// when the kernel refuses.
pub fn become_program(program: &OwnedFd) -> Result<std::convert::Infallible> {
    let c = |text: OsString| CString::new(text.into_vec()).unwrap_or_default();
    let argv: Vec<CString> = std::env::args_os().map(c).collect();
    let environment: Vec<CString> = std::env::vars_os()
        .map(|(name, value)| {
            let mut variable = name;
            variable.push("=");
            variable.push(value);
            c(variable)
        })
        .collect();
    let mut never = None;
    ask(Call::Other(&Asked::Execveat), || {
        let flags = nix::fcntl::AtFlags::AT_EMPTY_PATH;
        never = Some(nix::unistd::execveat(program, c"", &argv, &environment, flags)?);
        Ok(())
    })?;
    // execveat returned Ok, which its type says is impossible.
    never.map_or_else(|| super::process::exit_now(125), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_sealed_copy_has_the_bytes_and_takes_no_others() {
        let mut original = tempfile::NamedTempFile::new().unwrap();
        original.write_all(b"program").unwrap();
        assert!(!is_sealed(original.path()).unwrap());
        let copy = sealed_copy(original.path()).unwrap();
        let path = format!("/proc/self/fd/{}", copy.as_raw_fd());
        assert!(is_sealed(Path::new(&path)).unwrap());
        let mut text = String::new();
        File::open(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "program");
        let written = File::options().write(true).open(&path).and_then(|mut file| file.write_all(b"x"));
        assert!(written.is_err(), "a sealed file was written to");
    }
}
