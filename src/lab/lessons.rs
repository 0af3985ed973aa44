//! The lessons of this course, in order. Each is a file beside the student's: `lessons/NAME/check.rs`.

use super::lesson::Lesson;

#[path = "../../lessons/net/check.rs"]
pub mod net;
#[path = "../../lessons/overlay/check.rs"]
pub mod overlay;
#[path = "../../lessons/pid/check.rs"]
pub mod pid;
#[path = "../../lessons/uts/check.rs"]
pub mod uts;

/// All of them.
pub const LESSONS: &[Lesson] = &[uts::LESSON, pid::LESSON, overlay::LESSON, net::LESSON];
