//! Networks that a person defines: made, listed, looked at, removed. Nothing in the kernel changes by it.

use super::book::{Book, DEFAULT, Net, Rules};
use super::ledger::Ledger;
use super::link;
use super::subnet::{self, Subnet};
use crate::error::{Error, NetProblem, Problem, Result};
use crate::sys::netlink::Socket;
use crate::sys::{file, process};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// What is asked for of a new network.
#[derive(Debug, Clone, Default)]
#[allow(
    missing_docs,
    reason = "each field is the option of that name; see `minidocker network create --help`"
)]
pub struct Request {
    pub name: String,
    pub driver: Option<String>,
    pub subnet: Option<String>,
    pub gateway: Option<String>,
    pub internal: bool,
}

/// The networks that nobody makes: the modes of one container's network, with the names of their drivers.
pub const PREDEFINED: [(&str, &str); 3] = [(DEFAULT, "bridge"), ("host", "host"), ("none", "null")];

/// One network, as a person is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// Twelve hexadecimal digits.
    pub id: String,
    /// `bridge`, `host` or `null`.
    pub driver: &'static str,
    /// What the ledger says of it; the predefined may have nothing there.
    pub net: Option<Net>,
    /// The names of all containers that lease addresses, by id.
    pub names: BTreeMap<String, String>,
}

/// Define a network; its id. Errors: `BadNetworkName`, `PredefinedNetwork`, `NetworkExists`; `UnknownDriver`; `BadSubnet`,
/// `BadGateway`, `SubnetTaken`, `NoSubnet`.
pub fn create(root: &Path, request: &Request) -> Result<String> {
    check_name(&request.name)?;
    if let Some(driver) = request.driver.as_ref().filter(|driver| *driver != "bridge") {
        return Err(net(NetProblem::UnknownDriver { name: driver.clone() }));
    }
    let asked = request.subnet.as_deref().map(parse_subnet).transpose()?;
    let ledger = Ledger::open(root)?;
    let mut book = ledger.read()?.unwrap_or_default();
    if book.networks.contains_key(&request.name) {
        return Err(net(NetProblem::NetworkExists { name: request.name.clone() }));
    }
    let subnet = free_subnet(&book, asked)?;
    let gateway = gateway(request.gateway.as_deref(), subnet)?;
    let id: String = process::random(6)?.iter().map(|byte| format!("{byte:02x}")).collect();
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let new = Net {
        bridge: format!("md-{id}"),
        id: id.clone(),
        subnet,
        gateway,
        internal: request.internal,
        created: since.map_or(0, |since| since.as_secs()),
        rules: Rules::Absent,
        backend: Default::default(),
        last: subnet.gateway(),
        leases: BTreeMap::new(),
    };
    book.networks.insert(request.name.clone(), new);
    ledger.write(&book)?;
    Ok(id)
}

fn net(problem: NetProblem) -> Error {
    Error::new(Problem::Net(problem))
}

fn check_name(name: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let begins_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !begins_well || name.len() > 128 || !name.bytes().all(good) {
        return Err(net(NetProblem::BadNetworkName { name: name.to_owned() }));
    }
    not_predefined(name)
}

fn not_predefined(name: &str) -> Result<()> {
    let predefined =
        PREDEFINED.iter().any(|(known, _)| *known == name) || ["null", "default"].contains(&name);
    if predefined { Err(net(NetProblem::PredefinedNetwork { name: name.to_owned() })) } else { Ok(()) }
}

/// A subnet must be written as what it is: without bits beyond its prefix.
fn parse_subnet(text: &str) -> Result<Subnet> {
    let subnet = text.parse::<Subnet>().ok().filter(|subnet| subnet.to_string() == text);
    subnet.ok_or_else(|| net(NetProblem::BadSubnet { text: text.to_owned() }))
}

/// The subnet that was asked for, or one that will do. It must meet no route of this network namespace's, nor any other
/// network of this state root's, be that in the kernel at the moment or not.
fn free_subnet(book: &Book, asked: Option<Subnet>) -> Result<Subnet> {
    let routes = link::routes(&Socket::open()?)?;
    let others: Vec<Subnet> = book.networks.values().map(|net| net.subnet).collect();
    let Some(asked) = asked else {
        return subnet::choose_beside(&routes, &others).ok_or_else(|| Error::new(Problem::NoSubnet));
    };
    if asked.is_routed(&routes) || others.iter().any(|other| asked.overlaps(*other)) {
        return Err(net(NetProblem::SubnetTaken { subnet: asked.to_string() }));
    }
    Ok(asked)
}

fn gateway(asked: Option<&str>, subnet: Subnet) -> Result<Ipv4Addr> {
    let Some(text) = asked else { return Ok(subnet.gateway()) };
    let address = text.parse().ok().filter(|address| subnet.has_host(*address));
    address.ok_or_else(|| net(NetProblem::BadGateway { text: text.to_owned(), subnet: subnet.to_string() }))
}

/// All networks, by name.
pub fn list(root: &Path) -> Result<Vec<Told>> {
    let mut book = Ledger::look(root)?;
    let names: BTreeMap<String, String> =
        book.tenants.iter().map(|(id, tenant)| (id.clone(), tenant.name.clone())).collect();
    let mut all = Vec::new();
    for (name, driver) in PREDEFINED {
        let net = book.networks.remove(name);
        all.push(Told {
            name: name.to_owned(),
            id: predefined_id(root, name)?,
            driver,
            net,
            names: names.clone(),
        });
    }
    all.extend(book.networks.into_iter().map(|(name, net)| Told {
        name,
        id: net.id.clone(),
        driver: "bridge",
        net: Some(net),
        names: names.clone(),
    }));
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// The network that `word` means: a name, an id, or the beginning of exactly one id.
pub fn find(root: &Path, word: &str) -> Result<Told> {
    let all = list(root)?;
    if let Some(told) = all.iter().find(|told| told.name == word) {
        return Ok(told.clone());
    }
    let mut matching = all.into_iter().filter(|told| !word.is_empty() && told.id.starts_with(word));
    match (matching.next(), matching.next()) {
        (Some(told), None) => Ok(told),
        _ => Err(net(NetProblem::NoSuchNetwork { name: word.to_owned() })),
    }
}

/// The predefined networks have ids too: the same at each look, and others in another state root.
fn predefined_id(root: &Path, name: &str) -> Result<String> {
    let (device, inode) = file::status(root)?.identity;
    let all = name.bytes().map(u64::from).chain([device, inode]);
    let mixed = all.fold(0u64, |sum, part| (sum ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
    Ok(format!("{:012x}", mixed >> 16))
}

/// Remove the definition of the network that `word` means; its name. Errors: `NoSuchNetwork`, `PredefinedNetwork`,
/// `NetworkInUse` while a running container is in it.
pub fn remove(root: &Path, word: &str) -> Result<String> {
    let name = find(root, word)?.name;
    not_predefined(&name)?;
    let ledger = Ledger::open(root)?;
    let mut book = ledger.read()?.unwrap_or_default();
    let gone = || net(NetProblem::NoSuchNetwork { name: word.to_owned() });
    let there = book.networks.get(&name).ok_or_else(gone)?;
    if !there.leases.is_empty() {
        let id = |id: &String| book.tenants.get(id).map_or(id.clone(), |tenant| tenant.name.clone());
        let containers = there.leases.keys().map(id).collect();
        return Err(net(NetProblem::NetworkInUse { name, containers }));
    }
    book.networks.remove(&name);
    if book.is_blank() {
        ledger.remove()?
    } else {
        ledger.write(&book)?
    }
    Ok(name)
}

/// Remove the definitions of all networks that no running container is in; their names.
pub fn prune(root: &Path) -> Result<Vec<String>> {
    if !Ledger::is_written(root)? {
        return Ok(Vec::new());
    }
    let ledger = Ledger::open(root)?;
    let mut book = ledger.read()?.unwrap_or_default();
    let idle = book.networks.iter().filter(|(_, net)| net.is_defined() && net.leases.is_empty());
    let idle: Vec<String> = idle.map(|(name, _)| name.clone()).collect();
    book.networks.retain(|name, _| !idle.contains(name));
    if book.is_blank() {
        ledger.remove()?
    } else {
        ledger.write(&book)?
    }
    Ok(idle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, subnet: &str) -> Request {
        Request { name: name.to_owned(), subnet: Some(subnet.to_owned()), ..Request::default() }
    }

    fn problem<T: std::fmt::Debug>(answer: Result<T>) -> NetProblem {
        match answer.unwrap_err().problem {
            Problem::Net(problem) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_defined_is_listed_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let names = || list(root.path()).unwrap().into_iter().map(|told| told.name).collect::<Vec<_>>();
        let id = create(root.path(), &request("front", "10.77.0.0/24")).unwrap();
        assert_eq!(names(), ["bridge", "front", "host", "none"]);
        assert_eq!(find(root.path(), &id[..6]).unwrap().name, "front");
        let front = find(root.path(), "front").unwrap().net.unwrap();
        assert_eq!((front.gateway.to_string(), front.bridge), ("10.77.0.1".to_owned(), format!("md-{id}")));
        assert!(matches!(
            problem(create(root.path(), &request("front", "10.78.0.0/24"))),
            NetProblem::NetworkExists { .. }
        ));
        assert!(matches!(
            problem(create(root.path(), &request("x", "10.77.0.128/25"))),
            NetProblem::SubnetTaken { .. }
        ));
        assert_eq!(remove(root.path(), &id).unwrap(), "front");
        assert_eq!(names(), ["bridge", "host", "none"]);
        assert!(!Ledger::is_written(root.path()).unwrap());
        assert!(matches!(problem(remove(root.path(), "host")), NetProblem::PredefinedNetwork { .. }));
    }

    #[test]
    fn nonsense_is_refused_and_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        for name in ["", "-x", "a/b", "bridge", "none", "a b", "null"] {
            problem(create(root.path(), &request(name, "10.77.0.0/24")));
        }
        for subnet in ["10.77.0.1/24", "10.77.0.0", "x", "127.0.0.0/8", "10.77.0.0/31"] {
            problem(create(root.path(), &request("n", subnet)));
        }
        for gateway in ["10.77.1.1", "10.77.0.0", "10.77.0.255", "y"] {
            let asked = Request { gateway: Some(gateway.to_owned()), ..request("n", "10.77.0.0/24") };
            assert!(
                matches!(problem(create(root.path(), &asked)), NetProblem::BadGateway { .. }),
                "{gateway}"
            );
        }
        let driver = Request { driver: Some("overlay".to_owned()), ..request("n", "10.77.0.0/24") };
        assert!(matches!(problem(create(root.path(), &driver)), NetProblem::UnknownDriver { .. }));
        assert!(!Ledger::is_written(root.path()).unwrap());
    }

    #[test]
    fn prune_removes_what_nobody_is_in() {
        let root = tempfile::tempdir().unwrap();
        create(root.path(), &request("two", "10.77.0.0/24")).unwrap();
        create(root.path(), &request("one", "10.78.0.0/24")).unwrap();
        assert_eq!(prune(root.path()).unwrap(), ["one", "two"]);
        assert!(prune(root.path()).unwrap().is_empty());
    }
}
