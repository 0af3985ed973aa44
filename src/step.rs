//! Steps: how `container` tells the observer where one part of its work ends and the next begins.
//!
//! This is all that the composition may know of the door. See `sys::observer`.

pub use crate::sys::observer::{Role, Step, become_role, take};
