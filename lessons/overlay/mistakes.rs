//! The wrong answers of lab `overlay` that are known, and what the kernel makes of each.

use crate::lab::lesson::Mistake;
use crate::narrate::words::Text;

/// All of them.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "lowest-first",
        why: Text {
            en: "lowerdir= has the topmost layer first. Here the lowest came first, so the oldest file covers the newest; the \
                 kernel cannot know that you meant it the other way round.",
            zh: "lowerdir= 里最上层写在最前。这里最下层在前，于是最旧的文件盖住了最新的；内核没法知道你想要的是反过来。",
        },
    },
    Mistake {
        name: "no-userxattr",
        why: Text {
            en: "without `userxattr` overlayfs keeps its notes in trusted.overlay.*, which no root of a user namespace may \
                 write. The mount succeeds all the same, and fails when the first directory is deleted: it must be marked opaque.",
            zh: "不加 `userxattr`，overlayfs 把记号写进 trusted.overlay.*，而 user namespace 里的 root 不能写它。挂载照样成功，\
                 直到第一次删除目录、需要标上 opaque 时才失败。",
        },
    },
    Mistake {
        name: "shared-upper",
        why: Text {
            en: "upperdir is not the container's own layers.upper, so whoever has the same one sees, and loses, what others write.",
            zh: "upperdir 不是容器自己的 layers.upper，于是共用它的容器会看到、也会弄丢彼此写的东西。",
        },
    },
    Mistake {
        name: "writes-into-the-image",
        why: Text {
            en: "a layer of the image was given as upperdir: each container of that image is changed by what this one writes.",
            zh: "把镜像的一层当成了 upperdir：这个容器写的东西改变了该镜像的每一个容器。",
        },
    },
    Mistake {
        name: "upper-out-of-sight",
        why: Text {
            en: "something else is mounted over upper's place, in the container's mount namespace alone. The kernel is content; \
                 but outside the directory is empty, so diff and commit find nothing, and all is lost at the end.",
            zh: "upper 的位置上另外挂载了东西，而且只在容器的 mount namespace 里。内核没意见；但从外面看目录是空的，diff 和 commit \
                 什么也找不到，容器一结束就全丢了。",
        },
    },
    Mistake {
        name: "reads-the-union",
        why: Text {
            en: "nothing was told at all: the overlay is mounted in the container's mount namespace, so `merged` is an empty \
                 directory here. What was changed stands in `upper`.",
            zh: "什么也没说：overlay 挂在容器的 mount namespace 里，`merged` 在这里是空目录。改动都在 `upper` 里。",
        },
    },
    Mistake {
        name: "top-only",
        why: Text {
            en: "directories were told, and not looked into.", zh: "说了目录，却没有走进去看。"
        },
    },
    Mistake {
        name: "whiteout-told-as-file",
        why: Text {
            en: "a character device 0:0 is no file but a note: what the layers below have of that name is gone.",
            zh: "0:0 号字符设备不是文件，而是一条记录：下面的层里这个名字的东西没了。",
        },
    },
    Mistake {
        name: "first-layer-only",
        why: Text {
            en: "the name stands in a layer further down, and that one was not asked.",
            zh: "这个名字在更下面的一层里，而那一层没有被问到。",
        },
    },
    Mistake {
        name: "below-by-name",
        why: Text {
            en: "some layer has the name, but a whiteout in a layer above that one hides it: nothing of that name was to be \
                 seen, so the file is new.",
            zh: "确实有一层有这个名字，但在它上面的一层里有 whiteout 遮住了它：原本看不到这个名字，所以文件是新增的。",
        },
    },
    Mistake {
        name: "opaque-not-read",
        why: Text {
            en: "an opaque directory hides all that the layers below have in theirs, without a whiteout for each: who reads only \
                 the names in upper does not find that they are gone.",
            zh: "opaque 目录遮住下面各层同名目录里的一切，并不为每个名字放一个 whiteout：只读 upper 里的名字，就发现不了它们没了。",
        },
    },
];
