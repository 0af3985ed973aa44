//! The frame of every `structs --live`: who is there, the heading, and what is shown where nothing can be read.

use super::{Blind, Reader};
use crate::demo::Walk;
use crate::error::{Error, Problem, Result};
use crate::narrate::{Stage, text};
use crate::observe::{self, Subject, Who};

/// What is told, unless nothing can be read.
pub type Told = std::result::Result<Result<()>, Blind>;

/// Tell of live tasks: of `pids`, all of which must be there, or the story that is told without any. Where nothing can
/// be read, play `layouts` instead. Returns the exit status.
pub fn play(stage: &Stage, pids: &[i32], layouts: &Walk, tell: impl FnOnce(&Reader) -> Told) -> Result<u8> {
    if let Some(pid) = pids.iter().find(|pid| observe::read(&Subject::Pids(Who::Pid(**pid))).is_none()) {
        return Err(Error::new(Problem::NoSuchProcess { pid: *pid }));
    }
    let title = text!("The pointers of real tasks, now", "真实进程此刻的指针");
    stage.title("structs --live", &title);
    match Reader::new().and_then(|reader| tell(&reader)) {
        Ok(answer) => answer?,
        Err(blind) => {
            stage.lacks(&blind.why());
            stage.say(&text!(
                "So here are the layouts, without what they hold.",
                "因此下面只展示结构的布局，没有其中的内容。"
            ));
            layouts.play(stage)?;
        }
    }
    Ok(u8::from(!stage.all_held()))
}
