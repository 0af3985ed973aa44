//! kill: every process of a group and of those inside it, also one that multiplies meanwhile. cgroups(7).

use super::bomb::{self, Bomb};
use super::house::{House, Room};
use crate::cgroup::stop;
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::process::Ended;
use crate::sys::file;
use crate::sys::notice;
use crate::sys::process;
use crate::sys::signal::SIGKILL;

/// `cgroup-demo kill`.
pub const WALK: Walk = Walk {
    name: "kill",
    title: Text { en: "All processes of a group ended", zh: "结束 Cgroup 里的所有进程" },
    place: Place::Attended,
    show,
};

/// Processes that a family may have at once, and how often it forks in all.
const LIMIT: usize = 12;
const FUSE: usize = 20_000;

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("A family that multiplies", "不停繁殖的一家"));
    stage.say(&text!(
        "`family` holds two groups. In `calm` a helper waits; in `busy` one forks, its children fork, and so on, at \
         most {LIMIT} in all (pids.max). Whenever one of them is killed, another takes its place.",
        "`family` 里有两个 Cgroup。`calm` 里的助手进程在等待；`busy` 里的则不停 fork，子进程也 fork，总共最多 \
         {LIMIT} 个（pids.max）。杀掉一个，马上又补上一个。"
    ));
    let house = House::make_in_both(&["pids", "freezer"])?;
    let ending = by_signals(stage, &house, Ending::default())?;
    let ending = by_one_write(stage, &house, ending)?;
    house.remove()?;
    bomb::reap()?;
    Ok(ending.next("cgroup-demo freezer").next("minidocker run --rm base sh -c 'sleep 9 & sleep 9 & exit 0'"))
}

/// Two groups in one, with processes.
struct Family {
    room: Room,
    busy: Room,
    helpers: [Actor<(), ()>; 2],
}

impl Family {
    fn found(house: &House, name: &'static str, bomb: &Bomb) -> Result<Self> {
        let room = house.room(name)?;
        let (calm, busy) = (room.room("calm")?, room.room("busy")?);
        let (directory, _) = busy.directory_of("pids")?;
        file::write(&directory.join("pids.max"), &LIMIT.to_string())?;
        let helpers =
            [house.helper(&calm, |()| Ok(()))?, house.helper(&busy, |()| -> Result<()> { bomb.smoulder() })?];
        helpers[1].tell(());
        Ok(Self { room, busy, helpers })
    }

    /// How many there are once there are `wanted`, or after five seconds. (No event tells of that. A child is counted
    /// before it is born, so that `pids.current` would say so too soon.)
    fn members_at_last(&self, wanted: usize) -> Result<usize> {
        const TRIES: u32 = 5000;
        for _ in 0..TRIES {
            if self.members()? == wanted {
                break;
            }
            process::pause_millisecond();
        }
        self.members()
    }

    /// How many processes there are, as one controller counts them: `calm`, and `busy`.
    fn members(&self) -> Result<usize> {
        let (directory, _) = self.room.directory_of("pids")?;
        let count = |name: &str| -> Result<usize> {
            Ok(file::read_text(&directory.join(name).join("cgroup.procs"))?.lines().count())
        };
        Ok(count("calm")? + count("busy")?)
    }

    /// Whether both helpers were killed.
    fn reap(self) -> Result<bool> {
        let [calm, busy] = self.helpers;
        let killed = |ended| ended == Ended::Signaled(SIGKILL);
        Ok(killed(calm.wait()?) && killed(busy.wait()?))
    }
}

/// Without cgroup.kill: what was done before Linux 5.14, and is done on v1.
fn by_signals(stage: &Stage, house: &House, ending: Ending) -> Result<Ending> {
    stage.scene(&text!("One signal for each", "给每个进程发一个信号"));
    let bomb = Bomb::new(FUSE)?;
    let family = Family::found(house, "family", &bomb)?;
    let before = family.members_at_last(LIMIT + 1)?;
    stage.say(&text!(
        "cgroup.procs is read, and each process in it is sent SIGKILL. Those born between the reading and the killing \
         are not on the list.",
        "读出 cgroup.procs，给里面的每个进程发 SIGKILL。读完之后、杀完之前出生的，不在名单上。"
    ));
    stage.command("kill -9 $(cat family/busy/cgroup.procs)");
    let (directory, _) = family.busy.directory_of("pids")?;
    stop::signal_each(&directory)?;
    stage.change(
        &text!("processes", "进程数"),
        Some(&before.to_string()),
        Some(&family.members()?.to_string()),
    );
    stage.say(&text!(
        "So freeze the group first: who is frozen cannot fork. Then one list is enough.",
        "所以先冻结：冻住的进程不能 fork，一份名单就够了。"
    ));
    stage.command(
        "echo 1 > family/cgroup.freeze; kill -9 $(cat family/*/cgroup.procs); echo 0 > family/cgroup.freeze",
    );
    stop::kill_frozen(&family.room.group)?;
    let after = family.members_at_last(0)?;
    stage.change(&text!("processes", "进程数"), Some(&before.to_string()), Some(&after.to_string()));
    let killed = family.reap()?;
    Ok(ending.saw(
        before == LIMIT + 1 && after == 0 && killed,
        text!(
            "Frozen first, then killed one by one, then thawed: none of the {before} was left.",
            "先冻结，再逐个杀，再解冻：{before} 个进程一个不剩。"
        ),
    ))
}

/// v2: `cgroup.kill`.
fn by_one_write(stage: &Stage, house: &House, ending: Ending) -> Result<Ending> {
    stage.scene(&text!("Version 2: one write", "v2：写一次就够"));
    let bomb = Bomb::new(FUSE)?;
    let family = Family::found(house, "second", &bomb)?;
    let directory = match family.room.v2() {
        Some(place) if file::exists(&place.directory.join("cgroup.kill"))? => place.directory.clone(),
        _ => {
            stage.lacks(&text!(
                "No cgroup v2 with cgroup.kill (Linux 5.14) is mounted here.",
                "这里没有挂载带 cgroup.kill（Linux 5.14）的 cgroup v2。"
            ));
            return Ok(ending);
        }
    };
    let before = family.members_at_last(LIMIT + 1)?;
    let events = directory.join("cgroup.events");
    stage.command("echo 1 > second/cgroup.kill");
    file::write(&directory.join("cgroup.kill"), "1")?;
    notice::wait_for_line(&events, "populated 0")?;
    let after = family.members_at_last(0)?;
    stage.change(&text!("processes", "进程数"), Some(&before.to_string()), Some(&after.to_string()));
    stage.fact("cgroup.events", file::read_text(&events)?.lines().next().unwrap_or_default());
    let killed = family.reap()?;
    Ok(ending.saw(before == LIMIT + 1 && after == 0 && killed, text!(
        "cgroup.kill: one write, and all {before} processes of both groups inside were gone, the forking ones too.",
        "cgroup.kill：写一次，里面两个 Cgroup 的 {before} 个进程全部消失，正在 fork 的也不例外。"
    )))
}
