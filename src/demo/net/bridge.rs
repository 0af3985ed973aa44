//! bridge: a switch in the kernel, a cable to each container, and the host as their router to the rest of the world.

use super::show::{attempts, matrix, routes, rules, views, with_rules};
use super::town::{BRIDGE, HOST, OUTSIDE, Resident, Town};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::network::lease::host_link;

/// `net-demo bridge`.
pub const WALK: Walk = Walk {
    name: "bridge",
    title: Text {
        en: "A bridge, cables, and the host as router", zh: "网桥、网线，以及充当路由器的宿主机"
    },
    place: Place::ThrowAway,
    show,
};

const PORT: u16 = 80;

/// Who is there.
struct People {
    town: Town,
    web: Resident,
    db: Resident,
    outside: Resident,
}

fn show(stage: &Stage) -> Result<Ending> {
    let people = settle(stage)?;
    let neighbours = bridged(stage, &people)?;
    let ending = Ending::default().saw(
        neighbours,
        text!(
            "Containers on one bridge reach each other directly, and see each other's own addresses.",
            "同一网桥上的容器可以直接互访，看到的是对方自己的地址。"
        ),
    );
    let ending = match routed(stage, &people)? {
        None => ending,
        Some((out, not_in)) => ending
            .saw(out, text!(
                "Outside they reach only with forwarding and MASQUERADE, and are seen there as {HOST}, the host.",
                "要访问外面，需要转发加上 MASQUERADE；外面看到的来源是宿主机的地址 {HOST}。"
            ))
            .saw(not_in, text!(
                "From outside no way leads to a container: its address means nothing there.",
                "从外面没有路通向容器：容器的地址在外面毫无意义。"
            )),
    };
    Ok(ending.next("net-demo follow").next("net-demo publish").next("net-demo break-it"))
}

fn settle(stage: &Stage) -> Result<People> {
    stage.scene(&text!("A bridge and its cables", "网桥和网线"));
    stage.say(&text!(
        "For each container a veth pair: one end is its `eth0`, the other a port of the bridge. The bridge has the first \
         address of the subnet. `outside` is another machine: a namespace on another subnet, behind the host's eth0.",
        "每个容器有一对 veth：一端是它的 eth0，另一端是网桥的一个端口。网桥的地址是子网里的第一个。\
         outside 代表另一台机器：另一个子网里的 Namespace，在宿主机 eth0 的另一头。"
    ));
    let town = Town::found()?;
    town.build_bridge()?;
    let (web, db) = (town.container("web")?, town.container("db")?);
    let outside = town.outside()?;
    town.forward(false)?;
    stage.command(&format!("sudo ip link add {BRIDGE} type bridge"));
    for resident in [&web, &db] {
        let link = host_link(resident.name);
        stage.command(&format!("sudo ip link add {link} master {BRIDGE} type veth peer eth0 netns PID"));
    }
    views(stage, &[&town.host, &web, &db, &outside])?;
    routes(stage, &[&web, &outside])?;
    for resident in [&town.host, &web, &db, &outside] {
        resident.listen(PORT)?;
    }
    Ok(People { town, web, db, outside })
}

/// What a bridge does by itself. Whether it does.
fn bridged(stage: &Stage, people: &People) -> Result<bool> {
    let People { town, web, db, outside } = people;
    stage.scene(&text!("What the bridge does by itself", "网桥自己能做什么"));
    stage.say(&text!(
        "The host does not forward yet, and has no rules. To a bridge that is all one: it looks at link-layer addresses.",
        "宿主机还没有开启转发，也没有任何规则。这与网桥无关：它只看链路层地址。"
    ));
    let (first, second) = (town.address_of(web)?, town.address_of(db)?);
    let ways = [
        (web, db, second),
        (db, web, first),
        (web, &town.host, town.subnet()?.gateway()),
        (web, outside, OUTSIDE),
    ];
    let meetings = attempts(stage, PORT, &ways)?;
    let own = meetings[0].seen() == Some(first) && meetings[1].seen() == Some(second);
    Ok(own && meetings[2].took_place() && !meetings[3].took_place())
}

/// What forwarding and the rules add: whether containers are seen outside as the host, and not reached from there.
fn routed(stage: &Stage, people: &People) -> Result<Option<(bool, bool)>> {
    let People { town, web, db, outside } = people;
    let (first, second) = (town.address_of(web)?, town.address_of(db)?);
    stage.scene(&text!("Forwarding, and three rules", "转发，以及三条规则"));
    stage.say(&text!(
        "MASQUERADE gives what leaves the subnet the host's address, so that the answer finds a way back. The other two \
         let connections pass that containers began, and no others; they matter where FORWARD's policy is DROP.",
        "MASQUERADE 把离开子网的包的源地址换成宿主机的地址，这样回包才找得到路。另外两条放行由容器发起的连接，\
         仅此而已；当 FORWARD 链的默认策略是 DROP 时，它们就不可缺少。"
    ));
    stage.command("sudo sysctl net.ipv4.ip_forward=1");
    town.forward(true)?;
    if !with_rules(stage, town.rules())? {
        return Ok(None);
    }
    rules(stage)?;
    stage.scene(&text!("Who reaches whom", "谁能连到谁"));
    stage.say(&text!(
        "Rows connect to columns. ✓ stands with the address from which the other side accepted.",
        "行为发起方，列为目标。✓ 后面是对方接受连接时看到的来源地址。"
    ));
    let all = matrix(stage, PORT, &[(web, first), (db, second), (&town.host, HOST), (outside, OUTSIDE)])?;
    let at = |from: usize, to: usize| all[from][to].as_ref();
    let as_host = |from| at(from, 3).and_then(|meeting| meeting.seen()) == Some(HOST);
    let nowhere = |to| at(3, to).and_then(|meeting| meeting.verdict.as_deref()) == Some("ENETUNREACH");
    Ok(Some((as_host(0) && as_host(1), nowhere(0) && nowhere(1))))
}
