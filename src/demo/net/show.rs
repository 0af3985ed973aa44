//! What the walks about the town show alike: what residents see, and who reaches whom.

use super::town::{Meeting, Resident, Verdict, View, lacks_rules, meet};
use crate::error::{Error, Result};
use crate::narrate::stage::Entry;
use crate::narrate::{self, Ink, Stage, text, words};
use crate::network::iptables;
use std::net::{Ipv4Addr, SocketAddrV4};

/// What each of these sees of its network, and what it saw.
pub fn views(stage: &Stage, residents: &[&Resident]) -> Result<Vec<View>> {
    let views: Vec<View> = residents.iter().map(|resident| resident.look()).collect::<Result<_>>()?;
    let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    let seen = || residents.iter().zip(&views);
    let row = |(resident, view): (&&Resident, &View)| {
        [resident.name.to_owned(), or_none(&view.namespace), or_none(&view.addresses), or_none(&view.links)]
    };
    let mut rows: Vec<Vec<String>> = seen().map(|pair| row(pair).to_vec()).collect();
    let heads = ["", "/proc/self/ns/net", &text!("addresses", "地址"), &text!("links", "网络接口")];
    let fits = width(&heads, &rows) <= stage.width();
    if !fits {
        rows.iter_mut().for_each(|row| row.truncate(3));
    }
    let cells = |row: Vec<String>| row.into_iter().map(Entry::from).collect();
    stage.table(&heads[..if fits { 4 } else { 3 }], &rows.into_iter().map(cells).collect::<Vec<_>>());
    if !fits {
        for (resident, view) in seen() {
            let name = resident.name;
            stage.fact(&text!("links of {name}", "{name} 的网络接口"), &or_none(&view.links));
        }
    }
    Ok(views)
}

/// How wide a table is, with two columns between each two of its own.
fn width(heads: &[&str], rows: &[Vec<String>]) -> usize {
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or_default()
    };
    (0..heads.len()).map(|column| widest(column) + 2).sum()
}

/// The routes in the namespace of each of these.
pub fn routes(stage: &Stage, residents: &[&Resident]) -> Result<()> {
    for resident in residents {
        let routes = resident.look()?.routes.unwrap_or_else(|| "–".to_owned());
        let name = resident.name;
        stage.fact(&text!("routes of {name}", "{name} 的路由"), &routes);
    }
    Ok(())
}

/// What the kernel told, as a cell: `✓ 172.30.0.2`, with the address that the other side saw, or `✗ ECONNREFUSED`.
pub fn cell(meeting: &Meeting) -> Entry {
    match (&meeting.verdict, meeting.seen()) {
        (None, Some(peer)) => Entry::of(Ink::Granted, format!("✓ {peer}")),
        (None, None) => Entry::of(Ink::Refused, text!("✗ somebody else", "✗ 是别人")),
        (Some(errno), _) => Entry::of(Ink::Refused, format!("✗ {errno}")),
    }
}

/// The answer to a single request, as a cell.
pub fn answer(verdict: &Verdict) -> Entry {
    match verdict {
        None => Entry::of(Ink::Granted, "✓"),
        Some(errno) => Entry::of(Ink::Refused, format!("✗ {errno}")),
    }
}

/// One attempt: who connects, to whom, at which address.
pub type Attempt<'a> = (&'a Resident, &'a Resident, Ipv4Addr);

/// Let each attempt be made at `port`, at which all who are wanted listen; a table of how it went.
pub fn attempts(stage: &Stage, port: u16, attempts: &[Attempt<'_>]) -> Result<Vec<Meeting>> {
    let mut meetings = Vec::new();
    for (from, to, address) in attempts {
        meetings.push(meet(from, to, SocketAddrV4::new(*address, port), port)?);
    }
    let row = |((from, to, address), meeting): (&Attempt<'_>, &Meeting)| {
        let way = format!("{} → {}", from.name, to.name);
        vec![way.into(), format!("{address}:{port}").into(), cell(meeting)]
    };
    let rows: Vec<_> = attempts.iter().zip(&meetings).map(row).collect();
    stage.table(&["connect(2)", &text!("to", "目标"), &text!("accepted from", "对方看到的来源")], &rows);
    Ok(meetings)
}

/// Everybody tries to reach everybody at `port`, each at the address beside it; a matrix of how it went, by rows of
/// those who connect.
pub fn matrix(
    stage: &Stage,
    port: u16,
    people: &[(&Resident, Ipv4Addr)],
) -> Result<Vec<Vec<Option<Meeting>>>> {
    let mut all = Vec::new();
    for (from, _) in people {
        let reach = |(to, address): &(&Resident, Ipv4Addr)| {
            let other = from.pid() != to.pid();
            other.then(|| meet(from, to, SocketAddrV4::new(*address, port), port)).transpose()
        };
        all.push(people.iter().map(reach).collect::<Result<Vec<_>>>()?);
    }
    let row = |((from, _), meetings): (&(&Resident, Ipv4Addr), &Vec<Option<Meeting>>)| {
        let cells = meetings.iter().map(|one| one.as_ref().map_or(Entry::of(Ink::Faint, "·"), cell));
        [Entry::from(from.name)].into_iter().chain(cells).collect()
    };
    let rows: Vec<Vec<Entry>> = people.iter().zip(&all).map(row).collect();
    let heads: Vec<String> = people.iter().map(|(to, _)| format!("→ {}", to.name)).collect();
    let heads: Vec<&str> = [""].into_iter().chain(heads.iter().map(String::as_str)).collect();
    stage.table(&heads, &rows);
    Ok(all)
}

/// Go on with a scene whose rules are there. Where they are not to be had, say so: `false`.
pub fn with_rules(stage: &Stage, answer: Result<()>) -> Result<bool> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) if lacks_rules(&error) => {
            lacking(stage, &error);
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Say what is lacking, and what to do about it.
pub fn lacking(stage: &Stage, error: &Error) {
    stage.lacks(&words::sentence(error, narrate::lang()));
}

/// Show the rules of this network namespace.
pub fn rules(stage: &Stage) -> Result<()> {
    stage.command("sudo iptables-save");
    stage.quote(&iptables::listing()?);
    Ok(())
}
