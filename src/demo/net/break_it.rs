//! break-it: three ways to break a container's way out, and where the packet dies each time, found by counters.
//!
//! Nothing is known beforehand: the counters of every link on the way are read before and after one attempt, with that
//! of a rule at the head of FORWARD which counts and decides nothing. The packet died before the first that stood still.

use super::show::{cell, lacking};
use super::town::{BRIDGE, OUTSIDE, Question, Resident, Town, UPLINK, lacks_rules, meet};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::network::iptables;
use crate::network::lease::host_link;
use crate::observe::LinkCount;
use std::net::SocketAddrV4;

/// `net-demo break-it`.
pub const WALK: Walk = Walk {
    name: "break-it",
    title: Text { en: "Where did the packet die?", zh: "包丢在了哪里？" },
    place: Place::ThrowAway,
    show,
};

const PORT: u16 = 80;

/// The stations of a packet from `web` to outside, and of the answer's first step.
const STATIONS: [&str; 7] = [
    "web      eth0         out",
    "host     mdweb        in",
    "host     minidocker0  in",
    "host     FORWARD",
    "host     eth0         out",
    "outside  eth0         in",
    "outside  eth0         out",
];
/// Where in [`STATIONS`] what is broken shows.
const FORWARD: usize = 3;
const UPLINK_OUT: usize = 4;
const ANSWER: usize = 6;

/// Who is there.
struct Scene {
    town: Town,
    web: Resident,
    outside: Resident,
    /// There is a rule that counts.
    ruled: bool,
}

/// How one attempt went: packets at each station, and the first station that none passed.
struct Inquest {
    /// `None` where nobody counts.
    packets: Vec<Option<u64>>,
    died_before: Option<usize>,
    arrived: bool,
    /// What the IP stacks counted as unroutable: on the host packets in, outside answers out.
    host_no_way: u64,
    outside_no_way: u64,
}

fn show(stage: &Stage) -> Result<Ending> {
    let scene = settle(stage)?;
    let healthy = examine(stage, &scene)?;
    stage.say(&text!("Everything counts, and the connection stands.", "每一站都有计数，连接成功建立。"));
    let forwarding = no_forwarding(stage, &scene)?;
    let mut ending = Ending::default().saw(healthy.arrived && forwarding, text!(
        "ip_forward 0: it died in the host's routing decision, before FORWARD. A host that is no router sends nothing on.",
        "ip_forward 为 0：丢在宿主机的路由判断处，还没到 FORWARD。不当路由器的主机不会替别人转发。"
    ));
    if scene.ruled {
        ending = ending
            .saw(dropped(stage, &scene)?, text!(
                "FORWARD DROP: it came to FORWARD and never left by eth0. No rule said ACCEPT, so the policy spoke.",
                "FORWARD DROP：到了 FORWARD，却没有从 eth0 出去。没有规则说 ACCEPT，默认策略就生效了。"
            ))
            .saw(not_masqueraded(stage, &scene)?, text!(
                "No MASQUERADE: it arrived, and the answer died. Outside knows no way back to the container's subnet.",
                "没有 MASQUERADE：包到了，回包却丢了。外面不知道回到容器子网的路。"
            ));
    }
    Ok(ending.next("net-demo follow").next("net-demo publish"))
}

/// The town; where there are no rules, outside is given a way back instead.
fn settle(stage: &Stage) -> Result<Scene> {
    stage.scene(&text!("When all is well", "一切正常时"));
    stage.say(&text!(
        "One attempt to connect, and how many packets passed each station meanwhile: links, and a rule at the head of \
         FORWARD that only counts. The first two have a SYN and an ACK to count.",
        "发起一次连接，看这期间每一站经过了多少个包：各个网络接口，以及 FORWARD 链首一条只计数的规则。\
         正常时数到的是 SYN 和 ACK 两个包。"
    ));
    let town = Town::found()?;
    town.quiet()?;
    town.build_bridge()?;
    let (web, outside) = (town.container("web")?, town.outside()?);
    outside.listen(PORT)?;
    town.forward(true)?;
    let ruled = match town.rules().and_then(|()| iptables::restore(COUNT)) {
        Ok(()) => true,
        Err(error) if lacks_rules(&error) => {
            lacking(stage, &error);
            outside.ask::<()>(Question::DefaultRoute(super::town::HOST))?;
            false
        }
        Err(error) => return Err(error),
    };
    Ok(Scene { town, web, outside, ruled })
}

/// A rule without a target: it counts, and the packet goes on to the next.
const COUNT: &str = "*filter\n-I FORWARD -i minidocker0 -o eth0 -p tcp\nCOMMIT\n";

fn no_forwarding(stage: &Stage, scene: &Scene) -> Result<bool> {
    stage.scene(&text!("ip_forward 0", "ip_forward 为 0"));
    stage.command("sudo sysctl net.ipv4.ip_forward=0");
    scene.town.forward(false)?;
    let found = examine(stage, scene)?;
    stage
        .fact(&text!("host: Ip InAddrErrors", "宿主机：Ip InAddrErrors"), &format!("+{}", found.host_no_way));
    stage.say(&text!(
        "It came in by the bridge, was not for the host, and was thrown away. Mended:",
        "包从网桥进来，目标不是本机，于是被丢弃。修复："
    ));
    stage.command("sudo sysctl net.ipv4.ip_forward=1");
    scene.town.forward(true)?;
    let place = if scene.ruled { FORWARD } else { UPLINK_OUT };
    Ok(found.died_before == Some(place) && found.host_no_way > 0 && mended(stage, scene)?)
}

fn dropped(stage: &Stage, scene: &Scene) -> Result<bool> {
    const BREAK: &str = "*filter\n:FORWARD DROP [0:0]\n-D FORWARD -i minidocker0 -j ACCEPT\nCOMMIT\n";
    const MEND: &str = "*filter\n-A FORWARD -i minidocker0 -j ACCEPT\nCOMMIT\n";
    stage.scene(&text!("FORWARD DROP", "FORWARD DROP"));
    stage.command("sudo iptables -P FORWARD DROP");
    stage.command(&format!("sudo iptables -D FORWARD -i {BRIDGE} -j ACCEPT"));
    iptables::restore(BREAK)?;
    let found = examine(stage, scene)?;
    stage.say(&text!(
        "The counting rule met it, the link behind did not. Mended, with the policy left as it is:",
        "计数规则遇到了它，后面的网络接口却没有。修复，默认策略保持不变："
    ));
    stage.command(&format!("sudo iptables -A FORWARD -i {BRIDGE} -j ACCEPT"));
    iptables::restore(MEND)?;
    Ok(found.died_before == Some(UPLINK_OUT) && found.packets[FORWARD] > Some(0) && mended(stage, scene)?)
}

fn not_masqueraded(stage: &Stage, scene: &Scene) -> Result<bool> {
    let subnet = scene.town.subnet()?;
    let rule = format!("POSTROUTING -s {subnet} ! -o {BRIDGE} -j MASQUERADE");
    let change = |command: &str| iptables::restore(&format!("*nat\n{command} {rule}\nCOMMIT\n"));
    stage.scene(&text!("No MASQUERADE", "没有 MASQUERADE"));
    stage.command(&format!("sudo iptables -t nat -D {rule}"));
    change("-D")?;
    let found = examine(stage, scene)?;
    stage.fact(
        &text!("outside: Ip OutNoRoutes", "外面：Ip OutNoRoutes"),
        &format!("+{}", found.outside_no_way),
    );
    stage.say(&text!(
        "It arrived with the container's own address, and outside has no route for the answer. Mended:",
        "包带着容器自己的地址到了，外面却没有回包的路由。修复："
    ));
    stage.command(&format!("sudo iptables -t nat -A {rule}"));
    change("-A")?;
    Ok(found.died_before == Some(ANSWER) && found.outside_no_way > 0 && mended(stage, scene)?)
}

/// Whether they meet again.
fn mended(stage: &Stage, scene: &Scene) -> Result<bool> {
    let meeting = meet(&scene.web, &scene.outside, SocketAddrV4::new(OUTSIDE, PORT), PORT)?;
    stage.table(&["", ""], &[vec!["web → outside".into(), cell(&meeting)]]);
    Ok(meeting.took_place())
}

/// One attempt, with every counter before and after; a table as far as the packet came.
fn examine(stage: &Stage, scene: &Scene) -> Result<Inquest> {
    let (before, no_way_before) = (census(scene)?, no_way(scene)?);
    let meeting = meet(&scene.web, &scene.outside, SocketAddrV4::new(OUTSIDE, PORT), PORT)?;
    let (after, no_way_after) = (census(scene)?, no_way(scene)?);
    let packets: Vec<Option<u64>> =
        after.iter().zip(&before).map(|(after, before)| Some((*after)?.saturating_sub((*before)?))).collect();
    let died_before = packets.iter().position(|packets| *packets == Some(0));
    let row = |(index, packets): (usize, &Option<u64>)| {
        let count = packets.map_or("–".to_owned(), |packets| packets.to_string());
        let died = died_before == Some(index);
        let count = if died { Entry::of(Ink::Refused, format!("{count} ✗")) } else { count.into() };
        vec![STATIONS[index].into(), count]
    };
    let shown = died_before.map_or(STATIONS.len(), |index| index + 1);
    let mut rows: Vec<_> = packets.iter().enumerate().take(shown).map(row).collect();
    rows.push(vec!["connect(2)".into(), cell(&meeting)]);
    stage.table(&[&text!("station", "站点"), &text!("packets", "包数")], &rows);
    Ok(Inquest {
        packets,
        died_before,
        arrived: meeting.took_place() && died_before.is_none(),
        host_no_way: no_way_after.0.saturating_sub(no_way_before.0),
        outside_no_way: no_way_after.1.saturating_sub(no_way_before.1),
    })
}

/// The counter of every station.
fn census(scene: &Scene) -> Result<Vec<Option<u64>>> {
    let counts = |resident: &Resident| resident.ask::<Vec<LinkCount>>(Question::Links);
    let (web, host, outside) = (counts(&scene.web)?, counts(&scene.town.host)?, counts(&scene.outside)?);
    let link = |all: &[LinkCount], name: &str| all.iter().find(|link| link.name == name).cloned();
    let received = |all: &[LinkCount], name: &str| link(all, name).map(|link| link.received);
    let sent = |all: &[LinkCount], name: &str| link(all, name).map(|link| link.sent);
    let forward = match scene.ruled {
        true => iptables::counters("filter")?
            .into_iter()
            .find(|(_, rule)| !rule.contains("-j"))
            .map(|(count, _)| count),
        false => None,
    };
    Ok(vec![
        sent(&web, UPLINK),
        received(&host, &host_link("web")),
        received(&host, BRIDGE),
        forward,
        sent(&host, UPLINK),
        received(&outside, UPLINK),
        sent(&outside, UPLINK),
    ])
}

/// What found no way: packets that came to the host for others, and answers that outside wanted to send.
fn no_way(scene: &Scene) -> Result<(u64, u64)> {
    let ask = |resident: &Resident, name: &str| {
        let counter: Option<u64> = resident.ask(Question::Counter("Ip".to_owned(), name.to_owned()))?;
        Ok(counter.unwrap_or_default())
    };
    Ok((ask(&scene.town.host, "InAddrErrors")?, ask(&scene.outside, "OutNoRoutes")?))
}
