//! structs: task_struct → css_set → cgroup_subsys_state → cgroup, as the running kernel defines them.
//! include/linux/cgroup-defs.h.

use crate::demo::structs::{Change, Kernel, show};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::observe::{self, Membership, Who};

/// `cgroup-demo structs`.
pub const WALK: Walk = Walk {
    name: "structs",
    title: Text {
        en: "The kernel's own structures: task_struct, css_set, cgroup",
        zh: "内核自己的数据结构：task_struct、css_set 与 cgroup",
    },
    place: Place::Here,
    show: tell,
};

/// The members of task_struct that the lecture lists for cgroups.
const IN_TASK: [&str; 2] = ["cgroups", "cg_list"];

fn tell(stage: &Stage) -> Result<Ending> {
    let kernel = Kernel::look();
    show::say_origin(stage, &kernel);
    let structure = |name: &str| kernel.listing(name, false).unwrap_or_default();

    stage.scene(&text!("A process: struct task_struct", "进程：struct task_struct"));
    stage.say(&text!(
        "The member cgroups points to the css_set of the process; cg_list is its place in the list of all processes that \
         have the same.",
        "成员 cgroups 指向进程的 css_set；cg_list 把 css_set 相同的进程串成链表。"
    ));
    let mut changes = show::show(stage, &kernel, &structure("task_struct"), &IN_TASK);

    stage.scene(&text!("Its cgroups: struct css_set", "它的各个 Cgroup：struct css_set"));
    stage.say(&text!(
        "One pointer for each controller. Processes that are in the same cgroups throughout share one css_set.",
        "每个 Subsystem 一个指针。所有 Cgroup 都相同的进程共用一个 css_set。"
    ));
    changes.extend(show::show(stage, &kernel, &structure("css_set"), &[]));

    stage.scene(&text!(
        "What a pointer leads to: struct cgroup_subsys_state, struct cgroup, struct cgroup_subsys",
        "指针指向什么：struct cgroup_subsys_state、struct cgroup 与 struct cgroup_subsys"
    ));
    stage.say(&text!(
        "The state of one controller in one cgroup: cgroup is where, ss is which. The limits and counters stand in a \
         larger structure that begins with this one, such as struct mem_cgroup.",
        "一个 Subsystem 在一个 Cgroup 里的状态：cgroup 是哪个组，ss 是哪个 Subsystem。限额和计数在以它开头的更大的结构里，\
         例如 struct mem_cgroup。"
    ));
    for (index, name) in ["cgroup_subsys_state", "cgroup", "cgroup_subsys"].into_iter().enumerate() {
        if index > 0 {
            stage.blank();
        }
        show::show(stage, &kernel, &structure(name), &[]);
    }

    stage.scene(&text!(
        "Which pointer is whose: enum cgroup_subsys_id",
        "哪个指针属于谁：enum cgroup_subsys_id"
    ));
    stage.say(&text!(
        "The controllers that this kernel was built with, by number, and the cgroup of this very process for each.",
        "这个内核编译进来的 Subsystem 及其编号，以及本进程在每一个里所处的 Cgroup。"
    ));
    stage.command("cat /proc/self/cgroup");
    let controllers = controllers(&kernel.constants());
    numbered(stage, &kernel, &controllers);
    Ok(ending(&kernel, &controllers, &changes))
}

/// The controllers in the order of their numbers, by their v1 names: `blkio` of `io_cgrp_id`.
pub fn controllers(constants: &[(String, i64)]) -> Vec<String> {
    let mut numbered: Vec<(i64, &str)> =
        constants.iter().filter_map(|(name, value)| Some((*value, name.strip_suffix("_cgrp_id")?))).collect();
    numbered.sort_unstable();
    numbered.into_iter().map(|(_, name)| if name == "io" { "blkio" } else { name }.to_owned()).collect()
}

/// The cgroup of `memberships` that counts for a controller: that of its own hierarchy or, with v2, the one there.
pub fn membership<'a>(memberships: &'a [Membership], controller: &str) -> Option<&'a Membership> {
    let own = memberships.iter().find(|one| one.controllers.iter().any(|name| name == controller));
    own.or_else(|| memberships.iter().find(|one| one.unified))
}

fn numbered(stage: &Stage, kernel: &Kernel, controllers: &[String]) {
    let memberships = observe::memberships(Who::Myself);
    let first =
        kernel.listing("css_set", false).and_then(|listing| Some(listing.row("subsys")?.place?.offset));
    let row = |(index, controller): (usize, &String)| {
        let offset = first.map_or_else(String::new, |first| format!("+{}", first + 8 * index as u64));
        let group = membership(&memberships, controller);
        let version = group.map_or("", |group| if group.unified { "v2" } else { "v1" });
        vec![
            Entry::of(Ink::Title, format!("subsys[{index}]")),
            Entry::of(Ink::Faint, offset),
            Entry::of(Ink::Object, controller.as_str()),
            version.into(),
            Entry::of(Ink::Fact, group.map(|group| group.path.clone()).unwrap_or_default()),
        ]
    };
    let rows: Vec<Vec<Entry>> = controllers.iter().enumerate().map(row).collect();
    stage.table(&["", "", "", "", "/proc/self/cgroup"], &rows);
}

/// What was seen, from what the kernel said.
fn ending(kernel: &Kernel, controllers: &[String], changes: &[(String, Change)]) -> Ending {
    let listed: Vec<Change> = changes
        .iter()
        .filter(|(name, _)| IN_TASK.contains(&name.as_str()) || name == "subsys")
        .map(|(_, change)| *change)
        .collect();
    let same = listed.iter().filter(|change| **change == Change::Same).count();
    let length = kernel.listing("css_set", false).and_then(|listing| listing.row("subsys")?.place);
    let length = length.map_or(0, |place| place.size as usize / 8);
    let count = controllers.len();
    let ending = Ending::default()
        .saw(listed.len() == same && same == 3, text!(
            "The {same} members that the lecture lists have their types of then.",
            "讲义列出的 {same} 个成员，类型至今没变。"
        ))
        .saw(count > 0 && length == count, text!(
            "subsys has {length} pointers, one for each of the {count} controllers that enum cgroup_subsys_id numbers.",
            "subsys 有 {length} 个指针，enum cgroup_subsys_id 编号的 {count} 个 Subsystem 各一个。"
        ));
    let named = observe::controllers();
    let known = named.iter().filter(|name| controllers.iter().any(|controller| controller == *name)).count();
    // A copy speaks of another kernel's controllers.
    let ending = match kernel.lacking() {
        Some(_) => ending,
        None => ending.saw(
            known == named.len(),
            text!(
                "Every controller that /proc/cgroups names is among them.",
                "/proc/cgroups 里的每个 Subsystem 都在其中。"
            ),
        ),
    };
    ending
        .next("cgroup-demo structs cgroup_subsys --all")
        .next("sudo cgroup-demo structs --live")
        .next("sudo cgroup-demo structs --live $$")
}
