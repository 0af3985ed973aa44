//! container: the network namespace of another container, entered by setns(2). So the containers of a pod share one.

use super::show::{answer, attempts, views};
use super::town::{Resident, Town};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use std::net::Ipv4Addr;

/// `net-demo container`.
pub const WALK: Walk = Walk {
    name: "container",
    title: Text { en: "Another container's network", zh: "重用其他容器的网络" },
    place: Place::ThrowAway,
    show,
};

const WEB: u16 = 80;
const SIDECAR: u16 = 9000;

fn show(stage: &Stage) -> Result<Ending> {
    let town = Town::found()?;
    town.build_bridge()?;
    let (web, db) = (town.container("web")?, town.container("db")?);
    let address = town.address_of(&web)?;
    let sidecar = Resident::start_beside("sidecar")?;

    stage.scene(&text!("Entered by setns", "用 setns 加入"));
    stage.say(&text!(
        "`web` and `db` stand on a bridge, each in a namespace of its own. `sidecar` is about to join that of `web`.",
        "web 和 db 接在网桥上，各有自己的 Namespace。sidecar 将要加入 web 的 Namespace。"
    ));
    stage.command("sudo nsenter -t PID -n ip addr");
    sidecar.join(&web)?;
    let seen = views(stage, &[&web, &sidecar, &db])?;
    let shared = seen[0] == seen[1] && seen[1].namespace != seen[2].namespace;

    stage.scene(&text!("They meet at 127.0.0.1", "在 127.0.0.1 上相遇"));
    let listen = [web.listen(WEB)?, sidecar.listen(WEB)?, sidecar.listen(SIDECAR)?];
    let by_loopback = [
        attempts(stage, WEB, &[(&sidecar, &web, Ipv4Addr::LOCALHOST)])?,
        attempts(stage, SIDECAR, &[(&web, &sidecar, Ipv4Addr::LOCALHOST), (&db, &sidecar, address)])?,
    ]
    .concat();
    stage.say(&text!(
        "`db` finds both at one address. So they share the ports as well: who listens first has it.",
        "db 在同一个地址上就能找到它们两个。所以端口也是共用的：谁先监听，就归谁。"
    ));
    let row = |who: &Resident, port: u16, at: usize| {
        vec![who.name.into(), format!("0.0.0.0:{port}").into(), answer(&listen[at])]
    };
    let rows = [row(&web, WEB, 0), row(&sidecar, WEB, 1), row(&sidecar, SIDECAR, 2)];
    stage.table(&["listen(2)", &text!("at", "地址"), &text!("answer", "结果")], &rows);
    let meet = by_loopback.iter().all(|meeting| meeting.took_place());
    let one_set = listen[0].is_none() && listen[1].as_deref() == Some("EADDRINUSE") && listen[2].is_none();

    stage.scene(&text!("The first one ends", "先来的那个结束了"));
    stage.command("sudo kill -9 PID");
    web.end()?;
    let after = views(stage, &[&sidecar])?;
    let still = attempts(stage, SIDECAR, &[(&db, &sidecar, address)])?;
    let outlives = after[0] == seen[1] && still[0].took_place();
    Ok(Ending::default()
        .saw(shared && one_set, text!(
            "Two containers in one network namespace have the same links and addresses, and one set of ports.",
            "同一个 Network Namespace 里的两个容器，网络接口和地址相同，端口也只有一套。"
        ))
        .saw(meet, text!(
            "They reach each other at 127.0.0.1, and others find both at one address. A pod of Kubernetes is this.",
            "它们用 127.0.0.1 互相访问，别人也在同一个地址上找到它们。Kubernetes 的 Pod 就是这样做的。"
        ))
        .saw(outlives, text!(
            "The namespace belongs to none of them: it lives, with its cable, while anybody is in it.",
            "Namespace 不属于其中任何一个：只要里面还有进程，它和它的网线就一直存在。"
        ))
        .next("net-demo bridge")
        .next("minidocker run --help"))
}
