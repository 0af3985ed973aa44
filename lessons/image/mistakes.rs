//! The wrong answers of lab `image` that are known, and what becomes of the layer.

use crate::lab::lesson::Mistake;
use crate::narrate::words::Text;

/// All of them.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "not-confined",
        why: Text {
            en: "the unpacker's root directory is still the machine's: a member `tmp/x` of the layer became /tmp/x of the \
                 machine. chdir(2) changes where relative paths begin; only another root changes where `/` is.",
            zh: "解包进程的根目录仍是机器的根：层里的成员 `tmp/x` 成了机器上的 /tmp/x。chdir(2) 只改变相对路径从哪里开始；要让 `/` \
                 换地方，得换一个根。",
        },
    },
    Mistake {
        name: "whiteout-made-a-file",
        why: Text {
            en: "a name that begins with `.wh.` is an order to the unpacker and no file: it says that what the layers below \
                 have under the rest of the name is gone.",
            zh: "以 `.wh.` 开头的名字是给解包程序的指令，不是文件：它说下面各层里名字为其余部分的东西没了。",
        },
    },
    Mistake {
        name: "not-opaque",
        why: Text {
            en: "`.wh..wh..opq` speaks of its directory and not of a file called `.wh..opq`: so it must be looked for before \
                 `.wh.` is taken off.",
            zh: "`.wh..wh..opq` 说的是它所在的目录，而不是名叫 `.wh..opq` 的文件：要在去掉 `.wh.` 之前先认出它。",
        },
    },
    Mistake {
        name: "dots-believed",
        why: Text {
            en: "what is left of `.wh...` is `..`: the directory above, which is no name of this directory's. Whoever hides it \
                 hides a whole tree that the layer does not own.",
            zh: "`.wh...` 去掉前缀是 `..`：上一级目录，并不是这个目录里的名字。把它遮住，就遮住了不属于这一层的整棵树。",
        },
    },
    Mistake {
        name: "way-not-made",
        why: Text {
            en: "an archive need not have a member for each directory on the way: whoever makes the file makes the way, too.",
            zh: "归档不一定为路上的每个目录都有成员：要建文件，就得把路也建好。",
        },
    },
    Mistake {
        name: "way-made-by-hand",
        why: Text {
            en: "the directory is there in a layer below, with a mode of its own. One made by hand, with another, covers it: in \
                 an overlay the topmost directory's mode is the one that counts. `places.go` copies it up as it is.",
            zh: "这个目录在下面的层里已经有了，带着自己的权限位。手工建一个权限不同的就会盖住它：overlay 里算数的是最上面那个目录的\
                 权限位。`places.go` 会把它原样复制上来。",
        },
    },
    Mistake {
        name: "links-left-to-the-kernel",
        why: Text {
            en: "the kernel can follow only what is in this layer's directory. The link stands in a layer below, and the layers \
                 are not united while one is unpacked: so it has to be followed by hand, part after part.",
            zh: "内核只能跟随本层目录里有的东西。这个链接在下面的层里，而解包时各层并没有叠起来：所以要自己一段一段地跟。",
        },
    },
    Mistake {
        name: "absolute-taken-relative",
        why: Text {
            en: "a link whose target begins with `/` goes on from the top: of the layer, since that is the root directory here.",
            zh: "目标以 `/` 开头的链接要从顶端重新开始：是这一层的顶端，因为它就是这里的根目录。",
        },
    },
    Mistake {
        name: "dots-dropped",
        why: Text {
            en: "`..` in a link means the directory above. Dropped, it leads to another place than in any container. It cannot \
                 lead out: above the top there is the top.",
            zh: "链接里的 `..` 表示上一级目录。把它丢掉，到达的就和任何容器里都不一样。它不会逃出去：顶端之上还是顶端。",
        },
    },
    Mistake {
        name: "links-without-end",
        why: Text {
            en: "two links that lead to each other are followed for ever. The kernel stops after 40, with ELOOP; whoever \
                 follows by hand must count by hand.",
            zh: "两个互相指向的链接会被永远跟下去。内核跟 40 次就停下，回答 ELOOP；自己跟，就要自己数。",
        },
    },
];
