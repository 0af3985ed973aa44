//! What is said of known mistakes, and the hints.

use crate::lab::lesson::Mistake;
use crate::narrate::words::Text;

const fn mistake(name: &'static str, en: &'static str, zh: &'static str) -> Mistake {
    Mistake { name, why: Text { en, zh } }
}

/// The wrong answers that are known.
pub const MISTAKES: &[Mistake] = &[
    mistake(
        "lo-left-down",
        "a new network namespace has `lo`, but it is down, and until somebody sets it up it has no address and no route: \
         whoever speaks to 127.0.0.1 there is told ENETUNREACH.",
        "新的网络命名空间里有 `lo`，但它是关着的；没人启用它之前，它没有地址也没有路由，连 127.0.0.1 都会得到 ENETUNREACH。",
    ),
    mistake(
        "bridge-left-down",
        "an address does not set a link up (IFF_UP). While the bridge is down it forwards no frame, and the kernel adds no \
         route to the subnet.",
        "给链路加地址并不会启用它（IFF_UP）。网桥关着就不转发任何帧，内核也不会加上到子网的路由。",
    ),
    mistake(
        "address-without-subnet",
        "the length of the prefix says who else is on the same wire. With /32 nobody is, so the kernel adds no route to the \
         containers: what they send arrives, and no answer finds the way back.",
        "前缀长度说明这条线上还有谁。/32 意味着没有别人，内核就不加到容器的路由：它们发来的能收到，回答却找不到路。",
    ),
    mistake(
        "hears-advertisements",
        "the host takes router advertisements (RFC 4861) on a new link for true. On this one containers speak: any of them \
         could make itself the host's IPv6 router. `accept_ra` of the bridge must be 0 before somebody is on it.",
        "主机会相信新链路上的路由器通告（RFC 4861）。而这条链路上说话的是容器：任何一个都能冒充主机的 IPv6 路由器。在有人接上之前，网桥的 `accept_ra` 必须是 0。",
    ),
    mistake(
        "plugged-nowhere",
        "the pair is there, but the host's end is no port of the bridge: IFLA_MASTER was 0, or is that of another link. A \
         cable of which one end lies on the floor.",
        "veth 对是有了，但主机那一端不是网桥的端口：IFLA_MASTER 是 0，或指向别的链路。就像网线的一头掉在地上。",
    ),
    mistake(
        "one-name-for-all",
        "the host's end has a fixed name, and a link's name is unique in its namespace: the second container's cable is \
         refused with EEXIST. `endpoint.host_link` has the container's id in it.",
        "主机那一端用了固定的名字，而链路名在一个命名空间里是唯一的：第二个容器的网线会得到 EEXIST。`endpoint.host_link` 里带着容器的 id。",
    ),
    mistake(
        "eth0-left-down",
        "the link has its address and is down. The route to its subnet appears only when it is up, and a default route by a \
         gateway that cannot be reached is refused (ENETUNREACH).",
        "链路有了地址，却是关着的。到子网的路由要等它启用才出现；网关不可达时，默认路由会被拒绝（ENETUNREACH）。",
    ),
    mistake(
        "no-way-out",
        "the only route inside is that to the subnet, which came with the address. To whoever is elsewhere no route leads: \
         `endpoint.default_route` says that this link is to be the way.",
        "容器里只有随地址而来的子网路由，去别处没有路。`endpoint.default_route` 说明这条链路就该是出口。",
    ),
    mistake(
        "unknown-sender",
        "the packet went out with the container's own address, to which nobody outside knows a route; here alone an answer \
         came back. MASQUERADE gives it the host's address on the way out.",
        "数据包带着容器自己的地址出去了，外面没人知道怎么回到这个地址；只有在这里才收到了回答。MASQUERADE 会在出去时换成主机的地址。",
    ),
    mistake(
        "left-to-the-policy",
        "no rule accepts what is forwarded from the bridge, so the chain's policy decides. It is ACCEPT on a bare machine, \
         and DROP wherever dockerd runs.",
        "没有规则放行从网桥转发出去的包，于是由链的默认策略决定：干净的机器上是 ACCEPT，运行 dockerd 的机器上是 DROP。",
    ),
    mistake(
        "one-way",
        "what goes out passes, and the answers meet the policy of FORWARD: they come in by another link, so the rule for the \
         way out is not about them. conntrack knows which packets belong to a connection that was made from inside.",
        "出去的包通过了，应答却落到 FORWARD 的默认策略上：它们从另一条链路进来，出口那条规则管不着。conntrack 知道哪些包属于从里面建立的连接。",
    ),
];

/// What helps, the first the least.
pub const HINTS: &[Text] = &[
    Text {
        en: "Requests name a link by its index. You know only its name: ask first who bears it (`link::find`), after the link \
             has been made.",
        zh: "请求里用序号来指链路，而你只知道名字：先问内核谁叫这个名字（`link::find`），当然要在链路造好之后。",
    },
    Text {
        en: "Inside, three requests in this order: address, up, route. Try to give a reason for each \"before\".",
        zh: "容器里三个请求，顺序是：地址、启用、路由。想一想每一处“先于”的理由。",
    },
    Text {
        en: "`attach` is one message: a Veth { name: host_link, group and master: those of the bridge that `find` answered \
             with, peer: link, netns }. The kernel makes both ends at once, and neither is ever in the wrong place.",
        zh: "`attach` 只是一条消息：Veth { name: host_link，group 和 master 取自 `find` 查到的网桥，peer: link，netns }。内核同时造出两端，谁都不会出现在错误的地方。",
    },
    Text {
        en: "Three rules: in `nat`, POSTROUTING, for packets with a source in the subnet that leave by another link than the \
             bridge; in `filter`, at the head of FORWARD, one by `-i` and one by `-o` with the state of the connection.",
        zh: "三条规则：`nat` 表的 POSTROUTING，针对源地址在子网内、又不从网桥出去的包；`filter` 表 FORWARD 链的最前面，一条用 `-i`，一条用 `-o` 加连接状态。",
    },
    Text {
        en: "script.line(\"nat\", format!(\"-A POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE\")) is one of the three; \
             the other two begin with -I FORWARD and end with -j ACCEPT.",
        zh: "script.line(\"nat\", format!(\"-A POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE\")) 是其中一条；另外两条以 -I FORWARD 开头、以 -j ACCEPT 结尾。",
    },
];
