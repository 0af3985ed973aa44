//! `net-demo`: the four modes of a container's network, and the way of a packet.

pub mod anatomy;
pub mod follow;
pub mod netlink;
pub mod topology;
pub mod town;
