//! `net-demo topology`: what it draws is what others see.

use super::told::play;
use crate::common::container::Running;
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root, as_user};

pub fn tests() -> Vec<Test> {
    [
        as_root(&[], the_host_is_drawn_as_ip_tells_it),
        as_root(&[Need::Iptables], a_container_hangs_on_the_bridge),
        as_user(&[], an_ordinary_user_sees_her_own_and_is_told_so),
        as_both(&[], a_picture_is_written_where_the_person_says),
        as_both(&[], a_picture_that_cannot_be_written_is_one_sentence),
        as_both(&[], a_chart_is_nothing_but_mermaid),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The lines of the namespace that `told` calls `letter`.
fn namespace(told: &str, letter: &str) -> String {
    let start = told.find(&format!("┌ {letter}  net:[")).unwrap_or_else(|| panic!("no {letter}: {told}"));
    told[start..].split("└─\n").next().unwrap().to_owned()
}

fn the_host_is_drawn_as_ip_tells_it() {
    let space = Space::new(Who::Root);
    space.host().sh(
        "ip link set lo up; ip link add br7 type bridge; ip addr add 198.51.100.1/24 dev br7; ip link set br7 up; \
         ip link add one type veth peer name two; ip link set one master br7; ip link set one up; ip link set two up; \
         ip addr add 198.51.100.2/24 dev two; ip route add default via 198.51.100.7 dev two",
    );
    let told = play(&space, "net-demo", &["topology"]);
    let own = namespace(&told, "A");
    let inode = std::fs::read_link(format!("/proc/{}/ns/net", space.host().pid())).unwrap();
    assert!(own.starts_with(&format!("┌ A  {}", inode.display())), "{told}");
    for line in
        ["br7", "└─ one", "two", "198.51.100.1/24", "═══ A two", "═══ A one", "default via 198.51.100.7"]
    {
        assert!(own.contains(line), "{line:?} is not in {own}");
    }
}

fn a_container_hangs_on_the_bridge() {
    let space = Space::new(Who::Root);
    let container = space.hold(&["--network", "bridge"]);
    let told = play(&space, "net-demo", &["topology"]);
    let own = namespace(&told, "A");
    let port = space.host().sh("ip -o link show master minidocker0");
    let port = port.split(": ").nth(1).unwrap().split('@').next().unwrap();
    assert!(own.contains("minidocker0") && own.contains(&format!("└─ {port}")), "{told}");
    let inside = container.namespace("net");
    let guest = told.split("┌ ").find(|part| part.contains(&inside)).unwrap_or_else(|| panic!("{told}"));
    assert!(
        guest.contains(&format!("═══ A {port}")) && guest.contains("default via 172.30.0.1 dev eth0"),
        "{told}"
    );
    assert_eq!(container.end().status, 0);
}

fn an_ordinary_user_sees_her_own_and_is_told_so() {
    let told = play(&Space::new(Who::User), "net-demo", &["topology"]);
    assert!(told.contains("┌ A  net:["), "{told}");
    assert!(told.contains("CAP_SYS_PTRACE"), "{told}");
}

fn a_picture_is_written_where_the_person_says(who: Who) {
    let space = Space::new(who);
    let file = space.root().join("network.svg");
    let told = play(&space, "net-demo", &["topology", "--svg", file.to_str().unwrap()]);
    let picture = std::fs::read_to_string(&file).unwrap();
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
    let inode = namespace(&told, "A");
    let inode = &inode[inode.find("net:[").unwrap()..inode.find(']').unwrap()];
    assert!(picture.contains(inode) && picture.contains(">lo</text>"), "{inode} {picture}");
}

fn a_picture_that_cannot_be_written_is_one_sentence(who: Who) {
    let space = Space::new(who);
    for (lang, words) in [("en", "cannot be written"), ("zh", "无法把图写入")] {
        let mut command = space.demo_apart("net-demo");
        command.args(["topology", "--lang", lang, "--svg", "/nonexistent/network.svg"]);
        let outcome = Running::start(&mut command).end();
        outcome.assert_refused(&[words, "/nonexistent/network.svg", "ENOENT"]);
        assert!(outcome.err.len() < 400, "{}", outcome.err);
    }
}

fn a_chart_is_nothing_but_mermaid(who: Who) {
    let chart = play(&Space::new(who), "net-demo", &["topology", "--mermaid"]);
    assert!(chart.starts_with("flowchart LR\n  subgraph A[\"A net:["), "{chart}");
    assert!(chart.contains("A_1[\"lo<br/>loopback"), "{chart}");
    assert!(!chart.contains("══"), "{chart}");
}
