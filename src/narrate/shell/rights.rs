//! What a process gives up before it becomes the command, gathered into one setpriv(1).

use super::quote::word;
use crate::security::capabilities::NAMES;
use crate::sys::Call;

/// The rights changed so far. A shell cannot change its own, so all of it happens at exec.
#[derive(Debug, Default)]
pub struct Rights {
    dropped: Vec<u32>,
    inheritable: Option<u64>,
    no_ambient: bool,
    no_new_privs: bool,
    groups: Option<Vec<u32>>,
    gid: Option<u32>,
    uid: Option<u32>,
}

impl Rights {
    /// Remember what `call` changes; false when it is not about rights.
    pub fn take(&mut self, call: &Call<'_>) -> bool {
        match *call {
            Call::PrctlCapbsetDrop { capability } => self.dropped.push(capability),
            Call::PrctlAmbientClear => self.no_ambient = true,
            Call::PrctlNoNewPrivs => self.no_new_privs = true,
            // Permitted and effective follow at exec from the bounding set and the user id.
            Call::Capset { inheritable, .. } => self.inheritable = Some(inheritable),
            Call::Setgroups { groups } => self.groups = Some(groups.to_vec()),
            Call::Setresgid { gid } => self.gid = Some(gid),
            Call::Setresuid { uid } => self.uid = Some(uid),
            _ => return false,
        }
        true
    }

    /// `setpriv --no-new-privs --bounding-set=-sys_admin,…`, or nothing when nothing was changed.
    pub fn setpriv(&self) -> Option<String> {
        let mut options: Vec<String> = Vec::new();
        let mut add = |wanted: bool, option: String| options.extend(wanted.then_some(option));
        add(self.no_new_privs, "--no-new-privs".to_owned());
        add(self.no_ambient, "--ambient-caps=-all".to_owned());
        add(self.inheritable.is_some(), format!("--inh-caps={}", inheritable(self.inheritable.unwrap_or(0))));
        let dropped: Vec<String> = self.dropped.iter().map(|number| format!("-{}", name(*number))).collect();
        add(!dropped.is_empty(), format!("--bounding-set={}", dropped.join(",")));
        match self.groups.as_deref() {
            Some([]) => add(true, "--clear-groups".to_owned()),
            Some(groups) => {
                let list: Vec<String> = groups.iter().map(u32::to_string).collect();
                add(true, format!("--groups={}", list.join(",")));
            }
            None => add(self.gid.is_some(), "--keep-groups".to_owned()),
        }
        add(self.gid.is_some(), format!("--regid={}", self.gid.unwrap_or(0)));
        add(self.uid.is_some(), format!("--reuid={}", self.uid.unwrap_or(0)));
        (!options.is_empty()).then(|| format!("setpriv {}", options.join(" ")))
    }
}

fn inheritable(set: u64) -> String {
    let kept = (0..64).filter(|number| set >> number & 1 == 1).map(|number| format!(",+{}", name(number)));
    format!("-all{}", kept.collect::<String>())
}

/// A capability as setpriv(1) writes it.
fn name(number: u32) -> String {
    NAMES.get(number as usize).map_or_else(|| format!("cap_{number}"), |name| name.to_lowercase())
}

/// The command, given up to by the shell: rights reduced, the environment its own and nothing else.
///
/// An image's setpriv may not know all options (busybox has one); then the command runs without.
pub fn exec(
    rights: &Rights,
    command: &str,
    argv: &[String],
    environment: &[String],
    stdin: &str,
    own: bool,
) -> String {
    let words = |list: &[String]| list.iter().fold(String::new(), |all, one| all + " " + &word(one));
    let arguments = words(argv.get(1..).unwrap_or_default());
    let exec = if own { "exec " } else { "" };
    let command = format!("env -i{} {}{arguments} {stdin} 3<&-", words(environment), word(command));
    match rights.setpriv() {
        None => format!("{exec}{command}"),
        Some(setpriv) => format!(
            "rights='{setpriv}'\n$rights env > /dev/null 2>&1 || {{ echo \"not done: $rights\" >&2; rights=; }}\n{exec}$rights {command}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_about_rights_become_one_command() {
        let mut rights = Rights::default();
        assert!(!rights.take(&Call::Fork));
        assert_eq!(rights.setpriv(), None);
        assert!(rights.take(&Call::PrctlCapbsetDrop { capability: 21 }));
        assert!(rights.take(&Call::PrctlNoNewPrivs));
        assert!(rights.take(&Call::Capset { effective: 3, permitted: 3, inheritable: 0 }));
        assert!(rights.take(&Call::Setgroups { groups: &[] }));
        assert!(rights.take(&Call::Setresgid { gid: 7 }));
        assert_eq!(
            rights.setpriv().as_deref(),
            Some("setpriv --no-new-privs --inh-caps=-all --bounding-set=-sys_admin --clear-groups --regid=7")
        );
    }
}
