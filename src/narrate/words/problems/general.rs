//! The sentences about the command line, the machine, and whatever is no single room's.

use super::super::{Lang, both};
use super::problems;
use crate::error::Problem;

problems! { Problem;
    Refused => {
        what: "the kernel refused a request", "内核拒绝了一个请求";
        todo: "run it again with --explain to see what came before", "加上 --explain 再运行一次，看看之前发生了什么";
    }
    // The command line.
    BadMemory { text } => {
        what: "{text:?} is no amount of memory", "{text:?} 不是内存大小";
        todo: "give a number with b, k, m or g, at least 6m, or 0 for no limit: --memory 64m", "请给出带 b、k、m 或 g 的数字，至少 6m（0 表示不限制），例如 --memory 64m";
    }
    BadCpus { text } => {
        what: "{text:?} is no number of processors", "{text:?} 不是处理器个数";
        todo: "give a number above 0, such as --cpus 0.5", "请给出大于 0 的数，例如 --cpus 0.5";
    }
    CpusAboveMachine { asked, online } => {
        what: "--cpus {asked} is more than this machine has", "--cpus {asked} 超过了本机的处理器个数";
        todo: "ask for at most {online}", "最多 {online}";
    }
    BadCpuset { text, online } => {
        what: "{text:?} is no list of this machine's processors", "{text:?} 不是本机处理器的列表";
        todo: "choose from {online}, such as --cpuset-cpus 0 or 0-1,3", "可选的有 {online}，例如 --cpuset-cpus 0 或 0-1,3";
    }
    BadPids { text } => {
        what: "{text:?} is no number of processes", "{text:?} 不是进程个数";
        todo: "give a whole number above 0, or -1 for no limit", "请给出大于 0 的整数，-1 表示不限制";
    }
    BadRate { text } => {
        what: "{text:?} is no rate of a block device", "{text:?} 不是块设备的速率";
        todo: "write it as DEVICE:RATE, such as /dev/sda:1mb", "写成 设备:速率，例如 /dev/sda:1mb";
    }
    BadVolume { text } => {
        what: "{text:?} is no volume", "{text:?} 不是有效的卷";
        todo: "write it as SOURCE:TARGET or SOURCE:TARGET:ro, both absolute paths", "写成 来源:目标 或 来源:目标:ro，两者都用绝对路径";
    }
    VolumeSourceMissing { path } => {
        what: "the source of the volume, {path}, does not exist", "卷的来源 {path} 不存在";
        todo: "make it first: mkdir -p {path}", "请先创建：mkdir -p {path}";
    }
    VolumeTwice { target } => {
        what: "two volumes have the same target, {target}", "两个卷的目标相同：{target}";
        todo: "leave one out, or give it another target", "请去掉一个，或换一个目标";
    }
    VolumeInProc { target } => {
        what: "the volume's target {target} lies in /proc, which shows the container its own processes", "卷的目标 {target} 在 /proc 里，而 /proc 是容器用来查看自己进程的";
        todo: "choose a target elsewhere", "请把目标放在别处";
    }
    BadEnvironment { text } => {
        what: "{text:?} is no environment variable", "{text:?} 不是环境变量";
        todo: "write it as NAME=value", "写成 名字=值";
    }
    EnvironmentNotUtf8 { name } => {
        what: "the value that {name} has here is not UTF-8", "环境变量 {name} 在这里的值不是 UTF-8";
        todo: "give it a value: --env {name}=value", "请给出它的值：--env {name}=值";
    }
    BadUser { text } => {
        what: "{text:?} is no user", "{text:?} 不是用户";
        todo: "write it as USER or USER:GROUP, names or numbers", "写成 用户 或 用户:组，名字或数字都可以";
    }
    BadHostname { text } => {
        what: "{text:?} is no host name", "{text:?} 不是主机名";
        todo: "use at most 64 letters, digits, hyphens and dots", "最多 64 个字母、数字、连字符和点";
    }
    BadName { name } => {
        what: "{name:?} is no name for a container", "{name:?} 不能作容器名";
        todo: "begin with a letter or digit, then letters, digits, _ . or -", "以字母或数字开头，后面可用字母、数字、_ . 和 -";
    }
    BadWorkdir { path } => {
        what: "the working directory {path:?} is not an absolute path", "工作目录 {path:?} 不是绝对路径";
        todo: "begin it with /", "请以 / 开头";
    }
    UnknownCapability { name } => {
        what: "there is no capability {name:?}", "没有名为 {name:?} 的 capability";
        todo: "see `man 7 capabilities` for the names; the prefix CAP_ may be left out", "名字见 `man 7 capabilities`，前缀 CAP_ 可以省略";
    }
    UnknownNetwork { name } => {
        what: "there is no network {name:?}", "没有名为 {name:?} 的网络";
        todo: "choose none, host, bridge or container:NAME", "可选 none、host、bridge 或 container:名字";
    }
    StepNeedsTerminal => {
        what: "--step waits for Enter, and there is no terminal to press it on", "--step 要等待回车，但这里没有终端";
        todo: "run it in a terminal, or use --explain", "请在终端里运行，或改用 --explain";
    }
    TraceUnusable { path } => {
        what: "the trace cannot be written to {path}", "无法把跟踪写入 {path}";
        todo: "name a file in a directory that you may write to, or - for standard error", "请给出可写目录里的文件，或用 - 表示标准错误";
    }
    PictureUnusable { path } => {
        what: "the picture cannot be written to {path}", "无法把图写入 {path}";
        todo: "name a file in a directory that you may write to", "请给出可写目录里的文件";
    }
    // Images and containers.
    UnknownImage { name, known } => {
        what: "there is no image {name:?} here", "这里没有镜像 {name:?}";
        todo: "the image base is always there; also known: {known:?}", "镜像 base 总是可用的；另外还有：{known:?}";
    }
    NoCommand { image } => {
        what: "the image {image} names no command to run", "镜像 {image} 没有指定要运行的命令";
        todo: "give one after the image: minidocker run {image} sh", "请在镜像名之后给出：minidocker run {image} sh";
    }
    NameTaken { name, id } => {
        what: "the name {name:?} belongs to container {id}", "名字 {name:?} 已被容器 {id} 使用";
        todo: "choose another with --name, or remove that one: minidocker rm {name}", "用 --name 换一个名字，或删除它：minidocker rm {name}";
    }
    NoSuchContainer { name } => {
        what: "there is no container {name:?}", "没有容器 {name:?}";
        todo: "`minidocker ps -a` lists them", "`minidocker ps -a` 列出所有容器";
    }
    NotRunning { name } => {
        what: "container {name} is not running", "容器 {name} 没有在运行";
        todo: "`minidocker ps` lists those that are", "`minidocker ps` 列出正在运行的容器";
    }
    StillRunning { name } => {
        what: "container {name} is still running", "容器 {name} 还在运行";
        todo: "end it first", "请先停止它";
    }
    ContainersRunning => {
        what: "there are containers running", "还有容器在运行";
        todo: "end them first; what had ended is removed already", "请先结束它们；已结束的都已删除";
    }
    NoSuchUser { name } => {
        what: "the container's /etc/passwd has no user {name:?}", "容器的 /etc/passwd 里没有用户 {name:?}";
        todo: "name one that it has, or give a number: --user 1000", "请用其中已有的用户，或给出数字：--user 1000";
    }
    NoSuchGroup { name } => {
        what: "the container's /etc/group has no group {name:?}", "容器的 /etc/group 里没有组 {name:?}";
        todo: "name one that it has, or give a number: --user 1000:1000", "请用其中已有的组，或给出数字：--user 1000:1000";
    }
    WorkdirMissing { path } => {
        what: "the working directory {path} cannot be entered in the container", "容器里无法进入工作目录 {path}";
        todo: "choose another with --workdir", "请用 --workdir 换一个";
    }
    NotADirectory { path } => {
        what: "{path} in the image is not a directory", "镜像里的 {path} 不是目录";
        todo: "a container needs a directory there: use another image", "容器需要在那里有一个目录：请换一个镜像";
    }
    NotAFile { path } => {
        what: "{path} in the image is not a regular file", "镜像里的 {path} 不是普通文件";
        todo: "a container reads its users and groups there: use another image", "容器要从那里读取用户和组：请换一个镜像";
    }
    LeadsNowhere { path } => {
        what: "{path} in the container is a link that leads nowhere, or lies behind one", "容器里的 {path} 是断开的链接，或在这样的链接之后";
        todo: "choose another path, or the one the link should lead to", "请换一个路径，或直接用链接应指向的路径";
    }
    FileOnDirectory { source, target } => {
        what: "the volume {source} is not a directory, and the container has a directory at {target}", "卷 {source} 不是目录，而容器里的 {target} 是目录";
        todo: "name a file as the target, such as {target}/name, or a directory as the source", "请把目标写成文件，例如 {target}/name，或用目录作来源";
    }
    DirectoryOnFile { source, target } => {
        what: "the volume {source} is a directory, and the container has a file at {target}", "卷 {source} 是目录，而容器里的 {target} 是文件";
        todo: "name a directory as the target, or a file as the source", "请用目录作目标，或用文件作来源";
    }
    NotTheDevice { path } => {
        what: "the host's {path} is not the device of that name", "宿主机的 {path} 不是同名的设备";
        todo: "look at it with `ls -l {path}`", "用 `ls -l {path}` 看一看";
    }
    CommandNotFound { name } => {
        what: "the container has no command {name:?}", "容器里没有命令 {name:?}";
        todo: "check its spelling and the container's PATH; `ls /bin` shows what there is", "检查拼写和容器的 PATH；`ls /bin` 可以看到有哪些命令";
    }
    CommandNotExecutable { name } => {
        what: "{name:?} cannot be executed", "{name:?} 无法执行";
        todo: "it must be a program for this machine, or begin with #!, and have its x bit set: chmod +x", "它必须是本机架构的程序或以 #! 开头，并带有 x 权限：chmod +x";
    }
    // The machine.
    StateUnusable { path } => {
        what: "minidocker keeps its state in {path} and cannot use it", "minidocker 的状态保存在 {path}，但无法使用它";
        todo: "make it yours, or name another directory in MINIDOCKER_ROOT", "请取得它的权限，或用 MINIDOCKER_ROOT 指定另一个目录";
    }
    StateDamaged { path, detail } => {
        what: "{path} does not hold what minidocker wrote there ({detail})", "{path} 的内容不是 minidocker 写下的（{detail}）";
        todo: "remove that file or restore it", "请删除或恢复这个文件";
    }
    NoHome => {
        what: "there is no home directory to keep state in", "没有可以保存状态的主目录";
        todo: "set HOME, or name a directory in MINIDOCKER_ROOT", "请设置 HOME，或用 MINIDOCKER_ROOT 指定目录";
    }
    StateNotUtf8 { path } => {
        what: "the state directory {path:?} is not UTF-8, as the records in it must be", "状态目录 {path:?} 不是 UTF-8，而其中的记录必须是";
        todo: "name another one in MINIDOCKER_ROOT", "请用 MINIDOCKER_ROOT 指定另一个目录";
    }
    StateOnOverlay { path } => {
        what: "the file system of {path} cannot hold the writable layer of an overlay (usual inside another container, where it is an overlay itself)", "{path} 所在的文件系统不能存放 overlay 的可写层（在另一个容器里很常见，那里它本身就是 overlay）";
        todo: "put the state on another file system, such as ext4, xfs or tmpfs: MINIDOCKER_ROOT=/DIRECTORY", "请把状态放到别的文件系统上，例如 ext4、xfs 或 tmpfs：MINIDOCKER_ROOT=/目录";
    }
    LayerNotWhole { path } => {
        what: "{path} cannot be handed on in a layer: its contents are in a layer below (redirect_dir, metacopy), or its name begins with .wh.", "{path} 无法写入可分发的层：它的内容在下面的层里（redirect_dir、metacopy），或者名字以 .wh. 开头";
        todo: "write the file anew in the container, or rename it", "请在容器里重新写入这个文件，或者改名";
    }
    BadArchive { detail } => {
        what: "this is no archive of a layer ({detail})", "这不是层的归档文件（{detail}）";
        todo: "make it again, and look with tar -tvf", "请重新生成，并用 tar -tvf 查看";
    }
    NoProc => {
        what: "minidocker needs /proc, and it cannot be read here", "minidocker 需要 /proc，而这里无法读取它";
        todo: "mount it: mount -t proc proc /proc", "请挂载它：mount -t proc proc /proc";
    }
    TooLong { path, mebibytes } => {
        what: "{path} is longer than {mebibytes} MiB", "{path} 超过了 {mebibytes} MiB";
        todo: "see what fills it: less {path}", "请看看里面是什么：less {path}";
    }
    NoIptables { program } => {
        what: "the bridge network needs {program}, which this machine does not have", "bridge 网络需要 {program}，本机没有";
        todo: "`sudo apt install iptables`, or --network none", "`sudo apt install iptables`，或用 --network none";
    }
    NatRefused { program, said } => {
        what: "{program} did not take the rules ({said})", "{program} 没有接受规则（{said}）";
        todo: "`sudo modprobe nf_nat` may load what is missing; --network none does without", "`sudo modprobe nf_nat` 也许能加载缺少的模块；也可用 --network none";
    }
    NoOverlay => {
        what: "this kernel cannot mount an overlay file system here", "内核无法在这里挂载 overlay 文件系统";
        todo: "`sudo modprobe overlay` loads it; in a user namespace it needs Linux 5.11 or root", "`sudo modprobe overlay` 加载它；在用户 Namespace 中需要 Linux 5.11，或以 root 运行";
    }
    NoBridge => {
        what: "this kernel cannot make a bridge", "内核无法创建网桥";
        todo: "`sudo modprobe bridge veth` loads what it needs, or use --network none", "`sudo modprobe bridge veth` 加载所需模块，或用 --network none";
    }
    BridgeTaken { name } => {
        what: "the link {name} on this host belongs to somebody else", "本机的网卡 {name} 属于别人";
        todo: "run again, which looks for another name; `ip link` shows the links", "请再运行一次，会另找名字；`ip link` 列出所有网卡";
    }
    NoUserNamespaces { sysctl } => {
        what: "an ordinary user needs a user namespace for a container, and this system does not allow one", "普通用户运行容器需要用户 Namespace，而本系统不允许";
        todo: "allow it, or run as root", "请放开限制，或以 root 运行";
    }
    NoNamespaces { which } => {
        what: "this system does not give the namespaces {which}", "本系统不提供这些 Namespace：{which}";
        todo: "run as root; inside another container it needs that one's --privileged", "请以 root 运行；如果身在另一个容器里，那个容器需要 --privileged";
    }
    NotMapped { id } => {
        what: "id {id} does not exist in this container: only your own id is mapped, as 0", "容器里没有 id {id}：只映射了你自己的 id，显示为 0";
        todo: "leave --user out or use --user 0; root can give you more ids, in /etc/subuid and /etc/subgid: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 YOU", "去掉 --user 或用 --user 0；root 可以在 /etc/subuid 和 /etc/subgid 里分配更多 id：usermod --add-subuids 100000-165535 --add-subgids 100000-165535 你的用户名";
    }
    BridgeNeedsRoot => {
        what: "the bridge network changes links and rules of the host, which only root may do", "bridge 网络要修改主机的网卡和规则，只有 root 可以";
        todo: "run as root, or use --network none or host", "请以 root 运行，或用 --network none 或 host";
    }
    JoinNeedsRights { name } => {
        what: "you may not enter the network of container {name}", "你无权进入容器 {name} 的网络";
        todo: "run as the user who started it, or as root", "请用启动它的用户运行，或以 root 运行";
    }
    NoSubnet => {
        what: "every subnet that minidocker would take is in use by this machine's routes", "minidocker 可用的子网都已被本机的路由占用";
        todo: "see `ip route`, or use --network none", "请查看 `ip route`，或用 --network none";
    }
    NoAddress { subnet } => {
        what: "all addresses of {subnet} are in use", "{subnet} 的地址已经用完";
        todo: "end some containers first", "请先结束一些容器";
    }
    CgroupNotWritable { asked, path } => {
        what: "{asked} needs a cgroup, and {path} may not be written by this user", "{asked} 需要 Cgroup，而当前用户不能写 {path}";
        todo: "run as root, or have systemd hand one over: systemd-run --user --scope -p Delegate=yes minidocker run …", "请以 root 运行，或让 systemd 委派一个：systemd-run --user --scope -p Delegate=yes minidocker run …";
    }
    CgroupNoController { asked, controller } => {
        what: "{asked} needs the cgroup controller {controller}, which is not available here", "{asked} 需要 Cgroup 子系统 {controller}，这里没有";
        todo: "see /proc/cgroups and cgroup.controllers; as an ordinary user, systemd must delegate it; some kernels need cgroup_enable={controller} at boot", "请查看 /proc/cgroups 和 cgroup.controllers；普通用户需要 systemd 委派；有些内核启动时要加 cgroup_enable={controller}";
    }
    CgroupBusy { path } => {
        what: "the cgroup {path} has other processes in it, and one that has processes cannot limit groups below", "Cgroup {path} 里还有别的进程，而有进程的 Cgroup 不能限制下级组";
        todo: "give minidocker one to itself: systemd-run --user --scope -p Delegate=yes minidocker run …", "请给 minidocker 单独一个：systemd-run --user --scope -p Delegate=yes minidocker run …";
    }
    CgroupForDemo { path } => {
        what: "cgroups of its own are needed here, and none may be made in {path}", "这里要新建自己的 Cgroup，但不能在 {path} 中新建";
        todo: "run it as root (sudo) or, with cgroup v2, alone in a cgroup that is yours: systemd-run --user --scope -p Delegate=yes cgroup-demo … (or cargo lab …)", "请以 root 运行（sudo）；在 cgroup v2 上也可以让它独占一个委派给你的 Cgroup：systemd-run --user --scope -p Delegate=yes cgroup-demo …（或 cargo lab …）";
    }
    NoSuchCgroup { path } => {
        what: "{path:?} is no cgroup", "{path:?} 不是 Cgroup";
        todo: "give a directory below /sys/fs/cgroup, or its path inside the hierarchies; `cgroup-demo tree` shows them all", "请给出 /sys/fs/cgroup 下的目录，或它在层级树里的路径；`cgroup-demo tree` 列出所有 Cgroup";
    }
    CgroupLimitRefused { file, value } => {
        what: "the kernel did not take the limit {value:?} for {file}", "内核没有接受 {file} 的上限 {value:?}";
        todo: "a cgroup above may be tighter; see that file in the directories above it", "上一级 Cgroup 可能更严格；请查看上级目录里的同名文件";
    }
    NoShell { looked } => {
        what: "no shell was found to make the image base from (looked for {looked})", "找不到制作镜像 base 所需的 shell（找过 {looked}）";
        todo: "install dash, bash or busybox", "请安装 dash、bash 或 busybox";
    }
    LoaderFailed { program, said } => {
        what: "the dynamic loader could not say which libraries {program} needs ({said})", "动态加载器说不出 {program} 需要哪些库（{said}）";
        todo: "`ldd {program}` shows what is missing", "`ldd {program}` 可以看到缺少什么";
    }
    ProcHidden => {
        what: "a throw-away host cannot have a /proc of its own here, as inside a container that hides parts of /proc", "在这里无法为用完即弃的主机挂载自己的 /proc，例如容器内部遮住了 /proc 的一部分";
        todo: "run it outside of that container, or as root with --on-host", "请在那个容器之外运行，或者以 root 加 --on-host 运行";
    }
    OnHostNeedsRoot => {
        what: "--on-host changes this very machine, which takes CAP_SYS_ADMIN", "--on-host 会直接改动本机，需要 CAP_SYS_ADMIN";
        todo: "run it as root, or without --on-host on a throw-away host", "请以 root 运行，或者不加 --on-host，在用完即弃的主机上运行";
    }
    NoSuchType { name, kernel, near } => {
        what: "no type of {kernel} is called {name:?}", "{kernel} 没有名为 {name:?} 的类型";
        todo: "the nearest names are {near}", "最接近的名字有 {near}";
    }
    NoSuchProcess { pid } => {
        what: "there is no process {pid} here", "这里没有进程 {pid}";
        todo: "see `ps -e` for those there are", "请用 `ps -e` 查看有哪些进程";
    }
    ProcessClosed { pid } => {
        what: "you may not look at the namespaces of process {pid}", "你无权查看进程 {pid} 的 Namespace";
        todo: "run it as the user whose process it is, or as root (ptrace(2) says who may)", "请用该进程所属的用户运行，或以 root 运行（规则见 ptrace(2)）";
    }
    NamespaceClosed { kind, pid } => {
        what: "you may not join the {kind} namespace of process {pid}", "你无权进入进程 {pid} 的 {kind} Namespace";
        todo: "it takes CAP_SYS_ADMIN in the user namespace that owns it: run as root, or join that one too with --user", "需要在拥有它的用户 Namespace 里有 CAP_SYS_ADMIN：请以 root 运行，或加 --user 一并进入那个用户 Namespace";
    }
    Interrupted { signal } => {
        what: "interrupted by signal {signal} while the container was starting", "容器启动时被信号 {signal} 中断";
        todo: "nothing of it is left; run it again", "没有留下任何东西，可以再次运行";
    }
    DemoInterrupted { signal } => {
        what: "it was interrupted by signal {signal}", "被信号 {signal} 中断";
        todo: "nothing is left of it; run it again", "没有留下任何东西；可以再次运行";
    }
    ChildVanished => {
        what: "the container's first process ended before the command began", "容器的第一个进程在命令开始之前就结束了";
        todo: "it may have been killed (see `dmesg` for the OOM killer); --explain shows how far it came", "它可能被杀死了（OOM Killer 的记录见 `dmesg`）；--explain 可以看到进行到哪一步";
    }
    // Those of one room are said by that room's file.
    Lab(_) | Life(_) | Look(_) | Net(_) | Volume(_) | Image(_) | Console(_) | Inside(_) | Rootless(_) => {
        what: "this cannot be said here", "此处无法说明";
        todo: "look at the file of its room", "请看对应的文件";
    }
}
