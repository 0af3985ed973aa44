//! A way out of a network namespace that no link leads out of: a program that plays the rest of the world.
//!
//! An ordinary user may make a network namespace, and a bridge in it, but no link from there to the host's. What she
//! may make is a tap device: a network card whose cable ends in a program (tun(4)). pasta(1) and slirp4netns(1) read
//! the packets there and do, with sockets of their own on the host, what the packets ask for.

use crate::sys::file;
use crate::sys::flags::O_RDWR;
use crate::sys::identity;
use std::path::{Path, PathBuf};

/// One of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// pasta(1): the namespace gets the host's own address and routes.
    Pasta,
    /// slirp4netns(1): the namespace is a host of 10.0.2.0/24.
    Slirp4netns,
}

/// Whoever opens this can make a tap device.
const TUN: &str = "/dev/net/tun";

impl Way {
    /// In the order in which they are tried.
    pub const ALL: [Way; 2] = [Way::Pasta, Way::Slirp4netns];

    /// The program's name.
    pub fn name(self) -> &'static str {
        match self {
            Way::Pasta => "pasta",
            Way::Slirp4netns => "slirp4netns",
        }
    }

    /// Where it is; `None` when this machine lacks it.
    pub fn find(self) -> Option<PathBuf> {
        let path = std::env::var("PATH").unwrap_or_default();
        let directories = path.split(':').filter(|directory| directory.starts_with('/'));
        directories
            .chain(["/usr/bin", "/bin"])
            .map(|directory| Path::new(directory).join(self.name()))
            .find(|candidate| file::access(candidate, true).is_ok())
    }

    /// Whether it is here, and this user may make the tap device that it needs. Of root, who has a bridge without it,
    /// it would make somebody else.
    pub fn is_usable(self) -> bool {
        let may = || identity::uid() != 0 && file::open_file(Path::new(TUN), O_RDWR, 0).is_ok();
        self.find().is_some() && may()
    }

    /// The descriptor on which it says, by these arguments, that the namespace is connected.
    pub fn ready(self) -> i32 {
        match self {
            Way::Pasta => 1,
            Way::Slirp4netns => 3,
        }
    }

    /// Its arguments, its own name first, to connect the network namespace of process `pid`, until it is killed.
    ///
    /// Nothing of the host's own loopback can be reached, and no port of the namespace is opened on the host: those are
    /// asked for one by one.
    pub fn argv(self, pid: i32) -> Vec<String> {
        let (user, net) = (format!("/proc/{pid}/ns/user"), format!("/proc/{pid}/ns/net"));
        let words = match self {
            Way::Pasta => format!(
                "pasta --foreground --quiet --config-net --no-map-gw --no-netns-quit --pid /dev/stdout \
                 -t none -u none -T none -U none --userns {user} --netns {net}"
            ),
            Way::Slirp4netns => format!(
                "slirp4netns --configure --mtu=65520 --disable-host-loopback --ready-fd=3 --netns-type=path \
                 --userns-path={user} {net} tap0"
            ),
        };
        words.split_whitespace().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_shown_the_namespaces_of_the_process() {
        for way in Way::ALL {
            let argv = way.argv(4711);
            assert_eq!(argv[0], way.name());
            for path in ["/proc/4711/ns/user", "/proc/4711/ns/net"] {
                assert!(argv.iter().any(|word| word.ends_with(path)), "{argv:?}");
            }
        }
    }
}
