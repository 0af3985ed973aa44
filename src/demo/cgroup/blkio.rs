//! blkio, on v2 io: so many bytes a second to a block device. cgroups(7).

use super::house::House;
use crate::cgroup::Limits;
use crate::cgroup::hierarchy::Version;
use crate::cgroup::limits::Rate;
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::{Error, Result};
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::security::capabilities;
use crate::sys::loop_device::{BLOCK, LoopDevice, write_direct};
use crate::sys::{file, process};
use std::path::Path;

/// `cgroup-demo blkio`, and by its v2 name `cgroup-demo io`.
pub const WALK: Walk = Walk {
    name: "blkio",
    title: Text { en: "So many bytes a second to a disk", zh: "每秒只能往磁盘写这么多" },
    place: Place::Attended,
    show,
};

/// Bytes of the disk.
const DISK: u64 = 4 << 20;
/// Bytes a second.
const RATE: u64 = 2 << 20;
/// Writes of one measurement.
const BLOCKS: u32 = 32;
const BYTES: u64 = BLOCKS as u64 * BLOCK as u64;

fn show(stage: &Stage) -> Result<Ending> {
    let ending = Ending::default()
        .next("minidocker run --rm --device-write-bps $(findmnt -no SOURCE /):1mb base true")
        .next("cgroup-demo stat /sys/fs/cgroup");
    stage.scene(&text!("A disk of its own", "一块自己的磁盘"));
    stage.say(&text!(
        "A loop device makes a block device of a file. This file is in memory and has no name; when the demo ends, \
         file and device are gone.",
        "loop 设备把一个文件变成块设备。这个文件在内存里，没有名字；演示一结束，文件和设备就都没了。"
    ));
    stage.command("truncate -s 4M disk; sudo losetup --find --show disk");
    let disk = match (capabilities::is_privileged(), LoopDevice::new(DISK)) {
        (_, Ok(disk)) => disk,
        (false, Err(_)) => {
            stage.lacks(&text!(
                "To make a loop device is root's right: run it as root.",
                "建立 loop 设备需要 root：请以 root 运行。"
            ));
            return Ok(ending);
        }
        (true, Err(error)) => {
            lacks_device(stage, &error);
            return Ok(ending);
        }
    };
    let numbers = disk.numbers()?;
    stage.fact(&disk.path.display().to_string(), &numbers);
    measure(stage, &disk, &numbers, ending)
}

fn lacks_device(stage: &Stage, error: &Error) {
    let said = error.refusal.as_ref().map(|refusal| refusal.to_string()).unwrap_or_default();
    stage.lacks(&text!(
        "No loop device is to be had here: {said}. Try `modprobe loop`, outside any container.",
        "这里得不到 loop 设备：{said}。请在容器之外运行 `modprobe loop` 再试。"
    ));
}

fn measure(stage: &Stage, disk: &LoopDevice, numbers: &str, ending: Ending) -> Result<Ending> {
    let house = House::make(&["blkio"])?;
    let room = house.room("writer")?;
    let (directory, version) = room.directory_of("blkio")?;
    let path = disk.path.clone();
    let helper: Actor<u32, u64> = house.helper(&room, |blocks| {
        let start = process::monotonic();
        write_direct(&path, blocks)?;
        Ok(process::monotonic() - start)
    })?;

    stage.scene(&text!("2 MiB, as fast as it goes", "2 MiB，能多快就多快"));
    stage.say(&text!(
        "Written past the page cache (O_DIRECT): so each write waits for the disk, and it is the writer who is slowed.",
        "绕过页缓存写（O_DIRECT）：每次写都要等磁盘，被放慢的正是写的进程自己。"
    ));
    stage.command(&format!("dd if=/dev/zero of={} bs=64k count={BLOCKS} oflag=direct", disk.path.display()));
    let free = helper.ask(BLOCKS)?;
    stage.fact(&text!("took", "用时"), &in_milliseconds(free));

    stage.scene(&text!("2 MiB again, at 2 MiB a second", "再写 2 MiB，每秒 2 MiB"));
    let rate = Rate { device: numbers.to_owned(), write: true, bytes: RATE };
    let limits = Limits { rates: vec![rate], ..Limits::default() };
    for setting in limits.settings(version) {
        stage.command(&format!("echo '{}' > writer/{}", setting.value, setting.file));
        file::write(&directory.join(setting.file), &setting.value)?;
    }
    let before = written(&directory, version, numbers)?;
    let slow = helper.ask(BLOCKS)?;
    let counted = written(&directory, version, numbers)? - before;
    helper.end()?;
    stage.fact(&text!("took", "用时"), &in_milliseconds(slow));
    let (v1, v2) = ("blkio.throttle.io_service_bytes", "io.stat");
    let (here, other) = if version == Version::V1 { (v1, v2) } else { (v2, v1) };
    let elsewhere = if version == Version::V1 { "v2" } else { "v1" };
    stage.fact(
        &text!("counted by {here} ({elsewhere}: {other})", "{here} 的计数（{elsewhere}：{other}）"),
        &counted.to_string(),
    );
    house.remove()?;

    let per_second = BYTES * 1_000_000 / slow.max(1);
    let mebibytes = format!("{:.1}", per_second as f64 / f64::from(1 << 20));
    // What was saved up before the first write may go at once.
    Ok(ending
        .saw(
            per_second <= RATE * 5 / 4 && slow > 2 * free,
            text!(
                "With the limit of 2.0 MiB/s the same bytes went at {mebibytes} MiB/s.",
                "加上 2.0 MiB/s 的上限之后，同样多的字节以 {mebibytes} MiB/s 写入。"
            ),
        )
        .saw(
            counted == BYTES,
            text!(
                "The group's counter says just what was written: {BYTES} bytes.",
                "Cgroup 的计数正好等于写入的量：{BYTES} 字节。"
            ),
        ))
}

fn in_milliseconds(microseconds: u64) -> String {
    format!("{} ms", microseconds.div_ceil(1000))
}

/// Bytes that the group has written to the device.
fn written(directory: &Path, version: Version, numbers: &str) -> Result<u64> {
    let name = if version == Version::V1 { "blkio.throttle.io_service_bytes" } else { "io.stat" };
    Ok(written_in(&file::read_text(&directory.join(name))?, numbers))
}

/// `7:0 Write 4096` on v1, `7:0 rbytes=0 wbytes=4096 …` on v2; 0 when the device is not there yet.
fn written_in(text: &str, numbers: &str) -> u64 {
    let ours = text.lines().filter_map(|line| line.strip_prefix(numbers)?.strip_prefix(' '));
    let number = |words: &str| -> Option<u64> {
        let v1 = words.strip_prefix("Write ");
        let v2 = words.split(' ').find_map(|word| word.strip_prefix("wbytes="));
        v1.or(v2)?.trim().parse().ok()
    };
    ours.filter_map(number).next().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_count_what_was_written() {
        let v1 = "7:1 Write 8\n7:0 Read 4096\n7:0 Write 65536\n7:0 Total 69632\nTotal 69632\n";
        assert_eq!(written_in(v1, "7:0"), 65536);
        let v2 = "254:0 rbytes=1 wbytes=2 rios=3\n7:0 rbytes=0 wbytes=131072 rios=0 wios=2 dbytes=0 dios=0\n";
        assert_eq!(written_in(v2, "7:0"), 131_072);
        assert_eq!(written_in("", "7:0"), 0);
    }
}
