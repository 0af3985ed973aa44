//! mount(2) and its younger relations: pivot_root(2), umount2(2), open_tree(2), move_mount(2),
//! mount_setattr(2).
#![allow(unsafe_code)]

use super::flags::{self, Flags};
use super::{Call, ask};
use crate::error::Result;
use nix::NixPath;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

/// Mount a new instance of a file system: `mount -t FSTYPE -o DATA SOURCE TARGET`.
///
/// Errors: `ENODEV` when the kernel does not know `fstype`, `EPERM` without CAP_SYS_ADMIN in the mount
/// namespace's user namespace, `EINVAL` for bad options (the reason is in the kernel log).
pub fn mount(source: &str, target: &Path, fstype: &str, flags: u64, data: Option<&str>) -> Result<()> {
    let call = Call::Mount { source, target, fstype: Some(fstype), flags: flags::mount(flags), data };
    ask(call, || {
        nix::mount::mount(Some(source), target, Some(fstype), MsFlags::from_bits_retain(flags), data)
    })
}

/// The same, on the very place that `place` is open on (by `O_PATH`), whose name is `target`. The kernel is led there
/// by /proc, which on entry is mounted, and not by the name: nobody can put a link in the way.
pub fn mount_on(
    source: &str,
    place: BorrowedFd<'_>,
    target: &Path,
    fstype: &str,
    flags: u64,
    data: Option<&str>,
) -> Result<()> {
    let call = Call::Mount { source, target, fstype: Some(fstype), flags: flags::mount(flags), data };
    ask(call, || {
        let link = format!("/proc/self/fd/{}", place.as_raw_fd());
        let flags = MsFlags::from_bits_retain(flags);
        nix::mount::mount(Some(source), link.as_str(), Some(fstype), flags, data)
    })
}

/// Change how mounts and unmounts under `target`, and below, travel to other mount namespaces.
/// `propagation` is one of `MS_PRIVATE`, `MS_SLAVE`. See mount_namespaces(7).
pub fn change_propagation(target: &Path, propagation: u64) -> Result<()> {
    let bits = propagation | flags::MS_REC;
    let call = Call::Mount { source: "none", target, fstype: None, flags: flags::mount(bits), data: None };
    ask(call, || {
        nix::mount::mount(Some("none"), target, None::<&str>, MsFlags::from_bits_retain(bits), None::<&str>)
    })
}

/// Unmount what is mounted on `target` now, and let it go when its last user does (`MNT_DETACH`).
pub fn detach(target: &Path) -> Result<()> {
    let call = Call::Umount2 { target, flags: flags::umount(flags::MNT_DETACH) };
    ask(call, || nix::mount::umount2(target, MntFlags::MNT_DETACH))
}

/// Make the mount at `new_root` the root of this mount namespace; the old root lands on `put_old`.
///
/// With both `"."` the old root is stacked on the new one, to be detached by `detach(".")`; see the notes of
/// pivot_root(2). Errors: `EINVAL` when `new_root` is not a mount point or the parent mount is shared.
pub fn pivot_root(new_root: &Path, put_old: &Path) -> Result<()> {
    ask(Call::PivotRoot { new_root, put_old }, || nix::unistd::pivot_root(new_root, put_old))
}

/// A detached copy of the mount that holds `path`, cut off at `path`, with what is mounted below it.
///
/// The descriptor keeps the copy alive, wherever the process's root goes meanwhile; closing it unattached
/// dissolves the copy. This is `mount --rbind` in two halves, and the reason to use it: the source is looked
/// up on the host's side, the target later on the container's.
pub fn open_tree_clone(path: &Path) -> Result<OwnedFd> {
    let bits = flags::OPEN_TREE_CLONE | flags::OPEN_TREE_CLOEXEC | flags::AT_RECURSIVE;
    ask(Call::OpenTree { path, flags: flags::tree(bits) }, || {
        let answer = path.with_nix_path(|path| {
            // SAFETY: `path` is a NUL-terminated string that outlives the call.
            unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), bits as libc::c_uint) }
        })?;
        let descriptor = Errno::result(answer)?;
        // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
    })
}

/// A detached copy of the mount in which the open file `descriptor` lies, cut off at that very file, whatever stands at
/// its `path` by now.
pub fn open_tree_clone_of(descriptor: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd> {
    let bits = flags::OPEN_TREE_CLONE | flags::OPEN_TREE_CLOEXEC | flags::AT_EMPTY_PATH;
    ask(Call::OpenTree { path, flags: flags::tree(bits) }, || {
        let (file, empty) = (descriptor.as_raw_fd(), c"".as_ptr());
        // SAFETY: the descriptor is open and the path is the empty string, which the flags allow.
        let answer = unsafe { libc::syscall(libc::SYS_open_tree, file, empty, bits as libc::c_uint) };
        let descriptor = Errno::result(answer)?;
        // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
    })
}

/// Attach a detached mount at the place that `place` is open on (by `O_PATH`). `from` is the name its tree was
/// taken by and `target` the name of the place: for whoever watches; the kernel goes by the descriptors.
pub fn move_mount(tree: BorrowedFd<'_>, from: &Path, place: BorrowedFd<'_>, target: &Path) -> Result<()> {
    const MOVE_MOUNT_F_EMPTY_PATH: libc::c_uint = 0x04;
    const MOVE_MOUNT_T_EMPTY_PATH: libc::c_uint = 0x40;
    ask(Call::MoveMount { from, target }, || {
        let empty = c"".as_ptr();
        let flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
        // SAFETY: both descriptors are open and both paths are the empty string, which the flags allow.
        let answer = unsafe {
            libc::syscall(libc::SYS_move_mount, tree.as_raw_fd(), empty, place.as_raw_fd(), empty, flags)
        };
        Errno::result(answer).map(drop)
    })
}

/// What mount_setattr(2) reads: struct mount_attr of linux/mount.h.
#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Add attributes (`MOUNT_ATTR_RDONLY`, …) to the mount at `target`, and with `recursive` to those below it.
///
/// Attributes are only ever added: those that a user namespace has locked stay as they are, which is why a
/// remount by mount(2) is not used here.
pub fn add_attributes(target: &Path, attributes: u64, recursive: bool) -> Result<()> {
    let set: Flags = flags::mount_attr(attributes);
    ask(Call::MountSetattr { target, set, recursive }, || {
        let at = if recursive { flags::AT_RECURSIVE as libc::c_uint } else { 0 };
        target.with_nix_path(|path| set_attributes(libc::AT_FDCWD, path, at, attributes))?
    })
}

/// The same, on a detached tree that has no place yet; always recursive.
pub fn add_tree_attributes(tree: BorrowedFd<'_>, from: &Path, attributes: u64) -> Result<()> {
    let set = flags::mount_attr(attributes);
    ask(Call::MountSetattr { target: from, set, recursive: true }, || {
        let at = (flags::AT_RECURSIVE | flags::AT_EMPTY_PATH) as libc::c_uint;
        set_attributes(tree.as_raw_fd(), c"", at, attributes)
    })
}

fn set_attributes(
    directory: i32,
    path: &std::ffi::CStr,
    at: libc::c_uint,
    attributes: u64,
) -> nix::Result<()> {
    let attr = MountAttr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
    // SAFETY: `path` is NUL-terminated; `attr` has the kernel's layout and the size passed, and both outlive
    // the call.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            directory,
            path.as_ptr(),
            at,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    Errno::result(answer).map(drop)
}
