//! `--trace FILE`: every request as one line of JSON. A public format, made for programs.
//!
//! # Format, version 1
//!
//! The file is JSON Lines: UTF-8, one object a line, each line written by one write(2) and shorter than
//! 4096 bytes, so that lines of several processes never mix. `-` for FILE is standard error. Lines stand in
//! the order in which they were written; while both processes run, order them by `t_us`.
//!
//! ```json
//! {"v":1,"t_us":5120,"pid":4242,"role":"init","step":"uts","call":"sethostname",
//!  "args":{"name":"web","len":3},"answer":{"ok":0},
//!  "ns":{"cgroup":4026531835,"ipc":4026532201,"mnt":4026532199,"net":4026532203,"pid":4026532202,
//!        "time":4026532300,"user":4026531837,"uts":4026532200},
//!  "evidence":[{"what":"hostname","before":"vm","after":"web"}]}
//! ```
//!
//! | member | type | meaning |
//! |---|---|---|
//! | `v` | number | version of the format: 1 |
//! | `t_us` | number | microseconds since the trace began, by the host's CLOCK_MONOTONIC, when the answer had come |
//! | `pid` | number | the asking process, as the `/proc` of the one who started minidocker has it |
//! | `role` | string | `runtime`: the program that was started, or the supervisor that it made for a container; `client`: who made that; `init`: a container's first process; else a demo's name for its process |
//! | `step` | string or null | the part of the work, a word in lower case: `uts`, `overlay`, `cgroup-join`, … |
//! | `call` | string | the call by its manual page, section 2; a message type of rtnetlink(7) (`RTM_NEWLINK`); or `command` |
//! | `args` | object | the arguments by their names in the manual page, in its order |
//! | `answer` | object or null | see below |
//! | `ns` | object | inode of each namespace that the process was in after the answer; null where unknown |
//! | `evidence` | array | facts that the call may change: `what` names the fact; `before`, `after` are strings, null for nothing |
//!
//! **Arguments** are numbers, strings, arrays of either, or null. Flags are a string of their names, joined
//! by `|`, as in `CLONE_NEWUTS|CLONE_NEWIPC`; modes are octal strings (`0755`); bit sets are hexadecimal
//! strings (`0x3f`). A descriptor is shown by the path it was opened by. Of the environment only the number of
//! variables is given.
//!
//! **Answers**: `{"ok": 0}` where the call gives nothing but success, `{"ok": N}` for a pid, a count or a new
//! descriptor, `{"ok": "text"}` for what was read. A refusal is `{"errno": 1, "name": "EPERM", "message":
//! "Operation not permitted"}`. `null` is no answer: it appears for `execve` alone, which is written *before*
//! it is asked, since success does not return; if it is refused, a second event says so. `clone3` and `fork`
//! answer twice: the child's pid in the one process, 0 in the other. (With `--init` the first process forks:
//! its child goes on to speak with init's `pid`, since from inside the container nobody can know another. The parent
//! stays behind as pid 1, closes every file but the standard three, and is heard of no more unless FILE is `-`.)
//!
//! **Evidence** is read in `/proc` and `/sys` around the call, independently of it. `before` and `after` are
//! equal when the call changed nothing. No evidence is read while an image is made, nor once the seccomp
//! filter is loaded: from then on the narrator asks for nothing but write(2).
//!
//! **Long values** are cut, and end in `…`, when a line would not fit otherwise: texts first to 2048 bytes,
//! then shorter; of arrays the first elements stay, followed by `"…"`.
//!
//! # Stability
//!
//! Within version 1 members may be added, and new values of `step` and `call` will be; members are not removed
//! and do not change their meaning. Readers must ignore what they do not know. Anything else raises `v`.

use super::evidence::{Change, namespaces};
use super::json::{Budget, Json};
use super::line::{Line, Out};
use super::narrator::{Place, Sink};
use super::words;
use crate::observe;
use crate::sys::{Answer, Call, flags};
use std::time::{Duration, Instant, SystemTime};

/// The version that this module writes.
const VERSION: u32 = 1;

/// Writes the trace.
pub struct Trace {
    out: Out,
    clock: Clock,
    /// The inode of the process's namespace of each kind of [`observe::KINDS`].
    inodes: [Option<u64>; observe::KINDS.len()],
}

impl Trace {
    /// A trace that begins now.
    pub fn new(out: Out) -> Self {
        Self { out, clock: Clock::new(), inodes: observe::KINDS.map(observe::inode) }
    }

    /// Look again which namespaces the process is in. Where `/proc` cannot be read, what was known stays true
    /// except for those that the call has `changed`.
    fn look_again(&mut self, changed: impl Fn(&str) -> bool) {
        for (kind, inode) in observe::KINDS.into_iter().zip(&mut self.inodes) {
            let known = if changed(kind) { None } else { *inode };
            *inode = observe::inode(kind).or(known);
        }
    }

    fn write(&self, place: &Place, call: &Call<'_>, answer: Option<&Answer<'_>>, changes: &[Change]) {
        let mut line = Line::new();
        for budget in Budget::LADDER {
            line.clear();
            self.event(&mut Json::new(&mut line, budget), place, call, answer, changes);
            if !line.is_cut() {
                break;
            }
        }
        line.send(&self.out, "");
    }

    fn event(
        &self,
        json: &mut Json<'_>,
        place: &Place,
        call: &Call<'_>,
        answer: Option<&Answer<'_>>,
        changes: &[Change],
    ) {
        json.object(|json| {
            json.name("v").token(VERSION);
            json.name("t_us").token(self.clock.elapsed().as_micros());
            json.name("pid").token(place.pid);
            json.name("role").text(place.role.name());
            json.name("step").text_or_null(place.step.map(words::step_word));
            json.name("call").text(call.name());
            json.name("args").object(|json| call.arguments(&mut |name, value| json.name(name).value(value)));
            write_answer(json.name("answer"), answer);
            json.name("ns").object(|json| {
                for (kind, inode) in observe::KINDS.into_iter().zip(self.inodes) {
                    match inode {
                        Some(number) => json.name(kind).token(number),
                        None => json.name(kind).token("null"),
                    }
                }
            });
            json.name("evidence").array(changes, |json, change| {
                json.object(|json| {
                    json.name("what").text(&change.subject.name());
                    json.name("before").text_or_null(change.before.as_deref());
                    json.name("after").text_or_null(change.after.as_deref());
                });
            });
        });
    }
}

/// The time since the trace began, which goes on where a process enters a time namespace and its monotonic clock
/// leaps.
struct Clock {
    began: Instant,
    /// What had passed when `began` was set.
    earlier: Duration,
    /// Before the leap: the time that had passed, and a clock that does not leap with it.
    leaps: Option<(Duration, SystemTime)>,
}

impl Clock {
    fn new() -> Self {
        Self { began: Instant::now(), earlier: Duration::ZERO, leaps: None }
    }

    fn elapsed(&self) -> Duration {
        self.earlier + self.began.elapsed()
    }

    fn before_leap(&mut self) {
        self.leaps = Some((self.elapsed(), SystemTime::now()));
    }

    fn after_leap(&mut self) {
        let Some((earlier, since)) = self.leaps.take() else { return };
        self.earlier = earlier + since.elapsed().unwrap_or_default();
        self.began = Instant::now();
    }
}

/// Whether a call takes the process itself into another time namespace.
fn enters_time(call: &Call<'_>) -> bool {
    matches!(call, Call::Setns { flags, .. } if flags.has(flags::CLONE_NEWTIME))
}

fn write_answer(json: &mut Json<'_>, answer: Option<&Answer<'_>>) {
    let Some(answer) = answer else { return json.token("null") };
    json.object(|json| match *answer {
        Answer::Done => json.name("ok").token(0),
        Answer::Number(number) => json.name("ok").token(number),
        Answer::Descriptor(descriptor) => json.name("ok").token(descriptor),
        Answer::Text(text) => json.name("ok").text(text),
        Answer::Refused(errno, name, message) => {
            json.name("errno").token(errno);
            json.name("name").text(name);
            json.name("message").text(message);
        }
    });
}

impl Sink for Trace {
    fn wants_evidence(&self) -> bool {
        true
    }

    fn asking(&mut self, place: &Place, call: &Call<'_>) {
        if matches!(call, Call::Execve { .. }) {
            self.write(place, call, None, &[]);
        }
        if enters_time(call) {
            self.clock.before_leap();
        }
    }

    fn answered(&mut self, place: &Place, call: &Call<'_>, answer: &Answer<'_>, changes: &[Change]) {
        if enters_time(call) {
            self.clock.after_leap();
        }
        match *call {
            Call::Unshare { flags } | Call::Setns { flags, .. } if !place.sealed => {
                self.look_again(|kind| namespaces(flags).any(|changed| changed == kind));
            }
            _ => {}
        }
        self.write(place, call, Some(answer), changes);
    }

    fn became(&mut self, _place: &Place) {
        self.look_again(|_| true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::observer::{Role, Step};
    use serde_json::Value;
    use std::path::Path;

    fn traced(call: &Call<'_>, answer: Option<&Answer<'_>>) -> Value {
        let file = tempfile::NamedTempFile::new().unwrap();
        let trace = Trace::new(Out::File(file.reopen().unwrap()));
        let place = Place { role: Role::Init, pid: 4242, step: Some(Step::Uts), sealed: false };
        trace.write(&place, call, answer, &[]);
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.len() <= super::super::line::LONGEST, "{} bytes", text.len());
        assert_eq!(text.lines().count(), 1);
        serde_json::from_str(&text).expect(&text)
    }

    #[test]
    fn an_event_has_every_member() {
        let event = traced(&Call::Sethostname { name: "web" }, Some(&Answer::Done));
        assert_eq!(event["v"], 1);
        assert_eq!(event["pid"], 4242);
        assert_eq!(event["role"], "init");
        assert_eq!(event["step"], "uts");
        assert_eq!(event["call"], "sethostname");
        assert_eq!(event["args"], serde_json::json!({"name": "web", "len": 3}));
        assert_eq!(event["answer"], serde_json::json!({"ok": 0}));
        assert!(event["ns"]["uts"].is_u64());
        assert!(event["evidence"].is_array());
        assert!(event["t_us"].is_u64());
    }

    #[test]
    fn a_refusal_is_told_with_number_symbol_and_text() {
        let event = traced(&Call::Fork, Some(&Answer::Refused(11, "EAGAIN", "Try again")));
        assert_eq!(
            event["answer"],
            serde_json::json!({"errno": 11, "name": "EAGAIN", "message": "Try again"})
        );
    }

    #[test]
    fn long_values_stay_one_valid_line() {
        let long = "\"界\n".repeat(4000);
        let event =
            traced(&Call::Write { path: Path::new(&long), contents: &long }, Some(&Answer::Text(&long)));
        assert!(event["args"]["contents"].as_str().unwrap().ends_with('…'));
        let argv: Vec<String> = (0..5000).map(|number| format!("argument {number}")).collect();
        let event = traced(&Call::Execve { path: Path::new("/bin/sh"), argv: &argv, environment: &[] }, None);
        assert_eq!(event["args"]["argv"].as_array().unwrap().last().unwrap(), "…");
        assert!(event["answer"].is_null());
    }
}
