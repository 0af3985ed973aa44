//! devices: which device nodes a group may open; a list on v1, a program on v2. cgroups(7).

use super::assembly;
use super::house::House;
use crate::cgroup::devices;
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe::{self, Subject};
use crate::security::capabilities;
use crate::sys::file;
use crate::sys::flags::O_RDWR;
use std::path::{Path, PathBuf};

/// `cgroup-demo devices`.
pub const WALK: Walk = Walk {
    name: "devices",
    title: Text { en: "Which devices may be opened", zh: "哪些设备可以打开" },
    place: Place::Attended,
    show,
};

/// The nodes that are opened: everybody may write to all of them, and all do nothing.
const NODES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];
/// null and zero.
const ALLOWED: [devices::Device; 2] = [(1, Some(3)), (1, Some(5))];

/// Answers to opening each of [`NODES`]: nothing, or the symbol of the error.
type Answers = Vec<Option<String>>;

fn try_all(_: ()) -> Result<Answers> {
    let open = |node: &&str| file::open_file(Path::new(node), O_RDWR, 0);
    let symbol = |error: crate::error::Error| error.refusal.map_or_else(String::new, |refusal| refusal.name);
    Ok(NODES.iter().map(|node| open(node).err().map(symbol)).collect())
}

fn show(stage: &Stage) -> Result<Ending> {
    let ending = Ending::default()
        .next("minidocker run --rm base sh -c 'mknod /k c 1 11; cat /k'")
        .next("cgroup-demo devices --explain");
    stage.scene(&text!("Three harmless nodes", "三个无害的设备节点"));
    for node in NODES {
        let kind = observe::read(&Subject::Path(PathBuf::from(node)));
        stage.fact(node, &kind.unwrap_or_default());
    }
    if !capabilities::is_privileged() {
        stage.lacks(&text!(
            "To forbid devices needs CAP_SYS_ADMIN on v1 and CAP_BPF on v2: run it as root.",
            "限制设备在 v1 上需要 CAP_SYS_ADMIN，在 v2 上需要 CAP_BPF：请以 root 运行。"
        ));
        return Ok(ending);
    }
    let house = House::make_in_both(&["devices"])?;
    let ending = by_list(stage, &house, ending)?;
    let ending = by_program(stage, &house, ending)?;
    house.remove()?;
    Ok(ending)
}

/// v1: `devices.deny`, `devices.allow`, `devices.list`.
fn by_list(stage: &Stage, house: &House, ending: Ending) -> Result<Ending> {
    stage.scene(&text!("Version 1: a list", "v1：一张列表"));
    let room = house.room("list")?;
    let Some(place) = room.v1("devices") else {
        stage.lacks(&text!(
            "No v1 hierarchy with the controller `devices` is mounted here, so there are no devices.list, devices.deny \
             and devices.allow; it needs systemd.unified_cgroup_hierarchy=0.",
            "这里没有挂载带 `devices` 的 v1 层级，也就没有 devices.list、devices.deny、devices.allow；需要启动参数 \
             systemd.unified_cgroup_hierarchy=0。"
        ));
        return Ok(ending);
    };
    let list = || observe::read(&Subject::Contents(place.directory.join("devices.list")));
    let helper: Actor<(), Answers> = house.helper(&room, try_all)?;
    let (before, list_before) = (helper.ask(())?, list());
    stage
        .command("echo a > devices.deny; echo 'c 1:3 rwm' > devices.allow; echo 'c 1:5 rwm' > devices.allow");
    devices::allow_only(place, &ALLOWED)?;
    stage.change("devices.list", list_before.as_deref(), list().as_deref());
    let after = helper.ask(())?;
    sides(stage, &before, &after);
    stage.command("echo 'c 1:7 rwm' > devices.allow");
    file::write(&place.directory.join("devices.allow"), "c 1:7 rwm")?;
    let again = helper.ask(())?;
    sides(stage, &after, &again);
    helper.end()?;
    Ok(ending.saw(bitten(&before, &after) && again == before, text!(
        "v1: what is not on the list fails with EPERM, whatever the mode of the file says; put on the list, it opens.",
        "v1：不在列表里的，不管文件权限怎么写，一律 EPERM；加进列表就能打开。"
    )))
}

/// v2: a BPF program at the group.
fn by_program(stage: &Stage, house: &House, ending: Ending) -> Result<Ending> {
    stage.scene(&text!("Version 2: a program", "v2：一段程序"));
    let room = house.room("program")?;
    let Some(place) = room.v2() else {
        stage.lacks(&text!(
            "cgroup v2 is not mounted here: mount -t cgroup2 none DIRECTORY.",
            "这里没有挂载 cgroup v2：mount -t cgroup2 none 目录。"
        ));
        return Ok(ending);
    };
    let helper: Actor<(), Answers> = house.helper(&room, try_all)?;
    let before = helper.ask(())?;
    stage.say(&text!(
        "v2 has no file for devices. The kernel runs a BPF program at every open and mknod, and its answer decides. \
         This one says yes to making nodes, to null and to zero:",
        "v2 没有管设备的文件。每次 open 和 mknod，内核都会运行一段 BPF 程序，由它的返回值决定。这一段放行建节点、\
         null 和 zero："
    ));
    stage.quote(&assembly::listing(&devices::program(&ALLOWED)));
    if let Err(error) = devices::allow_only(place, &ALLOWED) {
        helper.end()?;
        return Ok(lacks_program(stage, ending, &error));
    }
    let after = helper.ask(())?;
    sides(stage, &before, &after);
    helper.end()?;
    Ok(ending.saw(bitten(&before, &after), text!(
        "v2: the program at the group said no to full, and open(2) failed with EPERM; null and zero opened.",
        "v2：挂在 Cgroup 上的程序拒绝了 full，open(2) 返回 EPERM；null 和 zero 照常打开。"
    )))
}

fn lacks_program(stage: &Stage, ending: Ending, error: &crate::error::Error) -> Ending {
    let said = error.refusal.as_ref().map(|refusal| format!("{}: {}", refusal.name, refusal.message));
    let said = said.unwrap_or_default();
    stage.lacks(&text!(
        "The kernel did not take the program ({said}): it needs CAP_BPF and CONFIG_CGROUP_BPF.",
        "内核没有接受这段程序（{said}）：需要 CAP_BPF 和 CONFIG_CGROUP_BPF。"
    ));
    ending
}

/// All opened before; only the last does not now.
fn bitten(before: &Answers, after: &Answers) -> bool {
    let eperm = Some("EPERM".to_owned());
    before.iter().all(Option::is_none) && *after == [None, None, eperm]
}

fn sides(stage: &Stage, before: &Answers, after: &Answers) {
    let say = |answer: &Option<String>| answer.clone().unwrap_or_else(|| text!("opened", "打开"));
    let row = |(node, (before, after)): (&&str, (&Option<String>, &Option<String>))| {
        vec![(*node).into(), say(before).into(), say(after).into()]
    };
    let rows: Vec<_> = NODES.iter().zip(before.iter().zip(after)).map(row).collect();
    stage.table(&["open(2)", &text!("before", "之前"), &text!("now", "现在")], &rows);
}
