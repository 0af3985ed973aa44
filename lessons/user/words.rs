//! What a student of lab `user` is told: known mistakes, and hints.

use crate::lab::lesson::Mistake;
use crate::narrate::words::Text;

/// The wrong answers that are known.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "setgroups-kept",
        why: Text {
            en: "gid_map was refused, since setgroups(2) had not been given up: write `deny` to /proc/self/setgroups first. Whoever \
                 could leave a group could read what is forbidden to that group.",
            zh: "gid_map 被拒绝，因为还没有放弃 setgroups(2)：先向 /proc/self/setgroups 写 `deny`。能退出一个组的人，就能读到不许那个组读的东西。",
        },
    },
    Mistake {
        name: "ids-of-others",
        why: Text {
            en: "the line maps more ids than one, and all but the first are other people's. Without help from outside (newuidmap) an \
                 ordinary user may map a single id: their own.",
            zh: "这一行映射了不止一个 id，除了第一个都是别人的。没有外面的帮助（newuidmap），普通用户只能映射一个 id：自己的。",
        },
    },
    Mistake {
        name: "outside-in",
        why: Text {
            en: "inside and outside are exchanged: the line says that the person's number inside shall be root outside. The first \
                 number is the id inside.",
            zh: "里外写反了：这一行要让里面的使用者成为外面的 root。第一个数是里面的 id。",
        },
    },
    Mistake {
        name: "same-inside",
        why: Text {
            en: "the person is mapped to their own number, so nobody is 0 inside: whoever is not root there loses every capability at exec.",
            zh: "把使用者映射成了自己的号码，里面没有 0 号：在那里不是 root 的，exec 时失去全部 capability。",
        },
    },
    Mistake {
        name: "not-mapped",
        why: Text {
            en: "uid_map or gid_map is still empty. Root inside has its capabilities, but they reach only files whose owner and group \
                 have a meaning there: the person's own directory was out of reach.",
            zh: "uid_map 或 gid_map 还是空的。里面的 root 虽有 capability，但只对属主和属组在里面都有意义的文件有效：使用者自己的目录也够不着。",
        },
    },
    Mistake {
        name: "groups-regardless",
        why: Text {
            en: "setgroups(2) was called where it has been given up, and there it is EPERM for everybody. /proc/self/setgroups says so.",
            zh: "在已经放弃 setgroups(2) 的地方调用了它，那里对谁都是 EPERM。/proc/self/setgroups 写得明白。",
        },
    },
    Mistake {
        name: "user-first",
        why: Text {
            en: "the user id was changed first, and with it CAP_SETGID was gone: the groups could not be changed any more. Groups, group, user.",
            zh: "先改了用户 id，CAP_SETGID 随之失去，组就再也改不了。次序是：附属组、组、用户。",
        },
    },
    Mistake {
        name: "groups-kept",
        why: Text {
            en: "the list of supplementary groups was not replaced: the process still is a member of root's groups.",
            zh: "附属组没有换：进程仍是 root 那些组的成员。",
        },
    },
    Mistake {
        name: "group-kept",
        why: Text {
            en: "the group ids were not changed; setgroups(2) concerns the list of the others only.",
            zh: "组 id 没有改；setgroups(2) 管的只是另外那一串附属组。",
        },
    },
    Mistake {
        name: "still-root",
        why: Text {
            en: "nothing was changed: the command runs as root although another user was asked for.",
            zh: "什么也没改：要求的是别的用户，命令却以 root 运行。",
        },
    },
];

/// What helps, the least first.
pub const HINTS: &[Text] = &[
    Text {
        en: "`map` is three writes. Which file must come before which, and why does the kernel want it?",
        zh: "`map` 就是三次写。哪个文件必须在哪个之前？内核为什么这样要求？",
    },
    Text {
        en: "write(Path::new(\"/proc/self/setgroups\"), \"deny\")?, then uid_map with format!(\"0 {uid} 1\"), then gid_map.",
        zh: "先 write(Path::new(\"/proc/self/setgroups\"), \"deny\")?，再以 format!(\"0 {uid} 1\") 写 uid_map，然后 gid_map。",
    },
    Text {
        en: "`assume`: from the right that is needed last to the right that is needed first… no: the user id takes all rights with \
             it, so it goes last. Where setgroups says deny, only the other two calls are left.",
        zh: "`assume`：用户 id 一改，所有权利都没了，所以它放在最后。setgroups 写着 deny 的地方，只剩另外两个调用。",
    },
];
