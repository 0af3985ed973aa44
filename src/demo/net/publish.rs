//! publish: a container's port at the host's address, rule by rule, until it works from everywhere.

use super::show::{attempts, cell, with_rules};
use super::town::{BRIDGE, HOST, Meeting, OUTSIDE, Resident, Town, meet};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::network::iptables::{self, Backend};
use crate::network::port::{Binding, Port, Protocol};
use crate::network::publish::{Part, Published, route_loopback};
use crate::network::subnet::Subnet;
use std::net::{Ipv4Addr, SocketAddrV4};

/// `net-demo publish`.
pub const WALK: Walk = Walk {
    name: "publish",
    title: Text { en: "A published port, rule by rule", zh: "发布端口，一条一条加规则" },
    place: Place::ThrowAway,
    show,
};

const PORT: u16 = 80;
const HOST_PORT: u16 = 8080;

/// Who is there, and what is published.
struct Shop {
    town: Town,
    web: Resident,
    outside: Resident,
    published: Published,
}

/// How it went for three who tried: outside, the host by its address, the host by 127.0.0.1; and how many packets
/// went on to it during the last of them.
struct Tries {
    meetings: [Meeting; 3],
    went: u64,
}

impl Tries {
    fn works(&self, which: usize) -> bool {
        self.meetings[which].took_place()
    }

    fn seen(&self, which: usize) -> Option<Ipv4Addr> {
        self.meetings[which].seen()
    }
}

fn show(stage: &Stage) -> Result<Ending> {
    let (shop, ruled) = open(stage)?;
    let mut ending = Ending::default();
    if ruled {
        let before = iptables::listing()?;
        let [none, arriving, passing, local, routed, loopback] = staircase(stage, &shop)?;
        let added = [Part::Arriving, Part::Passing, Part::Local, Part::Loopback];
        Backend::Usual.restore(&shop.published.script(&added, "-D"))?;
        let removed = iptables::listing()? == before;
        let gateway = shop.town.subnet()?.gateway();
        let from_outside = !none.works(0) && !arriving.works(0) && passing.seen(0) == Some(OUTSIDE);
        let from_host = !passing.works(1) && local.seen(1) == Some(HOST);
        let from_loopback = !local.works(2) && local.went == 0 && !routed.works(2) && routed.went > 0;
        let last = loopback.seen(2) == Some(gateway);
        ending = ending
            .saw(from_outside && removed, text!(
                "From outside it takes DNAT in PREROUTING, and leave to pass FORWARD. The container sees the client.",
                "从外面访问，需要 PREROUTING 里的 DNAT，并且 FORWARD 放行。容器看到的是客户端本身的地址。"
            ))
            .saw(from_host && from_loopback && last, text!(
                "What the host sends meets OUTPUT instead; and 127.0.0.1 must be routed, and become {gateway}.",
                "宿主机自己发出的包经过的是 OUTPUT；而 127.0.0.1 还要允许被路由，并换成 {gateway}。"
            ));
    }
    Ok(ending
        .saw(proxied(stage, &shop)?, text!(
            "A proxy needs no rule, and works from everywhere; but the container sees the host, not the client.",
            "代理不需要任何规则，从哪里都能用；但容器看到的是宿主机，而不是客户端。"
        ))
        .next("net-demo break-it")
        .next("net-demo publish --explain"))
}

/// The town, with a container that listens. Whether there are rules.
fn open(stage: &Stage) -> Result<(Shop, bool)> {
    let town = Town::found()?;
    town.quiet()?;
    town.build_bridge()?;
    let (web, outside) = (town.container("web")?, town.outside()?);
    town.forward(true)?;
    let subnet = town.subnet()?;
    let ruled = with_rules(stage, town.rules().and_then(|()| iptables::restore(&preparation(subnet))))?;
    web.listen(PORT)?;
    let address = town.address_of(&web)?;
    let port = Port { number: PORT, protocol: Protocol::Tcp };
    let binding = Binding { port, host: Ipv4Addr::UNSPECIFIED, host_port: HOST_PORT };
    let published = Published { bridge: BRIDGE.to_owned(), subnet, binding, address, owner: String::new() };
    Ok((Shop { town, web, outside, published }, ruled))
}

/// A process of the host that listens at the port and connects to the container for each who comes.
fn proxied(stage: &Stage, shop: &Shop) -> Result<bool> {
    let Shop { town, web, outside, published } = shop;
    stage.scene(&text!("Without rules: a proxy", "不用规则：代理"));
    stage.say(&text!(
        "A process of the host can do it too: it accepts at port {HOST_PORT}, and makes a second connection to the \
         container. Docker starts such a `docker-proxy` for the ways that its rules do not serve.",
        "宿主机上的一个进程也能做到：它在 {HOST_PORT} 端口接受连接，再替对方与容器建立第二条连接。\
         Docker 的规则照顾不到的情形，就由这样一个 docker-proxy 来处理。"
    ));
    stage.command(&format!("socat TCP-LISTEN:{HOST_PORT},fork TCP:{}:{PORT}", published.address));
    town.host.listen(HOST_PORT)?;
    let clients = [(outside, &town.host, HOST), (&town.host, &town.host, Ipv4Addr::LOCALHOST)];
    let first = attempts(stage, HOST_PORT, &clients)?;
    let second = attempts(stage, PORT, &[(&town.host, web, published.address)])?;
    let works = first.iter().all(Meeting::took_place);
    Ok(works && second[0].seen() == Some(town.subnet()?.gateway()))
}

/// The policy that dockerd sets: what no rule lets pass does not pass. And a rule without a target, which counts.
fn preparation(subnet: Subnet) -> String {
    format!("*filter\n:FORWARD DROP [0:0]\n-A OUTPUT -s 127.0.0.0/8 -d {subnet} -p tcp\nCOMMIT\n")
}

/// Each step adds one thing, and everybody tries again.
fn staircase(stage: &Stage, shop: &Shop) -> Result<[Tries; 6]> {
    let Shop { published, .. } = shop;
    let address = published.address;
    stage.scene(&text!("From outside", "从外面访问"));
    stage.say(&text!(
        "`web` listens at {address}:{PORT}, which means nothing outside. It is to be had at port {HOST_PORT} of the host: \
         `-p {HOST_PORT}:{PORT}`. The policy of FORWARD is DROP, as dockerd sets it.",
        "web 在 {address}:{PORT} 上监听，这个地址在外面毫无意义。它应当能从宿主机的 {HOST_PORT} 端口访问到：\
         -p {HOST_PORT}:{PORT}。FORWARD 链的默认策略是 DROP，与 dockerd 的设置相同。"
    ));
    let none = step(stage, shop, || Ok(()))?;
    let arriving = rule(stage, shop, Part::Arriving)?;
    stage.say(&text!(
        "The packet now goes to the container, and dies in FORWARD: no rule lets a new connection in.",
        "包现在被改向容器，却丢在了 FORWARD：没有规则允许新的连接进入。"
    ));
    let passing = rule(stage, shop, Part::Passing)?;

    stage.scene(&text!("From the host itself", "从宿主机自己访问"));
    stage.say(&text!(
        "What a local process sends begins at OUTPUT; PREROUTING is for what arrives by a link.",
        "本机进程发出的包从 OUTPUT 开始；PREROUTING 只处理从网络接口进来的包。"
    ));
    let local = rule(stage, shop, Part::Local)?;
    stage.say(&text!(
        "By its own address it works now. From 127.0.0.1 no packet leaves the host: that source may leave by `lo` alone.",
        "用自己的地址已经可以了。而源地址为 127.0.0.1 的包根本没有离开宿主机：这个地址只能从 lo 出去。"
    ));
    went_on(stage, &local);

    stage.scene(&text!("From the host's localhost", "从宿主机的 localhost 访问"));
    stage.command(&format!("sudo sysctl net.ipv4.conf.{BRIDGE}.route_localnet=1"));
    let routed = step(stage, shop, || route_loopback(BRIDGE))?;
    went_on(stage, &routed);
    stage.say(&text!(
        "The packet reaches the container, which throws it away: for it, 127.0.0.1 is itself. Another source is needed.",
        "包到了容器，容器却把它丢弃：对容器来说，127.0.0.1 是它自己。所以还要换一个源地址。"
    ));
    let loopback = rule(stage, shop, Part::Loopback)?;
    Ok([none, arriving, passing, local, routed, loopback])
}

/// Add one rule, and try.
fn rule(stage: &Stage, shop: &Shop, part: Part) -> Result<Tries> {
    let table = part.table();
    stage.command(&format!("sudo iptables -t {table} -A {}", shop.published.rule(part)));
    step(stage, shop, || Backend::Usual.restore(&shop.published.script(&[part], "-A")))
}

/// How far the last attempt came.
fn went_on(stage: &Stage, tries: &Tries) {
    let name = text!("packets from 127.0.0.1 that went on to web", "从 127.0.0.1 继续前往 web 的包");
    stage.fact(&name, &format!("+{}", tries.went));
}

/// Change something, and let the three try.
fn step(stage: &Stage, shop: &Shop, change: impl FnOnce() -> Result<()>) -> Result<Tries> {
    change()?;
    let Shop { town, web, outside, .. } = shop;
    let reach =
        |from: &Resident, address: Ipv4Addr| meet(from, web, SocketAddrV4::new(address, HOST_PORT), PORT);
    let (from_outside, from_host) = (reach(outside, HOST)?, reach(&town.host, HOST)?);
    let before = went()?;
    let meetings = [from_outside, from_host, reach(&town.host, Ipv4Addr::LOCALHOST)?];
    let went = went()?.saturating_sub(before);
    let way =
        |from: &str, address: Ipv4Addr| Entry::of(Ink::Faint, format!("{from} → {address}:{HOST_PORT}"));
    let ways = [way("outside", HOST), way("host", HOST), way("host", Ipv4Addr::LOCALHOST)];
    let rows: Vec<_> =
        ways.into_iter().zip(&meetings).map(|(way, meeting)| vec![way, cell(meeting)]).collect();
    stage.table(&["", ""], &rows);
    Ok(Tries { meetings, went })
}

/// How many packets from 127.0.0.0/8 were on their way to the bridge after the translation in OUTPUT; 0 without rules.
fn went() -> Result<u64> {
    let rules = iptables::counters("filter")?;
    Ok(rules.iter().find(|(_, rule)| rule.starts_with("OUTPUT ")).map_or(0, |(packets, _)| *packets))
}
