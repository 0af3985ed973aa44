//! share: two containers of one image; the image is there once, on disk and in memory.

use super::ground::Ground;
use crate::demo::actor::Actor;
use crate::demo::host::SCRATCH;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::overlay::{self, Layers};
use crate::sys::flags::CLONE_NEWNS;
use crate::sys::{file, inode};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// `overlay-demo share`.
pub const WALK: Walk = Walk {
    name: "share",
    title: Text { en: "Two containers, one image", zh: "两个容器，一个镜像" },
    place: Place::ThrowAway,
    show,
};

/// The size of the image's big file.
const SIZE: u64 = 4 << 20;

/// What a container is asked.
#[derive(Serialize, Deserialize)]
enum Question {
    /// Mount your overlay.
    Mount,
    /// Read everything, and tell what you see.
    Look,
    /// Change both files.
    Change,
}

/// What a container sees of its files.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// Device, inode, bytes and blocks of `big`.
    big: (u64, u64, u64, u64),
    /// The text of `hello`.
    hello: String,
}

/// What is at `directory`; all of it is read.
fn look(directory: &Path) -> Result<Seen> {
    let big = directory.join("big");
    file::read(&big, 2 * SIZE)?;
    let inode = inode::inode(&big)?;
    let (device, number) = inode.status.identity;
    let hello = file::read_text(&directory.join("hello"))?.trim_end().to_owned();
    Ok(Seen { big: (device, number, inode.status.size, inode.blocks), hello })
}

/// A container, as far as its files go: a process with its own mounts, its own upper layer, and the common image.
fn container(name: &'static str, layers: Layers) -> Result<Actor<Question, Option<Seen>>> {
    Actor::start(name, CLONE_NEWNS, move |question| match question {
        Question::Mount => overlay::mount(&layers).map(|()| None),
        Question::Look => look(&layers.merged).map(Some),
        Question::Change => {
            file::write(&layers.merged.join("hello"), "changed by one\n")?;
            inode::append(&layers.merged.join("big"), b"1").map(|()| None)
        }
    })
}

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("An image, and two containers of it", "一个镜像和它的两个容器"));
    let grounds = ["one", "two"].map(|name| {
        let mut ground = Ground::make_in(stage, name, &[])?;
        ground.layers.lower = vec![image()];
        Ok(ground)
    });
    let [one, two] = grounds;
    let (one, two) = (one?, two?);
    fill(stage)?;
    let before = used()?;
    let first = container("one", one.layers.clone())?;
    let second = container("two", two.layers.clone())?;
    for (actor, ground) in [(&first, &one), (&second, &two)] {
        stage.command(&format!(
            "sudo unshare --mount sh -c '{}; …'",
            ground.mount_command().replace("sudo ", "")
        ));
        actor.ask(Question::Mount)?;
    }
    let seen = [look(&image())?, ask(&first)?, ask(&second)?];
    let shared = used()?.saturating_sub(before);
    table(stage, &seen, shared);
    stage.say(&text!(
        "Both have read the whole of big. They are different devices, for each overlay is a file system of its own; but \
         it is the same inode, and the page cache belongs to the inode: in memory too, big is there once.",
        "两个容器都读完了整个 big。它们的设备号不同，因为每个 overlay 都是独立的文件系统；但 inode 是同一个，而页缓存属于 \
         inode：在内存里 big 也只有一份。"
    ));
    let counted = one_file(&seen) && shared < SIZE;

    stage.scene(&text!("One of them writes", "其中一个写入"));
    stage.command("echo changed by one > one/merged/hello");
    stage.command("printf 1 >> one/merged/big");
    first.ask(Question::Change)?;
    let after = [look(&image())?, ask(&first)?, ask(&second)?];
    let taken = used()?.saturating_sub(before);
    table(stage, &after, taken);
    let apart = after[0] == seen[0] && after[2] == seen[2] && after[1] != seen[1];
    first.end()?;
    second.end()?;
    Ok(Ending::default()
        .saw(counted, text!(
            "Two containers that have read all of the image took no second copy of it: du would count it twice, the file \
             system counts it once.",
            "两个容器都读完了镜像，却没有多占一份空间：du 分别统计会算两遍，文件系统只算一遍。"
        ))
        .saw(apart, text!(
            "What one wrote, only one sees: the image and the other container are as before.",
            "一个容器写入的内容只有它自己看得到：镜像和另一个容器都没有变化。"
        ))
        .saw((SIZE..2 * SIZE).contains(&taken), text!(
            "It cost one copy of the file that was written to, in the writer's upper layer.",
            "代价是写入者的 upper 层里多了一份被写的文件。"
        ))
        .next("overlay-demo copy-up")
        .next("minidocker run --rm base stat /bin/sh"))
}

fn image() -> PathBuf {
    Path::new(SCRATCH).join("image")
}

/// The image: a big file, and a small one.
fn fill(stage: &Stage) -> Result<()> {
    stage.command(&format!("mkdir image; head -c {SIZE} /dev/zero | tr '\\0' x > image/big"));
    file::mkdir(&image(), 0o755)?;
    inode::create(&image().join("big"), &vec![b'x'; SIZE as usize], 0o644)?;
    stage.command("echo from the image > image/hello");
    file::write_new(&image().join("hello"), "from the image\n", 0o644)
}

fn ask(actor: &Actor<Question, Option<Seen>>) -> Result<Seen> {
    Ok(actor.ask(Question::Look)?.unwrap_or(Seen { big: (0, 0, 0, 0), hello: String::new() }))
}

/// How many bytes of the file system are taken.
fn used() -> Result<u64> {
    inode::used_bytes(Path::new(SCRATCH))
}

/// Whether the image and both containers show the same inode, on three devices.
fn one_file(seen: &[Seen; 3]) -> bool {
    let devices = [seen[0].big.0, seen[1].big.0, seen[2].big.0];
    let differ = devices[0] != devices[1] && devices[1] != devices[2] && devices[0] != devices[2];
    differ && seen.iter().all(|one| one.big.1 == seen[0].big.1 && one.big.3 == seen[0].big.3)
}

/// The three places, and what all of them take together.
fn table(stage: &Stage, seen: &[Seen; 3], taken: u64) {
    let row = |(place, seen): (&str, &Seen)| {
        let (device, number, size, blocks) = seen.big;
        let cells = [format!("{device:#x}"), number.to_string(), size.to_string(), blocks.to_string()];
        let cells = cells.into_iter().chain([seen.hello.clone()]).map(|cell| Entry::of(Ink::Fact, cell));
        std::iter::once(place.into()).chain(cells).collect()
    };
    let rows: Vec<Vec<Entry>> =
        ["image", "one/merged", "two/merged"].into_iter().zip(seen).map(row).collect();
    stage.table(&["big", "st_dev", "st_ino", "st_size", "st_blocks", "hello"], &rows);
    stage.blank();
    let (more, sum) = (taken / 1024, (seen[1].big.3 + seen[2].big.3) / 2);
    let line =
        |name: String, kibibytes: u64| vec![name.into(), Entry::of(Ink::Fact, format!("{kibibytes} KiB"))];
    stage.table(
        &["", ""],
        &[
            line(text!("du of both containers", "两个容器 du 之和"), sum),
            line(text!("taken beside the image (statfs)", "镜像之外实际占用（statfs）"), more),
        ],
    );
}
