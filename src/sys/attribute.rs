//! Extended attributes: notes that the kernel keeps with a file or directory. xattr(7).
#![allow(unsafe_code)]

use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::ffi::{CStr, CString};
use std::path::Path;

/// The attribute `name` of `path`. `ENODATA` when there is none, `ERANGE` when it is longer than 1 KiB.
pub fn getxattr(path: &Path, name: &CStr) -> Result<String> {
    ask(Call::Getxattr { path, name }, || {
        let mut value = [0_u8; 1024];
        let terminated = terminated(path)?;
        // SAFETY: both names end in NUL, and the buffer is as long as said.
        let length = unsafe {
            libc::getxattr(terminated.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len())
        };
        let length = Errno::result(length)? as usize;
        Ok(String::from_utf8_lossy(&value[..length]).into_owned())
    })
}

/// Set the attribute `name` of `path`; one that is there is replaced.
pub fn setxattr(path: &Path, name: &CStr, value: &str) -> Result<()> {
    ask(Call::Setxattr { path, name, value }, || {
        let terminated = terminated(path)?;
        // SAFETY: both names end in NUL, and the value is as long as said.
        let answer = unsafe {
            libc::setxattr(terminated.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0)
        };
        Errno::result(answer).map(drop)
    })
}

/// Remove the attribute `name` of `path`. `ENODATA` when there is none.
pub fn removexattr(path: &Path, name: &CStr) -> Result<()> {
    ask(Call::Removexattr { path, name }, || {
        let terminated = terminated(path)?;
        // SAFETY: both names end in NUL.
        Errno::result(unsafe { libc::removexattr(terminated.as_ptr(), name.as_ptr()) }).map(drop)
    })
}

/// The path as C wants it; one with a NUL inside names nothing.
fn terminated(path: &Path) -> nix::Result<CString> {
    use std::os::unix::ffi::OsStrExt;
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)
}
