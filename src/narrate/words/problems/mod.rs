//! Each problem: one sentence that says what was wrong, what the kernel said, and what to do about it.

mod console;
mod general;
mod image;
mod inside;
mod lab;
mod life;
mod look;
mod net;
mod rootless;
mod volume;

use super::{Lang, advice};
use crate::error::{Error, Problem};

/// The whole sentence: `WHAT: CALL(ARGS) = ERRNO (MESSAGE); TO DO`.
pub fn sentence(error: &Error, lang: Lang) -> String {
    let what = what(&error.problem, lang);
    let todo = advice::for_error(error, lang);
    let (colon, semicolon) = match lang {
        Lang::En => (": ", "; "),
        Lang::Zh => ("：", "；"),
    };
    match &error.refusal {
        Some(refusal) => format!("{what}{colon}{refusal}{semicolon}{todo}"),
        None => format!("{what}{semicolon}{todo}"),
    }
}

/// From one table, the two halves of a sentence about each problem of one enum.
macro_rules! problems {
    ($problems:ident; $($pattern:pat => {
        what: $what_en:literal, $what_zh:literal;
        todo: $todo_en:literal, $todo_zh:literal;
    })*) => {
        /// What was wrong.
        #[allow(unused_variables, reason = "one half of a sentence need not use all values")]
        pub(super) fn what(problem: &$problems, lang: Lang) -> String {
            use $problems::*;
            match problem { $($pattern => both!(lang, $what_en, $what_zh),)* }
        }

        /// What to do about it, where nothing more is known than the problem.
        #[allow(unused_variables, reason = "one half of a sentence need not use all values")]
        pub(in crate::narrate::words) fn todo(problem: &$problems, lang: Lang) -> String {
            use $problems::*;
            match problem { $($pattern => both!(lang, $todo_en, $todo_zh),)* }
        }
    };
}
use problems;

/// What was wrong: said by the room that the problem belongs to.
fn what(problem: &Problem, lang: Lang) -> String {
    match problem {
        Problem::Life(problem) => life::what(problem, lang),
        Problem::Lab(problem) => lab::what(problem, lang),
        Problem::Look(problem) => look::what(problem, lang),
        Problem::Net(problem) => net::what(problem, lang),
        Problem::Volume(problem) => volume::what(problem, lang),
        Problem::Image(problem) => image::what(problem, lang),
        Problem::Console(problem) => console::what(problem, lang),
        Problem::Inside(problem) => inside::what(problem, lang),
        Problem::Rootless(problem) => rootless::what(problem, lang),
        problem => general::what(problem, lang),
    }
}

/// What to do about it, where nothing more is known than the problem.
pub(super) fn todo(problem: &Problem, lang: Lang) -> String {
    match problem {
        Problem::Life(problem) => life::todo(problem, lang),
        Problem::Lab(problem) => lab::todo(problem, lang),
        Problem::Look(problem) => look::todo(problem, lang),
        Problem::Net(problem) => net::todo(problem, lang),
        Problem::Volume(problem) => volume::todo(problem, lang),
        Problem::Image(problem) => image::todo(problem, lang),
        Problem::Console(problem) => console::todo(problem, lang),
        Problem::Inside(problem) => inside::todo(problem, lang),
        Problem::Rootless(problem) => rootless::todo(problem, lang),
        problem => general::todo(problem, lang),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;

    #[test]
    fn a_sentence_says_what_was_wrong_what_the_kernel_said_and_what_to_do() {
        let refusal = Refusal {
            call: "mount".into(),
            args: "\"overlay\", \"/merged\"".into(),
            errno: 19,
            name: "ENODEV".into(),
            message: "No such device".into(),
        };
        let error = Error { problem: Problem::NoOverlay, refusal: Some(Box::new(refusal)) };
        assert_eq!(
            error.to_string(),
            "this kernel cannot mount an overlay file system here: mount(\"overlay\", \"/merged\") = ENODEV (No \
             such device); `sudo modprobe overlay` loads it; in a user namespace it needs Linux 5.11 or root"
        );
        assert!(sentence(&error, Lang::Zh).starts_with("内核无法在这里挂载 overlay 文件系统：mount("));
    }
}
