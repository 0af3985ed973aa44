//! host: no network namespace of its own. Nothing is made, nothing is translated, and nothing is apart.

use super::show::{answer, attempts, views};
use super::town::{HOST, Resident, Town};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::network::Network;
use std::net::Ipv4Addr;

/// `net-demo host`.
pub const WALK: Walk = Walk {
    name: "host",
    title: Text { en: "The host's own network", zh: "复用主机网络" },
    place: Place::ThrowAway,
    show,
};

const PORT: u16 = 80;
const OTHER: u16 = 8080;

fn show(stage: &Stage) -> Result<Ending> {
    let town = Town::found()?;
    let outside = town.outside()?;
    let container = Resident::start_beside("web")?;
    let apart = Resident::start("apart")?;
    apart.configure(Network::None)?;

    stage.scene(&text!("One namespace for both", "两者共用一个 Namespace"));
    stage.say(&text!(
        "`web` was born without CLONE_NEWNET, `apart` with it. Equal inodes are one namespace.",
        "web 出生时没有 CLONE_NEWNET，apart 则有。inode 相同，就是同一个 Namespace。"
    ));
    stage.command("ls -l /proc/self/ns/net; ip addr");
    let seen = views(stage, &[&town.host, &container, &apart])?;
    let same = seen[0] == seen[1] && seen[1].namespace != seen[2].namespace;

    stage.scene(&text!("Reached like any program of the host", "像宿主机上的普通程序一样可达"));
    let listens = container.listen(PORT)?;
    town.host.listen(OTHER)?;
    stage.command(&format!("curl http://{HOST}:{PORT}/"));
    let ways = [(&outside, &container, HOST), (&town.host, &container, Ipv4Addr::LOCALHOST)];
    let meetings = attempts(stage, PORT, &ways)?;
    let back = attempts(stage, OTHER, &[(&container, &town.host, Ipv4Addr::LOCALHOST)])?;
    stage.say(&text!(
        "No port was published and no address translated: outside is seen by its own address.",
        "没有发布端口，也没有地址转换：看到的就是外面那台主机自己的地址。"
    ));
    let direct = meetings.iter().chain(&back).all(|meeting| meeting.took_place());

    stage.scene(&text!("The price: one set of ports", "代价：端口只有一套"));
    let again = town.host.listen(PORT)?;
    let elsewhere = apart.listen(PORT)?;
    let row =
        |who: &Resident, verdict| vec![who.name.into(), format!("0.0.0.0:{PORT}").into(), answer(verdict)];
    let rows = [row(&container, &listens), row(&town.host, &again), row(&apart, &elsewhere)];
    stage.table(&["listen(2)", &text!("at", "地址"), &text!("answer", "结果")], &rows);
    let conflict = again.as_deref() == Some("EADDRINUSE") && listens.is_none() && elsewhere.is_none();
    Ok(Ending::default()
        .saw(same, text!(
            "Host and container are in one network namespace: the same links, addresses and routes.",
            "宿主机与容器处于同一个 Network Namespace：网络接口、地址、路由都相同。"
        ))
        .saw(direct, text!(
            "Whoever reaches the host reaches the container, at the same addresses, without bridge or NAT.",
            "能连到宿主机，就能以同样的地址连到容器，不经过网桥，也不经过 NAT。"
        ))
        .saw(conflict, text!(
            "A port that the container uses is not the host's any more. In a namespace apart it is free.",
            "容器占用的端口，宿主机就不能再用；而在另一个 Namespace 里，这个端口是空闲的。"
        ))
        .next("net-demo container")
        .next("minidocker run --rm --network host base cat /proc/net/dev"))
}
