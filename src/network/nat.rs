//! The packet filter rules of a bridge.
//!
//! In the table `nat`, what leaves the subnet by another way than the bridge gets the host's own address
//! (MASQUERADE), since nobody outside knows a route back to the subnet. In `filter`, what comes from the bridge
//! is forwarded, and what goes to it if it belongs to a connection that was made from there. These two stand at
//! the head of FORWARD: dockerd sets that chain's policy to DROP, and rules after its own would come too late.
//!
//! Leave to pass is not enough to keep two bridges apart: what one lets out, the other would have to stop before,
//! and which of two rules at the head of FORWARD comes first is chance. So what must not pass is stopped in `mangle`,
//! whose FORWARD chain comes before that of `filter`: whatever comes to a bridge from elsewhere and belongs to no
//! connection made from there nor is meant for a published port ([`publish`](super::publish)); from an internal
//! network, whatever would leave it; and what is sent to 127.0.0.1 from a bridge, which is routed where ports are
//! published, and is the host's own affair.
//!
//! Each rule names the bridge; that is how a rule of unknown origin is recognised as ours.

use super::iptables::{Backend, Script};
use super::subnet::Subnet;
use crate::error::Result;

/// What the rules of a bridge depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bridge<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its subnet.
    pub subnet: Subnet,
    /// Whether nothing leads out of it.
    pub internal: bool,
}

/// The three rules by which `bridge` with `subnet` gets a way out, and nothing that keeps it apart from others. They
/// must not be there yet: a second set would stand beside the first.
pub fn apply(bridge: &str, subnet: Subnet) -> Result<()> {
    let mut script = Script::default();
    way_out(&mut script, bridge, subnet);
    Backend::Usual.restore(&script)
}

/// A function that says the rules by which what leaves `subnet` by another way than its bridge finds its way.
pub type WayOut = fn(script: &mut Script, bridge: &str, subnet: Subnet);

/// The rules by which what leaves `subnet` by another way than `bridge` gets the host's address, and may pass there and
/// back. Nothing is asked of the kernel yet: all rules of a bridge are written in one commit.
pub fn way_out(script: &mut Script, bridge: &str, subnet: Subnet) {
    script.line("nat", format!("-A POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE"));
    script.line("filter", format!("-I FORWARD -i {bridge} -j ACCEPT"));
    let known = "-m conntrack --ctstate RELATED,ESTABLISHED";
    script.line("filter", format!("-I FORWARD -o {bridge} {known} -j ACCEPT"));
}

impl Bridge<'_> {
    /// All its rules into `script`, to be added; those that lead out are said by `way_out`.
    pub fn add(self, script: &mut Script, way_out: WayOut) {
        if !self.internal {
            way_out(script, self.name, self.subnet);
        }
        self.guard(script);
    }

    /// All its rules into `script`, to be deleted.
    pub fn remove(self, script: &mut Script) {
        let mut added = Script::default();
        self.add(&mut added, way_out);
        script.append(added.undone());
    }

    fn guard(self, script: &mut Script) {
        let Self { name, .. } = self;
        script.line("mangle", format!("-A PREROUTING -d 127.0.0.0/8 -i {name} -j DROP"));
        let unknown = "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT";
        script.line("mangle", format!("-A FORWARD ! -i {name} -o {name} {unknown} -j DROP"));
        if self.internal {
            script.line("mangle", format!("-A FORWARD -i {name} ! -o {name} -j DROP"));
        }
    }

    /// Whether `rule`, as iptables-save(8) writes it, is one of these, or would be.
    pub fn owns(self, rule: &str) -> bool {
        let has = |word: &str| rule.split_whitespace().any(|part| part == word);
        has(self.name) || has("MASQUERADE") && has(&self.subnet.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: [&str; 5] = [
        "FORWARD -o minidocker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "FORWARD -i docker0 -j ACCEPT",
        "FORWARD -i minidocker01 -j ACCEPT",
        "POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        "POSTROUTING -s 172.30.0.0/16 ! -o minidocker0 -j MASQUERADE",
    ];

    fn bridge(internal: bool) -> Bridge<'static> {
        Bridge { name: "minidocker0", subnet: "172.30.0.0/16".parse().unwrap(), internal }
    }

    fn text(internal: bool, add: bool) -> String {
        let mut script = Script::default();
        match add {
            true => bridge(internal).add(&mut script, way_out),
            false => bridge(internal).remove(&mut script),
        }
        script.text()
    }

    #[test]
    fn only_our_rules_are_owned() {
        assert_eq!(SAVED.map(|rule| bridge(false).owns(rule)), [true, false, false, false, true]);
    }

    #[test]
    fn what_is_applied_and_what_is_removed_differ_in_the_command_alone() {
        for internal in [false, true] {
            let applied = text(internal, true);
            let removed = applied.replace("\n-A ", "\n-D ").replace("\n-I ", "\n-D ");
            assert_eq!(removed, text(internal, false));
            assert!(
                applied
                    .lines()
                    .filter(|line| line.starts_with('-'))
                    .all(|line| bridge(internal).owns(&line[3..]))
            );
        }
    }

    #[test]
    fn from_an_internal_network_nothing_leads_out() {
        assert!(
            text(false, true).contains("\n-A POSTROUTING -s 172.30.0.0/16 ! -o minidocker0 -j MASQUERADE\n")
        );
        let inside = text(true, true);
        assert!(!inside.contains("ACCEPT") && !inside.contains("MASQUERADE"), "{inside}");
        assert!(inside.contains("-A FORWARD -i minidocker0 ! -o minidocker0 -j DROP"), "{inside}");
    }
}
