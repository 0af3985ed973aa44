//! netlink: one message built by hand, read byte by byte, sent, granted and refused. netlink(7), rtnetlink(7).

use super::anatomy::{Field, dissect};
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::{Error, Result};
use crate::namespace;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::network::link;
use crate::network::message::encode;
use crate::observe::{self, Subject};
use crate::sys::Call;
use crate::sys::errno::EEXIST;
use crate::sys::netlink::{Netns, Rtnetlink, Socket};
use crate::sys::wire::{Family, Wire};

/// `net-demo netlink`.
pub const WALK: Walk = Walk {
    name: "netlink",
    title: Text { en: "A veth pair, byte by byte", zh: "一对 veth，逐字节来看" },
    place: Place::ThrowAway,
    show,
};

/// The end that stays here, the end in the other namespace, and a name that no link can have.
const HERE: &str = "md-by-hand";
const THERE: &str = "eth0";
const TOO_LONG: &str = "md-far-too-long-a-name";

/// What there is on both sides: the names of the links here and there.
type Links = (Option<String>, Option<String>);

fn links_here() -> Option<String> {
    observe::read(&Subject::Links)
}

fn show(stage: &Stage) -> Result<Ending> {
    let inside = Actor::start("inside", namespace::NET, |()| Ok(links_here()))?;
    let request =
        |name| Rtnetlink::NewVeth { name, group: 0, master: 0, peer: THERE, netns: Netns::Of(inside.pid()) };
    let look = || -> Result<Links> { Ok((links_here(), inside.ask(())?)) };
    let message = encode(&request(HERE), 1);

    let whole = the_message(stage, &message);

    stage.scene(&text!("Sent, and granted", "发送，内核同意"));
    stage.command(&format!("sudo ip link add {HERE} type veth peer name {THERE} netns {}", inside.pid()));
    let wire = Wire::open(Family::Route)?;
    let before = look()?;
    let granted = send(stage, &wire, request(HERE), &message)?;
    let after = look()?;
    sides(stage, &before, &after);
    let read = as_the_kernel_tells_it(stage, &wire)?;

    stage.scene(&text!("Sent again, and refused", "再发一次，内核拒绝"));
    stage.say(&text!(
        "The flag EXCL says: make it, but not if it is there. The same bytes now get another answer.",
        "标志 EXCL 的意思是：新建，但不要覆盖已有的。同样的字节，这次得到了另一个回答。"
    ));
    let again = send(stage, &wire, request(HERE), &message)?;
    let length = TOO_LONG.len();
    stage.say(&text!(
        "And a name of {length} bytes. The kernel says which byte of the message it stopped at, and what it takes there.",
        "再试一个 {length} 字节的名字。内核会说明它停在消息的第几个字节，以及那里最多接受什么。"
    ));
    let long = encode(&request(TOO_LONG), 1);
    let refused = send(stage, &wire, request(TOO_LONG), &long)?;
    let unchanged = look()? == after;
    link::delete(&Socket::open()?, HERE)?;
    inside.end()?;

    let made = granted.is_none() && has(&after.0, HERE) && has(&after.1, THERE);
    let new = !has(&before.0, HERE) && !has(&before.1, THERE);
    let twice = again.is_some_and(|error| error.is(EEXIST)) && refused.is_some() && unchanged;
    let length = message.len();
    Ok(Ending::default()
        .saw(whole && read,
            text!(
                "{length} bytes are the whole order. Each belongs to a field, and the kernel read the same fields.",
                "整个请求就是 {length} 个字节。每个字节都属于某个字段，内核读到的也是这些字段。"
            ),
        )
        .saw(
            made && new,
            text!(
                "One message made two links in two network namespaces: {HERE} here, {THERE} inside.",
                "一条消息在两个 Network Namespace 里各建了一个网络接口：外面是 {HERE}，里面是 {THERE}。"
            ),
        )
        .saw(
            twice,
            text!(
                "A refusal is a message too, with the errno in it; and it changed nothing.",
                "拒绝也是一条消息，errno 就在其中；而且什么都没有改变。"
            ),
        )
        .next("net-demo topology")
        .next("minidocker run --rm --explain base ip addr"))
}

/// The bytes, then field by field. Whether the fields are all the bytes.
fn the_message(stage: &Stage, message: &[u8]) -> bool {
    stage.scene(&text!("The message", "这条消息"));
    stage.say(&text!(
        "A link is made by one message to the kernel: RTM_NEWLINK, over a netlink socket. This one makes a veth pair, \
         one end here, the other in the network namespace of another process.",
        "创建一个网络接口，只要经由 netlink 套接字向内核发送一条消息：RTM_NEWLINK。下面这条会创建一对 veth，\
         一端在这里，另一端在另一个进程的 Network Namespace 里。"
    ));
    stage.blank();
    stage.quote(&hexdump(message));
    stage.blank();
    stage.say(&text!(
        "A header; a structure for links; then attributes: length, type, value, and zeros up to a multiple of 4. The \
         value of some attributes is a row of attributes.",
        "先是消息头，然后是描述网络接口的结构体，再往后是属性：长度、类型、值，再用 0 补齐到 4 的倍数。\
         有些属性的值本身又是一串属性。"
    ));
    stage.blank();
    let fields = dissect(message);
    show_fields(stage, &fields);
    fields.iter().flat_map(|field| field.bytes.iter()).eq(message)
}

/// Send it, show the answer field by field, and return the refusal that it is, if it is one.
fn send(stage: &Stage, wire: &Wire, request: Rtnetlink<'_>, message: &[u8]) -> Result<Option<Error>> {
    let reply = wire.exchange(Call::Rtnetlink(request), message)?;
    stage.say(&text!("The kernel's answer:", "内核的回答："));
    stage.blank();
    let fields = dissect(&reply.bytes);
    show_fields(stage, &fields);
    stage.blank();
    let stopped_at = value(&fields, "NLMSGERR_ATTR_OFFS").and_then(|offset| offset.parse().ok());
    if let Some(field) = dissect(message).into_iter().find(|field| Some(field.offset) == stopped_at) {
        let offset = field.offset;
        stage.fact(&text!("at byte {offset}", "第 {offset} 字节处"), &field.name);
    }
    if let Some(refusal) = reply.refusal.as_ref().and_then(|error| error.refusal.as_ref()) {
        stage.fact(&refusal.name, &refusal.message);
    }
    Ok(reply.refusal)
}

/// Ask for the link that was made, and show what the kernel says of it: the fields that matter here.
/// Whether its name and its kind are those that were asked for.
fn as_the_kernel_tells_it(stage: &Stage, wire: &Wire) -> Result<bool> {
    const SHOWN: [&str; 5] = ["ifi_index", "ifi_flags", "IFLA_IFNAME", "IFLA_LINK", "IFLA_INFO_KIND"];
    let request = Rtnetlink::GetLink { name: HERE };
    let reply = wire.exchange(Call::Rtnetlink(request), &encode(&request, 2))?;
    stage.say(&text!(
        "Asked for it by RTM_GETLINK, the kernel tells of it in the same form. IFLA_LINK is the index of the other end, \
         in the namespace where that is.",
        "用 RTM_GETLINK 查询，内核以同样的格式描述它。IFLA_LINK 是另一端的编号，属于另一端所在的 Namespace。"
    ));
    stage.command(&format!("ip -d link show {HERE}"));
    let fields = dissect(&reply.bytes);
    for name in SHOWN {
        stage.fact(name, value(&fields, name).unwrap_or_default());
    }
    let named = value(&fields, "IFLA_IFNAME") == Some(format!("{HERE:?}").as_str());
    Ok(named && value(&fields, "IFLA_INFO_KIND") == Some("\"veth\""))
}

/// What the first field of that name says. The value of an attribute stands behind its header.
fn value<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    let at = fields.iter().position(|field| field.name == name)?;
    let told = fields.get(at + 1).filter(|next| next.name.is_empty()).unwrap_or(&fields[at]);
    Some(&told.value)
}

fn has(links: &Option<String>, name: &str) -> bool {
    links.as_ref().is_some_and(|links| links.split(' ').any(|link| link == name))
}

/// The links on both sides, before and after.
fn sides(stage: &Stage, before: &Links, after: &Links) {
    stage.say(&text!("The links, as /proc/net/dev has them:", "/proc/net/dev 里的网络接口："));
    stage.change(&text!("outside", "外面"), before.0.as_deref(), after.0.as_deref());
    stage.change(&text!("inside ", "里面"), before.1.as_deref(), after.1.as_deref());
}

/// Sixteen bytes a line, as hexdump -C has them.
fn hexdump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (line, row) in bytes.chunks(16).enumerate() {
        let letter = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' };
        let letters: String = row.iter().map(letter).collect();
        text += &format!("{:04x}  {:<47}  {letters}\n", line * 16, hex(row));
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// Bytes that a row of the table shows.
const ROW: usize = 8;

fn show_fields(stage: &Stage, fields: &[Field]) {
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    for field in fields {
        for (part, bytes) in field.bytes.chunks(ROW).enumerate() {
            let mut row = vec![
                Entry::of(Ink::Faint, format!("{:>3}", field.offset + part * ROW)),
                Entry::of(Ink::Plain, hex(bytes)),
            ];
            if part == 0 {
                let name = format!("{}{}", " ".repeat(field.depth), field.name);
                row.extend([Entry::of(Ink::Object, name), Entry::of(Ink::Fact, field.value.clone())]);
            }
            rows.push(row);
        }
    }
    stage.table(&["", "", "", ""], &rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_shows_offsets_bytes_and_letters() {
        let dump = hexdump(b"eth0\0 and sixteen");
        let lines: Vec<&str> = dump.lines().collect();
        assert_eq!(lines[0], "0000  65 74 68 30 00 20 61 6e 64 20 73 69 78 74 65 65  eth0..and.sixtee");
        assert_eq!(lines[1].trim_end(), format!("0010  6e{}n", " ".repeat(47)));
    }
}
