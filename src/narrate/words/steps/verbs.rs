//! The steps of what is done to a container from outside, and of going into one.

use super::super::Text;
use super::{StepWords, steps};

steps! {
    Shared "shared" {
        title: "Into the namespaces that your containers share", "进入你的容器共用的 Namespace";
        why: "On the host a bridge is root's to make. In a user namespace of your own you are root, and in the network namespace that belongs to it you make bridges as root does. All your bridged containers share the two; the first makes them, and a program plays the rest of the world for them through a tap device.",
             "主机上的网桥只有 root 能建。在你自己的用户 Namespace 里你就是 root，在属于它的网络 Namespace 里，你可以像 root 一样建网桥。你所有接网桥的容器共用这两个 Namespace；第一个容器创建它们，并由一个程序通过 tap 设备为它们扮演外面的世界。";
        object: "net->user_ns";
        look: "readlink /proc/PID/ns/user /proc/PID/ns/net", "nsenter -t PID -U -n --preserve-credentials ip addr";
    }
    VolumeStore "volume-store" {
        title: "Volumes that are kept", "保存着的卷";
        why: "A volume is a directory of the host with a name. It is made under a name that nobody looks for and then renamed, and removed the other way round, so that others see it whole or not at all. Only one that no container's plan names is removed.",
             "卷就是主机上一个有名字的目录。它先以没人会找的名字建好再改名，删除则相反，所以别人看到的要么是完整的卷，要么没有。只有不被任何容器的计划引用的卷才会删除。";
        object: "";
        look: "sudo ls /var/lib/minidocker/volumes";
    }
    Console "console" {
        title: "Attach to the container", "连接到容器";
        why: "What a container writes goes through pipes, or a terminal of its own, to its supervisor. Whoever connects to the socket attach in the container's directory is sent it from there; nobody reaches into the container for it.",
             "容器写出的内容经过管道（或它自己的终端）到达监管进程。连接到容器目录里的 attach 套接字，就能从那里收到；没有谁需要伸手进容器。";
        object: "struct unix_sock";
        look: "ss -xp | grep attach";
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
}
