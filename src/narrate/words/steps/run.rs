//! The steps of running a container, in the order in which they are taken; and those of demos.

use super::super::Text;
use super::{StepWords, steps};

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
    Supervise "supervise" {
        title: "A supervisor for the container", "容器的守护进程";
        why: "The container needs a parent that stays: it waits for the end, keeps what the container says, and clears up. It is a copy of this process in a session of its own, so no key pressed here reaches it, and this one may leave.",
             "容器需要一个留下来的父进程：它等待容器结束，保存容器的输出，并负责清理。它是本进程的副本，有自己的会话，这里按下的键影响不到它，而本进程可以离开。";
        object: "task_struct.real_parent";
        look: "ps -o pid,ppid,sid,comm -C minidocker";
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
    Cleanup "cleanup" {
        title: "Remove what does not go by itself", "清理不会自己消失的东西";
        why: "The cgroup and the container's directory carry its id in their names and are removed by hand.",
             "Cgroup 和容器的目录以容器 id 命名，需要动手删除。";
        object: "";
        look: ;
    }
}
