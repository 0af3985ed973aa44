//! follow: one packet, hop by hop: from a container to the world outside, and its answer back.
//!
//! [`tap`] captures on every link of the way, [`packet`] reads a frame, [`journey`] finds the captures that are one
//! packet, [`conntrack`] asks the kernel what it remembers.

mod conntrack;
mod journey;
mod packet;
mod tap;

use super::town::{self, BRIDGE, HOST, OUTSIDE, Question, Resident, Town, UPLINK};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, columns, text};
use crate::network::attach::CONTAINER_LINK;
use crate::network::lease::host_link;
use conntrack::Entry as Connection;
use journey::{Journey, Way, cables, changes, follow, passed};
use packet::Mac;
use std::net::SocketAddrV4;
use tap::{Capture, Taken, Taps};

/// `net-demo follow`.
pub const WALK: Walk = Walk {
    name: "follow",
    title: Text { en: "One packet, hop by hop", zh: "跟踪一个数据包，一跳一跳地看" },
    place: Place::ThrowAway,
    show,
};

/// The container.
const NAME: &str = "web";
/// Where outside listens.
const SERVER: SocketAddrV4 = SocketAddrV4::new(OUTSIDE, 80);
/// How long the container waits for the answer, in milliseconds: on a busy machine too there is one.
const PATIENCE: u16 = 10_000;
/// The places of the journey, in order.
const PLACES: [&str; 3] = [NAME, "host", "outside"];

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("The way", "路线"));
    stage.say(&text!(
        "The container `{NAME}` hangs on the bridge by a veth pair; the host routes between the bridge and its uplink, and \
         writes its own address over the container's (MASQUERADE). A packet passes five links.",
        "容器 {NAME} 通过一对 veth 接在网桥上；主机在网桥与上行接口之间路由，并把容器的地址改写成自己的地址（MASQUERADE）。\
         一个数据包要经过五个网络接口。"
    ));
    let (town, containers, outside) = match Town::whole(&[NAME]) {
        Err(error) if town::lacks_rules(&error) => {
            stage.lacks(&text!(
                "the rules of NAT cannot be written here; install iptables, and load nf_conntrack and xt_MASQUERADE.",
                "这里无法写入 NAT 规则；请安装 iptables，并加载 nf_conntrack 与 xt_MASQUERADE。"
            ));
            return Ok(Ending::default().next("net-demo topology"));
        }
        built => built?,
    };
    let Some(container) = containers.first() else { return Ok(Ending::default()) };
    the_way(stage, &town)?;
    let taken = one_connection(stage, [container, &town.host, &outside])?;
    let journey = follow(&taken, SERVER);
    there(stage, &journey.there, &taken);
    back(stage, &journey.back);
    let remembered = connection(stage, &journey)?;
    Ok(ending(&journey, remembered.as_ref()))
}

/// The links between a process in the container and one outside.
fn the_way(stage: &Stage, town: &Town) -> Result<()> {
    stage.blank();
    let gateway = town.subnet()?.gateway();
    let stations = [
        (NAME, CONTAINER_LINK.to_owned(), String::new()),
        ("host", host_link(NAME), String::new()),
        ("", BRIDGE.to_owned(), gateway.to_string()),
        ("", UPLINK.to_owned(), HOST.to_string()),
        ("outside", UPLINK.to_owned(), OUTSIDE.to_string()),
    ];
    let between = ["═════", "──", "─NAT─", "═════", ""];
    let widths = stations
        .each_ref()
        .map(|(place, link, address)| [*place, link, address].map(columns).into_iter().max());
    let mut lines = [String::new(), String::new(), String::new()];
    for (((place, link, address), line), width) in stations.iter().zip(between).zip(widths) {
        let width = width.unwrap_or(0);
        let stroke = line.chars().next_back().map(|stroke| stroke.to_string()).unwrap_or_default();
        // The line to the next station begins where the name of the link ends.
        let rest = width - columns(link);
        lines[1] += &format!("{link} {}{line} ", stroke.repeat(rest));
        for (row, text) in [(0, *place), (2, address.as_str())] {
            lines[row] += &format!("{text}{} ", " ".repeat(width - columns(text) + columns(line) + 1));
        }
    }
    lines.iter().for_each(|line| stage.line(&[(Ink::Plain, line.trim_end())]));
    Ok(())
}

/// Let the container connect to outside, with a tap in each of the three places; what the taps saw.
fn one_connection(stage: &Stage, places: [&Resident; 3]) -> Result<Taken> {
    stage.scene(&text!("One connection, with a tap at every link", "建立一个连接，在每个网络接口上抓包"));
    stage.say(&text!(
        "In each of the three network namespaces stands a packet socket, as tcpdump(8) opens one. Then `{NAME}` connects \
         to {SERVER} by TCP, once.",
        "在三个 Network Namespace 里各打开一个 packet 套接字，与 tcpdump(8) 的做法相同。然后 {NAME} 通过 TCP 连接 {SERVER}，\
         只连一次。"
    ));
    stage.command("sudo tcpdump -i any -n tcp");
    let [container, _, outside] = places;
    let taps = Taps::open(&places.map(Resident::pid))?;
    outside.listen(SERVER.port())?;
    let verdict = container.connect(SERVER, PATIENCE)?;
    let peer: Option<SocketAddrV4> = outside.ask(Question::Accept(SERVER.port()))?;
    let taken = taps.take()?;
    taps.close()?;
    stage.fact(
        &text!("{NAME} was answered", "{NAME} 得到的回答"),
        &verdict.unwrap_or_else(|| text!("connected", "已连接")),
    );
    if let Some(peer) = peer {
        stage.fact(&text!("outside saw", "外面看到的对方"), &peer.to_string());
    }
    Ok(taken)
}

/// The way of the SYN, and the Ethernet frames that carried it.
fn there(stage: &Stage, way: &Way, taken: &Taken) {
    stage.scene(&text!("There: the first packet, SYN", "去程：第一个包，SYN"));
    stage.say(&text!(
        "All captures with one and the same sequence number, which the sender drew at random of 2³²: one packet. A * marks \
         what differs from the line above.",
        "以下是序列号相同的全部捕获；这个序列号由发送方在 2³² 个数里随机选出，所以它们是同一个包。* 表示与上一行不同。"
    ));
    if let Some(first) = way.first() {
        stage.fact("SEQ", &first.segment.sequence.to_string());
    }
    stage.blank();
    hops(stage, way);
    stage.blank();
    stage.say(&text!(
        "Ethernet addresses are for one stretch only. The bridge passes them on as they are; the host, a router here, \
         writes new ones:",
        "以太网地址只在一段线路上有效。网桥原样转发；主机在这里是路由器，会写上新的："
    ));
    stage.blank();
    let owner = |mac: Mac| {
        let found = taken.owners.iter().find(|(own, _, _)| *own == mac);
        let whose = found.map(|(_, place, link)| format!("{} {link}", PLACES[*place])).unwrap_or_default();
        format!("{mac}  {whose}")
    };
    let rows: Vec<Vec<Entry>> =
        cables(way).into_iter().map(|(from, to)| vec![owner(from).into(), owner(to).into()]).collect();
    stage.table(&[&text!("from", "从"), &text!("to", "到")], &rows);
}

/// The way of the answer.
fn back(stage: &Stage, way: &Way) {
    stage.scene(&text!("Back: the answer, SYN-ACK", "回程：应答包，SYN-ACK"));
    stage.say(&text!(
        "It acknowledges that number and one. No rule translates it: the kernel remembers the connection, and puts the \
         container's address back before it decides where the packet goes.",
        "它确认的正是那个序列号加一。没有规则去翻译它：内核记得这个连接，在选择路由之前就把容器的地址换了回来。"
    ));
    if let Some(first) = way.first() {
        stage.fact("ACK", &first.segment.acknowledged.to_string());
    }
    stage.blank();
    hops(stage, way);
}

/// A table of a way, one line a link, in which whatever has changed is marked.
fn hops(stage: &Stage, way: &Way) {
    let marked = |hop: usize, of: &dyn Fn(&Capture) -> String| {
        let now = of(&way[hop]);
        match hop.checked_sub(1).is_some_and(|before| of(&way[before]) != now) {
            true => Entry::of(Ink::Fact, format!("{now} *")),
            false => now.into(),
        }
    };
    let row = |(hop, capture): (usize, &Capture)| {
        let direction = if capture.outgoing { text!("out", "出") } else { text!("in", "进") };
        vec![
            PLACES[capture.place].into(),
            Entry::of(Ink::Call, capture.link.clone()),
            direction.into(),
            marked(hop, &|capture| capture.segment.from.to_string()),
            marked(hop, &|capture| capture.segment.to.to_string()),
            marked(hop, &|capture| capture.segment.ttl.to_string()),
        ]
    };
    let heads = [
        text!("where", "位置"),
        text!("link", "接口"),
        String::new(),
        text!("from", "从"),
        text!("to", "到"),
    ];
    let mut heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    heads.push("TTL");
    stage.table(&heads, &way.iter().enumerate().map(row).collect::<Vec<_>>());
}

/// What the host's packet filter remembers of the connection; `None` where it cannot be asked.
fn connection(stage: &Stage, journey: &Journey) -> Result<Option<Connection>> {
    stage.scene(&text!("What the host remembers: conntrack", "主机记住了什么：conntrack"));
    stage.say(&text!(
        "One entry, two tuples: what the packets there look like, and what those back will look like. NAT is the \
         difference.",
        "一条记录，两个元组：去程的包是什么样，回程的包会是什么样。NAT 就是两者之差。"
    ));
    stage.command("sudo conntrack -L -p tcp");
    let entries = match conntrack::connections() {
        Ok(entries) => entries,
        Err(error) => {
            let said = error.refusal.as_ref().map(|refusal| refusal.name.clone()).unwrap_or_default();
            stage.lacks(&text!(
                "the table of connections cannot be read ({said}); load the module nf_conntrack_netlink.",
                "无法读取连接表（{said}）；请加载内核模块 nf_conntrack_netlink。"
            ));
            return Ok(None);
        }
    };
    let own = |entry: &&Connection| {
        journey.there.first().is_some_and(|first| entry.original == (first.segment.from, first.segment.to))
    };
    let entry = entries.iter().find(own).cloned();
    if let Some(entry) = &entry {
        let tuple = |(from, to): conntrack::Tuple| format!("{from} → {to}");
        stage.fact("CTA_TUPLE_ORIG ", &tuple(entry.original));
        stage.fact("CTA_TUPLE_REPLY", &tuple(entry.reply));
        stage.fact("CTA_PROTOINFO  ", entry.state());
        stage.fact("CTA_STATUS     ", &entry.status());
    }
    Ok(entry)
}

fn ending(Journey { there, back }: &Journey, remembered: Option<&Connection>) -> Ending {
    let md = host_link(NAME);
    let went = [
        (0, CONTAINER_LINK, true),
        (1, &md, false),
        (1, BRIDGE, false),
        (1, UPLINK, true),
        (2, UPLINK, false),
    ];
    let came = went.map(|(place, link, outgoing)| (place, link, !outgoing));
    let came: Vec<_> = came.into_iter().rev().collect();
    let uplink = vec![3];
    let source = changes(there, |hop| hop.segment.from) == uplink && there[3].segment.from.ip() == &HOST;
    let routed =
        changes(there, |hop| hop.segment.ttl) == uplink && there[3].segment.ttl + 1 == there[2].segment.ttl;
    let kept = changes(there, |hop| hop.segment.to).is_empty();
    let ending = Ending::default()
        .saw(passed(there, &went) && source && routed && kept, text!(
            "One packet passed five links. Between bridge and uplink the host took its source away, wrote its own, and \
             lowered the TTL by one.",
            "同一个包经过了五个网络接口。在网桥与上行接口之间，主机把源地址换成了自己的，并把 TTL 减一。"
        ))
        .saw(passed(back, &came) && changes(back, |hop| hop.segment.to) == [2] && answers(there, back), text!(
            "The answer came back over the same five, addressed to the host; from the bridge on to the container again.",
            "应答沿同样的五个接口返回，目的地址先是主机；到了网桥，又换回了容器。"
        ));
    let ending = match (remembered, there.first(), back.first()) {
        (Some(entry), Some(went), Some(came)) => ending.saw(
            entry.original == (went.segment.from, went.segment.to)
                && entry.reply == (came.segment.from, came.segment.to),
            text!(
                "The two tuples of the conntrack entry are those of the two packets as they were captured at both ends.",
                "conntrack 记录里的两个元组，正是在两端捕获到的两个包的地址。"
            ),
        ),
        _ => ending,
    };
    ending.next("net-demo break-it").next("net-demo topology --town")
}

/// Whether the answer is addressed, where it ends, to whom the first packet came from.
fn answers(there: &Way, back: &Way) -> bool {
    there.first().map(|hop| hop.segment.from) == back.last().map(|hop| hop.segment.to)
}
