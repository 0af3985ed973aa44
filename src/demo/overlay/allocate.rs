//! allocate: space is taken when it is written to, not when a file gets its size. inode(7), st_blocks.

use super::ground::Ground;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::sys::{file, inode};

/// `overlay-demo allocate`.
pub const WALK: Walk = Walk {
    name: "allocate",
    title: Text { en: "Space on demand", zh: "用时分配" },
    place: Place::ThrowAway,
    show,
};

const MIB: u64 = 1 << 20;
/// The size of the sparse file.
const SIZE: u64 = 64 * MIB;
/// Where in it something is written.
const MIDDLE: u64 = SIZE / 2;

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("A new container takes nothing", "新容器不占空间"));
    let ground = Ground::make(stage, &["lower"])?;
    ground.echo(stage, "from lower", "lower/file")?;
    ground.mount(stage)?;
    let before = inode::used_bytes(&ground.path(""))?;
    let names = file::list(&ground.layers.upper)?.len();
    stage.command("ls -A upper | wc -l");
    stage.quote(&names.to_string());

    stage.scene(&text!("A size is a promise", "大小只是一个承诺"));
    let steps = steps(stage, &ground, before)?;
    let heads =
        [String::new(), "st_size".into(), "st_blocks".into(), text!("taken (statfs)", "占用（statfs）")];
    let rows: Vec<Vec<Entry>> = steps.iter().map(|step| step.row()).collect();
    stage.table(&heads.each_ref().map(String::as_str), &rows);
    stage.say(&text!(
        "A hole is read as zeros, from nowhere. A file written full of zeros reads the same, and takes all its blocks.",
        "空洞（hole）读出来是零，但背后没有任何块。真正写满零的文件读起来一样，却要占满所有的块。"
    ));
    let [sized, written, read, full] = &steps;
    let promised = names == 0 && sized.size == SIZE && sized.blocks == 0;
    let page = written.blocks > 0 && written.blocks * 512 < MIB && written.size == SIZE;
    Ok(Ending::default()
        .saw(promised, text!(
            "The upper layer was empty until something was written, and a file of 64 MiB took not one block.",
            "写入之前 upper 层是空的；一个 64 MiB 的文件一个块也没占。"
        ))
        .saw(page && read.blocks == written.blocks, text!(
            "One byte in the middle took one page, and reading the hole took none.",
            "在中间写一个字节占了一页，读空洞则不占。"
        ))
        .saw(full.blocks * 512 >= MIB, text!(
            "What is allocated in advance, by writing it, is taken whether it is used or not.",
            "提前写满来分配的空间，无论用不用都已被占用。"
        ))
        .next("overlay-demo share")
        .next("overlay-demo allocate --explain"))
}

/// A file after a command, and how much is taken since the mount.
struct Step {
    command: &'static str,
    size: u64,
    blocks: u64,
    taken: u64,
}

impl Step {
    fn row(&self) -> Vec<Entry> {
        let cells = [self.size.to_string(), self.blocks.to_string(), format!("{} KiB", self.taken / 1024)];
        std::iter::once(self.command.into()).chain(cells.map(|cell| Entry::of(Ink::Fact, cell))).collect()
    }
}

/// Give a file its size, write into it, read it; and fill another.
fn steps(stage: &Stage, ground: &Ground, before: u64) -> Result<[Step; 4]> {
    let (sparse, full) = (ground.path("merged/sparse"), ground.path("merged/full"));
    let look = |command: &'static str, name: &str| {
        let inode = inode::inode(&ground.path("upper").join(name))?;
        let taken = inode::used_bytes(&ground.path(""))?.saturating_sub(before);
        Ok(Step { command, size: inode.status.size, blocks: inode.blocks, taken })
    };
    stage.command("truncate -s 64M merged/sparse");
    inode::create(&sparse, b"", 0o644)?;
    inode::truncate(&sparse, SIZE)?;
    let sized = look("truncate", "sparse")?;
    stage.command(&format!("printf x | dd of=merged/sparse bs=1 seek={MIDDLE} conv=notrunc"));
    inode::write_at(&sparse, b"x", MIDDLE)?;
    let written = look("dd", "sparse")?;
    stage.command("head -c 1M merged/sparse | wc -c");
    let zeros = file::read(&sparse, MIB)?;
    let read = look("head", "sparse")?;
    stage.command("head -c 1M /dev/zero > merged/full");
    inode::create(&full, &zeros, 0o644)?;
    Ok([sized, written, read, look("/dev/zero", "full")?])
}
