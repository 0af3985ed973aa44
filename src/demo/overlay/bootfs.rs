//! bootfs: what boots a machine, what it boots into, and which of the two an image has.

use crate::demo::actor::Actor;
use crate::demo::host::SCRATCH;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::image;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::observe::{self, Subject};
use crate::overlay::{self, Layers};
use crate::process::identity;
use crate::rootfs::{pivot, virtualfs};
use crate::step::{Step, take};
use crate::sys::errno::EROFS;
use crate::sys::file;
use crate::sys::flags::CLONE_NEWNS;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// `overlay-demo bootfs`.
pub const WALK: Walk = Walk {
    name: "bootfs",
    title: Text { en: "What boots, and what an image has", zh: "bootfs 与 rootfs：镜像里有什么" },
    place: Place::ThrowAway,
    show,
};

/// What the directory `/boot` holds for a boot loader: how the names of kernels and of first root file systems begin.
const BOOT: [&str; 6] = ["vmlinuz", "vmlinux", "Image", "kernel", "initrd", "initramfs"];

/// Where in a root file system something is, and whether it belongs to booting.
const PLACES: [(&str, bool); 10] = [
    ("boot", true),
    ("lib/modules", true),
    ("bin", false),
    ("dev", false),
    ("etc", false),
    ("lib", false),
    ("proc", false),
    ("sys", false),
    ("usr", false),
    ("var", false),
];

fn show(stage: &Stage) -> Result<Ending> {
    machine(stage)?;
    let base = take(Step::Image, || image::find(&Path::new(SCRATCH).join("state"), "base"))?;
    let no_boot = compare(stage, &base.layers[0])?;
    let (refused, inside) = start(stage, base.layers)?;
    let outside = look()?;
    stage.table(
        &["", &text!("kernel", "内核"), "/etc/os-release", "/"],
        &[row(&text!("outside", "外面"), &outside), row(&text!("inside", "里面"), &inside)],
    );
    let one_kernel = inside.kernel.is_some() && inside.kernel == outside.kernel;
    let two_roots = inside.root != outside.root;
    Ok(Ending::default()
        .saw(no_boot, text!(
            "An image is a rootfs and no bootfs: it has programs and libraries, but no kernel, no initrd, no modules.",
            "镜像只有 rootfs，没有 bootfs：有程序和库，但没有内核、initrd 和内核模块。"
        ))
        .saw(one_kernel && two_roots, text!(
            "Inside and outside it is one kernel, with two root file systems: that is why a container starts without \
             booting.",
            "里外是同一个内核，却是两个根文件系统：容器无需引导内核就能启动，原因就在这里。"
        ))
        .saw(refused, text!(
            "The image's layer could not be written to; the union with a writable layer on top could.",
            "镜像层不可写；叠加了可写层的联合视图可写。"
        ))
        .next("overlay-demo readonly")
        .next("minidocker run --rm base uname -r"))
}

/// Every name in `directory` that a boot loader would look for.
fn boot_files(directory: &Path) -> Result<Vec<String>> {
    let names = file::if_there(file::list(directory))?.unwrap_or_default();
    let names = names.into_iter().map(|(name, _)| name.to_string_lossy().into_owned());
    Ok(names.filter(|name| BOOT.iter().any(|begin| name.starts_with(begin))).collect())
}

/// What booted this machine, as far as can be seen from the inside.
fn machine(stage: &Stage) -> Result<()> {
    stage.scene(&text!("bootfs: what booted this machine", "bootfs：引导本机的是什么"));
    stage.say(&text!(
        "A boot loader loads a kernel from the bootfs; the kernel takes over, mounts the rootfs, read-only at first \
         (`ro`), and after its checks makes it writable. From then on the bootfs is not needed.",
        "Bootloader 从 bootfs 加载 kernel；kernel 接管后先以只读方式（ro）挂载 rootfs，检查之后再改为可读写。从此 bootfs \
         就用不着了。"
    ));
    stage.command("uname -r; ls /boot; findmnt /boot; findmnt /");
    let say = |name: &str, fact: Option<String>| stage.fact(name, fact.as_deref().unwrap_or("-"));
    say("uname -r", kernel());
    let files = boot_files(Path::new("/boot"))?;
    stage.fact("/boot", if files.is_empty() { "-" } else { "" });
    files.iter().for_each(|name| stage.quote(&format!("  {name}")));
    say("mount /boot", observe::read(&Subject::Mount("/boot".into())));
    say("mount /", observe::read(&Subject::Mount("/".into())));
    if files.is_empty() {
        stage.say(&text!(
            "There is no kernel in this machine's /boot: it was handed over from outside, by a hypervisor or a boot loader \
             with a place of its own, or this is a container already.",
            "本机的 /boot 里没有内核：内核由虚拟机管理程序或另有存放位置的 Bootloader 从外面交给它，或者这里本来就是容器。"
        ));
    }
    Ok(())
}

/// The root file systems of this machine and of the image, side by side. Whether the image has nothing to boot.
fn compare(stage: &Stage, base: &Path) -> Result<bool> {
    stage.scene(&text!("rootfs: this machine's, and an image's", "rootfs：本机的与镜像的"));
    stage.command("ls /; minidocker run --rm base ls /");
    let mut rows = Vec::new();
    let mut boots = !boot_files(base)?.is_empty();
    for (place, belongs_to_boot) in PLACES {
        let here = there(&Path::new("/").join(place))?;
        let image = there(&base.join(place))?;
        boots |= belongs_to_boot && image;
        let mark = |there: bool| {
            Entry::of(if there { Ink::Fact } else { Ink::Faint }, if there { "+" } else { "-" })
        };
        let of = if belongs_to_boot { "bootfs" } else { "rootfs" };
        rows.push(vec![of.into(), format!("/{place}").into(), mark(here), mark(image)]);
    }
    let heads =
        [String::new(), String::new(), text!("this machine", "本机"), text!("image base", "镜像 base")];
    stage.table(&heads.each_ref().map(String::as_str), &rows);
    Ok(!boots && there(&base.join("usr"))?)
}

/// Whether something other than an empty directory stands there. `dev`, `proc` and `sys` are filled at the start.
fn there(path: &Path) -> Result<bool> {
    let filled_later = ["dev", "proc", "sys"].iter().any(|name| path.ends_with(name));
    match file::if_there(file::list(path)) {
        Ok(names) => Ok(names.is_some_and(|names| filled_later || !names.is_empty())),
        Err(_) => file::exists(path),
    }
}

/// What a process sees of kernel and root file system.
#[derive(Serialize, Deserialize)]
struct View {
    kernel: Option<String>,
    system: Option<String>,
    root: Option<String>,
}

fn kernel() -> Option<String> {
    observe::read(&Subject::Contents("/proc/sys/kernel/osrelease".into()))
}

fn look() -> Result<View> {
    let release = file::if_there(file::read_text(Path::new("/etc/os-release")))?.unwrap_or_default();
    let id = release.lines().find_map(|line| line.strip_prefix("ID=")).map(|id| format!("ID={id}"));
    Ok(View { kernel: kernel(), system: id, root: observe::read(&Subject::Root) })
}

fn row(who: &str, view: &View) -> Vec<Entry> {
    let cell = |fact: &Option<String>| Entry::of(Ink::Fact, fact.as_deref().unwrap_or("-"));
    vec![who.into(), cell(&view.kernel), cell(&view.system), cell(&view.root)]
}

/// Start a container as Docker does: the image read-only, a writable layer united with it, the union as root. Whether
/// the image refused to be written to and the union did not; and what is seen inside.
fn start(stage: &Stage, lower: Vec<PathBuf>) -> Result<(bool, View)> {
    stage.scene(&text!("Docker's start", "Docker 启动"));
    stage.say(&text!(
        "Docker loads the rootfs read-only too, but does not switch it to writable: it mounts a writable file system on \
         top, by a union mount.",
        "Docker 也以只读方式加载 rootfs，但之后不把它切换为可读写，而是用 union mount 在上面叠加一个可读写的文件系统。"
    ));
    let place = |name: &str| Path::new(SCRATCH).join(name);
    let layers = Layers {
        // One layer alone is refused without an upper one; an empty one changes nothing.
        lower: [vec![place("empty")], lower].concat(),
        upper: place("upper"),
        work: place("work"),
        merged: place("merged"),
        userxattr: !identity::in_first_user_namespace()?,
        ..Layers::default()
    };
    file::mkdir(&place("empty"), 0o755)?;
    overlay::make_directories(&layers)?;
    stage.command("sudo mount -t overlay overlay -o lowerdir=empty:base merged; touch merged/new");
    stage.command(
        "sudo mount -t overlay overlay -o lowerdir=base,upperdir=upper,workdir=work merged; touch merged/new",
    );
    stage.command("pivot_root merged …");
    let inside = Actor::start("container", CLONE_NEWNS, move |()| {
        overlay::mount_read_only(&layers)?;
        let refused = file::write_new(&layers.merged.join("new"), "", 0o644);
        overlay::unmount(&layers)?;
        overlay::mount(&layers)?;
        let granted = file::write_new(&layers.merged.join("new"), "", 0o644);
        pivot::enter(&layers.merged)?;
        virtualfs::mount_proc()?;
        pivot::detach_old()?;
        Ok((refused.is_err_and(|error| error.is(EROFS)) && granted.is_ok(), look()?))
    })?;
    let answer = inside.ask(())?;
    inside.end()?;
    Ok(answer)
}
