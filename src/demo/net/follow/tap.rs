//! Who watches: one process with a packet socket in each network namespace on the way.

use super::packet::{Mac, Segment, segment};
use crate::demo::actor::Actor;
use crate::demo::net::topology::links_here;
use crate::error::Result;
use crate::namespace::net::Door;
use crate::sys::packet::Tap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A TCP segment that passed a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// In whose network namespace: which of those that the taps were opened for.
    pub place: usize,
    /// The name of the link.
    pub link: String,
    /// It left by the link; else it came in.
    pub outgoing: bool,
    /// Its headers.
    pub segment: Segment,
}

/// What the taps have seen.
#[derive(Debug, Serialize, Deserialize)]
pub struct Taken {
    /// Every TCP segment; those of one place in the order in which they passed.
    pub captures: Vec<Capture>,
    /// Whose the Ethernet addresses are: place and link. A bridge has that of one of its ports, and comes first.
    pub owners: Vec<(Mac, usize, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Question {
    Open(Vec<i32>),
    Take,
}

/// One tap, and the links that it speaks of by number.
struct Placed {
    tap: Tap,
    names: BTreeMap<u32, String>,
    macs: Vec<(Mac, String)>,
}

/// The taps, held by a process of their own: it enters one namespace after the other, and the sockets stay there.
#[derive(Debug)]
pub struct Taps(Actor<Question, Taken>);

impl Taps {
    /// Open a tap in the network namespace of each of these processes.
    pub fn open(pids: &[i32]) -> Result<Self> {
        let mut placed: Vec<Placed> = Vec::new();
        let actor = Actor::start("tap", 0, move |question| {
            if let Question::Open(pids) = question {
                placed = pids.into_iter().map(place).collect::<Result<_>>()?;
            }
            take(&placed)
        })?;
        actor.ask(Question::Open(pids.to_vec()))?;
        Ok(Self(actor))
    }

    /// What has passed since they were opened, or since the last time.
    pub fn take(&self) -> Result<Taken> {
        self.0.ask(Question::Take)
    }

    /// Close them.
    pub fn close(self) -> Result<()> {
        self.0.end().map(drop)
    }
}

/// Go to the network namespace of the process `pid`, and open a tap there.
fn place(pid: i32) -> Result<Placed> {
    let path = format!("/proc/{pid}/ns/net");
    Door::open(path.as_ref(), &path)?.join()?;
    let links = links_here()?;
    let macs = links.iter().filter_map(|link| Some((Mac(link.address?), link.name.clone()))).collect();
    let names = links.into_iter().map(|link| (link.index, link.name)).collect();
    Ok(Placed { tap: Tap::open()?, names, macs })
}

fn take(placed: &[Placed]) -> Result<Taken> {
    let mut taken = Taken { captures: Vec::new(), owners: Vec::new() };
    for (place, Placed { tap, names, macs }) in placed.iter().enumerate() {
        while let Some(frame) = tap.next()? {
            let (Some(segment), Some(link)) = (segment(&frame.bytes), names.get(&frame.link)) else {
                continue;
            };
            let (link, outgoing) = (link.clone(), frame.outgoing);
            taken.captures.push(Capture { place, link, outgoing, segment });
        }
        taken.owners.extend(macs.iter().map(|(mac, name)| (*mac, place, name.clone())));
    }
    Ok(taken)
}
