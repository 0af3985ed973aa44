//! What the kernel must say of a student's network.
//!
//! Links, addresses and routes are asked for by netlink in the namespace that they belong to. Then packets are sent: by
//! the probe inside, to listeners of the grader's on the host and [`outside`], and to another probe next door.

mod look;
mod outside;
mod texts;

use crate::error::{Error, LabProblem, Problem, Result};
use crate::lab::bench::{Bench, Ran, Subject, no_probe};
use crate::lab::lesson::{Act, Check, Lesson, Part};
use crate::lab::need::Need;
use crate::lab::verdict::{Diagnosis, Outcome, Said, ensure};
use crate::narrate::words::Text;
use crate::network::iptables;
use crate::said;
use crate::sys::{file, socket};
use look::{ON_BRIDGE, Place, place};
use outside::{HOST, Outside, PORT, caller, listen};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

const BRIDGED: &[Need] = &[Need::Veth, Need::Bridge, Need::Iptables];

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "net",
    title: Text { en: "a network: veth, bridge, routes, NAT", zh: "网络：veth、网桥、路由、NAT" },
    parts: &[
        Part { function: "bridge", field: "bridge", ours: &[("src/network/make.rs", "make")] },
        Part { function: "way_out", field: "way_out", ours: &[("src/network/nat.rs", "way_out")] },
        Part { function: "attach", field: "attach", ours: &[("src/network/attach.rs", "lay")] },
        Part { function: "loopback", field: "loopback", ours: &[("src/network/configure.rs", "loopback")] },
        Part { function: "ethernet", field: "ethernet", ours: &[("src/network/configure.rs", "ethernet")] },
    ],
    needs: &[Need::UserNamespaces],
    checks: &[
        Check {
            name: "loopback-works",
            title: Text {
                en: "inside, one process reaches another by 127.0.0.1",
                zh: "容器里的进程能通过 127.0.0.1 互相到达",
            },
            points: 1,
            about: &["loopback"],
            needs: &[],
            look: "minidocker run --rm --network none lab cat /proc/net/fib_trie",
            run: loopback_works,
        },
        Check {
            name: "bridge-is-up",
            title: Text {
                en: "the bridge is up and has the gateway's address",
                zh: "网桥已启用，并带有网关地址",
            },
            points: 1,
            about: &["bridge"],
            needs: BRIDGED,
            look: "minidocker run -di --network bridge lab cat; cat /proc/net/route /proc/net/fib_trie",
            run: bridge_is_up,
        },
        Check {
            name: "bridge-heeds-nobody",
            title: Text {
                en: "no container can tell the host its IPv6 routes",
                zh: "容器不能替主机决定 IPv6 路由",
            },
            points: 1,
            about: &["bridge"],
            needs: BRIDGED,
            look: "minidocker run -di --network bridge lab cat; cat /proc/sys/net/ipv6/conf/minidocker0/accept_ra",
            run: bridge_heeds_nobody,
        },
        Check {
            name: "cable-is-laid",
            title: Text {
                en: "a veth pair: one end in the container, the other, named for it, a port of the bridge",
                zh: "一对 veth：一端在容器里，另一端以容器命名，是网桥的端口",
            },
            points: 2,
            about: &["attach"],
            needs: BRIDGED,
            look: "minidocker run -di --network bridge lab cat; cat /proc/net/dev",
            run: cable_is_laid,
        },
        Check {
            name: "address-and-route",
            title: Text {
                en: "inside: the leased address, and a default route to the bridge",
                zh: "容器里：租到的地址，以及通向网桥的默认路由",
            },
            points: 1,
            about: &["ethernet"],
            needs: BRIDGED,
            look: "minidocker run --rm --network bridge lab cat /proc/net/route /proc/net/fib_trie",
            run: address_and_route,
        },
        Check {
            name: "neighbours-talk",
            title: Text {
                en: "a container reaches the host and its neighbour, and each sees its address",
                zh: "容器能到达主机和邻居，而且双方看到的都是它自己的地址",
            },
            points: 1,
            about: &["bridge", "attach", "ethernet"],
            needs: BRIDGED,
            look: "minidocker run -di --network bridge lab cat; minidocker run --rm --network bridge lab cat /proc/net/arp",
            run: neighbours_talk,
        },
        Check {
            name: "outside-sees-the-host",
            title: Text {
                en: "outside is reached, and takes the host for the sender: NAT",
                zh: "能到达外面，而外面看到的发送者是主机：NAT",
            },
            points: 2,
            about: &["bridge", "way_out", "attach", "ethernet"],
            needs: BRIDGED,
            look: "minidocker run -di --network bridge lab cat; iptables-save -t nat",
            run: outside_sees_the_host,
        },
        Check {
            name: "passes-where-forward-drops",
            title: Text {
                en: "packets pass, there and back, where the policy of FORWARD is DROP",
                zh: "即使 FORWARD 的默认策略是 DROP，数据包来回也都能通过",
            },
            points: 1,
            about: &["bridge", "way_out", "attach", "ethernet"],
            needs: BRIDGED,
            look: "minidocker run -di --network bridge lab cat; iptables-save -c -t filter",
            run: passes_where_forward_drops,
        },
    ],
    mistakes: texts::MISTAKES,
    hints: texts::HINTS,
    acts: &[
        Act { name: "listen", act: begin_to_listen },
        Act { name: "caller", act: name_caller },
        Act { name: "connect", act: connect },
    ],
    page: "network/bridge",
};

fn loopback_works(bench: &Bench) -> Outcome {
    let subject = bench.run(&["--network", "none"])?;
    let own = Ipv4Addr::LOCALHOST;
    let _: Value = subject.probe.ask("listen", Value::Null)??;
    reach(&subject, SocketAddrV4::new(own, PORT)).known_as("lo-left-down")
}

fn bridge_is_up(bench: &Bench) -> Outcome {
    on_bridge(bench)?.1.has_bridge()
}

fn bridge_heeds_nobody(bench: &Bench) -> Outcome {
    let (_subject, place) = on_bridge(bench)?;
    let path = format!("/proc/sys/net/ipv6/conf/{}/accept_ra", place.bridge());
    // Where there is no IPv6, nobody can tell anything.
    let Some(value) = file::if_there(file::read_text(Path::new(&path)))? else { return Ok(()) };
    let value = value.trim();
    ensure(value == "0", Said::plain(format!("{path}: {value}")), Said::plain("0"))
        .known_as("hears-advertisements")
}

fn cable_is_laid(bench: &Bench) -> Outcome {
    let (_subject, place) = on_bridge(bench)?;
    place.is_plugged_in()?;
    place.is_named()
}

fn address_and_route(bench: &Bench) -> Outcome {
    let (_subject, place) = on_bridge(bench)?;
    place.has_address()?;
    place.has_route()
}

fn neighbours_talk(bench: &Bench) -> Outcome {
    let (one, place) = on_bridge(bench)?;
    place.reaches_bridge()?;
    let listener = listen()?;
    reach(&one, SocketAddrV4::new(place.gateway, PORT))?;
    seen_as(caller(&listener)?, place.address)?;
    let name = bench.another_nonce("two");
    let other = match bench.try_run(&["--name", &name, ON_BRIDGE[0], ON_BRIDGE[1]])? {
        Ran::Probe(other) => other,
        Ran::Ended(finished) => {
            place.is_named()?;
            return Err(no_probe(&finished));
        }
    };
    let next_door = Place::of(&name, other.probe.pid())?;
    next_door.reaches_bridge()?;
    let _: Value = other.probe.ask("listen", Value::Null)??;
    reach(&one, SocketAddrV4::new(next_door.address, PORT))?;
    seen_as(other.probe.ask("caller", Value::Null)??, place.address)
}

fn outside_sees_the_host(bench: &Bench) -> Outcome {
    policy("ACCEPT")?;
    let (subject, place) = on_bridge(bench)?;
    place.reaches_bridge()?;
    place.has_route()?;
    let outside = Outside::make()?;
    reach(&subject, outside.address())?;
    let seen = outside.caller()?;
    let outcome = seen_as(seen, HOST);
    if seen == place.address { outcome.known_as("unknown-sender") } else { outcome }
}

fn passes_where_forward_drops(bench: &Bench) -> Outcome {
    policy("DROP")?;
    let outcome = passes(bench);
    policy("ACCEPT")?;
    outcome
}

fn passes(bench: &Bench) -> Outcome {
    let (subject, place) = on_bridge(bench)?;
    place.reaches_bridge()?;
    place.has_route()?;
    let outside = Outside::make()?;
    let refused: Option<String> = subject.probe.ask("connect", json!(outside.address()))??;
    let Some(refused) = refused else { return Ok(()) };
    let rules = iptables::counters("filter")?;
    let out = format!("FORWARD -i {} ", place.bridge());
    let went_out = rules.iter().any(|(packets, rule)| *packets > 0 && rule.starts_with(&out));
    let rules: Vec<String> = rules.iter().map(|(packets, rule)| format!("[{packets}] {rule}")).collect();
    let rules = rules.join("; ");
    let saw = match rules.is_empty() {
        true => said!("{refused}; no rule in FORWARD", "{refused}；FORWARD 链里没有规则"),
        false => said!(
            "{refused}; the rules, each with the packets it met: {rules}",
            "{refused}；各条规则及其匹配的包数：{rules}"
        ),
    };
    let want = said!(
        "a rule that accepts what goes out, and one that accepts the answers",
        "一条规则放行出去的包，一条规则放行回来的应答"
    );
    ensure(false, saw, want).known_as(if went_out { "one-way" } else { "left-to-the-policy" })
}

/// A container on the bridge, and its place.
fn on_bridge(bench: &Bench) -> Outcome<(Subject, Place)> {
    let subject = bench.run(&ON_BRIDGE)?;
    let place = place(bench, subject.probe.pid())?;
    Ok((subject, place))
}

/// What becomes of a packet that no rule of the chain FORWARD is about.
fn policy(word: &str) -> Result<()> {
    iptables::restore(&format!("*filter\n:FORWARD {word} [0:0]\nCOMMIT\n"))
}

/// The probe makes a connection to `address`.
fn reach(subject: &Subject, address: SocketAddrV4) -> Outcome {
    let refused: Option<String> = subject.probe.ask("connect", json!(address))??;
    let said = refused.clone().unwrap_or_default();
    ensure(
        refused.is_none(),
        said!("connect({address}) inside: {said}", "容器里 connect({address})：{said}"),
        said!("a connection to {address}", "连上 {address}"),
    )
}

fn seen_as(seen: Ipv4Addr, wanted: Ipv4Addr) -> Outcome {
    ensure(
        seen == wanted,
        said!("the connection came from {seen}", "连接来自 {seen}"),
        said!("from {wanted}", "来自 {wanted}"),
    )
}

/// Where the probe listens.
static LISTENER: Mutex<Option<OwnedFd>> = Mutex::new(None);

/// Inside: listen, from now on.
fn begin_to_listen(_: Value) -> Result<Value> {
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(listen()?);
    Ok(Value::Null)
}

/// Inside: who made the connection that was made.
fn name_caller(_: Value) -> Result<Value> {
    match &*LISTENER.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(listener) => caller(listener).map(|caller| json!(caller)),
        None => Err(Error::new(Problem::Lab(LabProblem::OutOfTurn { act: "name-caller".to_owned() }))),
    }
}

/// Inside: connect to an address; null, or what the kernel answered instead.
///
/// The first packet on a new cable may get lost, since the bridge has not yet heard of the carrier; the kernel asks once
/// more after one second, and again after two.
fn connect(address: Value) -> Result<Value> {
    const PATIENCE: u16 = 3500;
    let address = serde_json::from_value(address)
        .map_err(|_| Error::new(Problem::Lab(LabProblem::Unreadable { what: "an address".to_owned() })))?;
    match socket::connect_tcp_within(address, PATIENCE) {
        Ok(_) => Ok(Value::Null),
        Err(Error { refusal: Some(refusal), .. }) => {
            Ok(json!(format!("{} ({})", refusal.name, refusal.message)))
        }
        Err(error) => Err(error),
    }
}
