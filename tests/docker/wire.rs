//! What the tests of networks share: containers that answer, who asks them from where, and the rules of the host.

use crate::common::container::{Outcome, Running};
use crate::common::need::Need;
use crate::common::space::{Host, Space};
use crate::probe;
use std::io::{Read, Seek, SeekFrom};

pub const IP: Need = Need::Program("ip", "iproute2");

/// The address of the host on the wire to outside, and that of whoever is there.
pub const HOST: &str = "203.0.113.1";
pub const OUTSIDE: &str = "203.0.113.2";

/// `minidocker WORDS`, which must succeed and complain of nothing; what it printed, without the last end of line. What a
/// container that it started may say later is not waited for.
pub fn ok(space: &Space, words: &[&str]) -> String {
    let [mut out, mut err] = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
    let mut command = space.command();
    command.args(words).stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
    let status = command.status().unwrap();
    let [out, err] = [&mut out, &mut err].map(|file| {
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    });
    assert_eq!((status.code(), err.as_str()), (Some(0), ""), "{words:?}: {out}");
    out.trim_end().to_owned()
}

/// `minidocker WORDS`, which must fail with status 1 and one line, in which each of `facts` stands.
pub fn fails(space: &Space, words: &[&str], facts: &[&str]) {
    space.minidocker(words).assert_failed(facts);
}

/// Start a container called `name` that answers at port 80 by TCP and UDP: `NAME sees ADDRESS`.
pub fn answering(space: &Space, name: &str, options: &[&str]) -> Running {
    let named = format!("NAME={name}");
    let options = [&["--name", name, "-e", &named], options].concat();
    let mut running = probe::start(space, &options, "answer", "80");
    running.expect("ready");
    running
}

/// What somebody in a new container with these options is answered at `question`: `tcp/ADDRESS:PORT`.
pub fn asked_by_new(space: &Space, options: &[&str], question: &str) -> String {
    let outcome = probe::start(space, options, "ask", question).end();
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{question}");
    outcome.out.trim_end().to_owned()
}

/// What the container called `name`, which answers too, is answered at `question`.
pub fn asked_by(space: &Space, name: &str, question: &str) -> String {
    ok(space, &["exec", name, "/probe", "--probe", "ask", question])
}

/// What a process of `host` is answered at `question`.
pub fn asked_from(host: &Host, question: &str) -> String {
    host.in_network(|| probe::ask_at(question))
}

/// Somebody outside, at the other end of a wire to the space's host.
pub fn outside(space: &Space) -> Host {
    let outside = Host::new();
    space.host().sh(&format!(
        "ip link set lo up; ip link add out type veth peer name in netns {} && ip addr add {HOST}/24 dev out && \
         ip link set out up",
        outside.pid()
    ));
    outside.sh(&format!("ip addr add {OUTSIDE}/24 dev in && ip link set in up && ip link set lo up"));
    outside
}

/// The rules of the host, all tables; without tables and chains.
pub fn rules(host: &Host) -> Vec<String> {
    let saved = host.sh("iptables-save 2>/dev/null");
    saved.lines().filter(|line| line.starts_with('-')).map(str::to_owned).collect()
}

/// The first IPv4 address of a container's link, as the kernel tells who stands in its network namespace.
pub fn address(running: &Running, link: &str) -> String {
    let pid = running.pid().to_string();
    let words = ["--target", &pid, "--net", "ip", "-4", "-o", "addr", "show", "dev", link];
    let output = std::process::Command::new("nsenter").args(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let after = text.split_whitespace().skip_while(|word| *word != "inet").nth(1);
    after.unwrap_or_else(|| panic!("{link}: {text}")).split('/').next().unwrap().to_owned()
}

/// What `getent hosts NAME` says inside the container called `container`: the addresses.
pub fn resolved(space: &Space, container: &str, name: &str) -> Vec<String> {
    let script = format!("getent ahostsv4 {name} | awk '/STREAM/ {{print $1}}'");
    let text = ok(space, &["exec", container, "sh", "-c", &script]);
    text.lines().map(str::to_owned).collect()
}

/// How a running container ends when it is told to.
pub fn stop(space: &Space, running: Running, name: &str) -> Outcome {
    ok(space, &["kill", name]);
    running.wait()
}
