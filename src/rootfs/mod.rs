//! The root file system as the container sees it: another root, and on it the file systems that the kernel
//! makes, as much of them as a container should have.
//!
//! The order is the safety. First everything of the host's that will be seen inside is taken by descriptor
//! ([`tree`]), while the host's paths still mean the host. Then the root changes ([`pivot`]) and the old one is
//! gone. Only then are places inside the container looked up, so a symbolic link in an image, however it is
//! twisted, cannot lead to the host: there is no path to it any more.

pub mod devices;
pub mod mask;
pub mod pivot;
pub mod target;
pub mod tree;
pub mod virtualfs;
pub mod volume;

/// Make the root file system read-only, but not what is mounted on it: /dev, /proc and volumes stay as they are.
pub fn make_root_read_only() -> crate::error::Result<()> {
    use crate::sys::{flags::MOUNT_ATTR_RDONLY, mount::add_attributes};
    add_attributes(std::path::Path::new("/"), MOUNT_ATTR_RDONLY, false)
}
