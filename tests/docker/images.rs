//! images, tag, history, rmi, image prune: names come and go, and what they lead to stays as long as it is needed.

use crate::common::container::{Outcome, Running};
use crate::common::space::{Space, Who, names_in};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], an_image_has_names),
        as_both(&[], what_a_container_needs_stays),
        as_both(&[], an_image_that_runs_cannot_be_forced),
        as_both(&[], lists_are_dockers),
        as_both(&[], pruning_takes_what_nobody_needs),
        as_both(&[], what_everything_takes_is_told),
        as_both(&[], a_run_against_a_removal_runs_or_is_refused),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A space whose images are its own: what is removed here is nobody else's.
pub fn own_space(who: Who) -> Space {
    let space = Space::bare(who);
    done(&space.base(&[], &["true"]));
    space
}

/// What a command that succeeded wrote.
#[track_caller]
pub fn done(outcome: &Outcome) -> &str {
    assert_eq!(outcome.status, 0, "{}{}", outcome.out, outcome.err);
    &outcome.out
}

fn layers(space: &Space) -> Vec<String> {
    names_in(&space.root().join("layers")).into_iter().filter(|name| !name.starts_with('.')).collect()
}

fn blobs(space: &Space) -> Vec<String> {
    names_in(&space.root().join("blobs/sha256"))
}

fn an_image_has_names(who: Who) {
    let space = own_space(who);
    done(&space.minidocker(&["tag", "base", "me/web:1"]));
    let table = space.minidocker(&["images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"]);
    let rows: Vec<(&str, &str)> = done(&table).lines().filter_map(|line| line.split_once(' ')).collect();
    assert_eq!([rows[0].0, rows[1].0], ["base:latest", "me/web:1"]);
    assert!(rows[0].1 == rows[1].1 && rows[0].1.starts_with("sha256:"), "{rows:?}");
    let id = rows[0].1;
    // By its id, it is not clear which name is meant.
    space.minidocker(&["rmi", &id[7..19]]).assert_failed(&["base:latest", "me/web:1", "must be forced"]);
    assert_eq!(done(&space.minidocker(&["rmi", "base"])), "Untagged: base:latest\n");
    assert_eq!(layers(&space).len(), 2, "a layer and what stands beside it");
    let gone = space.minidocker(&["rmi", "me/web:1"]);
    let lines: Vec<&str> = done(&gone).lines().collect();
    assert_eq!(lines[..2], ["Untagged: me/web:1", &format!("Deleted: {id}")]);
    assert!(lines[2].starts_with("Deleted: sha256:") && lines.len() == 3, "{lines:?}");
    assert_eq!((layers(&space), blobs(&space)), (Vec::<String>::new(), Vec::new()));
    space.minidocker(&["rmi", "me/web:1"]).assert_failed(&["me/web:1"]);
    space.minidocker(&["tag", "base", "Not A Name"]).assert_failed(&["Not A Name"]);
}

fn what_a_container_needs_stays(who: Who) {
    let space = own_space(who);
    let words = ["run", "--name", "one", "--network", "none", "base", "sh", "-c", "echo x > /x"];
    done(&space.minidocker(&words));
    space.minidocker(&["rmi", "base"]).assert_failed(&["must be forced", "stopped container"]);
    let forced = space.minidocker(&["rmi", "-f", "base"]);
    assert!(done(&forced).starts_with("Untagged: base:latest\nDeleted: sha256:"), "{}", forced.out);
    assert_eq!(forced.out.lines().count(), 2, "the layer stays: {}", forced.out);
    assert_eq!(layers(&space).len(), 2);
    assert_eq!(done(&space.minidocker(&["diff", "one"])), "A /x\n");
    done(&space.minidocker(&["rm", "one"]));
    done(&space.minidocker(&["image", "prune", "-f"]));
    assert_eq!(layers(&space), Vec::<String>::new());
}

fn an_image_that_runs_cannot_be_forced(who: Who) {
    let space = own_space(who);
    let running = space.hold(&[]);
    let id = space.minidocker(&["images", "-q"]);
    space
        .minidocker(&["rmi", "-f", done(&id).trim()])
        .assert_failed(&["cannot be forced", "running container"]);
    // By its name, the name goes and the image stays.
    assert_eq!(done(&space.minidocker(&["rmi", "-f", "base"])), "Untagged: base:latest\n");
    assert_eq!(space.minidocker(&["images", "-q"]).out, id.out);
    assert_eq!(done(&space.minidocker(&["images", "--format", "{{.Repository}}"])), "<none>\n");
    assert_eq!(running.end().status, 0);
    let pruned = space.minidocker(&["image", "prune", "--force"]);
    assert!(done(&pruned).contains("deleted: sha256:") && pruned.out.contains("Total reclaimed space: "));
    assert_eq!((layers(&space), blobs(&space)), (Vec::<String>::new(), Vec::new()));
}

fn lists_are_dockers(who: Who) {
    let space = Space::new(who);
    let table = space.minidocker(&["images"]);
    let head = done(&table).lines().next().unwrap_or_default();
    let heads: Vec<&str> = head.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    assert_eq!(heads, ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]);
    let history = space.minidocker(&["history", "base"]);
    let heads: Vec<&str> =
        done(&history).lines().next().unwrap_or_default().split("  ").map(str::trim).collect();
    let heads: Vec<&str> = heads.into_iter().filter(|word| !word.is_empty()).collect();
    assert_eq!(heads, ["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"]);
    assert!(history.out.contains("minidocker image build-base"), "{}", history.out);
    assert_eq!(done(&space.minidocker(&["images", "no/such"])).lines().count(), 1);
    let json = space.minidocker(&["image", "ls", "--format", "json", "base"]);
    let row: serde_json::Value = serde_json::from_str(done(&json).lines().next().unwrap()).unwrap();
    assert_eq!((&row["Repository"], &row["Tag"]), (&"base".into(), &"latest".into()));
    let inspected = space.minidocker(&["image", "inspect", "base"]);
    let all: serde_json::Value = serde_json::from_str(done(&inspected)).unwrap();
    assert_eq!(all[0]["RepoTags"][0], "base:latest");
    assert_eq!(all[0]["Config"]["Cmd"][0], "sh");
    space.minidocker(&["images", "--filter", "color=red"]).assert_refused(&["color=red"]);
}

fn pruning_takes_what_nobody_needs(who: Who) {
    let space = own_space(who);
    done(&space.minidocker(&["tag", "base", "other"]));
    let pruned = space.minidocker(&["image", "prune", "-f"]);
    assert_eq!(done(&pruned), "\nTotal reclaimed space: 0B\n");
    let pruned = space.minidocker(&["image", "prune", "-a", "-f"]);
    let lines: Vec<&str> = done(&pruned).lines().collect();
    assert_eq!(lines[..3], ["Deleted Images:", "untagged: base:latest", "untagged: other:latest"]);
    assert_eq!((layers(&space), blobs(&space)), (Vec::<String>::new(), Vec::new()));
}

fn what_everything_takes_is_told(who: Who) {
    let space = own_space(who);
    let script = "printf 12345 > /five; printf 123 > /volume/three";
    let words =
        ["run", "--name", "one", "--network", "none", "-v", "kept:/volume", "base", "sh", "-c", script];
    done(&space.minidocker(&words));
    let rows = space.minidocker(&[
        "system",
        "df",
        "--format",
        "{{.Type}}|{{.TotalCount}}|{{.Active}}|{{.Size}}|{{.Reclaimable}}",
    ]);
    let rows: Vec<&str> = done(&rows).lines().collect();
    assert!(rows[0].starts_with("Images|1|1|") && rows[0].ends_with("|0B (0%)"), "{rows:?}");
    assert_eq!(
        rows[1..],
        ["Containers|1|0|5B|5B (100%)", "Local Volumes|1|1|3B|0B (0%)", "Build Cache|0|0|0B|0B"]
    );
    let verbose = space.minidocker(&["system", "df", "-v"]);
    for word in ["Images space usage:", "SHARED SIZE", "UNIQUE SIZE", "LOCAL VOLUMES", "VOLUME NAME", "kept"]
    {
        assert!(done(&verbose).contains(word), "{word}: {}", verbose.out);
    }
    done(&space.minidocker(&["rm", "one"]));
    done(&space.minidocker(&["volume", "rm", "kept"]));
}

fn a_run_against_a_removal_runs_or_is_refused(who: Who) {
    let space = own_space(who);
    for turn in 0..8 {
        let name = format!("short-lived:{turn}");
        let words = ["run", "--name", "one", "--network", "none", "base", "sh", "-c", "echo here > /file"];
        done(&space.minidocker(&words));
        done(&space.minidocker(&["commit", "one", &name]));
        done(&space.minidocker(&["rm", "one"]));
        let run = ["run", "--rm", "--network", "none", &name, "cat", "/file"];
        let running = Running::start(space.command().args(run));
        let removing = Running::start(space.command().args(["rmi", "-f", &name]));
        let (ran, removed) = (running.end(), removing.end());
        assert_eq!(removed.status, 0, "{}", removed.err);
        match ran.status {
            0 => assert_eq!(ran.out, "here\n"),
            _ => ran.assert_refused(&[&name]),
        }
    }
    done(&space.minidocker(&["image", "prune", "-f"]));
    assert_eq!(layers(&space).len(), 2, "that of base is left");
}
