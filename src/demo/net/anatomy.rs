//! A netlink message taken apart, field by field: netlink(7), rtnetlink(7), linux/if_link.h.
//!
//! The decoder knows messages about links and the kernel's verdict on one. What it does not know it shows as bytes, so
//! that no byte of a message is ever left out.

use crate::narrate::text;
use crate::network::attribute::{u16_at, u32_at};
use std::net::Ipv4Addr;

/// One field: where it begins, its bytes, how deep it is nested, its name and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Bytes from the beginning of the message.
    pub offset: usize,
    /// Itself.
    pub bytes: Vec<u8>,
    /// How many attributes it is in.
    pub depth: usize,
    /// Its name in the kernel's headers; empty for the value of the attribute before it.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// struct nlmsghdr.
const HEADER: usize = 16;
/// struct ifinfomsg.
const IFINFOMSG: usize = 16;
/// struct nlattr, without its value.
const ATTRIBUTE: usize = 4;

const NLMSG_ERROR: u16 = 2;
/// The message types that speak of links.
const ABOUT_LINKS: std::ops::RangeInclusive<u16> = 16..=19;

/// Which attributes stand in a row, and so what their numbers mean.
#[derive(Debug, Clone, Copy)]
enum Row {
    Link,
    LinkInfo,
    VethData,
    Verdict,
    Policy,
}

/// How the value of an attribute is to be read.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number,
    Bytes,
    Row(Row),
    /// An ifinfomsg, and then attributes of a link.
    Link,
}

impl Row {
    /// Name and kind of the attribute `number`: linux/if_link.h, linux/veth.h, linux/netlink.h.
    fn attribute(self, number: u16) -> Option<(&'static str, Kind)> {
        Some(match (self, number) {
            (Row::Link, 1) => ("IFLA_ADDRESS", Kind::Bytes),
            (Row::Link, 3) => ("IFLA_IFNAME", Kind::Text),
            (Row::Link, 4) => ("IFLA_MTU", Kind::Number),
            (Row::Link, 5) => ("IFLA_LINK", Kind::Number),
            (Row::Link, 10) => ("IFLA_MASTER", Kind::Number),
            (Row::Link, 18) => ("IFLA_LINKINFO", Kind::Row(Row::LinkInfo)),
            (Row::Link, 19) => ("IFLA_NET_NS_PID", Kind::Number),
            (Row::Link, 27) => ("IFLA_GROUP", Kind::Number),
            (Row::Link, 37) => ("IFLA_LINK_NETNSID", Kind::Number),
            (Row::LinkInfo, 1) => ("IFLA_INFO_KIND", Kind::Text),
            (Row::LinkInfo, 2) => ("IFLA_INFO_DATA", Kind::Row(Row::VethData)),
            (Row::VethData, 1) => ("VETH_INFO_PEER", Kind::Link),
            (Row::Verdict, 1) => ("NLMSGERR_ATTR_MSG", Kind::Text),
            (Row::Verdict, 2) => ("NLMSGERR_ATTR_OFFS", Kind::Number),
            (Row::Verdict, 4) => ("NLMSGERR_ATTR_POLICY", Kind::Row(Row::Policy)),
            (Row::Policy, 1) => ("…_ATTR_TYPE", Kind::Number),
            (Row::Policy, 7) => ("…_ATTR_MAX_LENGTH", Kind::Number),
            _ => return None,
        })
    }
}

/// The fields of the first message in `bytes`, in their order. Together they are all its bytes.
pub fn dissect(bytes: &[u8]) -> Vec<Field> {
    let length = u32_at(bytes, 0).map_or(bytes.len(), |length| (length as usize).min(bytes.len()));
    let mut reader = Reader { bytes: &bytes[..length], at: 0, fields: Vec::new() };
    reader.header(0, "");
    match u16_at(bytes, 4) {
        Some(NLMSG_ERROR) => reader.verdict(length),
        Some(kind) if ABOUT_LINKS.contains(&kind) => {
            reader.ifinfomsg(0);
            reader.row(Row::Link, 0, length);
        }
        _ => {}
    }
    reader.rest(length, 0);
    reader.fields
}

/// Reads on from `at`. What does not fit what is left is left to `rest`.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: Vec<Field>,
}

impl Reader<'_> {
    fn put(&mut self, length: usize, depth: usize, name: &str, value: String) {
        let bytes = self.bytes[self.at..self.at + length].to_vec();
        self.fields.push(Field { offset: self.at, bytes, depth, name: name.to_owned(), value });
        self.at += length;
    }

    fn fits(&self, length: usize) -> bool {
        self.at + length <= self.bytes.len()
    }

    fn half(&mut self, depth: usize, name: &str, say: impl FnOnce(u16) -> String) {
        if let Some(number) = u16_at(self.bytes, self.at) {
            self.put(2, depth, name, say(number));
        }
    }

    fn word(&mut self, depth: usize, name: &str, say: impl FnOnce(u32) -> String) {
        if let Some(number) = u32_at(self.bytes, self.at) {
            self.put(4, depth, name, say(number));
        }
    }

    /// struct nlmsghdr; `of` goes before the names of its members.
    fn header(&mut self, depth: usize, of: &str) {
        self.word(depth, &format!("{of}nlmsg_len"), |length| {
            text!("{length} bytes in all", "共 {length} 字节")
        });
        self.half(depth, &format!("{of}nlmsg_type"), |kind| format!("{kind} {}", message_type(kind)));
        let kind = self.at.checked_sub(2).and_then(|at| u16_at(self.bytes, at)).unwrap_or_default();
        self.half(depth, &format!("{of}nlmsg_flags"), |flags| {
            format!("{flags:#x} {}", message_flags(kind, flags))
        });
        self.word(depth, &format!("{of}nlmsg_seq"), |number| number.to_string());
        self.word(depth, &format!("{of}nlmsg_pid"), |port| match port {
            0 => text!("0: the kernel", "0：内核"),
            port => text!("{port}: the port of this socket", "{port}：本套接字的端口"),
        });
    }

    fn ifinfomsg(&mut self, depth: usize) {
        if !self.fits(IFINFOMSG) {
            return;
        }
        if self.bytes[self.at..self.at + IFINFOMSG].iter().all(|byte| *byte == 0) {
            return self.put(IFINFOMSG, depth, "ifinfomsg", text!("nothing is said", "什么都没有说"));
        }
        self.put(1, depth, "ifi_family", "AF_UNSPEC".to_owned());
        self.put(1, depth, "__ifi_pad", text!("unused", "未使用"));
        self.half(depth, "ifi_type", |kind| kind.to_string());
        self.word(depth, "ifi_index", |index| match index {
            0 => text!("0: the kernel chooses", "0：由内核选择"),
            index => index.to_string(),
        });
        self.word(depth, "ifi_flags", link_flags);
        self.word(depth, "ifi_change", |bits| {
            text!("which flags are meant: {bits:#x}", "指的是哪些标志：{bits:#x}")
        });
    }

    /// struct nlmsgerr: the errno, the header of the message that it answers, and since Linux 4.12 attributes.
    fn verdict(&mut self, end: usize) {
        const CAPPED: u16 = 0x100;
        const EXPLAINED: u16 = 0x200;
        let flags = u16_at(self.bytes, 6).unwrap_or_default();
        self.word(0, "error", |number| match number as i32 {
            0 => text!("0: granted", "0：同意"),
            number => format!("{number}"),
        });
        let length = u32_at(self.bytes, self.at).unwrap_or_default() as usize;
        self.header(0, "msg.");
        if flags & CAPPED == 0 && length > HEADER && self.fits(length - HEADER) {
            self.put(length - HEADER, 0, "", text!("the rest of what was asked", "请求的其余部分"));
        }
        if flags & EXPLAINED != 0 {
            self.row(Row::Verdict, 0, end);
        }
    }

    /// Attributes, one after the other, up to `end`.
    fn row(&mut self, row: Row, depth: usize, end: usize) {
        const NUMBER: u16 = 0x3fff;
        while let (Some(length), Some(number)) =
            (u16_at(self.bytes, self.at), u16_at(self.bytes, self.at + 2))
        {
            let (length, number) = (usize::from(length), number & NUMBER);
            let value_end = self.at + length;
            if length < ATTRIBUTE || value_end > end {
                return;
            }
            let (name, kind) = row.attribute(number).unwrap_or(("?", Kind::Bytes));
            let said = text!("nla_len {length}, nla_type {number}", "nla_len {length}，nla_type {number}");
            self.put(ATTRIBUTE, depth, name, said);
            self.value(kind, depth + 1, value_end);
            let padding = (self.at.next_multiple_of(4) - self.at).min(end - self.at);
            if padding > 0 {
                self.put(padding, depth, "", text!("padding", "补齐"));
            }
        }
    }

    fn value(&mut self, kind: Kind, depth: usize, end: usize) {
        let length = end - self.at;
        match kind {
            Kind::Row(row) => self.row(row, depth, end),
            Kind::Link => {
                self.ifinfomsg(depth);
                self.row(Row::Link, depth, end);
            }
            Kind::Number if length == 4 => self.word(depth, "", |number| number.to_string()),
            Kind::Text => {
                let said = String::from_utf8_lossy(&self.bytes[self.at..end]);
                let said = format!("{:?}", said.trim_end_matches('\0'));
                self.put(length, depth, "", said);
            }
            Kind::Number | Kind::Bytes => {}
        }
        self.rest(end, depth);
    }

    /// What is left up to `end`, as bytes.
    fn rest(&mut self, end: usize, depth: usize) {
        if self.at < end {
            let said = match end - self.at {
                4 => Ipv4Addr::from_bits(u32::from_be_bytes(
                    self.bytes[self.at..end].try_into().unwrap_or_default(),
                ))
                .to_string(),
                length => text!("{length} bytes", "{length} 字节"),
            };
            self.put(end - self.at, depth, "", said);
        }
    }
}

fn message_type(kind: u16) -> &'static str {
    match kind {
        2 => "NLMSG_ERROR",
        3 => "NLMSG_DONE",
        16 => "RTM_NEWLINK",
        17 => "RTM_DELLINK",
        18 => "RTM_GETLINK",
        19 => "RTM_SETLINK",
        _ => "",
    }
}

/// linux/netlink.h: the same bits mean different things in a request and in a verdict.
fn message_flags(kind: u16, flags: u16) -> String {
    const REQUEST: &[(u16, &str)] = &[(0x1, "REQUEST"), (0x4, "ACK"), (0x200, "EXCL"), (0x400, "CREATE")];
    const VERDICT: &[(u16, &str)] = &[(0x100, "CAPPED"), (0x200, "ACK_TLVS")];
    let names = if kind == NLMSG_ERROR { VERDICT } else { REQUEST };
    let set: Vec<&str> = names.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    set.join(" ")
}

/// linux/if.h.
fn link_flags(flags: u32) -> String {
    const NAMES: [(u32, &str); 4] =
        [(0x1, "IFF_UP"), (0x2, "IFF_BROADCAST"), (0x8, "IFF_LOOPBACK"), (0x1000, "IFF_MULTICAST")];
    let set: Vec<&str> = NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    format!("{flags:#x} {}", set.join(" ")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::message::encode;
    use crate::sys::netlink::{Netns, Rtnetlink};
    use proptest::prelude::*;

    const VETH: Rtnetlink<'_> =
        Rtnetlink::NewVeth { name: "by-hand", group: 0, master: 0, peer: "eth0", netns: Netns::Of(99) };

    fn whole(fields: &[Field]) -> Vec<u8> {
        fields.iter().flat_map(|field| field.bytes.clone()).collect()
    }

    #[test]
    fn every_byte_of_a_message_is_in_one_field_and_the_nesting_is_seen() {
        let message = encode(&VETH, 7);
        let fields = dissect(&message);
        assert_eq!(whole(&fields), message);
        let depth_of = |name: &str| {
            fields.iter().filter(|field| field.name == name).map(|field| field.depth).collect::<Vec<_>>()
        };
        assert_eq!(depth_of("nlmsg_len"), [0]);
        assert_eq!(depth_of("IFLA_LINKINFO"), [0]);
        assert_eq!(depth_of("IFLA_INFO_KIND"), [1]);
        assert_eq!(depth_of("VETH_INFO_PEER"), [2]);
        assert_eq!(depth_of("IFLA_IFNAME"), [0, 3]);
        let said: Vec<&str> = fields.iter().map(|field| field.value.as_str()).collect();
        assert!(
            said.contains(&"\"by-hand\"") && said.contains(&"\"veth\"") && said.contains(&"99"),
            "{said:?}"
        );
    }

    #[test]
    fn a_verdict_is_read_with_its_reason() {
        let request = encode(&VETH, 7);
        let mut verdict = Vec::new();
        verdict.extend_from_slice(&60u32.to_ne_bytes());
        verdict.extend_from_slice(&NLMSG_ERROR.to_ne_bytes());
        verdict.extend_from_slice(&0x300u16.to_ne_bytes());
        verdict.extend_from_slice(&[0; 8]);
        verdict.extend_from_slice(&(-95i32).to_ne_bytes());
        verdict.extend_from_slice(&request[..16]);
        verdict.extend_from_slice(&[&24u16.to_ne_bytes()[..], &1u16.to_ne_bytes()[..]].concat());
        verdict.extend_from_slice(b"Unknown device type\0");
        let fields = dissect(&verdict);
        assert_eq!(whole(&fields), verdict);
        let said: Vec<&str> = fields.iter().map(|field| field.value.as_str()).collect();
        assert!(said.contains(&"-95") && said.contains(&"\"Unknown device type\""), "{said:?}");
        assert!(said.contains(&"0x300 CAPPED ACK_TLVS"), "{said:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_apart_without_loss(bytes in proptest::collection::vec(any::<u8>(), 4..200)) {
            let fields = dissect(&bytes);
            let whole = whole(&fields);
            prop_assert_eq!(&whole[..], &bytes[..whole.len()]);
        }

        #[test]
        fn a_damaged_message_is_taken_apart_without_loss(at in 4usize..116, with in any::<u8>()) {
            let mut message = encode(&VETH, 7);
            let length = message.len();
            message[at % length] = with;
            let at_length = u32::from_ne_bytes(message[..4].try_into().unwrap()) as usize;
            prop_assert_eq!(whole(&dissect(&message)), &message[..at_length.min(length)]);
        }
    }
}
