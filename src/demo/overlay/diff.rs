//! diff: the upper layer as a list of changes, as a layer of an image, and as an upper layer again.

use super::ground::Ground;
use super::picture::{draw, legend};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::overlay::diff::{What, changes};
use crate::overlay::tree::{self, Node};
use crate::overlay::{self, layer, ustar};
use crate::sys::remove::remove_all;
use crate::sys::{file, inode};
use std::path::Path;

/// `overlay-demo diff`.
pub const WALK: Walk = Walk {
    name: "diff",
    title: Text { en: "The upper layer is the difference", zh: "upper 层就是差异" },
    place: Place::ThrowAway,
    show,
};

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("A container changes its files", "容器修改文件"));
    legend(stage);
    stage.blank();
    let ground = Ground::make(stage, &["lower"])?;
    let marked = ground.keeps_marks(stage)?;
    fill(stage, &ground)?;
    ground.mount(stage)?;
    change(stage, &ground, marked)?;
    draw(stage, &ground.layers)?;
    let listed = list(stage, &ground, marked)?;
    let (stream, packed) = pack(stage, &ground)?;
    let same = unpack(stage, &ground, &stream)?;
    Ok(Ending::default()
        .saw(listed, text!(
            "What a container changed is read from its upper layer alone: added, changed, deleted.",
            "容器改了什么，只看 upper 层就知道：A 新增、C 修改、D 删除。"
        ))
        .saw(packed, text!(
            "In a layer of an image a whiteout is an empty file .wh.NAME, and an opaque directory has .wh..wh..opq in it; \
             overlayfs's own attributes stay at home.",
            "在镜像的层里，whiteout 写成空文件 .wh.名字，opaque 目录里放一个 .wh..wh..opq；OverlayFS 自己的扩展属性不带走。"
        ))
        .saw(same, text!(
            "Unpacked into another upper layer it is the same difference: types, modes, times, links, attributes; and the \
             same union.",
            "解包成另一个 upper 层后差异完全相同：类型、权限、时间、链接、扩展属性都一致，合并结果也一致。"
        ))
        .next("overlay-demo diff --explain")
        .next("overlay-demo whiteout")
        .next("overlay-demo opaque"))
}

/// The image.
fn fill(stage: &Stage, ground: &Ground) -> Result<()> {
    stage.command("mkdir lower/etc lower/dir");
    file::mkdir(&ground.path("lower/etc"), 0o755)?;
    file::mkdir(&ground.path("lower/dir"), 0o755)?;
    for name in ["etc/conf", "etc/old", "dir/a", "tool"] {
        ground.echo(stage, "from lower", &format!("lower/{name}"))?;
    }
    Ok(())
}

/// Changes of every kind. Without the notes of overlayfs no directory can be made again.
fn change(stage: &Stage, ground: &Ground, marked: bool) -> Result<()> {
    let path = |name: &str| ground.path("merged").join(name);
    stage.command("echo more >> merged/etc/conf; rm merged/etc/old; chmod 4755 merged/tool");
    inode::append(&path("etc/conf"), b"more\n")?;
    file::unlink(&path("etc/old"))?;
    file::chmod(&path("tool"), 0o4755)?;
    stage.command("rm -r merged/dir");
    remove_all(&path("dir"))?;
    if marked {
        stage.command("mkdir merged/dir; echo b > merged/dir/b; setfattr -n user.note -v hello merged/dir/b");
        file::mkdir(&path("dir"), 0o750)?;
        file::write_new(&path("dir/b"), "b\n", 0o640)?;
        inode::set_attribute(&path("dir/b"), "user.note", b"hello")?;
    }
    stage.command("mkdir merged/new; echo new > merged/new/file; ln merged/new/file merged/new/same");
    file::mkdir(&path("new"), 0o755)?;
    file::write_new(&path("new/file"), "new\n", 0o644)?;
    inode::link(&path("new/file"), &path("new/same"))?;
    stage.command("ln -s ../tool merged/new/link; mkfifo merged/new/pipe");
    file::symlink(Path::new("../tool"), &path("new/link"))?;
    inode::mkfifo(&path("new/pipe"), 0o600)
}

/// The list of changes. Whether it is what was done.
fn list(stage: &Stage, ground: &Ground, marked: bool) -> Result<bool> {
    stage.scene(&text!("As a list", "列成清单"));
    stage.command("docker diff CONTAINER");
    let changes = changes(&ground.layers)?;
    let row = |(path, what): &(_, What)| {
        let ink = match what {
            What::Added => Ink::Granted,
            What::Changed => Ink::Command,
            What::Deleted => Ink::Refused,
        };
        let path: &std::path::PathBuf = path;
        vec![Entry::of(ink, what.letter()), format!("/{}", path.display()).into()]
    };
    stage.table(&["", ""], &changes.iter().map(row).collect::<Vec<_>>());
    let line = |(path, what): &(std::path::PathBuf, What)| format!("{} {}", what.letter(), path.display());
    let lines: Vec<String> = changes.iter().map(line).collect();
    let dir: &[&str] = if marked { &["C dir", "D dir/a", "A dir/b"] } else { &["D dir"] };
    let rest = [
        "C etc",
        "C etc/conf",
        "D etc/old",
        "A new",
        "A new/file",
        "A new/link",
        "A new/pipe",
        "A new/same",
        "C tool",
    ];
    Ok(lines == [dir, &rest[..]].concat())
}

/// The upper layer as a stream of tar(1). Whether it holds what the upper layer does, in the form of a layer.
fn pack(stage: &Stage, ground: &Ground) -> Result<(Vec<u8>, bool)> {
    stage.scene(&text!("As a layer of an image", "打包成镜像的一层"));
    let nodes = layer::pack(tree::read(&ground.layers.upper)?, ground.marks())?;
    let path = ground.path("layer.tar");
    inode::create(&path, &ustar::write(&nodes)?, 0o644)?;
    let stream = file::read(&path, 1 << 30)?;
    let archived = ustar::read(&stream)?;
    stage.command("tar -tvf layer.tar");
    stage.table(&["", ""], &archived.iter().map(row).collect::<Vec<_>>());
    stage.fact("layer.tar", &format!("{} B", stream.len()));
    let own = archived.iter().flat_map(|node| node.attributes.keys()).any(|name| ground.marks().is_own(name));
    let has = |name: &str| archived.iter().any(|node| node.path == Path::new(name));
    let opaque = has("dir/.wh..wh..opq") || has(".wh.dir");
    Ok((stream, archived == nodes && !own && has("etc/.wh.old") && opaque))
}

/// A line of `tar -tv`, with the attributes.
fn row(node: &Node) -> Vec<Entry> {
    let (letter, end) = match &node.what {
        tree::What::Directory => ('d', "/".to_owned()),
        tree::What::File(_) => ('-', String::new()),
        tree::What::Link(target) => ('l', format!(" -> {}", target.display())),
        tree::What::Pipe => ('p', String::new()),
        tree::What::Character(..) => ('c', String::new()),
        tree::What::Same(first) => ('h', format!(" = {}", first.display())),
    };
    let ink = if node.path.to_string_lossy().contains(".wh.") { Ink::Refused } else { Ink::Plain };
    let attributes: Vec<&str> = node.attributes.keys().map(String::as_str).collect();
    let noted = if attributes.is_empty() { String::new() } else { format!("  ({})", attributes.join(", ")) };
    let name = format!("{}{end}{noted}", node.path.display());
    vec![format!("{letter} {:04o}", node.mode).into(), Entry::of(ink, name)]
}

/// The stream as another upper layer over the same image. Whether the two show no difference.
fn unpack(stage: &Stage, ground: &Ground, stream: &[u8]) -> Result<bool> {
    stage.scene(&text!("… and back", "……再还原"));
    let mut other = Ground::make_in(stage, "other", &[])?;
    other.layers.lower.clone_from(&ground.layers.lower);
    let marks = other.marks();
    tree::write(&other.layers.upper, &layer::unpack(ustar::read(stream)?, marks))?;
    other.mount(stage)?;
    let agrees = draw(stage, &other.layers)?;
    let told = |same: bool| if same { text!("the same", "相同") } else { text!("not the same", "不同") };
    let essence = |layers: &overlay::Layers| Ok(layer::essence(tree::read(&layers.upper)?, marks));
    let same_upper = essence(&ground.layers)? == essence(&other.layers)?;
    let same_union = tree::read(&ground.layers.merged)? == tree::read(&other.layers.merged)?;
    stage.fact("diff -r upper other/upper", &told(same_upper));
    stage.fact("diff -r merged other/merged", &told(same_union));
    Ok(agrees && same_upper && same_union && changes(&ground.layers)? == changes(&other.layers)?)
}
