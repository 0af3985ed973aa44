//! What the doctor found, for people.

use super::{Blocker, Diagnosis, Trial};
use crate::narrate::table;
use crate::narrate::words::{Lang, Text};

impl Diagnosis {
    /// The machine, the table of needs, and each blocker with its command.
    pub fn page(&self, lang: Lang) -> String {
        let mut parts = vec![self.machine(lang), self.table(lang)];
        let (in_the_way, good_to_know): (Vec<&Blocker>, Vec<&Blocker>) =
            self.blockers.iter().partition(|blocker| blocker.stops);
        if in_the_way.is_empty() {
            parts.push(
                pick(
                    lang,
                    "Nothing is in the way: every lesson can be done here.",
                    "一切就绪：所有实验都可以在本机完成。",
                )
                .to_owned(),
            );
        }
        parts.extend(in_the_way.iter().map(|blocker| blocker.paragraph("✗", lang)));
        parts.extend(good_to_know.iter().map(|blocker| blocker.paragraph("·", lang)));
        parts.join("\n\n")
    }

    fn machine(&self, lang: Lang) -> String {
        let machine = &self.machine;
        let (release, cgroups, uid) = (&machine.release, machine.cgroups, machine.uid);
        let inside = match machine.container {
            None => String::new(),
            Some(name) => format!("{}{name}", pick(lang, " · inside ", " · 身处容器：")),
        };
        format!("Linux {release} · cgroup {cgroups} · uid {uid}{inside}")
    }

    fn table(&self, lang: Lang) -> String {
        let heads = match lang {
            Lang::En => ["  NEED", "WHAT", "LESSONS"],
            Lang::Zh => ["  需要", "内容", "实验"],
        };
        // What each of them needs is needed by all.
        let most = self.needs.iter().map(|trial| trial.lessons.len()).max().unwrap_or(0);
        table::set(&heads, &self.needs.iter().map(|trial| trial.row(most, lang)).collect::<Vec<_>>())
    }
}

impl Trial {
    fn row(&self, most: usize, lang: Lang) -> Vec<String> {
        let mark = if self.met { "✓" } else { "✗" };
        let lessons = match self.lessons.len() {
            all if all == most && all > 1 => pick(lang, "every one", "每一课").to_owned(),
            _ => self.lessons.join(" "),
        };
        vec![format!("{mark} {}", self.need.name()), self.need.title().get(lang).to_owned(), lessons]
    }
}

impl Blocker {
    fn paragraph(&self, mark: &str, lang: Lang) -> String {
        let needs: Vec<&str> = self.needs.iter().map(|need| need.name()).collect();
        let lines = [
            (pick(lang, "refused", "拒绝"), self.refused.clone()),
            (pick(lang, "seen", "迹象"), self.sign.clone()),
            (pick(lang, "fix", "修复"), Some(self.fix.clone())),
            (pick(lang, "needs", "需要"), Some(needs.join(" ")).filter(|needs| !needs.is_empty())),
            (pick(lang, "lessons", "实验"), Some(self.lessons.join(" ")).filter(|names| !names.is_empty())),
        ];
        let mut text = format!("{mark} {}: {}", self.name, self.title.get(lang));
        for (head, line) in lines.into_iter().filter_map(|(head, line)| Some((head, line?))) {
            let gap = " ".repeat(9 - crate::narrate::columns(head));
            text += &format!("\n    {head}{gap}{line}");
        }
        text
    }
}

fn pick(lang: Lang, en: &'static str, zh: &'static str) -> &'static str {
    Text { en, zh }.get(lang)
}
