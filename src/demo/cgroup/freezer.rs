//! freezer: processes stopped where they are, and let go on. cgroups(7).

use super::house::{House, Room};
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe;
use crate::process::Ended;
use crate::sys::signal::SIGKILL;
use crate::sys::{file, notice, orphan, pipe, process};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// `cgroup-demo freezer`.
pub const WALK: Walk = Walk {
    name: "freezer",
    title: Text { en: "Processes stopped, and let go on", zh: "让进程停下，再让它继续" },
    place: Place::Attended,
    show,
};

/// How long a sign of life, or the end of a process that was killed, is waited for where none is to come, and where one
/// is, in milliseconds.
const PATIENCE: u16 = 200;
const LONG: u16 = 5000;

fn show(stage: &Stage) -> Result<Ending> {
    let house = House::make_in_both(&["freezer"])?;
    let ending = version_1(stage, &house, Ending::default())?;
    let ending = version_2(stage, &house, ending)?;
    house.remove()?;
    Ok(ending.next("cgroup-demo kill").next("cgroup-demo freezer --explain"))
}

/// A helper that gives a sign of life, a byte, again and again; and where the signs arrive.
struct Ticker {
    helper: Actor<(), ()>,
    signs: OwnedFd,
}

/// What was seen of it at one time.
struct Look {
    state: char,
    alive: bool,
}

impl Ticker {
    fn start(house: &House, room: &Room) -> Result<Self> {
        let (signs, mouth) = pipe::pipe()?;
        let helper = house.helper(room, |()| {
            loop {
                pipe::write_all(mouth.as_fd(), b".")?;
            }
        })?;
        helper.tell(());
        Ok(Self { helper, signs })
    }

    /// Take the signs that it has given; then see whether another one comes within so many milliseconds.
    fn look(&self, patience: u16) -> Result<Look> {
        // Once a pipe that was full is empty, one that is not frozen goes on writing.
        notice::take_within(self.signs.as_fd(), 0)?;
        let alive = !notice::take_within(self.signs.as_fd(), patience)?.is_empty();
        let state = observe::stat(self.helper.pid()).map_or('?', |stat| stat.state);
        Ok(Look { state, alive })
    }

    /// Kill it; whether it ended within so many milliseconds.
    fn dies(&self, patience: u16) -> Result<bool> {
        process::send_signal(self.helper.process(), SIGKILL)?;
        orphan::ended_within(self.helper.process(), patience)
    }
}

fn tell(stage: &Stage, running: &Look, frozen: &Look) {
    let say = |look: &Look| match look.alive {
        true => text!("signs of life", "有动静"),
        false => text!("none in {PATIENCE} ms", "{PATIENCE} 毫秒内没有动静"),
    };
    stage.change(&text!("the helper", "助手进程"), Some(&say(running)), Some(&say(frozen)));
    let name = text!("its state, /proc/PID/stat", "状态，/proc/PID/stat");
    stage.change(&name, Some(&running.state.to_string()), Some(&frozen.state.to_string()));
}

/// v1: `freezer.state`.
fn version_1(stage: &Stage, house: &House, ending: Ending) -> Result<Ending> {
    stage.scene(&text!("Version 1: freezer.state", "v1：freezer.state"));
    let room = house.room("v1")?;
    let Some(place) = room.v1("freezer") else {
        stage.lacks(&text!(
            "No v1 hierarchy with the controller `freezer` is mounted here, so there is no freezer.state; it needs \
             systemd.unified_cgroup_hierarchy=0.",
            "这里没有挂载带 `freezer` 的 v1 层级，也就没有 freezer.state；需要启动参数 \
             systemd.unified_cgroup_hierarchy=0。"
        ));
        return Ok(ending);
    };
    let state = place.directory.join("freezer.state");
    let ticker = Ticker::start(house, &room)?;
    let running = ticker.look(LONG)?;
    stage.command("echo FROZEN > v1/freezer.state");
    file::write(&state, "FROZEN")?;
    let reached = wait_frozen(&state)?;
    let frozen = ticker.look(PATIENCE)?;
    stage.change("freezer.state", Some("THAWED"), Some(&reached));
    tell(stage, &running, &frozen);

    stage.command("kill -9 $HELPER; echo THAWED > v1/freezer.state");
    let died_frozen = ticker.dies(PATIENCE)?;
    file::write(&state, "THAWED")?;
    let ended = ticker.helper.wait()?;
    let say = |died| if died { text!("ended", "已结束") } else { text!("still there", "还在") };
    let now = ended == Ended::Signaled(SIGKILL);
    stage.change(
        &text!("after SIGKILL: frozen, thawed", "SIGKILL 之后：冻结时，解冻后"),
        Some(&say(died_frozen)),
        Some(&say(now)),
    );
    Ok(ending.saw(running.alive && !frozen.alive && !died_frozen && now, text!(
        "v1: the frozen helper stood still, and did not even take SIGKILL; it died of it when it was thawed.",
        "v1：冻结的助手进程一动不动，连 SIGKILL 都不收；一解冻，立刻死于这个信号。"
    )))
}

/// Until it says FROZEN: between that and the write it says FREEZING, and no event tells of the change.
fn wait_frozen(state: &Path) -> Result<String> {
    const TRIES: u32 = 5000;
    for _ in 0..TRIES {
        let said = file::read_text(state)?.trim().to_owned();
        if said == "FROZEN" {
            return Ok(said);
        }
        process::pause_millisecond();
    }
    file::read_text(state)
}

/// v2: `cgroup.freeze` and `cgroup.events`.
fn version_2(stage: &Stage, house: &House, ending: Ending) -> Result<Ending> {
    stage.scene(&text!("Version 2: cgroup.freeze", "v2：cgroup.freeze"));
    let room = house.room("v2")?;
    let directory = match room.v2() {
        Some(place) if file::exists(&place.directory.join("cgroup.freeze"))? => place.directory.clone(),
        _ => {
            stage.lacks(&text!(
                "No cgroup v2 with cgroup.freeze (Linux 5.2) is mounted here.",
                "这里没有挂载带 cgroup.freeze（Linux 5.2）的 cgroup v2。"
            ));
            return Ok(ending);
        }
    };
    stage.say(&text!(
        "No controller is needed: every v2 group can do it, also one that was delegated to an ordinary user.",
        "不需要任何子系统：每个 v2 Cgroup 都能冻结，委派给普通用户的也行。"
    ));
    let ticker = Ticker::start(house, &room)?;
    let running = ticker.look(LONG)?;
    let events = directory.join("cgroup.events");
    let frozen_line = || -> Result<String> {
        let text = file::read_text(&events)?;
        Ok(text.lines().find(|line| line.starts_with("frozen")).unwrap_or_default().to_owned())
    };
    let before = frozen_line()?;
    stage.command("echo 1 > v2/cgroup.freeze");
    file::write(&directory.join("cgroup.freeze"), "1")?;
    notice::wait_for_line(&events, "frozen 1")?;
    stage.change("cgroup.events", Some(&before), Some(&frozen_line()?));
    let frozen = ticker.look(PATIENCE)?;
    tell(stage, &running, &frozen);
    stage.command("echo 0 > v2/cgroup.freeze");
    file::write(&directory.join("cgroup.freeze"), "0")?;
    notice::wait_for_line(&events, "frozen 0")?;
    let thawed = ticker.look(LONG)?;
    tell(stage, &frozen, &thawed);

    stage.command("echo 1 > v2/cgroup.freeze; kill -9 $HELPER");
    file::write(&directory.join("cgroup.freeze"), "1")?;
    notice::wait_for_line(&events, "frozen 1")?;
    let died = ticker.dies(LONG)?;
    let say = if died { text!("ended", "已结束") } else { text!("still there", "还在") };
    stage.fact(&text!("after SIGKILL, frozen", "SIGKILL 之后，仍冻结"), &say);
    ticker.helper.end()?;
    let stood = running.alive && !frozen.alive && thawed.alive;
    Ok(ending
        .saw(
            stood,
            text!(
                "v2: frozen, the helper stood still; thawed, it went on where it was.",
                "v2：冻结时助手进程一动不动；解冻后从原处继续。"
            ),
        )
        .saw(died, text!("v2: a frozen process can still be killed.", "v2：冻结的进程照样可以被杀死。")))
}
