//! The lessons of this course, in order. Each is a file beside the student's: `lessons/NAME/check.rs`.

use super::lesson::Lesson;

#[path = "../../lessons/pid/check.rs"]
pub mod pid;
#[path = "../../lessons/uts/check.rs"]
pub mod uts;

#[path = "../../lessons/net/check.rs"]
pub mod net;

#[path = "../../lessons/mounts/check.rs"]
pub mod mounts;

#[path = "../../lessons/harden/check.rs"]
pub mod harden;

/// All of them.
pub const LESSONS: &[Lesson] = &[uts::LESSON, pid::LESSON, mounts::LESSON, net::LESSON, harden::LESSON];
