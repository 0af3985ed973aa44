//! The sentences about networks.

use super::super::{Lang, both};
use super::problems;
use crate::error::NetProblem;

problems! { NetProblem;
    NoSuchNetwork { name } => {
        what: "there is no network {name}", "没有名为 {name} 的网络";
        todo: "`minidocker network ls` lists them: bridge, host, none, and those that were created; container:NAME shares another container's", "用 `minidocker network ls` 查看：bridge、host、none，以及自己创建的；container:NAME 表示共用另一个容器的网络";
    }
    BadNetworkName { name } => {
        what: "{name:?} is no name for a network", "{name:?} 不能用作网络名";
        todo: "begin with a letter or digit, then letters, digits, _ . -", "以字母或数字开头，后面可以用字母、数字和 _ . -";
    }
    PredefinedNetwork { name } => {
        what: "the network {name} is always there: it cannot be created or removed", "网络 {name} 是固有的，不能创建，也不能删除";
        todo: "choose another name", "请换一个名字";
    }
    NetworkExists { name } => {
        what: "network with name {name} already exists", "名为 {name} 的网络已经存在";
        todo: "choose another name, or `minidocker network rm {name}`", "换一个名字，或者先 `minidocker network rm {name}`";
    }
    NetworkInUse { name, containers } => {
        what: "network {name} has active endpoints: {containers:?}", "网络 {name} 里还有正在运行的容器：{containers:?}";
        todo: "stop these containers, or disconnect them", "先停止这些容器，或断开它们的连接";
    }
    UnknownDriver { name } => {
        what: "there is no network driver {name}", "没有名为 {name} 的网络驱动";
        todo: "the only one is bridge", "只有 bridge 一种";
    }
    BadSubnet { text } => {
        what: "{text:?} is no subnet", "{text:?} 不是子网";
        todo: "write it as 10.1.2.0/24: no bits beyond the prefix, whose length is 8 to 30", "写成 10.1.2.0/24 的形式：前缀之后的位都为 0，前缀长度 8 到 30";
    }
    SubnetTaken { subnet } => {
        what: "the subnet {subnet} overlaps with one that is in use here", "子网 {subnet} 与本机正在使用的网段重叠";
        todo: "`ip route` and `minidocker network inspect` show which; choose another, or leave out --subnet", "用 `ip route` 和 `minidocker network inspect` 查看；请换一个，或者去掉 --subnet";
    }
    BadGateway { text, subnet } => {
        what: "{text:?} is no address that the bridge of {subnet} can have", "{text:?} 不能作为 {subnet} 的网桥地址";
        todo: "choose one inside, neither the first nor the last", "请在子网内选一个，首尾两个地址除外";
    }
    AddressOutside { address, subnet, network } => {
        what: "the address {address} is not one that a container in {network} ({subnet}) can have", "地址 {address} 不能给网络 {network}（{subnet}）里的容器使用";
        todo: "choose one inside, neither the first nor the last", "请在子网内选一个，首尾两个地址除外";
    }
    AddressTaken { address, network } => {
        what: "address already in use: {address} in network {network}", "网络 {network} 里的地址 {address} 已被占用";
        todo: "choose another, or leave out --ip", "请换一个，或者去掉 --ip";
    }
    BadAddress { text } => {
        what: "{text:?} is no IPv4 address", "{text:?} 不是 IPv4 地址";
        todo: "write it as 10.1.2.3", "写成 10.1.2.3 的形式";
    }
    OnlyOnUserNetworks { option } => {
        what: "{option} is for networks that you created", "{option} 只能用于自己创建的网络";
        todo: "make one with `minidocker network create`, and run with --network NAME", "先用 `minidocker network create` 创建，再用 --network 指定它";
    }
    ModeConflict { option, mode } => {
        what: "conflicting options: {option} and the network mode {mode}", "选项冲突：{option} 与网络模式 {mode}";
        todo: "leave one of them out", "请去掉其中一个";
    }
    TooManyNetworks => {
        what: "the container is in as many networks as it can be", "容器加入的网络已经达到上限";
        todo: "disconnect it from one", "请先断开一个";
    }
    NothingLeadsOut => {
        what: "ports cannot be published from an internal network", "内部网络里的容器不能发布端口";
        todo: "leave out -p, or connect the container to a network that is not internal", "去掉 -p，或者把容器接到一个非内部的网络";
    }
    AlreadyConnected { container, network } => {
        what: "the container {container} is already in network {network}", "容器 {container} 已经在网络 {network} 里";
        todo: "nothing needs to be done", "无需任何操作";
    }
    NotConnected { container, network } => {
        what: "container {container} is not connected to network {network}", "容器 {container} 没有接入网络 {network}";
        todo: "`minidocker network inspect {network}` shows who is", "用 `minidocker network inspect {network}` 查看谁在里面";
    }
    NotConnectable { container, mode } => {
        what: "the container {container} has the network mode {mode}, and cannot be connected to a network", "容器 {container} 的网络模式是 {mode}，不能接入其他网络";
        todo: "run it with --network bridge, or with the name of a network", "运行时请用 --network bridge，或者指定一个网络名";
    }
    BadPort { text } => {
        what: "{text:?} is no published port", "{text:?} 不是有效的端口";
        todo: "write it as [IP:][HOST:]CONTAINER[/tcp|/udp], such as 8080:80, 127.0.0.1:5353:53/udp or 8000-8002:80-82", "写成 [IP:][主机端口:]容器端口[/tcp|/udp]，例如 8080:80、127.0.0.1:5353:53/udp 或 8000-8002:80-82";
    }
    PortRanges { text } => {
        what: "in {text:?} the two ranges of ports have different lengths", "{text:?} 里的两个端口范围长度不同";
        todo: "let them have the same, such as 8000-8002:80-82", "请使用相同的长度，例如 8000-8002:80-82";
    }
    BadHostAddress { text } => {
        what: "{text:?} is no IPv4 address of this machine's to publish a port at", "{text:?} 不是可以发布端口的 IPv4 地址";
        todo: "leave it out for all addresses, or give one: 127.0.0.1:8080:80", "省略它表示所有地址，或者给出一个，例如 127.0.0.1:8080:80";
    }
    PortTaken { address, ports, protocol } => {
        what: "Bind for {address}:{ports} failed: port is already allocated ({protocol})", "无法绑定 {address}:{ports}：端口已被占用（{protocol}）";
        todo: "`ss -lnp` shows by whom; choose another port", "用 `ss -lnp` 查看是谁占用；请换一个端口";
    }
    PortRefused { address, ports, protocol } => {
        what: "Bind for {address}:{ports} failed ({protocol})", "无法绑定 {address}:{ports}（{protocol}）";
        todo: "the address must be one of this machine's; ports below 1024 are root's", "地址必须属于本机；1024 以下的端口只有 root 能用";
    }
    NotPublished { port, container } => {
        what: "No public port '{port}' published for {container}", "容器 {container} 没有发布端口 {port}";
        todo: "`minidocker port {container}` lists those that are", "用 `minidocker port {container}` 查看已发布的端口";
    }
    BadFilter { text } => {
        what: "{text:?} is no filter for networks", "{text:?} 不是网络的筛选条件";
        todo: "write it as name=PART, id=BEGINNING or driver=NAME", "写成 name=一部分、id=开头 或 driver=名字";
    }
    BadExtraHost { text } => {
        what: "{text:?} is no name with an address", "{text:?} 不是“名字:地址”";
        todo: "write it as NAME:ADDRESS; the address host-gateway is this machine's", "写成 名字:地址；地址 host-gateway 表示本机";
    }
    BadNameserver { text } => {
        what: "{text:?} is no address of a name server", "{text:?} 不是域名服务器的地址";
        todo: "give an IPv4 or IPv6 address, such as --dns 9.9.9.9", "请给出 IPv4 或 IPv6 地址，例如 --dns 9.9.9.9";
    }
}
