//! `--trace`: the documented format, and that the trace tells what was executed: strace(1) and `/proc` agree with it.

use crate::common::container::{Running, namespace_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};
use serde_json::Value;
use std::collections::BTreeSet;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], every_line_is_an_event_as_documented),
        as_both(&[], the_pids_and_namespaces_are_those_of_proc),
        as_both(&[], evidence_stands_where_something_changed),
        as_both(&[], refusals_are_told_by_name),
        as_both(&[STRACE], every_line_is_one_write),
        as_both(&[STRACE], init_made_the_calls_that_strace_saw),
        as_both(&[STRACE], each_call_is_told_as_what_it_is),
        as_both(&[STRACE], after_the_filter_it_only_writes),
        as_both(&[], a_hyphen_is_standard_error),
        as_both(&[], a_file_that_cannot_be_written_is_a_failure),
        as_both(&[], a_second_trace_replaces_the_first),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const STRACE: Need = Need::Program("strace", "strace");

/// The path of a trace in a directory that the space's person may write to.
fn path(space: &Space, name: &str) -> String {
    space.file(&format!("traces/{name}"), "").display().to_string()
}

/// The trace of `minidocker run OPTIONS base COMMAND`, as text.
fn traced(space: &Space, options: &[&str], command: &[&str]) -> String {
    let path = path(space, "trace.jsonl");
    let outcome = space.base(&[options, &["--trace", &path]].concat(), command);
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""));
    std::fs::read_to_string(path).unwrap()
}

fn events(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

fn every_line_is_an_event_as_documented(who: Who) {
    let space = Space::new(who);
    let long = "界".repeat(3000);
    let text = traced(&space, &["--init", "-v", "/tmp:/data:ro"], &["echo", &long]);
    assert!(text.ends_with('\n'));
    for line in text.split_inclusive('\n') {
        assert!(line.len() < 4096, "{} bytes", line.len());
    }
    let events = events(&text);
    assert!(events.len() > 150, "{} events", events.len());
    for event in &events {
        let members = ["answer", "args", "call", "evidence", "ns", "pid", "role", "step", "t_us", "v"];
        let mut found = names(event);
        found.sort_unstable();
        assert_eq!(found, members, "{event}");
        assert_eq!(event["v"], 1);
        assert!(event["t_us"].is_u64() && event["pid"].is_u64(), "{event}");
        assert!(["client", "runtime", "init"].contains(&event["role"].as_str().unwrap()), "{event}");
        let lower = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(event["step"].is_null() || lower(event["step"].as_str().unwrap()), "{event}");
        let call = event["call"].as_str().unwrap();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        assert!(!call.is_empty() && call.bytes().all(word), "{event}");
        assert_args(&event["args"]);
        assert_answer(event);
        let mut kinds = names(&event["ns"]);
        kinds.sort_unstable();
        assert_eq!(kinds, KINDS);
        assert!(event["ns"].as_object().unwrap().values().all(|inode| inode.is_u64() || inode.is_null()));
        for fact in event["evidence"].as_array().unwrap() {
            assert_eq!(names(fact).into_iter().collect::<BTreeSet<_>>(), ["after", "before", "what"].into());
            assert!(fact["what"].is_string(), "{event}");
            let is_text = |value: &Value| value.is_string() || value.is_null();
            assert!(is_text(&fact["before"]) && is_text(&fact["after"]), "{event}");
        }
    }
    let steps: BTreeSet<&str> = events.iter().filter_map(|event| event["step"].as_str()).collect();
    for step in
        ["claim", "state", "clone", "uts", "mount", "overlay", "root", "devices", "harden", "exec", "cleanup"]
    {
        assert!(steps.contains(step), "{step} is not in {steps:?}");
    }
}

fn assert_args(args: &Value) {
    let simple = |value: &Value| value.is_number() || value.is_string() || value.is_null();
    for value in args.as_object().unwrap().values() {
        let list =
            value.as_array().is_some_and(|list| list.iter().all(|one| one.is_number() || one.is_string()));
        assert!(simple(value) || list, "{args}");
    }
}

fn assert_answer(event: &Value) {
    let answer = &event["answer"];
    if answer.is_null() {
        return assert_eq!(event["call"], "execve");
    }
    match names(answer)[..] {
        ["ok"] => assert!(answer["ok"].is_number() || answer["ok"].is_string(), "{event}"),
        _ => {
            assert_eq!(
                names(answer).into_iter().collect::<BTreeSet<_>>(),
                ["errno", "message", "name"].into()
            );
            assert!(answer["errno"].is_u64() && answer["message"].is_string(), "{event}");
            assert!(answer["name"].as_str().unwrap().starts_with('E'), "{event}");
        }
    }
}

fn the_pids_and_namespaces_are_those_of_proc(who: Who) {
    let space = Space::new(who);
    let path = path(&space, "trace.jsonl");
    let running = space.hold(&["--trace", &path]);
    let events = events(&std::fs::read_to_string(&path).unwrap());
    for (role, pid) in [("runtime", running.runtime()), ("init", running.pid())] {
        let last = events.iter().rfind(|event| event["role"] == role).unwrap();
        for event in events.iter().filter(|event| event["role"] == role) {
            assert_eq!(event["pid"], pid, "{event}");
        }
        let times: Vec<u64> = events
            .iter()
            .filter(|event| event["role"] == role)
            .map(|event| event["t_us"].as_u64().unwrap())
            .collect();
        assert!(times.is_sorted(), "{role}: {times:?}");
        for kind in KINDS {
            assert_eq!(format!("{kind}:[{}]", last["ns"][kind]), namespace_of(pid, kind), "{role}");
        }
    }
    let by_runtime = |event: &&Value| event["call"] == "clone3" && event["role"] == "runtime";
    let born = events.iter().filter(by_runtime).find(|event| event["answer"]["ok"] != 0).unwrap();
    assert_eq!(born["answer"]["ok"], running.pid());
    assert_eq!(running.end().status, 0);
}

fn evidence_stands_where_something_changed(who: Who) {
    let space = Space::new(who);
    let events = events(&traced(&space, &["--hostname", "web"], &["true"]));
    let event = |call: &str| {
        let found = events.iter().find(|event| event["call"] == call && event["role"] == "init");
        found.unwrap_or_else(|| panic!("no {call}"))
    };
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let named = event("sethostname");
    assert_eq!(named["step"], "uts");
    assert_eq!(named["args"], serde_json::json!({"name": "web", "len": 3}));
    assert_eq!(
        named["evidence"],
        serde_json::json!([{"what": "hostname", "before": host.trim(), "after": "web"}])
    );
    let fact = |event: &Value, what: &str| {
        let facts = event["evidence"].as_array().unwrap();
        facts
            .iter()
            .find(|fact| fact["what"] == what)
            .cloned()
            .unwrap_or_else(|| panic!("no {what}: {event}"))
    };
    let unshared = events.iter().find(|event| event["args"]["flags"] == "CLONE_NEWUTS").unwrap();
    let uts = fact(unshared, "ns/uts");
    assert_ne!(uts["before"], uts["after"]);
    assert_eq!(uts["after"], format!("uts:[{}]", unshared["ns"]["uts"]));
    assert_eq!(uts["before"], namespace_of(std::process::id(), "uts"));
    let sealed = events.iter().position(|event| event["call"] == "seccomp").unwrap();
    let later = events[sealed + 1..].iter().filter(|event| event["role"] == "init");
    assert!(later.clone().count() > 0);
    later.for_each(|event| assert_eq!(event["evidence"], serde_json::json!([]), "{event}"));
    // Only calls that look have been left without evidence; what changes the container's state has it.
    for call in ["pivot_root", "capset", "mkdir", "mount"] {
        assert!(!event(call)["evidence"].as_array().unwrap().is_empty(), "{call}");
    }
}

fn refusals_are_told_by_name(who: Who) {
    let space = Space::new(who);
    let path = path(&space, "trace.jsonl");
    let outcome =
        space.base(&["--trace", &path, "--mount", "type=bind,src=/no/such/thing,dst=/data"], &["true"]);
    assert_eq!(outcome.status, 125, "{}", outcome.err);
    let outcome = space.base(&["--trace", &path], &["/etc/hostname"]);
    assert_eq!(outcome.status, 126, "{}", outcome.err);
    let events = events(&std::fs::read_to_string(&path).unwrap());
    let refused = serde_json::json!({"errno": 13, "name": "EACCES", "message": "Permission denied"});
    let known = events.iter().filter(|event| event["answer"]["errno"].is_u64());
    assert!(known.clone().any(|event| event["answer"] == refused), "{:#?}", known.collect::<Vec<_>>());
}

/// What strace(1) saw of a run, and the trace of the same run.
struct Strace {
    lines: Vec<String>,
    trace: String,
    path: String,
}

/// Run `minidocker run --trace … base true` under `strace -f OPTIONS`.
fn straced(space: &Space, options: &[&str], flags: &[&str]) -> Strace {
    let (log, path) = (path(space, "strace.log"), path(space, "trace.jsonl"));
    let through = [&["strace", "-f", "-y", "-o", &log], options].concat();
    let words = [&["run", "--rm", "--network", "none", "--trace", &path], flags, &["base", "true"]].concat();
    let outcome = Running::start(space.command_through(&through).args(words)).end();
    assert_eq!(outcome.status, 0, "{}", outcome.err);
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    Strace { lines: read(&log).lines().map(str::to_owned).collect(), trace: read(&path), path }
}

impl Strace {
    /// The calls of one process, without its pid: `unshare(CLONE_NEWUTS) = 0`.
    fn of(&self, pid: u64) -> Vec<&str> {
        let parts = self.lines.iter().filter_map(|line| line.split_once(' '));
        parts.filter(|(number, _)| number.parse() == Ok(pid)).map(|(_, call)| call.trim_start()).collect()
    }

    fn init(&self) -> u64 {
        let events = events(&self.trace);
        events.iter().find(|event| event["role"] == "init").unwrap()["pid"].as_u64().unwrap()
    }
}

fn every_line_is_one_write(who: Who) {
    let space = Space::new(who);
    let seen = straced(&space, &["-e", "trace=write,writev,pwrite64", "-s", "4096"], &[]);
    let target = format!("<{}>, ", seen.path);
    let writes: Vec<&String> = seen.lines.iter().filter(|line| line.contains(&target)).collect();
    assert_eq!(writes.len(), seen.trace.lines().count());
    for write in writes {
        assert!(
            write.contains(" write(") && write.contains(", \"{\\\"v\\\":1,") && write.contains("}\\n\", "),
            "{write}"
        );
    }
}

/// Calls that strace(1) and the trace are to agree on, with what both show of them.
const COMPARED: [&str; 6] = ["unshare", "mount", "pivot_root", "sethostname", "setns", "execve"];

fn init_made_the_calls_that_strace_saw(who: Who) {
    let space = Space::new(who);
    let seen = straced(&space, &["-e", &format!("trace={}", COMPARED.join(",")), "-s", "200"], &[]);
    let init = seen.init();
    let executed: Vec<String> =
        seen.of(init).into_iter().filter(|line| line.contains('(')).map(summary).collect();
    let told: Vec<String> = events(&seen.trace)
        .iter()
        .filter(|event| event["pid"] == init && COMPARED.contains(&event["call"].as_str().unwrap()))
        .map(summary_of_event)
        .collect();
    assert!(told.len() > 15, "{told:?}");
    assert_eq!(told, executed);
    for call in COMPARED {
        assert!(told.iter().any(|one| one.starts_with(call)), "{call}");
    }
}

/// `mount /proc` of `mount("proc", "/proc", "proc", …) = 0`.
fn summary(line: &str) -> String {
    let (name, rest) = line.split_once('(').unwrap();
    let texts: Vec<&str> = rest.split('"').skip(1).step_by(2).collect();
    let told = match name {
        "mount" | "pivot_root" => texts[1].to_owned(),
        "sethostname" | "execve" => texts[0].to_owned(),
        // `3</proc/4242/ns/time>, CLONE_NEWTIME) = 0` and `CLONE_NEWUTS) = 0`
        _ => rest.split(')').next().unwrap().rsplit(", ").next().unwrap().to_owned(),
    };
    format!("{name} {told}")
}

fn summary_of_event(event: &Value) -> String {
    let name = event["call"].as_str().unwrap();
    let argument = match name {
        "mount" => "target",
        "pivot_root" => "put_old",
        "sethostname" => "name",
        "execve" => "path",
        "setns" => "nstype",
        _ => "flags",
    };
    format!("{name} {}", event["args"][argument].as_str().unwrap_or_else(|| panic!("no {argument}: {event}")))
}

fn each_call_is_told_as_what_it_is(who: Who) {
    let space = Space::new(who);
    let seen = straced(&space, &["-e", "trace=/^(dup[23]|rt_sigaction|execve)$"], &[]);
    let made: Vec<&str> = seen.of(seen.init()).iter().map(|line| line.split('(').next().unwrap()).collect();
    let expected = [made[0], made[0], made[0], "rt_sigaction", "execve"];
    assert!(made.starts_with(&expected) && made[0].starts_with("dup"), "{made:?}");
    let events = events(&seen.trace);
    let told: Vec<(&str, &Value)> = events
        .iter()
        .filter(|event| event["role"] == "init")
        .map(|event| (event["call"].as_str().unwrap(), &event["args"]))
        .filter(|(call, _)| ["dup2", "sigaction", "execve"].contains(call))
        .collect();
    let names: Vec<&str> = told.iter().map(|(call, _)| *call).collect();
    assert_eq!(names, ["dup2", "dup2", "dup2", "sigaction", "execve"]);
    assert_eq!(*told[0].1, serde_json::json!({"oldfd": "/dev/null", "newfd": 0}));
    assert_eq!(*told[3].1, serde_json::json!({"signum": libc::SIGPIPE, "act": "SIG_DFL"}));
}

fn after_the_filter_it_only_writes(who: Who) {
    let space = Space::new(who);
    let seen = straced(&space, &["-s", "40"], &["--explain", "--shell", "--lang", "zh"]);
    let calls = seen.of(seen.init());
    let loaded = calls.iter().position(|call| call.starts_with("seccomp(SECCOMP_SET_MODE_FILTER")).unwrap();
    let became = calls.iter().position(|call| call.starts_with("execve(")).unwrap();
    let between: Vec<&str> = calls[loaded + 1..became].to_vec();
    assert!(between.len() >= 4, "{between:#?}");
    let other: Vec<&&str> = between.iter().filter(|call| !call.starts_with("write(")).collect();
    assert_eq!(other, [] as [&&str; 0]);
}

fn a_hyphen_is_standard_error(who: Who) {
    let space = Space::new(who);
    let outcome = space.base(&["--trace", "-"], &["echo", "out"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "out\n"));
    let events = events(&outcome.err);
    assert!(events.len() > 100);
    assert!(events.iter().all(|event| event["v"] == 1));
}

fn a_file_that_cannot_be_written_is_a_failure(who: Who) {
    let space = Space::new(who);
    let directory = space.path("traces").display().to_string();
    space.file("traces/x", "");
    let missing = format!("{directory}/no/such/trace.jsonl");
    space.base(&["--trace", &missing], &["true"]).assert_refused(&[&missing, "No such file or directory"]);
    space.base(&["--trace", &directory], &["true"]).assert_refused(&[&directory, "directory"]);
    let chinese = space.base(&["--trace", &missing, "--lang", "zh"], &["true"]);
    chinese.assert_refused(&[&missing]);
    assert!(chinese.err.chars().any(super::text::is_chinese), "{}", chinese.err);
    assert_eq!(space.containers(), [] as [&str; 0]);
}

fn a_second_trace_replaces_the_first(who: Who) {
    let space = Space::new(who);
    let first = traced(&space, &[], &["true"]);
    let second = traced(&space, &[], &["true"]);
    let pid = |text: &str| events(text)[0]["pid"].clone();
    assert_ne!(pid(&first), pid(&second));
    let runtimes = |text: &str| events(text).iter().filter(|event| event["call"] == "clone3").count();
    // The client's supervisor and that one's child, each told by both who leave the call.
    assert_eq!((runtimes(&first), runtimes(&second)), (4, 4));
}
