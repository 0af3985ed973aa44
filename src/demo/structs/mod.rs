//! The kernel's own structures: as the running kernel defines them, and with what they hold now.
//!
//! Both `ns-demo structs` and `cgroup-demo structs` are told with this. [`Kernel`] finds a structure, in BTF or in a
//! recorded copy; [`show`] sets it beside the lecture's older listing; [`live`] reads what real processes' structures
//! hold.

mod compare;
mod kernel;
mod lecture;
mod listing;
pub mod live;
pub mod show;

pub use compare::Change;
pub use kernel::Kernel;
pub use listing::Listing;
