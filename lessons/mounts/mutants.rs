//! Wrong answers to the lesson `mounts`, each of which the kernel's own evidence must give away.

use minidocker::container::parts::{Held, Parts};
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::lab::mutant::Mutant;
use minidocker::rootfs::devices::{LINKS, NODES};
use minidocker::rootfs::tree::take;
use minidocker::sys::chroot::chroot;
use minidocker::sys::file::{chdir, create_at, mkdir, open_file, symlink};
use minidocker::sys::flags::*;
use minidocker::sys::mount::{change_propagation, mount, pivot_root};
use minidocker::sys::namespace::unshare;
use std::os::fd::AsFd;
use std::path::Path;

/// Makes the mounts private, but never leaves the host's table: it is the host's root that it exchanges.
fn enter_without_unshare(_: &Spec) -> Result<()> {
    change_propagation(Path::new("/"), MS_PRIVATE)
}

/// A table of its own, whose shared mounts are still the peers of the host's.
fn enter_without_private(_: &Spec) -> Result<()> {
    unshare(clone(CLONE_NEWNS))
}

/// The right calls in the wrong order: it is the host whose mounts become private.
fn enter_private_first(_: &Spec) -> Result<()> {
    change_propagation(Path::new("/"), MS_PRIVATE)?;
    unshare(clone(CLONE_NEWNS))
}

/// A slave tells its master nothing, and hears everything.
fn enter_as_slave(_: &Spec) -> Result<()> {
    unshare(clone(CLONE_NEWNS))?;
    change_propagation(Path::new("/"), MS_SLAVE)
}

/// Paths begin elsewhere; the mounts stay where they are.
fn exchange_by_chroot(spec: &Spec) -> Result<()> {
    chroot(&spec.layers.merged)?;
    chdir(Path::new("/"))
}

/// Goes to the new root, and unmounts nothing.
fn leave_by_chdir(_: &Spec) -> Result<()> {
    chdir(Path::new("/"))
}

/// The old root goes to a directory of the new one, as in the manual page's first example, ...
fn exchange_for_a_directory(spec: &Spec) -> Result<()> {
    chdir(&spec.layers.merged)?;
    mkdir(Path::new(".old"), 0o700)?;
    pivot_root(Path::new("."), Path::new(".old"))?;
    chdir(Path::new("/"))
}

/// ... where it stays.
fn leave_it_there(_: &Spec) -> Result<()> {
    Ok(())
}

/// Files with the names of devices.
fn devices_of_files(spec: &Spec, _: &Held) -> Result<()> {
    let dev = Path::new("/dev");
    mount("tmpfs", dev, "tmpfs", MS_NOSUID | MS_STRICTATIME, Some("mode=755"))?;
    let directory = open_file(dev, O_PATH | O_DIRECTORY, 0)?;
    for (name, ..) in NODES {
        create_at(directory.as_fd(), dev, Path::new(name), 0o666)?;
    }
    link()?;
    terminals()?;
    memory(Some(&format!("mode=1777,size={}", spec.shm_size)))
}

/// A file system, and nothing in it but directories.
fn devices_of_nothing(spec: &Spec, _: &Held) -> Result<()> {
    mount("tmpfs", Path::new("/dev"), "tmpfs", MS_NOSUID | MS_STRICTATIME, Some("mode=755"))?;
    terminals()?;
    memory(Some(&format!("mode=1777,size={}", spec.shm_size)))
}

/// One node under six names.
fn devices_of_null(spec: &Spec, held: &Held) -> Result<()> {
    let dev = Path::new("/dev");
    mount("tmpfs", dev, "tmpfs", MS_NOSUID | MS_STRICTATIME, Some("mode=755"))?;
    held.devices[0].attach(Path::new("/dev/null"))?;
    for (name, ..) in &NODES[1..] {
        take(Path::new("/dev/null"))?.attach(&dev.join(name))?;
    }
    link()?;
    terminals()?;
    memory(Some(&format!("mode=1777,size={}", spec.shm_size)))
}

/// No file system of its own: the nodes are laid on files of the container's layer.
fn devices_in_the_layer(spec: &Spec, held: &Held) -> Result<()> {
    held.devices.iter().try_for_each(|node| node.attach(node.source()))?;
    link()?;
    terminals()?;
    memory(Some(&format!("mode=1777,size={}", spec.shm_size)))
}

/// Terminals and memory first, and then a file system on top of them.
fn devices_covered(spec: &Spec, held: &Held) -> Result<()> {
    terminals()?;
    memory(Some(&format!("mode=1777,size={}", spec.shm_size)))?;
    mount("tmpfs", Path::new("/dev"), "tmpfs", MS_NOSUID | MS_STRICTATIME, Some("mode=755"))?;
    held.devices.iter().try_for_each(|node| node.attach(node.source()))?;
    link()
}

/// As much shared memory as there is: half of the machine's.
fn devices_without_measure(_: &Spec, held: &Held) -> Result<()> {
    mount("tmpfs", Path::new("/dev"), "tmpfs", MS_NOSUID | MS_STRICTATIME, Some("mode=755"))?;
    held.devices.iter().try_for_each(|node| node.attach(node.source()))?;
    link()?;
    terminals()?;
    memory(Some("mode=1777"))
}

/// Terminals that only root may ask for.
fn devices_with_ptmx_closed(spec: &Spec, held: &Held) -> Result<()> {
    mount("tmpfs", Path::new("/dev"), "tmpfs", MS_NOSUID | MS_STRICTATIME, Some("mode=755"))?;
    held.devices.iter().try_for_each(|node| node.attach(node.source()))?;
    link()?;
    mkdir(Path::new("/dev/pts"), 0o755)?;
    mount("devpts", Path::new("/dev/pts"), "devpts", MS_NOSUID | MS_NOEXEC, None)?;
    memory(Some(&format!("mode=1777,size={}", spec.shm_size)))
}

fn link() -> Result<()> {
    LINKS.iter().try_for_each(|(name, target)| symlink(Path::new(target), &Path::new("/dev").join(name)))
}

fn terminals() -> Result<()> {
    mkdir(Path::new("/dev/pts"), 0o755)?;
    let options = Some("newinstance,ptmxmode=0666,mode=0620");
    mount("devpts", Path::new("/dev/pts"), "devpts", MS_NOSUID | MS_NOEXEC, options)
}

fn memory(options: Option<&str>) -> Result<()> {
    mkdir(Path::new("/dev/shm"), 0o755)?;
    mount("tmpfs", Path::new("/dev/shm"), "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, options)
}

/// What a container that does not come up fails.
const EVERY_CHECK: &[&str] = &[
    "own-table",
    "nothing-travels-out",
    "nothing-travels-in",
    "no-way-back",
    "old-root-is-gone",
    "devices",
    "dev-holds-no-more",
    "terminals-and-memory",
];

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "without-unshare",
        parts: Parts { mount: enter_without_unshare, ..Parts::REFERENCE },
        fails: EVERY_CHECK,
        mistake: Some("without-unshare"),
    },
    Mutant {
        name: "without-private",
        parts: Parts { mount: enter_without_private, ..Parts::REFERENCE },
        fails: &["nothing-travels-out", "nothing-travels-in"],
        mistake: Some("without-private"),
    },
    Mutant {
        name: "private-first",
        parts: Parts { mount: enter_private_first, ..Parts::REFERENCE },
        fails: &["nothing-travels-out"],
        mistake: Some("private-first"),
    },
    Mutant {
        name: "slave",
        parts: Parts { mount: enter_as_slave, ..Parts::REFERENCE },
        fails: &["nothing-travels-in"],
        mistake: Some("slave"),
    },
    Mutant {
        name: "chroot",
        parts: Parts { root: exchange_by_chroot, leave: leave_it_there, ..Parts::REFERENCE },
        fails: &["no-way-back", "old-root-is-gone"],
        mistake: Some("chroot"),
    },
    Mutant {
        name: "never-unmounted",
        parts: Parts { leave: leave_by_chdir, ..Parts::REFERENCE },
        fails: &["no-way-back", "old-root-is-gone"],
        mistake: Some("never-unmounted"),
    },
    Mutant {
        name: "old-root-in-a-directory",
        parts: Parts { root: exchange_for_a_directory, leave: leave_it_there, ..Parts::REFERENCE },
        fails: &["old-root-is-gone"],
        mistake: Some("never-unmounted"),
    },
    Mutant {
        name: "files-for-devices",
        parts: Parts { devices: devices_of_files, ..Parts::REFERENCE },
        fails: EVERY_CHECK,
        mistake: Some("files-for-devices"),
    },
    Mutant {
        name: "no-nodes",
        parts: Parts { devices: devices_of_nothing, ..Parts::REFERENCE },
        fails: EVERY_CHECK,
        mistake: Some("null-missing"),
    },
    Mutant {
        name: "null-for-all",
        parts: Parts { devices: devices_of_null, ..Parts::REFERENCE },
        fails: &["devices"],
        mistake: Some("null-for-all"),
    },
    Mutant {
        name: "in-the-layer",
        parts: Parts { devices: devices_in_the_layer, ..Parts::REFERENCE },
        fails: &["dev-holds-no-more"],
        mistake: Some("in-the-layer"),
    },
    Mutant {
        name: "covered",
        parts: Parts { devices: devices_covered, ..Parts::REFERENCE },
        fails: &["dev-holds-no-more", "terminals-and-memory"],
        mistake: Some("covered"),
    },
    Mutant {
        name: "ptmx-closed",
        parts: Parts { devices: devices_with_ptmx_closed, ..Parts::REFERENCE },
        fails: &["terminals-and-memory"],
        mistake: Some("ptmx-closed"),
    },
    Mutant {
        name: "without-measure",
        parts: Parts { devices: devices_without_measure, ..Parts::REFERENCE },
        fails: &["terminals-and-memory"],
        mistake: Some("without-measure"),
    },
];
