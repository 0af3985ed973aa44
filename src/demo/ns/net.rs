//! net: links and ports of one's own, and a socket that stays where it was made. network_namespaces(7).

use super::sides;
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::namespace;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, stage::Entry, text};
use crate::network::{self, Network, link};
use crate::observe::{self, Subject};
use crate::sys::errno::{EADDRINUSE, ECONNREFUSED, ENETUNREACH, ETIMEDOUT};
use crate::sys::{netlink, socket};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, OwnedFd};

/// `ns-demo net`.
pub const WALK: Walk = Walk {
    name: "net",
    title: Text { en: "Links and ports of its own", zh: "自己的网络接口和端口" },
    place: Place::ThrowAway,
    show,
};

/// The port that both sides listen on, and the one of the listener that was made before the two parted.
const PORT: u16 = 8080;
const OLD: u16 = 8081;

/// The link made inside.
const LINK: &str = "minidocker-in";

/// What a process is told to do.
#[derive(Serialize, Deserialize)]
enum Order {
    Look,
    /// Move to a new network namespace.
    Enter,
    /// Bring `lo` up, and make a link.
    Equip,
    /// Listen on this port of 127.0.0.1.
    Listen(u16),
    /// Connect to it.
    Connect(u16),
    /// Take a connection that somebody made to it.
    Accept(u16),
}

/// What a process sees of its network namespace.
#[derive(Serialize, Deserialize, Default)]
struct View {
    namespace: Option<String>,
    links: Option<String>,
    addresses: Option<String>,
    /// Which of the two ports of this walk somebody listens on.
    listening: Vec<u16>,
}

fn look() -> View {
    let ports = observe::listening_ports().unwrap_or_default();
    View {
        namespace: sides::own("net"),
        links: observe::read(&Subject::Links),
        addresses: observe::read(&Subject::Addresses),
        listening: ports.into_iter().filter(|port| [PORT, OLD].contains(port)).collect(),
    }
}

/// The sockets of one process, by their ports.
#[derive(Default)]
struct Sockets(BTreeMap<u16, OwnedFd>);

impl Sockets {
    fn obey(&mut self, order: Order) -> Result<View> {
        let at = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        match order {
            Order::Look => {}
            Order::Enter => namespace::net::enter()?,
            Order::Equip => {
                network::configure::configure(&Network::None)?;
                link::add_bridge(&netlink::Socket::open()?, LINK, 0)?;
            }
            Order::Listen(port) => drop(self.0.insert(port, socket::listen_tcp(at(port))?)),
            Order::Connect(port) => drop(socket::connect_tcp(at(port))?),
            Order::Accept(port) => {
                if let Some(listener) = self.0.get(&port) {
                    socket::accept_tcp(listener.as_fd())?;
                }
            }
        }
        Ok(look())
    }
}

type Inside = Actor<Order, View>;

fn show(stage: &Stage) -> Result<Ending> {
    let mut sockets = Sockets::default();
    let inside = Actor::start("inside", 0, move |order| sockets.obey(order))?;
    let mut outside = Sockets::default();
    let own = links(stage, &mut outside, &inside)?;
    let Some(own) = own else {
        return Ok(Ending::default().next("ns-demo net"));
    };
    let same_port = ports(stage, &mut outside, &inside)?;
    let apart = connections(stage, &mut outside, &inside)?;
    let stays = old_socket(stage, &mut outside, &inside)?;
    inside.end()?;
    Ok(Ending::default()
        .saw(own, text!(
            "A new network namespace has no address and reaches nobody: its `lo` is down. A link made inside is not there outside.",
            "新的 net Namespace 没有地址，谁也连不上：它的 `lo` 没有启用。里面建的网络接口，外面没有。"
        ))
        .saw(same_port && apart, text!(
            "Both sides listen on the same address and port, and a TCP connection reaches the listener of its own side only.",
            "两边监听同一个地址和端口；TCP 连接只到达自己那一边的监听者。"
        ))
        .saw(stays, text!(
            "A socket stays in the namespace in which it was made, though its owner has moved to another.",
            "socket 留在创建它的 Namespace 里，尽管它的主人已经搬到另一个。"
        ))
        .next("sudo unshare --net ip link")
        .next("net-demo bridge"))
}

/// unshare, and a link inside: whether each side has links of its own. `None` when a port is taken on the real host.
fn links(stage: &Stage, outside: &mut Sockets, inside: &Inside) -> Result<Option<bool>> {
    stage.scene(&text!("unshare: an empty network", "unshare：空空的网络"));
    stage.say(&text!(
        "First each process makes a listener: this one on port {PORT}, `inside` on port {OLD}. Then `inside` moves to a \
         new network namespace.",
        "先各自建一个监听 socket：本进程在端口 {PORT}，inside 在端口 {OLD}。然后 inside 搬进一个新的 net Namespace。"
    ));
    for made in [outside.obey(Order::Listen(PORT)), inside.ask(Order::Listen(OLD))] {
        match made {
            Err(error) if error.is(EADDRINUSE) => {
                stage.lacks(&text!(
                    "somebody listens on port {PORT} or {OLD} of this host already. Leave out --on-host.",
                    "本机的端口 {PORT} 或 {OLD} 已被占用。请去掉 --on-host。"
                ));
                return Ok(None);
            }
            made => drop(made?),
        }
    }
    stage.command("sudo unshare --net ip link");
    let before = inside.ask(Order::Look)?;
    let new = inside.ask(Order::Enter)?;
    let unreachable = inside.ask(Order::Connect(PORT));
    let mine = look();
    table(stage, &mine, &new);
    stage.fact(&text!("connect(2), inside", "里面 connect(2)"), &sides::answer(&unreachable));

    stage.scene(&text!("A link of its own", "自己的网络接口"));
    stage.say(&text!(
        "`inside` brings `lo` up and makes a bridge. Links are found by name in one namespace only.",
        "inside 启用 `lo`，再建一个网桥。网络接口的名字只在一个 Namespace 里有效。"
    ));
    stage.command(&format!("ip link set lo up; ip link add {LINK} type bridge"));
    let equipped = inside.ask(Order::Equip)?;
    let after = look();
    table(stage, &after, &equipped);
    let has =
        |view: &View| view.links.as_deref().is_some_and(|links| links.split(' ').any(|name| name == LINK));
    let empty = new.addresses.is_none() && unreachable.is_err_and(|error| error.is(ENETUNREACH));
    let apart = before.namespace == mine.namespace && mine.namespace != new.namespace;
    Ok(Some(apart && empty && has(&equipped) && !has(&after) && after.links == mine.links))
}

/// Both views, side by side.
fn table(stage: &Stage, outside: &View, inside: &View) {
    let text = |fact: &Option<String>| fact.clone().unwrap_or_else(|| text!("(none)", "（无）"));
    let row =
        |name: &str, of: &dyn Fn(&View) -> String| vec![name.into(), of(outside).into(), of(inside).into()];
    let ports = |view: &View| {
        let ports: Vec<String> = view.listening.iter().map(u16::to_string).collect();
        text(&(!ports.is_empty()).then(|| ports.join(" ")))
    };
    let [outside_word, inside_word] = sides::sides();
    stage.table(
        &["", &outside_word, &inside_word],
        &[
            row("/proc/self/ns/net", &|view| text(&view.namespace)),
            row("ip link", &|view| text(&view.links)),
            row("ip address", &|view| text(&view.addresses)),
            row("ss -tln", &ports),
        ],
    );
}

/// The same port twice: whether this side refuses a second listener, and the other takes one.
fn ports(stage: &Stage, outside: &mut Sockets, inside: &Inside) -> Result<bool> {
    stage.scene(&text!("The same port, twice", "同一个端口，两次"));
    stage.command(&format!("nc -l 127.0.0.1 {PORT}"));
    let again = outside.obey(Order::Listen(PORT));
    let there = inside.ask(Order::Listen(PORT));
    let [outside_word, inside_word] = sides::sides();
    let row =
        |who: String, answer: &Result<View>| vec![who.into(), Entry::of(Ink::Fact, sides::answer(answer))];
    stage.table(
        &["", "bind(2), listen(2)"],
        &[
            row(text!("{outside_word}, a second time", "{outside_word}，第二次"), &again),
            row(inside_word, &there),
        ],
    );
    Ok(again.is_err_and(|error| error.is(EADDRINUSE)) && there.is_ok())
}

/// One connection from each side: whether the listener of that side gets it, and the other nothing.
fn connections(stage: &Stage, outside: &mut Sockets, inside: &Inside) -> Result<bool> {
    stage.scene(&text!("Who answers at 127.0.0.1?", "127.0.0.1 上谁来应答？"));
    stage.say(&text!(
        "Each side connects to 127.0.0.1:{PORT}, and then both listeners are asked whether somebody came.",
        "两边各向 127.0.0.1:{PORT} 发起连接，每次再问两个监听者有没有人来。"
    ));
    stage.command(&format!("nc 127.0.0.1 {PORT}"));
    outside.obey(Order::Connect(PORT))?;
    let from_outside = [outside.obey(Order::Accept(PORT)), inside.ask(Order::Accept(PORT))];
    inside.ask(Order::Connect(PORT))?;
    let from_inside = [outside.obey(Order::Accept(PORT)), inside.ask(Order::Accept(PORT))];
    let came = |answer: &Result<View>| {
        let word = match answer {
            Ok(_) => text!("a connection", "来了一个连接"),
            Err(error) if error.is(ETIMEDOUT) => text!("nobody", "没有人"),
            refused => sides::answer(refused),
        };
        Entry::of(Ink::Fact, word)
    };
    let row =
        |from: String, answers: &[Result<View>; 2]| vec![from.into(), came(&answers[0]), came(&answers[1])];
    let [outside_word, inside_word] = sides::sides();
    let at = |side: &String| text!("listener {side}", "{side}的监听者");
    stage.table(
        &["", &at(&outside_word), &at(&inside_word)],
        &[
            row(text!("connect from outside", "从外面连接"), &from_outside),
            row(text!("connect from inside", "从里面连接"), &from_inside),
        ],
    );
    let nobody = |answer: &Result<View>| answer.as_ref().is_err_and(|error| error.is(ETIMEDOUT));
    let own_only = from_inside[1].is_ok() && nobody(&from_inside[0]);
    Ok(own_only && from_outside[0].is_ok() && nobody(&from_outside[1]))
}

/// The listener made before the two parted: whether it is reached from outside, and by its own owner not.
fn old_socket(stage: &Stage, outside: &mut Sockets, inside: &Inside) -> Result<bool> {
    stage.scene(&text!("The socket made before", "之前建的那个 socket"));
    stage.say(&text!(
        "`inside` still holds its listener on port {OLD}. It is outside that it can be reached.",
        "inside 手里还有端口 {OLD} 的监听 socket。能连上它的，是外面。"
    ));
    let by_owner = inside.ask(Order::Connect(OLD));
    let by_other = outside.obey(Order::Connect(OLD));
    let accepted = inside.ask(Order::Accept(OLD));
    let mine = look();
    stage.fact(&text!("inside connects to port {OLD}", "里面连接端口 {OLD}"), &sides::answer(&by_owner));
    stage.fact(&text!("outside connects to port {OLD}", "外面连接端口 {OLD}"), &sides::answer(&by_other));
    stage.fact(&text!("`inside` accepts", "inside 接受连接"), &sides::answer(&accepted));
    let theirs = inside.ask(Order::Look)?;
    table(stage, &mine, &theirs);
    let listed = mine.listening == [PORT, OLD] && theirs.listening == [PORT];
    let refused = by_owner.is_err_and(|error| error.is(ECONNREFUSED));
    Ok(refused && by_other.is_ok() && accepted.is_ok() && listed && mine.namespace != theirs.namespace)
}
