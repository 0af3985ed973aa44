//! `net-demo`: the four modes of a container's network, and the way of a packet.

pub mod anatomy;
pub mod break_it;
pub mod bridge;
pub mod container;
pub mod follow;
pub mod host;
pub mod netlink;
pub mod null;
pub mod publish;
mod show;
pub mod topology;
pub mod town;
