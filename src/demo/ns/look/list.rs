//! list: every namespace of the machine that has a process, as lsns(8) shows them.

use super::{cut, ended, say_hidden};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, columns, text};
use crate::observe::{self, KINDS, Resident};

/// `ns-demo list`.
pub const WALK: Walk = Walk {
    name: "list",
    title: Text { en: "Every namespace, and who is in it", zh: "所有的 Namespace，以及谁在里面" },
    place: Place::Here,
    show: |stage| tell(stage, None),
};

/// `ns-demo list -t KIND`.
pub fn list(stage: &Stage, kind: &'static str) -> Result<u8> {
    stage.title(WALK.name, WALK.title.get(crate::narrate::lang()));
    tell(stage, Some(kind)).map(|ending| ended(stage, &ending))
}

/// One namespace.
struct Row<'a> {
    inode: u64,
    kind: &'static str,
    members: usize,
    /// The process with the lowest pid in it.
    first: &'a Resident,
}

/// The namespaces of the kind with that place in [`KINDS`], by their numbers.
fn of_kind(all: &[Resident], place: usize) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for resident in all {
        let Some(inode) = resident.namespaces[place] else { continue };
        match rows.iter_mut().find(|row| row.inode == inode) {
            Some(row) => row.members += 1,
            None => rows.push(Row { inode, kind: KINDS[place], members: 1, first: resident }),
        }
    }
    rows.sort_by_key(|row| row.inode);
    rows
}

fn tell(stage: &Stage, only: Option<&'static str>) -> Result<Ending> {
    let (all, hidden) = observe::census();
    let places = (0..KINDS.len()).filter(|place| only.is_none_or(|kind| KINDS[*place] == kind));
    let kinds: Vec<(&str, Vec<Row<'_>>)> = places.map(|place| (KINDS[place], of_kind(&all, place))).collect();

    stage.scene(&text!("As /proc/PID/ns says", "按 /proc/PID/ns 所说"));
    stage.command(&only.map_or("lsns".to_owned(), |kind| format!("lsns -t {kind}")));
    let mut rows: Vec<&Row<'_>> = kinds.iter().flat_map(|(_, rows)| rows).collect();
    rows.sort_by_key(|row| row.inode);
    table(stage, &rows);
    say_hidden(stage, hidden);

    let here: Vec<_> = kinds.iter().filter(|(_, rows)| !rows.is_empty()).collect();
    let once = here.iter().all(|(_, rows)| rows.iter().map(|row| row.members).sum::<usize>() == all.len());
    let own = here.iter().all(|(kind, rows)| {
        let own = observe::inode(kind);
        rows.iter().any(|row| Some(row.inode) == own)
    });
    let (number, namespaces, processes) = (here.len(), rows.len(), all.len());
    Ok(Ending::default()
        .saw(
            once,
            text!(
                "Namespaces: {namespaces}, of kinds: {number}. Processes: {processes}; each is in exactly one of every kind.",
                "{namespaces} 个 Namespace，共 {number} 种，容纳 {processes} 个进程：每一种里，一个进程恰好属于一个。"
            ),
        )
        .saw(
            own,
            text!(
                "This program is in some of them too: a process is never outside of namespaces.",
                "本程序自己也在其中：没有哪个进程处在 Namespace 之外。"
            ),
        )
        .next("ns-demo show")
        .next("ns-demo matrix"))
}

/// The columns of lsns; the command is cut to what the page has left.
fn table(stage: &Stage, rows: &[&Row<'_>]) {
    let heads = ["NS", "TYPE", "NPROCS", "PID", "USER", "COMMAND"];
    let mut cells: Vec<[String; 6]> = Vec::new();
    for row in rows {
        cells.push([
            row.inode.to_string(),
            row.kind.to_owned(),
            row.members.to_string(),
            row.first.pid.to_string(),
            observe::user_name(row.first.uid),
            row.first.command.clone(),
        ]);
    }
    let width = |column: usize| {
        cells.iter().map(|cells| columns(&cells[column])).chain([columns(heads[column])]).max().unwrap_or(0)
    };
    let taken: usize = (0..5).map(|column| width(column) + 2).sum();
    let left = stage.width().saturating_sub(taken).max(8);
    let entry = |[inode, kind, members, pid, user, command]: &[String; 6]| -> Vec<Entry> {
        let command = cut(command, left);
        vec![
            Entry::of(Ink::Fact, inode),
            kind.into(),
            members.into(),
            pid.into(),
            user.into(),
            Entry::of(Ink::Faint, command),
        ]
    };
    stage.table(&heads, &cells.iter().map(entry).collect::<Vec<_>>());
}
