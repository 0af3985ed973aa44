//! `inspect`: what is said of a container must be what the kernel says.

use super::ps::{detached, said};
use crate::common::Test;
use crate::common::as_both;
use crate::common::space::{Space, Who};
use serde_json::{Value, json};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], a_running_container_is_what_the_kernel_shows),
        as_both(&[], what_was_asked_for_is_told),
        as_both(&[], an_end_is_told),
        as_both(&[], images_and_volumes_are_told_too),
        as_both(&[], each_by_a_template),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn inspect(space: &Space, name: &str) -> Value {
    let all: Value = serde_json::from_str(&said(space, &["inspect", name])).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 1);
    all[0].clone()
}

fn a_running_container_is_what_the_kernel_shows(who: Who) {
    let space = Space::new(who);
    let id = detached(&space, &["--name", "web", "-h", "box", "-e", "A=1", "-w", "/tmp"]);
    let seen = inspect(&space, "web");
    assert_eq!((&seen["Id"], &seen["Name"]), (&json!(id), &json!("/web")));
    assert_eq!((&seen["Path"], &seen["Args"]), (&json!("sleep"), &json!(["1000"])));
    let state = &seen["State"];
    let flags: Vec<&Value> =
        ["Running", "Paused", "Restarting", "OOMKilled", "Dead"].iter().map(|flag| &state[*flag]).collect();
    assert_eq!(flags, [true, false, false, false, false].map(Value::from).iter().collect::<Vec<_>>());
    assert_eq!((&state["Status"], &state["ExitCode"]), (&json!("running"), &json!(0)));
    let pid = state["Pid"].as_u64().unwrap();
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    assert_eq!(command, b"sleep\x001000\0");
    let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
    assert_eq!((cwd.to_str().unwrap(), &seen["Config"]["WorkingDir"]), ("/tmp", &json!("/tmp")));
    assert_eq!(seen["Config"]["Hostname"], "box");
    assert!(seen["Config"]["Env"].as_array().unwrap().contains(&json!("A=1")));
    assert!(state["StartedAt"].as_str().unwrap() >= seen["Created"].as_str().unwrap());
    assert_eq!(state["FinishedAt"], "0001-01-01T00:00:00Z");
    assert!(seen["Image"].as_str().unwrap().starts_with("sha256:"), "{}", seen["Image"]);
    assert!(std::path::Path::new(seen["GraphDriver"]["Data"]["UpperDir"].as_str().unwrap()).is_dir());
    said(&space, &["rm", "-f", "web"]);
}

fn what_was_asked_for_is_told(who: Who) {
    let space = Space::new(who);
    let file = space.file("data/file", "x");
    let bind = format!("{}:/bind:ro", file.parent().unwrap().display());
    let words = [
        "create",
        "--name",
        "web",
        "--network",
        "none",
        "--cap-drop",
        "NET_RAW",
        "--cap-add",
        "SYS_TIME",
        "--read-only",
        "-v",
        &bind,
        "-v",
        "data:/data",
        "-v",
        "/anon",
        "--tmpfs",
        "/run:size=1m",
        "--restart",
        "on-failure:3",
        "--init",
        "--label",
        "a=b",
        "--shm-size",
        "1m",
        "base",
        "true",
    ];
    said(&space, &words);
    let seen = inspect(&space, "web");
    let host = &seen["HostConfig"];
    assert_eq!((&host["CapAdd"], &host["CapDrop"]), (&json!(["CAP_SYS_TIME"]), &json!(["CAP_NET_RAW"])));
    assert_eq!(host["RestartPolicy"], json!({"Name": "on-failure", "MaximumRetryCount": 3}));
    assert_eq!(
        (&host["ReadonlyRootfs"], &host["Init"], &host["ShmSize"]),
        (&json!(true), &json!(true), &json!(1 << 20))
    );
    assert_eq!((&host["NetworkMode"], &host["Binds"]), (&json!("none"), &json!([bind, "data:/data"])));
    assert_eq!(host["Tmpfs"], json!({"/run": "size=1m"}));
    assert_eq!(seen["Config"]["Labels"], json!({"a": "b"}));
    let mounts: Vec<(String, String, bool)> = seen["Mounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mount| {
            let text = |name: &str| mount[name].as_str().unwrap_or_default().to_owned();
            (text("Type"), text("Destination"), mount["RW"].as_bool().unwrap())
        })
        .collect();
    let expected = [
        ("bind", "/bind", false),
        ("volume", "/data", true),
        ("volume", "/anon", true),
        ("tmpfs", "/run", true),
    ];
    assert_eq!(mounts, expected.map(|(kind, place, rw)| (kind.to_owned(), place.to_owned(), rw)));
    assert_eq!(seen["State"]["Status"], "created");
    let sizes = said(&space, &["inspect", "-s", "-f", "{{.SizeRw}} {{.SizeRootFs}}", "web"]);
    assert!(sizes.starts_with("0 ") && sizes.len() > 6, "{sizes}");
}

fn an_end_is_told(who: Who) {
    let space = Space::new(who);
    let failed =
        space.minidocker(&["run", "--name", "web", "--network", "none", "base", "sh", "-c", "exit 3"]);
    assert_eq!(failed.status, 3);
    let state = &inspect(&space, "web")["State"];
    assert_eq!(
        (&state["Status"], &state["ExitCode"], &state["Pid"]),
        (&json!("exited"), &json!(3), &json!(0))
    );
    assert!(state["FinishedAt"].as_str().unwrap() >= state["StartedAt"].as_str().unwrap());
}

fn images_and_volumes_are_told_too(who: Who) {
    let space = Space::new(who);
    said(&space, &["volume", "create", "data"]);
    assert_eq!(inspect(&space, "data")["Scope"], "local");
    let image = inspect(&space, "base");
    assert_eq!(image["RepoTags"], json!(["base:latest"]));
    assert!(image["Id"].as_str().unwrap().starts_with("sha256:"));
    assert!(
        image["Size"].as_u64().unwrap() > 1000 && !image["RootFS"]["Layers"].as_array().unwrap().is_empty()
    );
    assert_eq!(inspect(&space, image["Id"].as_str().unwrap())["Id"], image["Id"]);
    assert_eq!(space.minidocker(&["network", "create", "lan"]).status, 0);
    assert_eq!(inspect(&space, "lan")["Name"], "lan");
    let outcome = space.minidocker(&["inspect", "nobody", "data"]);
    assert_eq!(outcome.status, 1);
    assert!(
        outcome.err.contains("no such object: nobody") && outcome.out.contains("\"data\""),
        "{}",
        outcome.err
    );
    let outcome = space.minidocker(&["inspect", "--type", "image", "data"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (1, "[]\n"));
}

fn each_by_a_template(who: Who) {
    let space = Space::new(who);
    said(&space, &["create", "--name", "web", "--network", "none", "-v", "data:/data", "base", "true"]);
    for (format, expected) in [
        ("{{.State.Status}} {{.Name}}", "created /web\n"),
        ("{{range .Mounts}}{{.Type}}:{{.Destination}}{{end}}", "volume:/data\n"),
        ("{{json .HostConfig.Binds}}", "[\"data:/data\"]\n"),
        ("{{if .State.Running}}up{{else}}down{{end}}", "down\n"),
        ("{{.Config.Cmd}} {{len .Args}}", "[true] 0\n"),
    ] {
        assert_eq!(said(&space, &["inspect", "-f", format, "web"]), expected, "{format}");
    }
    let outcome = space.minidocker(&["inspect", "-f", "{{.Nope}}", "web"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (1, ""));
    space.minidocker(&["inspect", "-f", "{{.Name", "web"]).assert_refused(&["unclosed action"]);
}
