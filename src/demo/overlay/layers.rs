//! layers: several lower layers, and which of them a name comes from.

use super::ground::{Ground, mknod_whiteout};
use super::picture::{draw, legend};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::sys::flags::{MS_NODEV, MS_NOSUID};
use crate::sys::{file, mount};

/// `overlay-demo layers`.
pub const WALK: Walk = Walk {
    name: "layers",
    title: Text { en: "Many layers, one order", zh: "多个层：顺序决定一切" },
    place: Place::ThrowAway,
    show,
};

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("Three layers of an image", "镜像的三个层"));
    legend(stage);
    stage.blank();
    let mut ground = Ground::make(stage, &["a", "b", "c"])?;
    for layer in ["a", "b", "c"] {
        ground.echo(stage, &format!("from {layer}"), &format!("{layer}/who"))?;
        ground.echo(stage, &format!("from {layer}"), &format!("{layer}/in_{layer}"))?;
    }
    stage.command("sudo mknod b/in_c c 0 0");
    let whiteout = mknod_whiteout(stage, &ground.path("b/in_c"))?;

    stage.scene(&text!("lowerdir=a:b:c", "lowerdir=a:b:c"));
    stage.say(&text!(
        "The first is the topmost. In the picture it stands at the right, next to upper.",
        "写在最前面的是最上层。图中它在最右边，紧挨 upper。"
    ));
    ground.mount(stage)?;
    let right = draw(stage, &ground.layers)?;
    let first = who(stage, &ground)?;
    let hidden = !file::exists(&ground.path("merged/in_c"))?;
    ground.unmount(stage)?;

    stage.scene(&text!("lowerdir=c:b:a, the wrong way round", "lowerdir=c:b:a，顺序反了"));
    ground.layers.lower.reverse();
    ground.mount(stage)?;
    let wrong = draw(stage, &ground.layers)?;
    let last = who(stage, &ground)?;
    let back = file::exists(&ground.path("merged/in_c"))?;
    stage.say(&text!(
        "The kernel cannot know better: it mounts, and the oldest layer wins. A manifest of an image lists its layers from \
         the lowest up; for lowerdir they have to be turned round.",
        "内核无从判断：照样挂载，结果最老的层胜出。镜像清单（manifest）从最底层往上列出各层，写进 lowerdir 时必须倒过来。"
    ));
    ground.unmount(stage)?;
    let united = disks(stage, &mut ground)?;
    let mut ending = Ending::default().saw(right && wrong && first == "from a\n" && last == "from c\n", text!(
        "The first directory of lowerdir that has a name wins; the same layers in another order are another tree.",
        "lowerdir 里第一个含有该名字的目录胜出；同样的层换个顺序，就是另一棵树。"
    ));
    if whiteout {
        ending = ending.saw(hidden && back, text!(
            "A whiteout in a layer hides what is below it, and nothing above: in_c was gone in the first order, and is \
             back in the second.",
            "层里的 whiteout 只遮住它下面的层：第一种顺序里 in_c 不见了，第二种顺序里它又回来了。"
        ));
    }
    ending = ending.saw(
        united,
        text!(
            "Layers may lie on different file systems: that is how several disks are seen as one directory.",
            "各层可以位于不同的文件系统上：多个 disk 就这样合并成一个目录。"
        ),
    );
    Ok(ending.next("overlay-demo readonly").next("overlay-demo share"))
}

/// Unite two file systems. Whether both are seen in one directory.
fn disks(stage: &Stage, ground: &mut Ground) -> Result<bool> {
    stage.scene(&text!("Two disks in one directory", "把两个 disk 合并到一个目录"));
    let disk = ground.path("disk");
    stage.command("mkdir disk; sudo mount -t tmpfs tmpfs disk");
    file::mkdir(&disk, 0o755)?;
    mount::mount("tmpfs", &disk, "tmpfs", MS_NOSUID | MS_NODEV, Some("mode=755"))?;
    ground.echo(stage, "from disk", "disk/in_disk")?;
    ground.layers.lower = vec![disk.clone(), ground.path("a")];
    ground.mount(stage)?;
    let agrees = draw(stage, &ground.layers)?;
    let device = |path: &str| Ok(file::status(&ground.path(path))?.identity.0);
    let (one, other): (u64, u64) = (device("a/in_a")?, device("disk/in_disk")?);
    stage.blank();
    stage.command("stat -c '%n %#D' a/in_a disk/in_disk");
    let row = |name: &str, device: u64| vec![name.into(), Entry::of(Ink::Fact, format!("{device:#x}"))];
    stage.table(&["", "st_dev"], &[row("a/in_a", one), row("disk/in_disk", other)]);
    let seen = ["merged/in_a", "merged/in_disk"].map(|path| file::exists(&ground.path(path)));
    let seen = seen.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(agrees && one != other && seen == [true, true])
}

/// What the union says, as cat(1) shows it.
fn who(stage: &Stage, ground: &Ground) -> Result<String> {
    stage.blank();
    stage.command("cat merged/who");
    let who = file::read_text(&ground.path("merged/who"))?;
    stage.quote(&who);
    Ok(who)
}
