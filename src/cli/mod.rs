//! What the binaries' command lines share: the options of the narration, and how a failure ends.

pub mod minidocker;
pub mod narration;
pub mod run;
