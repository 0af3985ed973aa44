//! Block devices that are files: loop(4). They let a demo have a disk of its own.
//!
//! The file is in memory and has no name (memfd_create(2)), and the device forgets it when the last descriptor of the
//! device is closed (LO_FLAGS_AUTOCLEAR). So nothing is left of either, however the process ends.
#![allow(unsafe_code)]

use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What is asked for a disk of one's own.
#[derive(Debug)]
enum Disk<'a> {
    MemfdCreate { name: &'a str, bytes: u64 },
    GetFree,
    Configure { device: &'a Path },
    Pwrite { device: &'a Path, blocks: u32 },
}

impl Request for Disk<'_> {
    fn name(&self) -> &'static str {
        match self {
            Disk::MemfdCreate { .. } => "memfd_create",
            Disk::GetFree | Disk::Configure { .. } => "ioctl",
            Disk::Pwrite { .. } => "pwrite",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        match *self {
            Disk::MemfdCreate { name, bytes } => {
                each("name", Value::Text(name));
                each("bytes", Value::Number(bytes as i64));
            }
            Disk::GetFree => {
                each("fd", Value::Path(Path::new(CONTROL)));
                each("op", Value::Symbol("LOOP_CTL_GET_FREE"));
            }
            Disk::Configure { device } => {
                each("fd", Value::Path(device));
                each("op", Value::Symbol("LOOP_CONFIGURE"));
                each("lo_flags", Value::Symbol("LO_FLAGS_AUTOCLEAR"));
            }
            Disk::Pwrite { device, blocks } => {
                each("fd", Value::Path(device));
                each("count", Value::Number((blocks as usize * BLOCK) as i64));
            }
        }
    }
}

const CONTROL: &str = "/dev/loop-control";
const LOOP_CTL_GET_FREE: u32 = 0x4c82;
const LOOP_CONFIGURE: u32 = 0x4c0a;
const LO_FLAGS_AUTOCLEAR: u32 = 4;

/// struct loop_config of linux/loop.h, with struct loop_info64 in it.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    /// lo_device, lo_inode, lo_rdevice, lo_offset, lo_sizelimit.
    places: [u64; 5],
    /// lo_number, lo_encrypt_type, lo_encrypt_key_size.
    numbers: [u32; 3],
    lo_flags: u32,
    /// lo_file_name, lo_crypt_name, lo_encrypt_key.
    names: [u8; 64 + 64 + 32],
    lo_init: [u64; 2],
    reserved: [u64; 8],
}

/// A file of `bytes` zeroes that exists in memory only and goes with its last descriptor.
fn memory_file(name: &str, bytes: u64) -> Result<OwnedFd> {
    ask(Call::Other(&Disk::MemfdCreate { name, bytes }), || {
        let c_name = std::ffi::CString::new(name).map_err(|_| Errno::EINVAL)?;
        // SAFETY: the name is NUL-terminated.
        let descriptor = Errno::result(unsafe { libc::memfd_create(c_name.as_ptr(), libc::MFD_CLOEXEC) })?;
        // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
        let file = unsafe { OwnedFd::from_raw_fd(descriptor) };
        nix::unistd::ftruncate(&file, bytes as libc::off_t)?;
        Ok(file)
    })
}

/// A loop device on a file in memory, for as long as a descriptor of it is open anywhere.
#[derive(Debug)]
pub struct LoopDevice {
    device: OwnedFd,
    /// Its node: `/dev/loop0`.
    pub path: PathBuf,
}

impl LoopDevice {
    /// Attach a free device to a new file of `bytes`. `ENOENT` where there is no /dev/loop-control, `EACCES` or
    /// `EPERM` for who is not root.
    pub fn new(bytes: u64) -> Result<Self> {
        let file = memory_file("minidocker-disk", bytes)?;
        loop {
            let number = free_device()?;
            let path = PathBuf::from(format!("/dev/loop{number}"));
            let device = super::file::open_file(&path, super::flags::O_RDWR, 0)?;
            match configure(device.as_fd(), &path, file.as_fd()) {
                // Somebody else was faster; the next one, then.
                Err(error) if error.is(libc::EBUSY) => {}
                answer => return answer.map(|()| Self { device, path }),
            }
        }
    }

    /// The device's numbers, as block controllers name it: `7:0`.
    pub fn numbers(&self) -> Result<String> {
        let (major, minor) = super::file::descriptor_status(self.device.as_fd(), &self.path)?.device;
        Ok(format!("{major}:{minor}"))
    }
}

fn free_device() -> Result<i32> {
    let control = super::file::open_file(Path::new(CONTROL), super::flags::O_RDWR, 0)?;
    ask(Call::Other(&Disk::GetFree), || {
        // SAFETY: the request takes no argument.
        Errno::result(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE as _) })
    })
}

fn configure(device: BorrowedFd<'_>, path: &Path, file: BorrowedFd<'_>) -> Result<()> {
    ask(Call::Other(&Disk::Configure { device: path }), || {
        let config = LoopConfig {
            fd: file.as_raw_fd() as u32,
            block_size: 0,
            places: [0; 5],
            numbers: [0; 3],
            lo_flags: LO_FLAGS_AUTOCLEAR,
            names: [0; 160],
            lo_init: [0; 2],
            reserved: [0; 8],
        };
        // SAFETY: `config` is a struct loop_config, which the kernel only reads.
        let answer = unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE as _, &raw const config) };
        Errno::result(answer).map(drop)
    })
}

/// Bytes of one write: a multiple of every block size, as O_DIRECT wants it.
pub const BLOCK: usize = 64 << 10;

/// Memory that begins where a page does, as O_DIRECT wants it.
#[repr(align(4096))]
struct Block([u8; BLOCK]);

/// Write `blocks` times [`BLOCK`] bytes to the start of the block device at `path`, past the page cache (O_DIRECT):
/// each write returns when the device has taken it, so that it is the writer who is slowed.
pub fn write_direct(path: &Path, blocks: u32) -> Result<()> {
    ask(Call::Other(&Disk::Pwrite { device: path, blocks }), || {
        let flags = OFlag::O_WRONLY | OFlag::O_DIRECT | OFlag::O_CLOEXEC;
        let device = open(path, flags, Mode::empty())?;
        let block = Box::new(Block([0x5a; BLOCK]));
        for number in 0..blocks as usize {
            let offset = (number * BLOCK) as libc::off_t;
            // SAFETY: the buffer is BLOCK bytes long.
            let answer = unsafe { libc::pwrite(device.as_raw_fd(), block.0.as_ptr().cast(), BLOCK, offset) };
            Errno::result(answer)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_as_long_as_the_kernels() {
        assert_eq!(size_of::<LoopConfig>(), 304);
        assert_eq!(std::mem::offset_of!(LoopConfig, lo_flags), 60);
    }

    #[test]
    fn a_file_in_memory_has_its_size_and_no_name() {
        let file = memory_file("test", 4096).unwrap();
        assert_eq!(nix::sys::stat::fstat(&file).unwrap().st_size, 4096);
        assert_eq!(nix::sys::stat::fstat(&file).unwrap().st_nlink, 0);
    }
}
