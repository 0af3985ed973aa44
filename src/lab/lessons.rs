//! The lessons of this course, in order. Each is a file beside the student's: `lessons/NAME/check.rs`.

use super::lesson::Lesson;

#[path = "../../lessons/all/check.rs"]
pub mod all;
#[path = "../../lessons/cgroup-cpu/check.rs"]
pub mod cgroup_cpu;
#[path = "../../lessons/cgroup-memory/check.rs"]
pub mod cgroup_memory;
#[path = "../../lessons/harden/check.rs"]
pub mod harden;
#[path = "../../lessons/image/check.rs"]
pub mod image;
#[path = "../../lessons/mounts/check.rs"]
pub mod mounts;
#[path = "../../lessons/net/check.rs"]
pub mod net;
#[path = "../../lessons/overlay/check.rs"]
pub mod overlay;
#[path = "../../lessons/pid/check.rs"]
pub mod pid;
#[path = "../../lessons/user/check.rs"]
pub mod user;
#[path = "../../lessons/uts/check.rs"]
pub mod uts;

/// All of them.
#[rustfmt::skip] // one a line
pub const LESSONS: &[Lesson] = &[
    uts::LESSON,
    pid::LESSON,
    mounts::LESSON,
    user::LESSON,
    cgroup_memory::LESSON,
    cgroup_cpu::LESSON,
    overlay::LESSON,
    net::LESSON,
    image::LESSON,
    harden::LESSON,
    all::LESSON,
];
