//! null: a network namespace with nothing in it, and how a person plugs in a cable afterwards. network_namespaces(7).

use super::show::{attempts, routes, views};
use super::town::{BRIDGE, Resident, Town};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::network::attach::CONTAINER_LINK;
use crate::network::{Endpoint, Network};
use std::net::Ipv4Addr;

/// `net-demo null`.
pub const WALK: Walk = Walk {
    name: "null",
    title: Text { en: "A network with nothing in it", zh: "空无一物的网络" },
    place: Place::ThrowAway,
    show,
};

const PORT: u16 = 80;

fn show(stage: &Stage) -> Result<Ending> {
    let town = Town::found()?;
    town.build_bridge()?;
    let container = Resident::start("box")?;
    let apart = born(stage, &town, &container)?;
    let alone = only_itself(stage, &town, &container)?;
    let plugged = by_hand(stage, &town, &container)?;
    Ok(Ending::default()
        .saw(apart, text!(
            "The container has a network namespace of its own. In it there is `lo`, and it is down.",
            "容器有自己的 Network Namespace，里面只有一个 lo，而且没有启用。"
        ))
        .saw(alone, text!(
            "Until somebody configures more it reaches nobody but itself: its 127.0.0.1 is not the host's.",
            "在有人配置之前，它除了自己谁也连不上：它的 127.0.0.1 并不是宿主机的 127.0.0.1。"
        ))
        .saw(plugged, text!(
            "A veth pair, an address and a route, put in from outside while it runs, connect it both ways.",
            "在它运行期间从外面插入一对 veth，再配上地址和路由，双向就都通了。"
        ))
        .next("net-demo bridge")
        .next("minidocker run --rm --network none base cat /proc/net/dev"))
}

/// A new namespace, as the kernel makes it.
fn born(stage: &Stage, town: &Town, container: &Resident) -> Result<bool> {
    stage.scene(&text!("Born with CLONE_NEWNET", "以 CLONE_NEWNET 出生"));
    stage.say(&text!(
        "The host has a bridge. The process `box` was born in a new network namespace, and nobody has touched that yet.",
        "宿主机上有一个网桥。进程 box 出生在一个新的 Network Namespace 里，还没有人动过它。"
    ));
    stage.command("sudo unshare --net ip addr");
    let seen = views(stage, &[&town.host, container])?;
    let listens = container.listen(PORT)?;
    let meetings = attempts(stage, PORT, &[(container, container, Ipv4Addr::LOCALHOST)])?;
    stage.say(&text!(
        "Even to itself there is no way while `lo` is down.",
        "lo 没有启用时，连到自己的路都没有。"
    ));
    let bare =
        seen[1].links.as_deref() == Some("lo") && seen[1].addresses.is_none() && seen[1].routes.is_none();
    Ok(seen[0].namespace != seen[1].namespace && bare && listens.is_none() && !meetings[0].took_place())
}

/// What `--network none` configures: `lo`.
fn only_itself(stage: &Stage, town: &Town, container: &Resident) -> Result<bool> {
    stage.scene(&text!("What --network none gives", "--network none 给了什么"));
    stage.command("sudo ip link set lo up");
    container.configure(Network::None)?;
    let seen = views(stage, &[&town.host, container])?;
    let gateway = town.subnet()?.gateway();
    let meetings = attempts(
        stage,
        PORT,
        &[
            (container, container, Ipv4Addr::LOCALHOST),
            (&town.host, container, Ipv4Addr::LOCALHOST),
            (container, &town.host, gateway),
        ],
    )?;
    stage.say(&text!(
        "Each namespace has a loopback of its own: the container listens at its 127.0.0.1:80, and at the host's nobody \
         does. And to the host no route leads.",
        "每个 Namespace 都有自己的回环接口：容器在它的 127.0.0.1:80 上监听，而宿主机的 127.0.0.1:80 上没有人。\
         到宿主机则根本没有路由。"
    ));
    let refused = meetings[1].verdict.as_deref() == Some("ECONNREFUSED");
    let no_route = meetings[2].verdict.as_deref() == Some("ENETUNREACH");
    Ok(seen[1].links.as_deref() == Some("lo") && meetings[0].took_place() && refused && no_route)
}

/// What the person does afterwards, or `docker network connect` for them.
fn by_hand(stage: &Stage, town: &Town, container: &Resident) -> Result<bool> {
    stage.scene(&text!("A cable plugged in by hand", "手工插上一根网线"));
    stage.say(&text!(
        "With Docker, this is what a person does by `docker network connect`. It is a veth pair, an address, a route.",
        "在 Docker 中，用户用 docker network connect 来完成这件事：一对 veth、一个地址、一条路由。"
    ));
    let endpoint = town.endpoint(container.name)?;
    let Endpoint { host_link, address, prefix, gateway, .. } = endpoint.clone();
    stage.command(&format!("sudo ip link add {host_link} type veth peer name {CONTAINER_LINK} netns PID"));
    stage.command(&format!("sudo ip link set {host_link} master {BRIDGE} up"));
    let inside = "sudo nsenter -t PID -n ip";
    stage.command(&format!("{inside} addr add {address}/{prefix} dev {CONTAINER_LINK}"));
    stage.command(&format!("{inside} link set {CONTAINER_LINK} up"));
    stage.command(&format!("{inside} route add default via {gateway}"));
    town.plug(container, &endpoint)?;
    container.configure(Network::Bridge(vec![endpoint]))?;
    town.await_cable(container)?;
    let seen = views(stage, &[&town.host, container])?;
    routes(stage, &[container])?;
    town.host.listen(PORT)?;
    let meetings =
        attempts(stage, PORT, &[(&town.host, container, address), (container, &town.host, gateway)])?;
    let both = meetings[0].seen() == Some(gateway) && meetings[1].seen() == Some(address);
    Ok(both && seen[1].links.as_deref() == Some("lo eth0"))
}
