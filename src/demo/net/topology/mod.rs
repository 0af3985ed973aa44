//! topology: a drawing of what is there, read from the kernel: on any host, docker's bridges too.
//!
//! [`mod@survey`] asks, [`parse`] reads the answers, [`map`] is what was found, [`mod@text`], [`mermaid`] and [`picture`] draw it.

pub mod map;
mod mermaid;
mod parse;
mod picture;
pub mod survey;
mod text;

use super::town::Town;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{self, Ending, Stage, text};
use map::Map;
use std::path::PathBuf;
pub use survey::links_here;
use survey::{Survey, survey};

/// How it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// As lines for a terminal.
    Text,
    /// As an SVG picture, into this file.
    Svg(PathBuf),
    /// As a Mermaid flow chart.
    Mermaid,
}

/// `net-demo topology --town`, and a stop of the tour.
pub const WALK: Walk = Walk { name: "topology", title: TITLE, place: Place::ThrowAway, show: show_town };

const TITLE: Text = Text { en: "What is connected with what", zh: "谁与谁相连" };

/// `net-demo topology [--svg FILE | --mermaid]`, in the person's own namespaces. The exit status is 1 when two sources
/// of the kernel's differ.
pub fn show(stage: &Stage, form: &Form) -> Result<u8> {
    let found = survey()?;
    if let Form::Mermaid = form {
        mermaid::chart(&found.map).lines().for_each(|line| stage.plain(line));
        return Ok(0);
    }
    if let Form::Svg(file) = form {
        picture::picture(&found.map).save(file)?;
    }
    stage.title("topology", TITLE.get(narrate::lang()));
    tell(stage, &found);
    if let Form::Svg(file) = form {
        stage.blank();
        stage.fact("SVG", &file.display().to_string());
    }
    stage.end(&ending(&found));
    Ok(u8::from(!stage.all_held()))
}

/// A town with two containers, drawn.
fn show_town(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("A small town", "一座小镇"));
    stage.say(&text!(
        "A bridge with two containers, `web` and `db`, and somebody outside; each is a process in a network namespace of \
         its own.",
        "一个网桥，两个容器 web 和 db，以及外面的一台机器；每一个都是处于自己的 Network Namespace 中的进程。"
    ));
    let town = Town::found()?;
    town.build_bridge()?;
    let residents = [town.container("web")?, town.container("db")?, town.outside()?];
    let mut found = survey()?;
    // They run the same program, and so have its name; here they are known by their own.
    for (pid, name) in found.map.spaces.iter_mut().flat_map(|space| &mut space.processes) {
        let resident = residents.iter().find(|resident| resident.pid() == *pid);
        let own = (*pid == town.host.pid()).then_some(town.host.name);
        if let Some(known) = resident.map(|resident| resident.name).or(own) {
            *name = known.to_owned();
        }
    }
    tell(stage, &found);
    drop(residents);
    Ok(ending(&found))
}

/// The drawing, with what it is made from.
fn tell(stage: &Stage, found: &Survey) {
    stage.scene(&text!("As the kernel tells it", "内核所述"));
    stage.say(&text!(
        "Into each network namespace of a process that can be seen here goes a process, and asks for links, addresses and \
         routes. IFLA_LINK and IFLA_LINK_NETNSID of a veth say where its other end is.",
        "对这里看得到的每个进程，都派一个进程进入它的 Network Namespace，询问其中的网络接口、地址和路由。\
         veth 的 IFLA_LINK 和 IFLA_LINK_NETNSID 说明它的另一端在哪里。"
    ));
    stage.command("ip -d addr; ip route; lsns -t net; ip netns list-id");
    stage.blank();
    text::draw(stage, &found.map);
    match found.map.closed {
        0 => {}
        count => {
            stage.blank();
            stage.lacks(&text!(
                "processes whose network namespace was not looked into: {count}. That takes CAP_SYS_PTRACE and \
                 CAP_SYS_ADMIN over other people's processes, as root has them.",
                "有 {count} 个进程的 Network Namespace 没有查看：那需要对别人的进程拥有 CAP_SYS_PTRACE 和 CAP_SYS_ADMIN，\
                 root 才有。"
            ));
        }
    }
}

fn ending(found: &Survey) -> Ending {
    let Survey { map, confirmed } = found;
    let (spaces, links) = (map.spaces.len(), map.spaces.iter().map(|space| space.links.len()).sum::<usize>());
    let ending = Ending::default().saw(*confirmed, text!(
        "Links: {links}, in network namespaces: {spaces}. /proc/PID/net/dev, another source, names the same links.",
        "共 {links} 个网络接口，分布在 {spaces} 个 Network Namespace 里。另一个来源 /proc/PID/net/dev 列出的网络接口相同。"
    ));
    let ending = match map.cables().len() {
        0 => ending,
        cables => ending.saw(
            both_ends_agree(map),
            text!(
                "Veth pairs: {cables}. Each of the two ends names the other.",
                "共 {cables} 对 veth。每一对的两端都指向对方。"
            ),
        ),
    };
    ending.next("net-demo topology --svg network.svg").next("net-demo topology --mermaid")
}

/// Whether from the other end of each cable the cable leads back.
fn both_ends_agree(map: &Map) -> bool {
    map.cables().into_iter().all(|(one, other)| map.other_end(other) == Some(one))
}
