//! Each step: its word, its title, why it is taken, what it changes in the kernel, and how to look at it.

use super::Text;
use crate::sys::observer::Step;

/// The words of one step.
#[derive(Debug, Clone, Copy)]
pub struct StepWords {
    /// One lower-case word; also the value of `step` in the JSON trace.
    pub word: &'static str,
    /// A title of a few words.
    pub title: Text,
    /// One or two sentences.
    pub why: Text,
    /// The structure of the kernel that changes, as its source names it; empty where there is no single one.
    pub object: &'static str,
    /// Commands for a second terminal; `PID` stands for the pid of the process that takes the step.
    pub look: &'static [&'static str],
}

/// The word of a step.
pub fn step_word(of: Step) -> &'static str {
    step(of).word
}

macro_rules! steps {
    ($($step:ident $word:literal {
        title: $title_en:literal, $title_zh:literal;
        why: $why_en:literal, $why_zh:literal;
        object: $object:literal;
        look: $($look:literal),*;
    })*) => {
        /// The words of a step.
        pub fn step(step: Step) -> &'static StepWords {
            match step {
                $(Step::$step => &StepWords {
                    word: $word,
                    title: Text { en: $title_en, zh: $title_zh },
                    why: Text { en: $why_en, zh: $why_zh },
                    object: $object,
                    look: &[$($look),*],
                },)*
            }
        }
    };
}

steps! {
    Reclaim "reclaim" {
        title: "Clear what an earlier run left", "清理之前运行的残留";
        why: "The kernel destroys most of a container with its last process. A cgroup and a directory do not go by themselves: if an earlier minidocker was killed, they are removed now.",
             "容器的大部分资源会随最后一个进程由内核回收。Cgroup 和目录不会自己消失：如果之前的 minidocker 被杀死，现在就清理它们。";
        object: "";
        look: "ls -d /sys/fs/cgroup/minidocker-* /sys/fs/cgroup/*/minidocker-*";
    }
    ThrowAway "throw-away" {
        title: "A throw-away host", "用完即弃的主机";
        why: "Everything this demo makes stands in new namespaces. They die with its last process, however that ends, and the machine stays as it was.",
             "这个演示所做的一切都在新的 Namespace 里。无论进程怎样结束，它们都会随最后一个进程消失，机器保持原样。";
        object: "task_struct.nsproxy";
        look: "lsns -p PID";
    }
    Attend "attend" {
        title: "A demo with somebody to clear up after it", "有人善后的演示";
        why: "A cgroup does not go with its last process. So a child plays the demo, in cgroups named minidocker-demo-…, and its parent waits and removes them, however the child ends.",
             "Cgroup 不会随最后一个进程消失。所以演示由子进程来做，它的 Cgroup 都叫 minidocker-demo-…；父进程在旁等待，无论子进程怎样结束，都会把它们删掉。";
        object: "css_set → cgroup";
        look: "ls -d /sys/fs/cgroup/minidocker-* /sys/fs/cgroup/*/minidocker-*";
    }
    Image "image" {
        title: "Find or make the image", "查找或制作镜像";
        why: "An image is a stack of read-only layers, shared by all containers made from it. The image base is made of this machine's own programs and the libraries they need.",
             "镜像是一叠只读的层，由所有基于它的容器共享。镜像 base 由本机自己的程序和它们需要的库组成。";
        object: "";
        look: ;
    }
    Load "load" {
        title: "Read the archive", "读取归档";
        why: "Each part of an image is named by the SHA-256 digest of what is in it. It is digested while it is read, and kept only if it is what its name says; what is not finished has another name, so a reader of the store never sees half of it.",
             "镜像的每个部分都以其内容的 SHA-256 摘要命名。边读边计算摘要，内容与名字相符才保留；没有完成的部分用别的名字，所以读仓库的人不会看到半个镜像。";
        object: "";
        look: "ls -l /var/lib/minidocker/blobs/sha256";
    }
    Unpack "unpack" {
        title: "Unpack a layer", "展开一层";
        why: "A layer comes from anybody. A child makes the layer's directory its root directory (pivot_root) before it reads the first name: whatever a path, a link or a whiteout in it says, there is nothing outside to be reached. Files named .wh.NAME become overlay's marks.",
             "层可能来自任何人。子进程先把层的目录变成自己的根目录（pivot_root），再读第一个名字：无论里面的路径、链接或删除标记怎么写，都没有外面可以到达。名为 .wh.NAME 的文件变成 overlay 的标记。";
        object: "";
        look: "ls /var/lib/minidocker/layers";
    }
    Claim "claim" {
        title: "An id, a name, a lock", "编号、名字和锁";
        why: "The container gets a directory named by its id, and a lock in it that this process holds for as long as it lives. The kernel drops the lock however the process ends, so the next minidocker can tell the living from the dead.",
             "容器得到一个以编号命名的目录，里面的锁由本进程在存活期间一直持有。无论进程怎样结束，内核都会释放这把锁，于是下一个 minidocker 就能分辨谁还活着。";
        object: "struct file_lock";
        look: "cat /proc/locks";
    }
    State "state" {
        title: "Directories of this container", "容器自己的目录";
        why: "Each container has a writable layer of its own (upper), a workshop for overlayfs (work) and a place where all layers are seen united (merged).",
             "每个容器都有自己的可写层（upper）、overlayfs 的工作目录（work），以及能看到所有层合并结果的目录（merged）。";
        object: "";
        look: ;
    }
    Cgroup "cgroup" {
        title: "A group with limits", "带限额的控制组";
        why: "Namespaces isolate, cgroups limit. Making a directory makes a cgroup; writing a number into a file of it sets a limit for all processes that will be in it.",
             "Namespace 做资源隔离，Cgroup 做资源控制。新建一个目录就是新建一个 Cgroup；向其中的文件写入数字，就是给其中的所有进程设置上限。";
        object: "struct cgroup_subsys_state";
        look: "cat /proc/PID/cgroup", "ls -d /sys/fs/cgroup/minidocker-* /sys/fs/cgroup/*/minidocker-*";
    }
    Shared "shared" {
        title: "Into the namespaces that your containers share", "进入你的容器共用的 Namespace";
        why: "On the host a bridge is root's to make. In a user namespace of your own you are root, and in the network namespace that belongs to it you make bridges as root does. All your bridged containers share the two; the first makes them, and a program plays the rest of the world for them through a tap device.",
             "主机上的网桥只有 root 能建。在你自己的用户 Namespace 里你就是 root，在属于它的网络 Namespace 里，你可以像 root 一样建网桥。你所有接网桥的容器共用这两个 Namespace；第一个容器创建它们，并由一个程序通过 tap 设备为它们扮演外面的世界。";
        object: "net->user_ns";
        look: "readlink /proc/PID/ns/user /proc/PID/ns/net", "nsenter -t PID -U -n --preserve-credentials ip addr";
    }
    Bridge "bridge" {
        title: "The bridge on the host", "主机上的网桥";
        why: "A bridge is a switch made of software. Every container's cable is plugged into it, and iptables lets what leaves the subnet go out under the host's address.",
             "网桥是软件实现的交换机，每个容器的网线都插在它上面；iptables 让离开子网的包以主机的地址发出去。";
        object: "struct net_bridge";
        look: "ip link show type bridge", "sudo iptables -t nat -S POSTROUTING";
    }
    Clone "clone" {
        title: "A child in namespaces of its own", "在新 Namespace 中创建子进程";
        why: "clone(2) is fork(2) with flags: each CLONE_NEW flag gives the child a new namespace instead of its parent's. The first process of a new pid namespace is pid 1 there.",
             "clone(2) 是带标志的 fork(2)：每个 CLONE_NEW 标志都给子进程一个新的 Namespace，而不是沿用父进程的。新 pid Namespace 里的第一个进程就是那里的 1 号进程。";
        object: "task_struct.nsproxy";
        look: "lsns -p PID", "ps -o pid,ppid,comm --ppid PID";
    }
    Attach "attach" {
        title: "A cable between host and container", "连接主机与容器的网线";
        why: "A veth pair is a cable with two ends. One end is plugged into the bridge; the other is born in the child's network namespace.",
             "veth pair 是一根有两头的网线：一头插在网桥上，另一头直接出生在子进程的网络 Namespace 里。";
        object: "task_struct.nsproxy->net_ns";
        look: "ip link show type veth", "bridge link";
    }
    Record "record" {
        title: "Remembered on disk", "记在磁盘上";
        why: "What the container is and where it stands is written to a file under a new name, which then takes the old one's place: whoever reads sees one or the other, never a half.",
             "容器是什么、处于什么状态，先写入一个新名字的文件，再替换旧文件：读的人只会看到其中之一，绝不会看到写了一半的内容。";
        object: "";
        look: ;
    }
    UserMap "user-map" {
        title: "Who root is inside", "容器里的 root 是谁";
        why: "In a new user namespace nobody is anybody until ids are mapped. One line makes your own user id the container's 0, so that you are root inside and still yourself outside.",
             "新的用户 Namespace 里，在映射之前谁都不是谁。一行映射让你自己的用户 id 在容器里成为 0：里面是 root，外面仍是你自己。";
        object: "cred->user_ns->uid_map";
        look: "cat /proc/PID/uid_map /proc/PID/gid_map", "ps -o pid,user,comm PID";
    }
    CgroupJoin "cgroup-join" {
        title: "Into the group", "加入控制组";
        why: "A process is in one cgroup of each hierarchy, and its children start where it is. From here on every limit counts for it and for all that comes after.",
             "进程在每个层级树里都属于一个 Cgroup，子进程从父进程所在的位置开始。从这里起，每个上限都对它和它的后代生效。";
        object: "task_struct.cgroups (struct css_set)";
        look: "cat /proc/PID/cgroup";
    }
    Time "time" {
        title: "Clocks that begin at zero", "从零开始的时钟";
        why: "A time namespace shifts the monotonic and the boot clock, so that uptime inside counts from the container's start.",
             "时间 Namespace 平移单调时钟和启动时钟，于是容器里的 uptime 从容器启动时算起。";
        object: "task_struct.nsproxy->time_ns_for_children";
        look: "cat /proc/PID/timens_offsets", "sudo nsenter -t PID -T cat /proc/uptime";
    }
    Ipc "ipc" {
        title: "Shared memory and queues of its own", "自己的共享内存和消息队列";
        why: "System V shared memory, semaphores and message queues are named by numbers for all to see. A new IPC namespace starts without any.",
             "System V 的共享内存、信号量和消息队列以编号公开，谁都看得见。新的 IPC Namespace 里一个也没有。";
        object: "task_struct.nsproxy->ipc_ns";
        look: "readlink /proc/PID/ns/ipc", "sudo nsenter -t PID -i ipcs";
    }
    Uts "uts" {
        title: "A host name of its own", "自己的主机名";
        why: "UTS holds the host name. In a new UTS namespace it can be set without renaming the machine.",
             "UTS 保存主机名。在新的 UTS Namespace 里设置主机名，不会改掉机器的名字。";
        object: "task_struct.nsproxy->uts_ns";
        look: "readlink /proc/PID/ns/uts", "sudo nsenter -t PID -u hostname";
    }
    Mount "mount" {
        title: "A list of mounts of its own", "自己的挂载表";
        why: "A new mount namespace is a copy of the host's list of mounts. The copies still tell each other of changes, so propagation is cut first: nothing mounted here shows on the host.",
             "新的挂载 Namespace 是主机挂载表的副本。副本之间仍会互相传播变化，所以先切断传播：在这里挂载的东西不会出现在主机上。";
        object: "task_struct.nsproxy->mnt_ns";
        look: "readlink /proc/PID/ns/mnt", "grep -c shared: /proc/PID/mountinfo";
    }
    Overlay "overlay" {
        title: "Image and writable layer united", "联合镜像层与可写层";
        why: "The union file system shows read-only layers below and one writable layer on top as one tree. A change copies the file up first (copy-on-write); the image stays as it is.",
             "联合文件系统把下面的只读层和上面的一个可写层显示为一棵树。修改文件时先把它复制到可写层（写时复制），镜像保持不变。";
        object: "struct super_block (ovl_fs)";
        look: "grep overlay /proc/PID/mountinfo";
    }
    Root "root" {
        title: "The union becomes the root", "把它变成根目录";
        why: "pivot_root(2) makes the union the root of this mount namespace and puts the host's root aside, where it is then let go: no path leads back. /proc and /sys are mounted new, to show these namespaces and not the host's.",
             "pivot_root(2) 让合并后的目录成为这个挂载 Namespace 的根，把主机的根挪到一边再放掉：没有路径能回去。/proc 和 /sys 重新挂载，显示的是这些 Namespace，而不是主机。";
        object: "mnt_namespace.root, fs_struct.root";
        look: "sudo ls -l /proc/PID/root/", "cat /proc/PID/mountinfo";
    }
    Devices "devices" {
        title: "A small /dev", "一个小小的 /dev";
        why: "Only devices that cannot reach the machine: null, zero, full, random, urandom, tty, terminals of its own, and memory shared inside.",
             "只给碰不到机器的设备：null、zero、full、random、urandom、tty、自己的终端，以及容器内部的共享内存。";
        object: "struct mount";
        look: "sudo ls -l /proc/PID/root/dev";
    }
    Volumes "volumes" {
        title: "Directories of the host, seen inside", "容器里看得到的主机目录";
        why: "A bind mount shows an existing directory at a second place: what is written there bypasses the union and stays when the container goes.",
             "绑定挂载让一个已有目录出现在第二个位置：写在那里的内容不经过联合文件系统，容器消失后仍然保留。";
        object: "struct mount";
        look: "cat /proc/PID/mountinfo";
    }
    VolumeStore "volume-store" {
        title: "Volumes that are kept", "保存着的卷";
        why: "A volume is a directory of the host with a name. It is made under a name that nobody looks for and then renamed, and removed the other way round, so that others see it whole or not at all. Only one that no container's plan names is removed.",
             "卷就是主机上一个有名字的目录。它先以没人会找的名字建好再改名，删除则相反，所以别人看到的要么是完整的卷，要么没有。只有不被任何容器的计划引用的卷才会删除。";
        object: "";
        look: "sudo ls /var/lib/minidocker/volumes";
    }
    Networks "networks" {
        title: "Networks that are defined", "定义好的网络";
        why: "A network is a name, a subnet and an address for its bridge, in the ledger. In the kernel there is nothing of it until a container is in it, and nothing after the last has gone.",
             "网络就是账本里的一个名字、一个子网和一个网桥地址。在有容器加入之前，内核里什么都没有；最后一个容器离开之后，也什么都不留。";
        object: "";
        look: "sudo cat /var/lib/minidocker/network/ledger.json";
    }
    Connect "connect" {
        title: "One more cable, while it runs", "给运行中的容器再接一根网线";
        why: "A netlink socket speaks for the network namespace in which it was opened. So one step inside is enough to open it; then the cable, the address and the route are made from outside.",
             "Netlink 套接字属于它被打开时所在的网络 Namespace。所以只要进去一步把它打开，网线、地址和路由就都能从外面做好。";
        object: "task_struct.nsproxy->net_ns";
        look: "ip link show type veth", "bridge link";
    }
    Disconnect "disconnect" {
        title: "A cable is taken away", "拔掉一根网线";
        why: "Deleting one end of a veth pair deletes the other, with its address and its routes. The neighbours' hosts files forget the name.",
             "删掉 veth pair 的一头，另一头连同它的地址和路由也就没有了。邻居们的 hosts 文件里不再有这个名字。";
        object: "struct net_device";
        look: "ip link show type veth", "bridge link";
    }
    Mask "mask" {
        title: "What of the kernel stays hidden", "遮住内核的敏感文件";
        why: "Some files below /proc and /sys speak of the whole machine or command it, in whatever namespace they are read. They are covered, or made read-only.",
             "/proc 和 /sys 下有些文件说的是整台机器，或者能操纵它，与读者所在的 Namespace 无关。把它们盖住，或设为只读。";
        object: "vfsmount.mnt_flags";
        look: "grep -E ' /proc/| /sys' /proc/PID/mountinfo";
    }
    Network "network" {
        title: "Links, address, route", "网卡、地址、路由";
        why: "A new network namespace holds one link, lo, and that is down. Links are set up, the address is given, and the default route leads to the bridge.",
             "新的网络 Namespace 里只有一个没有启用的 lo。启用网卡，配上地址，默认路由指向网桥。";
        object: "task_struct.nsproxy->net_ns";
        look: "sudo nsenter -t PID -n ip addr", "sudo nsenter -t PID -n ip route";
    }
    Harden "harden" {
        title: "Fewer rights, fewer calls", "收回权限，限制系统调用";
        why: "Root's power is cut into capabilities; those that reach the machine are given up for good. no_new_privs keeps setuid programs from giving them back, and a seccomp filter answers dangerous calls with EPERM.",
             "root 的权力分成许多 capability；能影响整台机器的永久放弃。no_new_privs 不让 setuid 程序把它们要回来，seccomp 过滤器用 EPERM 回答危险的系统调用。";
        object: "task_struct.cred, task_struct.seccomp";
        look: "grep -E 'Cap|NoNewPrivs|Seccomp' /proc/PID/status";
    }
    Exec "exec" {
        title: "Become the command", "变成要运行的命令";
        why: "execve(2) replaces the program and keeps everything else: pid, namespaces, cgroups, rights. A container is just this process.",
             "execve(2) 替换程序，其余一切不变：pid、Namespace、Cgroup、权限。所谓容器，就是这个进程。";
        object: "task_struct.mm";
        look: "sudo ls -l /proc/PID/exe", "lsns -p PID", "sudo nsenter -t PID -a ps";
    }
    Reap "reap" {
        title: "Pid 1 reaps", "1 号进程负责回收";
        why: "Orphans become children of pid 1, which must wait for each of them, or they stay as zombies; and it passes signals on to the command.",
             "孤儿进程都归 1 号进程，它必须逐个 wait，否则就留下僵尸进程；它还要把信号转给命令。";
        object: "task_struct.children";
        look: "ps -o pid,ppid,stat,comm --ppid PID";
    }
    Wait "wait" {
        title: "Wait for the end", "等待结束";
        why: "When pid 1 ends, the kernel kills what is left in its pid namespace, and mounts, links and namespaces go with it.",
             "1 号进程结束时，内核会杀掉它的 pid Namespace 里剩下的一切，挂载、网卡和 Namespace 随之消失。";
        object: "task_struct.exit_code";
        look: ;
    }
    Console "console" {
        title: "Attach to the container", "连接到容器";
        why: "What a container writes goes through pipes, or a terminal of its own, to its supervisor. Whoever connects to the socket attach in the container's directory is sent it from there; nobody reaches into the container for it.",
             "容器写出的内容经过管道（或它自己的终端）到达监管进程。连接到容器目录里的 attach 套接字，就能从那里收到；没有谁需要伸手进容器。";
        object: "struct unix_sock";
        look: "ss -xp | grep attach";
    }
    Cleanup "cleanup" {
        title: "Remove what does not go by itself", "清理不会自己消失的东西";
        why: "The cgroup and the container's directory carry its id in their names and are removed by hand.",
             "Cgroup 和容器的目录以容器 id 命名，需要动手删除。";
        object: "";
        look: ;
    }
    Doors "doors" {
        title: "Open the container's namespaces", "打开容器的 Namespace";
        why: "A namespace has no name: whoever wants in opens the file that stands for it, /proc/PID/ns/KIND, of a process that is in it. Opened, it stays the same whatever becomes of that pid.",
             "Namespace 没有名字：想进去的人要打开代表它的文件，即其中某个进程的 /proc/PID/ns/种类。打开之后，无论那个 pid 后来属于谁，指的都还是同一个 Namespace。";
        object: "struct ns_common";
        look: "sudo ls -l /proc/PID/fd";
    }
    Itself "itself" {
        title: "Out of reach of the container", "不让容器够到自己";
        why: "Whoever enters a container brings its own program along, visible there as /proc/PID/exe. The kernel lets nobody write to a file that is being executed; where the container's runtime executes another file than this one, a sealed copy in memory is executed instead.",
             "进入容器的进程会带着自己的程序，在容器里能从 /proc/PID/exe 看到它。正在执行的文件谁也不能写；如果容器的运行时执行的不是这个文件，就改为执行内存中一份封死的副本。";
        object: "inode.i_writecount, F_SEAL_WRITE";
        look: ;
    }
    Spawn "spawn" {
        title: "A child in the container's pid namespace", "在容器的 pid Namespace 里创建子进程";
        why: "No process moves to another pid namespace: setns(2) only says where the children to come are born. So this process stays outside, and its child is born inside, in the container's cgroup where that is version 2.",
             "进程不能搬到另一个 pid Namespace：setns(2) 只决定之后的子进程生在哪里。所以本进程留在外面，它的子进程生在里面；如果是 cgroup v2，也直接生在容器的 Cgroup 里。";
        object: "nsproxy.pid_ns_for_children";
        look: "grep NSpid /proc/PID/status";
    }
    Join "join" {
        title: "Through the doors", "穿过这些门";
        why: "setns(2) moves the process from the host's namespaces to the container's, one kind at a time. The mount namespace comes last and brings its root directory: from here on every path is the container's.",
             "setns(2) 把进程从主机的 Namespace 移到容器的 Namespace，一次一种。挂载 Namespace 在最后，并带来它的根目录：从这里起，每个路径都是容器里的路径。";
        object: "task_struct.nsproxy";
        look: "sudo ls -l /proc/PID/ns";
    }
    Copy "copy" {
        title: "Copied as a stream", "以流的方式复制";
        why: "Two processes and a pipe between them: one has the container's root directory as its own and cannot even name a file of the host's, the other stays here. What passes is an archive in the form of tar(1), unpacked without following any link.",
             "两个进程，中间一根管道：一个以容器的根目录为自己的根目录，连主机文件的名字都叫不出来；另一个留在这里。传递的是 tar(1) 格式的归档，解包时不跟随任何链接。";
        object: "fs_struct.root";
        look: ;
    }
    ExecWait "exec-wait" {
        title: "Wait for the command", "等待命令结束";
        why: "The command is this process's child and the container's guest: when it ends its status comes here; when the container ends, the kernel kills it too.",
             "命令是本进程的子进程，也是容器的客人：它结束时状态传到这里；容器结束时，内核也会杀死它。";
        object: "task_struct.exit_code";
        look: ;
    }
    Pack "pack" {
        title: "The upper layer becomes a layer of an image", "upper 层变成镜像的一层";
        why: "All that a container changed is in its upper layer. It is written as a tar stream, in which a whiteout is an empty file .wh.NAME; the SHA-256 of that stream is the layer's name everywhere.",
             "容器改动的一切都在它的 upper 层里。把它写成 tar 流，其中 whiteout 写作空文件 .wh.名字；这个流的 SHA-256 就是这一层在各处的名字。";
        object: "";
        look: ;
    }
    Keep "keep" {
        title: "Into the store, whole or not at all", "放进仓库：要么完整，要么没有";
        why: "Blobs are named by the digest of their contents, and each layer is unpacked once, for all images and containers. All is made under names that nobody looks for; the name of the image comes last, by one rename.",
             "blob 以内容的摘要命名，每一层只解包一次，供所有镜像和容器共用。一切先用没人会去找的名字做好；镜像的名字最后才出现，靠一次 rename。";
        object: "";
        look: ;
    }
    Discard "discard" {
        title: "First the name, then what nobody needs", "先去掉名字，再删没人需要的";
        why: "An image is a name for a stack of layers that other images and containers may stand on too. So its name goes, and then each blob and layer to which no name leads any more and on which no container stands.",
             "镜像只是一叠层的名字，别的镜像和容器也可能建立在这些层上。所以先去掉名字，再删除不再有名字指向、也没有容器依赖的 blob 和层。";
        object: "";
        look: ;
    }
    Save "save" {
        title: "One archive for everybody", "人人都能读的归档";
        why: "Each blob goes into the archive once, under its digest, checked while it passes. index.json names the images for readers of OCI layouts, manifest.json for docker load.",
             "每个 blob 以摘要为名，只放一次，经过时核对摘要。index.json 为 OCI 布局的读者列出镜像，manifest.json 则为 docker load 列出。";
        object: "";
        look: ;
    }
    Stop "stop" {
        title: "Ask it to end, then make it", "先请它结束，再让它结束";
        why: "Pid 1 gets a signal that it may handle, and some time to put things in order. Pid 1 is deaf to signals without a handler, so after that time comes SIGKILL, which no process can refuse; the kernel then kills all others of its pid namespace.",
             "1 号进程先收到一个可以处理的信号，并有一段时间善后。没有处理函数的信号对 1 号进程无效，所以时间一到就发 SIGKILL，没有进程能拒绝它；随后内核杀掉这个 pid Namespace 里的其他进程。";
        object: "task_struct.signal";
        look: "cat /proc/PID/status", "minidocker ps -a";
    }
    Kill "kill" {
        title: "A signal to the first process", "给第一个进程发信号";
        why: "The signal goes by a pidfd, which names this very process: a pid that has been given to another one meanwhile cannot be hit.",
             "信号经由 pidfd 发送，它只指这一个进程：即使 pid 已经给了别的进程，也不会误伤。";
        object: "task_struct.signal";
        look: "grep Sig /proc/PID/status";
    }
    Pause "pause" {
        title: "Freeze the group", "冻结控制组";
        why: "The freezer stops every process of the cgroup at its next return from the kernel. They keep their memory and get no processor time; they cannot tell that time has passed, but by a clock.",
             "freezer 让 Cgroup 里的每个进程在下一次从内核返回时停住。它们保留内存，得不到处理器时间；除了看时钟，它们无从知道时间过去了。";
        object: "struct cgroup.freezer";
        look: "cat /sys/fs/cgroup/freezer/minidocker-*/freezer.state", "cat /sys/fs/cgroup/minidocker-*/cgroup.events";
    }
    Unpause "unpause" {
        title: "Thaw the group", "解冻控制组";
        why: "Every process goes on where it was stopped.",
             "每个进程都从停下的地方继续。";
        object: "struct cgroup.freezer";
        look: "cat /sys/fs/cgroup/freezer/minidocker-*/freezer.state", "cat /sys/fs/cgroup/minidocker-*/cgroup.events";
    }
    Rename "rename" {
        title: "Another name", "换一个名字";
        why: "A name is a symbolic link to the container's id. The kernel knows nothing of either.",
             "名字是指向容器 id 的符号链接。内核对两者一无所知。";
        object: "";
        look: ;
    }
}
