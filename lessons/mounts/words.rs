//! What is said of the lesson `mounts`: known mistakes, and hints.

use crate::lab::lesson::Mistake;
use crate::narrate::words::Text;

/// Each is earned by a mutant in `mutants.rs`.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "without-unshare",
        why: Text {
            en: "the process is still in the host's mount namespace: without unshare(CLONE_NEWNS) it was the host's own table \
                 that was changed, root and all.",
            zh: "进程还在主机的 Mount Namespace 里：没有 unshare(CLONE_NEWNS)，被改的是主机自己的挂载表，连根一起。",
        },
    },
    Mistake {
        name: "without-private",
        why: Text {
            en: "the new table is a copy, and the copy of a shared mount is its peer: what is mounted under one appears under the \
                 other. Nor does pivot_root(2) move a root whose parent is shared (EINVAL). Every mount must be made private \
                 first, recursively.",
            zh: "新的挂载表是一份拷贝，而 shared 挂载的拷贝与原来的互为 peer：在一边挂载，另一边也会出现。父挂载是 shared 时，\
                 pivot_root(2) 也会拒绝（EINVAL）。必须先递归地把所有挂载改成 private。",
        },
    },
    Mistake {
        name: "private-first",
        why: Text {
            en: "change_propagation came before unshare: it was the host's mounts that became private, and whoever relies on their \
                 being shared (systemd, udisks, other containers) is cut off.",
            zh: "change_propagation 先于 unshare：被改成 private 的是主机的挂载，依赖它们 shared 的程序（systemd、udisks、别的容器）\
                 从此断了联系。",
        },
    },
    Mistake {
        name: "slave",
        why: Text {
            en: "MS_SLAVE cuts one string of two: nothing travels to the host, but what the host mounts still travels here.",
            zh: "MS_SLAVE 只剪断了一半：这边的不再传给主机，主机的却还会传过来。",
        },
    },
    Mistake {
        name: "chroot",
        why: Text {
            en: "chroot(2) only changes where this process's paths begin. The host's root is still the top of the mount namespace, \
                 and whoever has CAP_SYS_CHROOT, or calls setns(2), is there in four calls.",
            zh: "chroot(2) 只改变进程的路径从哪里开始。Mount Namespace 的顶端仍是主机的根；有 CAP_SYS_CHROOT 的进程走四步就到，\
                 setns(2) 更是一步到位。",
        },
    },
    Mistake {
        name: "never-unmounted",
        why: Text {
            en: "pivot_root(2) moves the old root somewhere, and does not unmount it: it lies on top of the new one, or in the \
                 directory that was named, with all the host's files. umount2(MNT_DETACH) lets it go.",
            zh: "pivot_root(2) 只是把旧的根挪开，并不卸载：它叠在新的根上面，或在指定的目录里，主机的文件一个不少。\
                 要用 umount2(MNT_DETACH) 放手。",
        },
    },
    Mistake {
        name: "files-for-devices",
        why: Text {
            en: "a device is its number, not its name: what is written to a plain file called null stays there, and fills the disk.",
            zh: "设备看的是设备号而不是名字：写进一个叫 null 的普通文件的东西会留在那里，直到写满磁盘。",
        },
    },
    Mistake {
        name: "null-missing",
        why: Text {
            en: "/dev has no null. minidocker's next steps need it: it lays /dev/null on the files that are to be hidden.",
            zh: "/dev 里没有 null。minidocker 接下来的几步要用它：把 /dev/null 盖在要遮住的文件上。",
        },
    },
    Mistake {
        name: "null-for-all",
        why: Text {
            en: "another device stands under that name: each node that is held belongs where it was taken, node.source().",
            zh: "这个名字下放的是别的设备：拿着的每个节点都该放回它原来的位置，即 node.source()。",
        },
    },
    Mistake {
        name: "in-the-layer",
        why: Text {
            en: "nothing of its own is mounted on /dev: nodes and links were put into the container's writable layer, where \
                 `diff` and `commit` find them.",
            zh: "/dev 上没有挂载单独的文件系统：节点和链接放进了容器的可写层，`diff` 和 `commit` 都会看到它们。",
        },
    },
    Mistake {
        name: "covered",
        why: Text {
            en: "what is mounted last lies on top: a file system mounted on /dev hides what was mounted below it before.",
            zh: "后挂载的在上面：挂在 /dev 上的文件系统会盖住之前挂在它下面的东西。",
        },
    },
    Mistake {
        name: "ptmx-closed",
        why: Text {
            en: "without ptmxmode=0666 a new devpts lets nobody but root ask for a terminal.",
            zh: "没有 ptmxmode=0666，新的 devpts 只让 root 申请终端。",
        },
    },
    Mistake {
        name: "without-measure",
        why: Text {
            en: "a tmpfs without size= holds half of the machine's memory, and a container may fill it.",
            zh: "没有 size= 的 tmpfs 可以占用机器一半的内存，容器可以把它写满。",
        },
    },
];

/// The first helps the least.
pub const HINTS: &[Text] = &[
    Text {
        en: "`enter` is two calls, and the order matters: after which of them does \"every mount below /\" mean the copy?",
        zh: "`enter` 是两个调用，先后有讲究：做完哪一个之后，“/ 下的所有挂载”才是指那份拷贝？",
    },
    Text {
        en: "unshare(clone(CLONE_NEWNS))? and then change_propagation(Path::new(\"/\"), MS_PRIVATE).",
        zh: "先 unshare(clone(CLONE_NEWNS))?，再 change_propagation(Path::new(\"/\"), MS_PRIVATE)。",
    },
    Text {
        en: "For `exchange` and `leave` see the notes of pivot_root(2): pivot_root(\".\", \".\") stacks the old root on the new \
             one, and umount2(\".\") takes the uppermost.",
        zh: "`exchange` 和 `leave`：看 pivot_root(2) 的 NOTES：pivot_root(\".\", \".\") 把旧的根叠在新的上面，umount2(\".\") 卸下最上面的那个。",
    },
    Text {
        en: "`devices`: first the tmpfs on /dev, then what stands in it. For /dev/pts: mkdir, then mount(\"devpts\", …, \
             Some(\"newinstance,ptmxmode=0666,mode=0620\")); for /dev/shm a tmpfs with mode=1777 and size=.",
        zh: "`devices`：先在 /dev 上挂 tmpfs，再放里面的东西。/dev/pts：先 mkdir，再 mount(\"devpts\", …, \
             Some(\"newinstance,ptmxmode=0666,mode=0620\"))；/dev/shm 是带 mode=1777 和 size= 的 tmpfs。",
    },
];
