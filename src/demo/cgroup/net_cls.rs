//! net_cls: packets that know the group of their sender; a mark on v1, a program on v2. cgroups(7).

use super::assembly;
use super::house::House;
use crate::cgroup::packets;
use crate::demo::actor::{Actor, apart};
use crate::demo::{Place, Walk};
use crate::error::{Error, Result};
use crate::namespace;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::network::{self, Network, iptables};
use crate::security::capabilities;
use crate::step::Role;
use crate::sys::cgroup_skb::Counter;
use crate::sys::datagram::Datagrams;
use crate::sys::errno::EPERM;
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// `cgroup-demo net_cls`.
pub const WALK: Walk = Walk {
    name: "net_cls",
    title: Text { en: "Packets that know their cgroup", zh: "带着 Cgroup 身份的网络包" },
    place: Place::Attended,
    show,
};

/// Packets that a helper sends at once.
const PACKETS: usize = 5;
/// Where they are sent: in a network of its own, every port is free.
const PORT: u16 = 4000;
/// The mark: handle 10:1 of tc(8).
const CLASSID: u32 = 0x0010_0001;

/// What was seen; `None` is what this machine could not show.
#[derive(Serialize, Deserialize, Default)]
struct Seen {
    /// Packets with the mark, after those of the marked group, and after those of the other too.
    marked: Option<[usize; 2]>,
    /// The same, counted by the program; and what arrived.
    counted: Option<[usize; 3]>,
    /// Packets of the group refused to leave, and what arrived of both groups.
    refused: Option<[usize; 2]>,
}

fn show(stage: &Stage) -> Result<Ending> {
    let ending = Ending::default().next("cgroup-demo controllers").next("cgroup-demo net_cls --explain");
    if !capabilities::is_privileged() {
        stage.lacks(&text!(
            "To mark or to filter the packets of a group is root's right (CAP_NET_ADMIN, CAP_BPF): run it as root.",
            "给 Cgroup 的网络包做标记或过滤需要 root（CAP_NET_ADMIN、CAP_BPF）：请以 root 运行。"
        ));
        return Ok(ending);
    }
    // Packets and rules stay in a network of their own.
    let seen = apart(Role::Runtime, namespace::NET, || {
        network::configure::configure(&Network::None)?;
        let house = House::make_in_both(&["net_cls"])?;
        let mut seen = Seen { marked: by_mark(stage, &house)?, ..Seen::default() };
        by_program(stage, &house, &mut seen)?;
        house.remove()?;
        Ok(seen)
    })?;
    Ok(conclude(&seen, ending))
}

fn conclude(seen: &Seen, mut ending: Ending) -> Ending {
    if let Some(marked) = seen.marked {
        ending = ending.saw(marked == [PACKETS; 2], text!(
            "v1: packets of the group carried the number of net_cls.classid, and a rule of iptables counted just them.",
            "v1：这个 Cgroup 的包带上了 net_cls.classid 的编号，iptables 规则数到的正是它们。"
        ));
    }
    if let Some(counted) = seen.counted {
        ending = ending.saw(counted == [PACKETS, PACKETS, 2 * PACKETS], text!(
            "v2: a program at the group counted its {PACKETS} packets, and none of the other group's; all arrived.",
            "v2：挂在 Cgroup 上的程序数到了它的 {PACKETS} 个包，别的 Cgroup 的一个没数；全都到达。"
        ));
    }
    if let Some(refused) = seen.refused {
        ending = ending.saw(refused == [PACKETS, PACKETS], text!(
            "v2: asked to refuse, it kept the group's packets from leaving (EPERM); the other group's went on.",
            "v2：改成拒绝之后，这个 Cgroup 的包发不出去（EPERM）；别的 Cgroup 照常。"
        ));
    }
    ending
}

/// A helper that sends [`PACKETS`] packets to [`PORT`] when asked, from a socket that it makes in its group; how many
/// were refused with `EPERM`.
fn sender(house: &House, name: &'static str) -> Result<(super::house::Room, Actor<(), usize>)> {
    let room = house.room(name)?;
    let helper = house.helper(&room, |()| {
        let socket = Datagrams::bind(0)?;
        let mut refused = 0;
        for _ in 0..PACKETS {
            match socket.send(PORT) {
                Err(error) if error.is(EPERM) => refused += 1,
                answer => answer?,
            }
        }
        Ok(refused)
    })?;
    Ok((room, helper))
}

/// v1: a mark, and a rule that looks at it.
fn by_mark(stage: &Stage, house: &House) -> Result<Option<[usize; 2]>> {
    stage.scene(&text!("Version 1: a mark", "v1：一个标记"));
    let (room, marked) = sender(house, "marked")?;
    let Some(place) = room.v1("net_cls") else {
        lacks_v1(stage)?;
        return Ok(None);
    };
    stage.say(&text!(
        "Each packet of the group gets a number. The number does nothing; tc(8) and iptables(8) can look at it.",
        "这个 Cgroup 的每个包都带上一个编号。编号本身什么也不做；tc(8) 和 iptables(8) 可以看它。"
    ));
    stage.command(&format!("echo {CLASSID:#x} > marked/net_cls.classid"));
    file::write(&place.directory.join("net_cls.classid"), &format!("{CLASSID:#x}"))?;
    let class = CLASSID.to_string();
    let rule = ["-A", "OUTPUT", "-p", "udp", "-m", "cgroup", "--cgroup", &class];
    stage.command(&format!("sudo iptables {}", rule.join(" ")));
    if let Err(error) = iptables::run("iptables", &rule, "") {
        lacks_rule(stage, &error);
        return Ok(None);
    }
    let (_other_room, other) = sender(house, "unmarked")?;
    let _receiver = Datagrams::bind(PORT)?;
    marked.ask(())?;
    let first = packets_of_rule()?;
    other.ask(())?;
    let second = packets_of_rule()?;
    stage.table(
        &[
            &text!("group", "Cgroup"),
            "net_cls.classid",
            &text!("sent", "发出"),
            &text!("counted by the rule", "规则计数"),
        ],
        &[
            vec![
                "marked".into(),
                format!("{CLASSID:#x}").into(),
                PACKETS.to_string().into(),
                first.to_string().into(),
            ],
            vec![
                "unmarked".into(),
                "0".into(),
                PACKETS.to_string().into(),
                (second - first).to_string().into(),
            ],
        ],
    );
    marked.end()?;
    other.end()?;
    Ok(Some([first, second]))
}

/// The kernel's own word on whether it has the controller.
fn lacks_v1(stage: &Stage) -> Result<()> {
    let known = file::read_text(Path::new("/proc/cgroups"))?;
    let has = known.lines().any(|line| line.starts_with("net_cls\t"));
    stage.command("grep net_cls /proc/cgroups");
    match has {
        true => stage.lacks(&text!(
            "This kernel still has net_cls, but it is mounted nowhere. To see it: \
             `mount -t cgroup -o net_cls none DIRECTORY`, and play this again.",
            "这个内核还有 net_cls，但哪里都没有挂载。想看的话：`mount -t cgroup -o net_cls none 目录`，\
             再演示一次。"
        )),
        false => stage.lacks(&text!(
            "/proc/cgroups does not name net_cls: this kernel was built without it (CONFIG_CGROUP_NET_CLASSID).",
            "/proc/cgroups 里没有 net_cls：这个内核没有编译它（CONFIG_CGROUP_NET_CLASSID）。"
        )),
    }
    Ok(())
}

fn lacks_rule(stage: &Stage, error: &Error) {
    let said = format!("{:?}", error.problem);
    stage.lacks(&text!(
        "iptables does not know `-m cgroup` here (modprobe xt_cgroup): {said}",
        "这里的 iptables 不认识 `-m cgroup`（modprobe xt_cgroup）：{said}"
    ));
}

/// What the rule has counted: `[5:145] -A OUTPUT …`.
fn packets_of_rule() -> Result<usize> {
    let saved = iptables::run("iptables-save", &["-c"], "")?;
    let rule = saved.lines().find(|line| line.contains("--cgroup"));
    let count = rule.and_then(|rule| rule.strip_prefix('[')?.split_once(':')?.0.parse().ok());
    Ok(count.unwrap_or(0))
}

/// v2: a program at the group.
fn by_program(stage: &Stage, house: &House, seen: &mut Seen) -> Result<()> {
    stage.scene(&text!("Version 2: a program", "v2：一段程序"));
    let (room, helper) = sender(house, "asked")?;
    let Some(place) = room.v2() else {
        stage.lacks(&text!(
            "cgroup v2 is not mounted here: mount -t cgroup2 none DIRECTORY.",
            "这里没有挂载 cgroup v2：mount -t cgroup2 none 目录。"
        ));
        return Ok(());
    };
    stage.say(&text!(
        "v2 has no net_cls. A BPF program is attached to the group, and runs for each packet that leaves it. (Rules of \
         a firewall can name a v2 group too: `iptables -m cgroup --path`, `nft … socket cgroupv2`.) This one counts:",
        "v2 没有 net_cls。把一段 BPF 程序挂在 Cgroup 上，每个发出的包都会运行它。（防火墙规则也可以直接写 v2 Cgroup：\
         `iptables -m cgroup --path`、`nft … socket cgroupv2`。）这一段负责计数："
    ));
    let counter = match Counter::new() {
        Ok(counter) => counter,
        Err(error) => return lacks_program(stage, &error),
    };
    let program = packets::counting(&counter);
    stage.quote(&assembly::listing(&program));
    if let Err(error) = packets::ask_at(place, &program) {
        return lacks_program(stage, &error);
    }
    let (_other_room, other) = sender(house, "other")?;
    let receiver = Datagrams::bind(PORT)?;
    helper.ask(())?;
    let first = counter.read()? as usize;
    other.ask(())?;
    let second = counter.read()? as usize;
    let arrived = receiver.receive_all();
    sent(stage, first, second - first);
    stage.fact(&text!("arrived", "到达"), &arrived.to_string());
    seen.counted = Some([first, second, arrived]);

    stage.scene(&text!("The answer is no", "回答：不行"));
    let refusing = packets::refusing();
    stage.quote(&assembly::listing(&refusing));
    packets::ask_at(place, &refusing)?;
    let refused = helper.ask(())?;
    let others = other.ask(())?;
    let arrived = receiver.receive_all();
    stage.fact("asked: sendto(2) = EPERM", &refused.to_string());
    stage.fact("other: sendto(2) = EPERM", &others.to_string());
    stage.fact(&text!("arrived", "到达"), &arrived.to_string());
    seen.refused = Some([refused, arrived]);
    helper.end()?;
    other.end().map(drop)
}

fn sent(stage: &Stage, asked: usize, other: usize) {
    let row =
        |name: &str, count: usize| vec![name.into(), PACKETS.to_string().into(), count.to_string().into()];
    stage.table(
        &[&text!("group", "Cgroup"), &text!("sent", "发出"), &text!("counted by the program", "程序计数")],
        &[row("asked", asked), row("other", other)],
    );
}

fn lacks_program(stage: &Stage, error: &Error) -> Result<()> {
    let said = error.refusal.as_ref().map(|refusal| format!("{}: {}", refusal.name, refusal.message));
    let said = said.unwrap_or_default();
    stage.lacks(&text!(
        "The kernel did not take the program ({said}): it needs CAP_BPF, CAP_NET_ADMIN and CONFIG_CGROUP_BPF.",
        "内核没有接受这段程序（{said}）：需要 CAP_BPF、CAP_NET_ADMIN 和 CONFIG_CGROUP_BPF。"
    ));
    Ok(())
}
