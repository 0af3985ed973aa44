//! THE DOCTOR: what keeps this machine from the lessons, and the one command that changes it.
//!
//! [`look`] tries every [`Need`], reads the machine's [`signs`], and looks each refusal up in
//! the table of [`known`] blockers. What has no name yet is told as it was refused, with its manual page.
//!
//! | module | in one sentence |
//! |---|---|
//! | [`signs`] | what the machine shows of itself: settings, mounts, layout of the cgroups |
//! | [`known`] | the table: by what each blocker is known, and what to do |
//! | [`remarks`] | what is good to know, though no trial failed by it: programs, policies |
//! | [`page`] | the same for people, in both languages |

pub mod known;
pub mod page;
pub mod remarks;
pub mod signs;

use super::lesson::Lesson;
use super::need::{Lack, Need};
use super::verdict::Said;
use crate::narrate::words::{Lang, sentence};
use known::Known;
use serde::Serialize;
use signs::Signs;

/// A lesson, as far as the doctor must know it.
#[derive(Debug, Clone)]
pub struct Concern {
    /// Its name.
    pub lesson: String,
    /// What it needs, for any of its checks.
    pub needs: Vec<Need>,
}

impl Concern {
    /// Of each of `lessons`.
    pub fn of_all(lessons: &[Lesson]) -> Vec<Self> {
        let of = |lesson: &Lesson| Self { lesson: lesson.name.to_owned(), needs: lesson.all_needs() };
        lessons.iter().map(of).collect()
    }
}

/// All that was found.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// The machine in a few words.
    pub machine: Machine,
    /// Each need, and whether it is met.
    pub needs: Vec<Trial>,
    /// What is in the way, and what else is good to know.
    pub blockers: Vec<Blocker>,
}

/// The machine in a few words.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// `uname -r`.
    pub release: String,
    /// Whose container this is inside of.
    pub container: Option<&'static str>,
    /// `v1`, `v2`, `hybrid` or `none`.
    pub cgroups: &'static str,
    /// The user id.
    pub uid: u32,
}

/// One need, tried.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
    /// Which.
    pub need: Need,
    /// Whether it is met.
    pub met: bool,
    /// The lessons that need it.
    pub lessons: Vec<String>,
}

/// Something in the way.
#[derive(Debug, Clone, Serialize)]
pub struct Blocker {
    /// Its name in the table; `unknown` when it is not there.
    pub name: &'static str,
    /// What it is, as a sentence.
    pub title: Said,
    /// What was asked and what the kernel answered: `mount("overlay", …) = EPERM (Operation not permitted)`.
    pub refused: Option<String>,
    /// The symbol of that answer.
    pub errno: Option<String>,
    /// What it was known by: `user.max_user_namespaces = 0`.
    pub sign: Option<String>,
    /// The one command that changes it.
    pub fix: String,
    /// Whether lessons cannot be done for it; else it is only good to know.
    pub stops: bool,
    /// The needs that it leaves unmet.
    pub needs: Vec<Need>,
    /// The lessons concerned.
    pub lessons: Vec<String>,
}

impl Diagnosis {
    /// Whether nothing is in the way of any lesson.
    pub fn is_healthy(&self) -> bool {
        self.blockers.iter().all(|blocker| !blocker.stops)
    }

    /// One JSON object, on several lines.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// Try everything and explain what was refused. On entry this process has one thread.
pub fn look(concerns: &[Concern]) -> Diagnosis {
    let lacks = Need::ALL.iter().filter_map(|need| need.probe().err()).collect();
    diagnose(&Signs::read(), lacks, remarks::Tools::try_them(), concerns)
}

/// The same of what was read and tried already.
pub fn diagnose(signs: &Signs, lacks: Vec<Lack>, tools: remarks::Tools, concerns: &[Concern]) -> Diagnosis {
    let unmet: Vec<Need> = lacks.iter().map(|lack| lack.need).collect();
    let trial = |need: &Need| Trial {
        need: *need,
        met: !unmet.contains(need),
        lessons: concerned(concerns, &[*need]),
    };
    let mut blockers = remarks::tools(signs, &tools, concerns);
    for lack in &lacks {
        add(&mut blockers, signs, lack);
    }
    for blocker in blockers.iter_mut().filter(|blocker| !blocker.needs.is_empty()) {
        blocker.lessons = concerned(concerns, &blocker.needs);
    }
    blockers.extend(remarks::remarks(signs, &tools, concerns));
    Diagnosis {
        machine: Machine {
            release: signs.release().to_owned(),
            container: signs.container,
            cgroups: signs.cgroups.name(),
            uid: signs.uid,
        },
        needs: Need::ALL.iter().map(trial).collect(),
        blockers,
    }
}

/// The lessons that need one of `needs`.
fn concerned(concerns: &[Concern], needs: &[Need]) -> Vec<String> {
    // Without the throw-away host there is no lesson at all.
    let all = needs.contains(&Need::UserNamespaces);
    let one = |concern: &&Concern| all || concern.needs.iter().any(|need| needs.contains(need));
    concerns.iter().filter(one).map(|concern| concern.lesson.clone()).collect()
}

/// Put `lack` down to what explains it: a blocker that was found before, or one more.
fn add(blockers: &mut Vec<Blocker>, signs: &Signs, lack: &Lack) {
    let known = known::find(signs, lack);
    let refused = lack.error.refusal.as_ref().map(ToString::to_string);
    let name = known.map_or("unknown", |known| known.name);
    let same =
        |blocker: &&mut Blocker| blocker.name == name && (known.is_some() || blocker.refused == refused);
    match blockers.iter_mut().find(same) {
        Some(blocker) => blocker.needs.push(lack.need),
        None => blockers.push(blocker(known, signs, lack, refused)),
    }
}

fn blocker(known: Option<&Known>, signs: &Signs, lack: &Lack, refused: Option<String>) -> Blocker {
    let errno = lack.errno_name().map(str::to_owned);
    let needs = vec![lack.need];
    let common = Blocker {
        name: "unknown",
        title: Said { en: sentence(&lack.error, Lang::En), zh: sentence(&lack.error, Lang::Zh) },
        refused,
        errno,
        sign: None,
        fix: manual(lack),
        stops: true,
        needs,
        lessons: Vec::new(),
    };
    match known {
        None => common,
        Some(known) => Blocker {
            name: known.name,
            title: Said { en: known.title.en.to_owned(), zh: known.title.zh.to_owned() },
            sign: (known.sign)(signs, lack),
            fix: (known.fix)(signs, lack),
            ..common
        },
    }
}

/// Where to read on about a refusal that nobody has explained yet.
fn manual(lack: &Lack) -> String {
    match &lack.error.refusal {
        Some(refusal) if !refusal.call.starts_with("RTM_") && refusal.call != "command" => {
            format!("man 2 {}", refusal.call)
        }
        _ => "sudo dmesg | tail".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Problem, Refusal};

    fn concerns() -> Vec<Concern> {
        let of = |lesson: &str, needs: &[Need]| Concern { lesson: lesson.into(), needs: needs.to_vec() };
        vec![of("uts", &[Need::UserNamespaces]), of("overlay", &[Need::UserNamespaces, Need::Overlay])]
    }

    fn lack(need: Need, call: &str, errno: i32) -> Lack {
        let refusal = Refusal {
            call: call.into(),
            args: "…".into(),
            errno,
            name: "EPERM".into(),
            message: "Operation not permitted".into(),
        };
        Lack { need, error: Error { problem: Problem::Refused, refusal: Some(Box::new(refusal)) } }
    }

    #[test]
    fn one_cause_is_told_once_with_all_that_it_leaves_unmet() {
        let name = "kernel.apparmor_restrict_unprivileged_userns";
        let signs = Signs { settings: [(name.to_owned(), "1".to_owned())].into(), ..Signs::default() };
        let host = |need| {
            let mut lack = lack(need, "clone3", crate::sys::errno::EPERM);
            lack.error.problem = Problem::NoUserNamespaces { sysctl: None };
            lack
        };
        let lacks = vec![host(Need::UserNamespaces), host(Need::Overlay), host(Need::Veth)];
        let found = diagnose(&signs, lacks, remarks::Tools::default(), &concerns());
        let [blocker] = &found.blockers[..] else { panic!("{found:?}") };
        assert_eq!(blocker.needs, [Need::UserNamespaces, Need::Overlay, Need::Veth]);
        assert_eq!(blocker.lessons, ["uts", "overlay"]);
        assert_eq!(blocker.errno.as_deref(), Some("EPERM"));
        assert_eq!(blocker.fix, format!("sudo sysctl -w {name}=0"));
        assert!(!found.is_healthy());
        let page = found.page(Lang::En);
        assert!(page.contains("clone3(…) = EPERM") && page.contains(&blocker.fix), "{page}");
        assert!(found.page(Lang::Zh).contains("普通用户"));
    }

    #[test]
    fn what_nobody_knows_is_told_as_it_was_refused() {
        let lacks = vec![lack(Need::Veth, "socket", crate::sys::errno::EPERM)];
        let found = diagnose(&Signs::default(), lacks, remarks::Tools::default(), &concerns());
        let [blocker] = &found.blockers[..] else { panic!("{found:?}") };
        assert_eq!((blocker.name, blocker.fix.as_str()), ("unknown", "man 2 socket"));
        assert!(blocker.title.en.contains("EPERM"), "{}", blocker.title.en);
    }

    #[test]
    fn a_healthy_machine_is_told_so_in_json_too() {
        let found = diagnose(&Signs::default(), Vec::new(), remarks::Tools::default(), &concerns());
        assert!(found.is_healthy() && found.page(Lang::En).contains("Nothing is in the way"));
        let json: serde_json::Value = serde_json::from_str(&found.json()).unwrap();
        assert_eq!(json["needs"][1]["need"], "overlay-in-userns");
        assert_eq!(json["needs"][1]["lessons"][0], "overlay");
        assert_eq!(json["blockers"].as_array().map(Vec::len), Some(0));
    }
}
