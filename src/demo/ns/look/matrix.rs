//! matrix: processes × namespaces as a picture. Equal letters in a column, equal colours, same namespace.

use super::{cut, ended, same, say_hidden};
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::{Error, Problem, Result};
use crate::namespace;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::observe::{self, KINDS, Resident};
use crate::sys::flags::{CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWUTS};

/// `ns-demo matrix`.
pub const WALK: Walk = Walk {
    name: "matrix",
    title: Text { en: "Processes and namespaces, as a picture", zh: "进程与 Namespace 的对照图" },
    place: Place::ThrowAway,
    show: cast,
};

/// `ns-demo matrix --all` and `ns-demo matrix PID…`: the processes of this machine.
pub fn matrix(stage: &Stage, pids: &[i32]) -> Result<u8> {
    stage.title(WALK.name, WALK.title.get(crate::narrate::lang()));
    stage.blank();
    let (all, hidden) = observe::census();
    let chosen: Vec<Resident> = match pids {
        [] => all,
        pids => pids.iter().map(|pid| one(*pid)).collect::<Result<_>>()?,
    };
    let rows = group(&chosen);
    draw(stage, &rows);
    if pids.is_empty() {
        say_hidden(stage, hidden);
    }
    let (processes, sets) = (chosen.len(), rows.len());
    let ending = Ending::default()
        .saw(
            rows.iter().map(Vec::len).sum::<usize>() == processes,
            text!(
                "{processes} processes, {sets} different sets of namespaces: that many different views of this machine.",
                "{processes} 个进程，{sets} 组不同的 Namespace：对这台机器就有这么多种不同的视图。"
            ),
        )
        .next("ns-demo list")
        .next("ns-demo enter -t $$ --all -- sh");
    Ok(ended(stage, &ending))
}

fn one(pid: i32) -> Result<Resident> {
    let closed = if crate::sys::file::exists(format!("/proc/{pid}").as_ref())? {
        Problem::ProcessClosed { pid }
    } else {
        Problem::NoSuchProcess { pid }
    };
    observe::resident(pid).ok_or_else(|| Error::new(closed))
}

/// Who plays in the walk: a name, and the kinds of namespaces of its own.
const CAST: [(&str, u64); 4] = [
    ("plain", 0),
    ("named", CLONE_NEWUTS),
    ("alone", CLONE_NEWUTS | CLONE_NEWIPC | namespace::NET),
    ("boxed", CLONE_NEWUTS | CLONE_NEWIPC | namespace::NET | CLONE_NEWNS | namespace::PID),
];

fn cast(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("Four children of one process", "同一个进程的四个子进程"));
    stage.say(&text!(
        "Each was made by clone(2), with more flags from one to the next. A flag is a new namespace; without it the \
         child shares its parent's.",
        "它们都由 clone(2) 创建，标志一个比一个多。有一个标志就有一个新的 Namespace；没有，子进程就共享父进程的。"
    ));
    stage.command("lsns; ls -la /proc/*/ns");
    let mut actors = Vec::new();
    for (name, flags) in CAST {
        actors.push((name, Actor::start(name, flags, |()| Ok(()))?));
    }
    let mut residents = vec![one(crate::sys::process::pid())?];
    for (name, actor) in &actors {
        residents.push(Resident { command: (*name).to_owned(), ..one(actor.pid())? });
    }
    residents[0].command = text!("their parent", "它们的父进程");
    let rows: Vec<Vec<&Resident>> = residents.iter().map(|one| vec![one]).collect();
    draw(stage, &rows);
    for (_, actor) in actors {
        actor.end()?;
    }

    let news = residents.iter().map(|one| apart(one, &residents[0])).collect::<Vec<_>>();
    let flags: Vec<u32> = CAST.iter().map(|(_, flags)| flags.count_ones()).collect();
    let counts = flags.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    Ok(Ending::default()
        .saw(
            news[1..] == flags[..] && same(&residents[0], &residents[1]),
            text!(
                "As many new namespaces as flags: {counts}. Without a flag a child is where its parent is.",
                "有几个标志就有几个新的 Namespace：{counts}。没有标志，子进程就和父进程在一起。"
            ),
        )
        .saw(
            residents.iter().all(|one| one.namespaces[6] == residents[0].namespaces[6]),
            text!(
                "All share one user namespace: that one says what each may do, whatever else it sees.",
                "它们共享同一个用户 Namespace：不管各自看到什么，能做什么由它决定。"
            ),
        )
        .next("ns-demo matrix --all")
        .next("ns-demo list"))
}

/// How many kinds two processes do not share.
fn apart(one: &Resident, other: &Resident) -> u32 {
    one.namespaces.iter().zip(&other.namespaces).filter(|(one, other)| one != other).count() as u32
}

/// Those in the same namespaces of every kind together, in the order of their first pids.
fn group(residents: &[Resident]) -> Vec<Vec<&Resident>> {
    let mut rows: Vec<Vec<&Resident>> = Vec::new();
    for resident in residents {
        match rows.iter_mut().find(|row| same(row[0], resident)) {
            Some(row) => row.push(resident),
            None => rows.push(vec![resident]),
        }
    }
    rows
}

/// One line a row, one letter a namespace: `a` is the first of its column.
fn draw(stage: &Stage, rows: &[Vec<&Resident>]) {
    let mut seen: [Vec<u64>; KINDS.len()] = Default::default();
    let mut cells: Vec<Vec<Entry>> = Vec::new();
    let left = stage.width().saturating_sub(KINDS.iter().map(|kind| kind.len() + 2).sum());
    for row in rows {
        let mut line: Vec<Entry> = Vec::new();
        for (place, seen) in seen.iter_mut().enumerate() {
            let Some(inode) = row[0].namespaces[place] else {
                line.push(Entry::of(Ink::Faint, "-"));
                continue;
            };
            let number = seen.iter().position(|one| *one == inode).unwrap_or_else(|| {
                seen.push(inode);
                seen.len() - 1
            });
            line.push(Entry::of(INKS[number % INKS.len()], letter(number)));
        }
        line.push(Entry::from(cut(&label(row), left)));
        cells.push(line);
    }
    let heads: Vec<&str> = KINDS.iter().copied().chain(["PID"]).collect();
    stage.table(&heads, &cells);
}

/// `a` … `z`, then `a1` …: the first namespace of a kind, the second, …
fn letter(number: usize) -> String {
    let letter = char::from(b'a' + (number % 26) as u8);
    match number / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

/// The first namespace of a column is plain, the others stand out.
const INKS: [Ink; 6] = [Ink::Plain, Ink::Word, Ink::Command, Ink::Object, Ink::Fact, Ink::Call];

/// `4711 sh -c true` of one process; `132: 2 3 4 …` of many.
fn label(row: &[&Resident]) -> String {
    match row {
        [one] => format!("{} {}", one.pid, one.command),
        many => {
            let pids: Vec<String> = many.iter().map(|one| one.pid.to_string()).collect();
            let (count, pids) = (many.len(), pids.join(" "));
            text!("{count} processes: {pids}", "{count} 个进程：{pids}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_round() {
        assert_eq!([0, 1, 25, 26, 53].map(letter), ["a", "b", "z", "a1", "b2"]);
    }

    #[test]
    fn equal_rows_become_one() {
        let resident = |pid, uts| Resident {
            pid,
            uid: 0,
            command: String::new(),
            namespaces: [Some(1), Some(2), Some(3), Some(4), Some(5), None, Some(7), Some(uts)],
        };
        let all = [resident(1, 8), resident(2, 9), resident(3, 8)];
        let pids: Vec<Vec<i32>> =
            group(&all).iter().map(|row| row.iter().map(|one| one.pid).collect()).collect();
        assert_eq!(pids, [vec![1, 3], vec![2]]);
        assert_eq!(apart(&all[0], &all[1]), 1);
    }
}
