//! THE GRADER: what the kernel says of a student's part, as a library.
//!
//! A [`Lesson`](lesson::Lesson) is a table of checks. Each check runs `minidocker` with the student's part in it on a
//! throw-away host, waits until a [`probe`] of our own lives inside the container, and asks the kernel about that
//! process, from outside and from within. What the student's program prints counts for nothing.
//!
//! | module | in one sentence |
//! |---|---|
//! | [`lesson`] | what a lesson is: checks, points, known mistakes, hints |
//! | [`lessons`] | the lessons of this course, in order |
//! | [`need`] | what a check needs of the machine, found out by trying |
//! | [`doctor`] | what keeps this machine from the lessons, and the command that changes it |
//! | [`build`] | the student's program, made by cargo |
//! | [`host`] | where it runs: a throw-away host in which the grader is root, and pid 1 |
//! | [`ration`] | cgroups for that host, and a limit on all that happens there |
//! | [`bench`](mod@bench) | what a check works with: the student's program, started and bounded |
//! | [`order`] | images made to order, for a check's own files |
//! | [`person`] | the ordinary user of that host |
//! | [`subject`] | that program while it runs |
//! | [`probe`] | our own process inside the container, and the talk with it |
//! | [`witness`] | what the kernel says of a process |
//! | [`stuck`] | in which system call somebody waits |
//! | [`trap`] | the programs that would do the student's work |
//! | [`verdict`] | what came of a check: saw, wanted, and why |
//! | [`examine`] | all checks of a lesson, one after the other |
//! | [`grade`] | the files of somebody else, taken with care |
//! | [`watch`] | being told that the student has saved the file |
//! | [`shell`] | a person looks around where the student's program is graded |
//! | [`source`] | the text of a part, yours and ours |
//! | [`report`] | what came of it all, for people and for machines |
//! | [`suite`] | the project's own tests, run on a student's program |
//! | [`mutant`] | typical wrong answers, to prove that the checks catch them |

pub mod bench;
pub mod build;
pub mod doctor;
pub mod examine;
pub mod grade;
pub mod host;
pub mod lesson;
pub mod lessons;
pub mod mutant;
pub mod need;
pub mod order;
pub mod person;
pub mod probe;
pub mod ration;
pub mod report;
pub mod shell;
pub mod source;
pub mod stuck;
pub mod subject;
pub mod suite;
pub mod trap;
pub mod verdict;
pub mod watch;
pub mod witness;

use crate::sys::file;
use std::path::Path;

/// The text of the file at `path`, if there is such a file and it is no longer than a source file ever is.
pub fn text_of(path: &Path) -> Option<String> {
    file::read_text(path).ok()
}
