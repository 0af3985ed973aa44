//! `overlay-demo`: read-only layers and a writable one, seen as one tree.
//!
//! | module | what is shown |
//! |---|---|
//! | [`walkthrough`] | upper, lower and merged side by side, through a mount, a look and three deletions |
//! | [`copy_up`] | what a write to a file of a lower layer costs |
//! | [`whiteout`], [`opaque`] | how a deletion is written down |
//! | [`rename`] | what a directory of a lower layer can not do, and how it learns it |
//! | [`layers`] | several lower layers: which one wins |
//! | [`share`] | many containers, one image |
//! | [`allocate`] | space is taken when it is written to |
//! | [`readonly`] | no upper layer, and one put on top later |
//! | [`bootfs`] | what boots a machine, and no image has |
//! | [`diff`] | the upper layer as a list of changes, and as a layer of an image |
//! | `ground`, `picture` | what they share: the directories, and the picture of them |

pub mod allocate;
pub mod bootfs;
pub mod copy_up;
pub mod diff;
mod ground;
pub mod layers;
pub mod opaque;
mod picture;
pub mod readonly;
pub mod rename;
pub mod share;
pub mod walkthrough;
pub mod whiteout;
