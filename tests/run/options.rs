//! The options of `minidocker run` that say who, where and how the command is; each found in the kernel.

use crate::common::container::{Running, children_of};
use crate::common::space::{Space, Who, uid_of};
use crate::common::{Test, as_both, as_root, as_user};
use std::os::unix::fs::MetadataExt;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], a_name_leads_to_the_container),
        as_both(&[], hostname_is_set_inside_alone),
        as_both(&[], env_sets_takes_over_and_leaves_out),
        as_both(&[], workdir_is_where_the_command_starts_made_if_missing),
        as_root(&[], user_is_looked_up_in_the_container),
        as_root(&[], a_user_can_open_the_pipes_it_was_given),
        as_both(&[], a_persons_umask_stays_outside),
        as_user(&[], an_ordinary_user_is_root_inside_and_herself_outside),
        as_both(&[], standard_input_is_there_only_when_asked_for),
        as_both(&[], init_is_pid_1_and_the_command_its_child),
        as_both(&[], short_and_long_names_mean_the_same),
        as_both(&[], what_docker_takes_is_taken),
        as_both(&[], a_container_with_much_to_say_is_remembered),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn a_name_leads_to_the_container(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&["--name", "web-1.a_b"]);
    let link = std::fs::read_link(space.root().join("names/web-1.a_b")).unwrap();
    assert_eq!(space.containers(), [link.to_string_lossy()]);
    assert_eq!(running.end().status, 0);
    assert!(!space.root().join("names/web-1.a_b").is_symlink(), "the name goes with the container");
}

fn hostname_is_set_inside_alone(who: Who) {
    let space = Space::new(who);
    let before = nix::unistd::gethostname().unwrap();
    let script = "cat /proc/sys/kernel/hostname /etc/hostname; echo $HOSTNAME";
    for option in ["--hostname", "-h"] {
        let said = space.sh(&[option, "box"], script);
        assert_eq!(said, "box\nbox\nbox\n");
    }
    let running = space.hold(&[]);
    let id = &space.containers()[0];
    let said = std::fs::read_to_string(running.proc("root/etc/hostname")).unwrap();
    assert_eq!(said.trim_end(), id, "by default it is the container's id");
    assert_eq!(nix::unistd::gethostname().unwrap(), before);
}

fn env_sets_takes_over_and_leaves_out(who: Who) {
    let space = Space::new(who);
    let script = "echo ready; read line";
    let words = [
        "run",
        "--rm",
        "-i",
        "--network",
        "none",
        "-e",
        "A=1",
        "--env",
        "B=x y=z",
        "-e",
        "TAKEN",
        "-e",
        "ABSENT",
    ];
    let command = ["-e", "A=2", "-e", "EMPTY=", "base", "sh", "-c", script];
    let mut command = {
        let mut program = space.command();
        program.env("TAKEN", "from here").env("SECRET", "stays here").args(words).args(command);
        Running::start(&mut program)
    };
    command.expect("ready");
    let environ = command.read("environ");
    let mut variables: Vec<&str> = environ.split_terminator('\0').collect();
    variables.sort_unstable();
    let hostname = format!("HOSTNAME={}", space.containers()[0]);
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(variables, ["A=2", "B=x y=z", "EMPTY=", "HOME=/root", &hostname, path, "TAKEN=from here"]);
}

fn workdir_is_where_the_command_starts_made_if_missing(who: Who) {
    let space = Space::new(who);
    for (option, word, directory) in [
        ("--workdir", "/usr/bin", "/usr/bin"),
        ("-w", "/made/for/me", "/made/for/me"),
        ("-w", "/no/../made//./here/", "/made/here"),
    ] {
        let running = space.hold(&[option, word]);
        let cwd = std::fs::read_link(running.proc("cwd")).unwrap();
        assert_eq!(cwd.to_string_lossy(), directory);
        assert!(!running.proc("root/no").exists());
    }
    assert_eq!(space.sh(&[], "pwd"), "/\n");
}

fn user_is_looked_up_in_the_container() {
    let space = Space::new(Who::Root);
    for (user, uid, gid, groups) in [
        ("student", "1000", "1000", ""),
        ("student:tty", "1000", "5", ""),
        ("1000", "1000", "1000", ""),
        ("4242:4343", "4242", "4343", ""),
        ("0", "0", "0", ""),
    ] {
        let running = space.hold(&["--user", user]);
        let all = |id: &str| [id; 4].join("\t");
        assert_eq!(running.status("Uid"), all(uid), "{user}");
        assert_eq!(running.status("Gid"), all(gid), "{user}");
        assert_eq!(running.status("Groups"), groups, "{user}");
        let effective = running.status("CapEff");
        assert_eq!(effective == "0000000000000000", uid != "0", "{user} has {effective}");
    }
    assert_eq!(space.sh(&["-u", "student"], "echo $HOME; id -un"), "/home/student\nstudent\n");
}

fn a_user_can_open_the_pipes_it_was_given() {
    let space = Space::new(Who::Root);
    let script = "cat /dev/stdin > /dev/stdout; echo two > /dev/stderr; echo three > /proc/self/fd/1";
    for options in [&["--user", "1000"][..], &["--user", "1000", "--init"]] {
        let mut running = space.start(options, &["sh", "-c", script]);
        running.say("one");
        let outcome = running.end();
        assert_eq!((outcome.status, outcome.err.as_str()), (0, "two\n"));
        assert_eq!(outcome.out, "one\nthree\n");
    }
    // A file of somebody's, or a pipe with a name, stays hers.
    let file = space.file("out", "");
    let pipe = space.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let mut command = space.command_after(&format!("exec > {} 2<> {}", file.display(), pipe.display()));
    command.args(["run", "--rm", "--network", "none", "--user", "1000", "base", "id", "-u"]);
    assert_eq!(Running::start(&mut command).end().status, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "1000\n");
    for path in [file, pipe] {
        assert_eq!(std::fs::metadata(path).unwrap().uid(), 0);
    }
}

fn a_persons_umask_stays_outside(who: Who) {
    // The image, too, is made under that umask.
    let space = Space::bare(who);
    let user = if who == Who::Root { "1000" } else { "0" };
    let words = ["run", "--rm", "--network", "none", "--user", user, "base", "sh", "-c"];
    let script = "id -u; umask; stat -c %a / /usr /etc/hosts; cat /etc/hosts > /dev/null";
    let mut command = space.command_after("umask 077");
    let outcome = Running::start(command.args(words).arg(script)).end();
    let expected = format!("{user}\n0022\n755\n755\n644\n");
    assert_eq!((outcome.status, outcome.out), (0, expected), "{}", outcome.err);
}

fn an_ordinary_user_is_root_inside_and_herself_outside() {
    let space = Space::new(Who::User);
    let running = space.hold(&[]);
    let uid = uid_of(Who::User).to_string();
    assert_eq!(running.status("Uid"), [uid.as_str(); 4].join("\t"));
    let map: Vec<String> = running.read("uid_map").split_whitespace().map(str::to_owned).collect();
    assert_eq!(map[..3], ["0", &uid, "1"]);
    assert_eq!(space.sh(&[], "id -u; id -g"), "0\n0\n");
    if map.len() > 3 {
        // /etc/subuid gives her more.
        assert_eq!(running.read("setgroups"), "allow\n");
        assert_eq!(space.sh(&["--user", "student"], "id -u"), "1000\n");
    } else {
        assert_eq!(running.read("setgroups"), "deny\n");
        // One id is mapped, so there is no other to become.
        space.base(&["--user", "student"], &["true"]).assert_refused(&["1000"]);
    }
}

fn standard_input_is_there_only_when_asked_for(who: Who) {
    let space = Space::new(who);
    for option in ["-i", "--interactive"] {
        let words = [option, "--network", "none", "base", "cat"];
        let mut running = Running::start(space.command().args(["run", "--rm"]).args(words));
        running.say("to and fro");
        running.expect("to and fro");
        assert_eq!(running.end().status, 0);
    }
    assert_eq!(space.sh(&[], "readlink /proc/self/fd/0"), "/dev/null\n");
}

fn init_is_pid_1_and_the_command_its_child(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&["--init"]);
    let children = children_of(running.pid());
    assert_eq!(children.len(), 1);
    let command = std::fs::read_to_string(format!("/proc/{}/comm", children[0])).unwrap();
    assert_eq!((running.read("comm").as_str(), command.as_str()), ("minidocker\n", "sh\n"));
    assert_eq!(running.status("NSpid").split_whitespace().last(), Some("1"));
    drop(running);
    let running = space.hold(&[]);
    assert_eq!(running.read("comm"), "sh\n", "without --init the command is pid 1");
}

fn short_and_long_names_mean_the_same(who: Who) {
    let space = Space::new(who);
    let volume = format!("{}:/d", space.file("d/file", "text").parent().unwrap().display());
    let script = "cat /proc/sys/kernel/hostname /d/file; echo; echo $X; pwd; id -u";
    let short = ["-h", "box", "-e", "X=1", "-w", "/tmp", "-u", "0", "-v", &volume, "--net", "null"];
    let long = ["--hostname=box", "--env=X=1", "--workdir=/tmp", "--user=0", "--network=none"];
    let said = space.sh(&short, script);
    assert_eq!(said, "box\ntext\n1\n/tmp\n0\n");
    assert_eq!(space.sh(&[&long[..], &["--volume", &volume]].concat(), script), said);
}

fn what_docker_takes_is_taken(who: Who) {
    let space = Space::new(who);
    let twice =
        ["--hostname", "one", "--lang", "zh", "--hostname=two", "--lang=en", "--rm=true", "--init=false"];
    let nothing = ["-m", "0", "--cpus=0", "--name=", "--workdir=", "--cpuset-cpus="];
    assert_eq!(space.sh(&[&twice[..], &nothing].concat(), "hostname; pwd"), "two\n/\n");
    let hostname = space.sh(&["--hostname="], "hostname");
    assert_eq!(hostname.trim_end().len(), 12, "{hostname}");
    assert_eq!(space.containers(), [""; 0]);
}

fn a_container_with_much_to_say_is_remembered(who: Who) {
    let space = Space::new(who);
    let words: Vec<String> = (0..12).map(|_| "\u{1}".repeat(100_000)).collect();
    let mut command = space.command();
    command.args(["run", "--network", "none", "--name", "much", "base", "true"]).args(&words);
    let outcome = Running::start(&mut command).end();
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""));
    let record = space.root().join("containers").join(&space.containers()[0]).join("config.json");
    assert!(std::fs::metadata(record).unwrap().len() > 6 << 20);
    // Whether it runs is asked of its record.
    space.base(&["--network", "container:much"], &["true"]).assert_refused(&["much", "not running"]);
}
