//! The observer at the door: keeps the place and the evidence, and passes each event to its sinks.

use super::evidence::{self, Change};
use crate::observe;
use crate::sys::observer::{Observer, Role, Step};
use crate::sys::{Answer, Call};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where an event happens.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Which process asks.
    pub role: Role,
    /// Its pid as the host's `/proc` has it.
    pub pid: u32,
    /// The step it is in.
    pub step: Option<Step>,
    /// The seccomp filter is loaded: nothing may be asked of the kernel any more but write(2).
    pub sealed: bool,
}

/// One form of output.
pub trait Sink: Send {
    /// Whether it shows facts: if no sink does, none are read.
    fn wants_evidence(&self) -> bool {
        false
    }
    /// A step begins.
    fn begins(&mut self, _place: &Place) {}
    /// The step `place.step` has ended.
    fn ends(&mut self, _place: &Place) {}
    /// A call is about to be made.
    fn asking(&mut self, _place: &Place, _call: &Call<'_>) {}
    /// A call was answered; `changes` is what it may have changed.
    fn answered(&mut self, place: &Place, call: &Call<'_>, answer: &Answer<'_>, changes: &[Change]);
    /// This process was just forked; `place` is the new one's.
    fn became(&mut self, _place: &Place) {}
}

/// Memory made ready before the process is sealed: less than what the allocator gives back to the kernel.
const READY: usize = 64 * 1024;

struct State {
    sinks: Vec<Box<dyn Sink>>,
    place: Place,
    /// The steps that contain the present one.
    outer: Vec<Option<Step>>,
    evidence: bool,
    changes: Vec<Change>,
}

/// All sinks behind one observer. A fork copies it, with the lock free: no lock is held while a call is made.
pub struct Narrator(Mutex<State>);

impl Narrator {
    /// A narrator for these sinks.
    pub fn new(sinks: Vec<Box<dyn Sink>>) -> Self {
        let pid = observe::host_pid().unwrap_or_else(std::process::id);
        let place = Place { role: Role::Runtime, pid, step: None, sealed: false };
        let evidence = sinks.iter().any(|sink| sink.wants_evidence());
        Self(Mutex::new(State { sinks, place, outer: Vec::new(), evidence, changes: Vec::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether facts may be read for a call. Making an image, or taking one in, is a thousand files whose facts
    /// are dull.
    fn looks(&self) -> bool {
        let dull = matches!(self.place.step, Some(Step::Image | Step::Load | Step::Unpack));
        self.evidence && !self.place.sealed && !dull
    }
}

impl Observer for Narrator {
    fn begins(&self, step: Step) {
        let state = &mut *self.state();
        state.outer.push(state.place.step.replace(step));
        let place = state.place;
        state.sinks.iter_mut().for_each(|sink| sink.begins(&place));
    }

    fn ends(&self, step: Step) {
        let state = &mut *self.state();
        let place = Place { step: Some(step), ..state.place };
        state.sinks.iter_mut().for_each(|sink| sink.ends(&place));
        state.place.step = state.outer.pop().flatten();
    }

    fn asking(&self, call: &Call<'_>) {
        let state = &mut *self.state();
        let place = state.place;
        state.sinks.iter_mut().for_each(|sink| sink.asking(&place, call));
        if matches!(call, Call::Seccomp { .. }) {
            // What is said after the filter is loaded finds this memory free, and need not ask the kernel for any.
            drop(std::hint::black_box(Vec::<u8>::with_capacity(READY)));
        }
        // Looked at after the sinks: one of them may have waited for a person, who may have changed things.
        if state.looks() {
            state.changes = evidence::before(call);
        }
    }

    fn answered(&self, call: &Call<'_>, answer: &Answer<'_>) {
        let state = &mut *self.state();
        let granted = !matches!(answer, Answer::Refused(..));
        state.place.sealed |= matches!(call, Call::Seccomp { .. }) && granted;
        if state.looks() {
            evidence::after(&mut state.changes, call, answer);
        } else {
            state.changes.clear();
        }
        let place = state.place;
        let State { sinks, changes, .. } = state;
        sinks.iter_mut().for_each(|sink| sink.answered(&place, call, answer, changes));
    }

    fn became(&self, role: Role) {
        let state = &mut *self.state();
        state.place.role = role;
        // `/proc` is still the host's here; later it may be gone or the container's own.
        state.place.pid = observe::host_pid().unwrap_or_else(std::process::id);
        let place = state.place;
        state.sinks.iter_mut().for_each(|sink| sink.became(&place));
    }

    fn keep_stderr(&self) {
        super::line::keep_stderr();
    }
}
