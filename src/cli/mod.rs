//! What the command lines of the binaries share.

pub mod narration;
