//! The user and network namespace that the bridged containers of an ordinary user share.
//!
//! On the host a bridge is root's to make. In namespaces of her own an ordinary user is root, so there all of it is made
//! just as root makes it. But one namespace must hold all containers of a state root, or none could reach another. No
//! process is there to keep it: each supervisor moves in before it makes anything of the network, and the last to end
//! takes it along. Who is in it stands in a [`Register`], so that the next finds somebody to follow.

use super::plan;
use crate::error::{Error, Problem, Result, RootlessProblem};
use crate::namespace::join::Doors;
use crate::namespace::{self, user::Map};
use crate::network::outbound::Way;
use crate::network::port::{Binding, Holds};
use crate::network::{self, Network};
use crate::process::apart::{self, Companion};
use crate::process::command;
use crate::process::detached::{self, Known, Task};
use crate::state::Root;
use crate::state::shared::{Register, Shared};

/// Move this process, a supervisor, into the shared namespaces; where nobody is in them, they are made. What is lacking of
/// what could have been there is returned: ids, or a way out.
///
/// On entry it has a single thread, and has not moved before. When it is about to end, it says [`leave`].
pub fn enter(root: &Root) -> Result<Vec<Error>> {
    let register = Register::open(root)?;
    let mut lacking = Vec::new();
    let (mut shared, doors, founder) = match find(&register)? {
        Some((shared, doors)) => (shared, doors, None),
        None => {
            network::bridge::forget(root.path())?;
            let founder = Companion::start("founder", namespace::USER | namespace::NET, || Ok(()))?;
            lacking.extend(Map::own()?.write(founder.pid())?);
            let doors = open(founder.pid())?;
            let shared = describe(&doors)?;
            (shared, doors, Some(founder))
        }
    };
    if shared.outbound.is_none() {
        let neighbour = founder.as_ref().map(Companion::pid).or(shared.inside.first().map(|known| known.pid));
        lacking.extend(lead_out(&register, &mut shared, neighbour.unwrap_or_default())?);
    }
    shared.inside.push(Known::this()?);
    register.write(&shared)?;
    doors.enter()?;
    network::configure::configure(&Network::None)?;
    Ok(lacking)
}

/// This process, which has moved in, is about to end, and nothing of its container's network is left. If it is the last,
/// nothing of the namespaces stays.
pub fn leave(root: &Root) -> Result<()> {
    let register = Register::open(root)?;
    let Some(mut shared) = register.read()? else { return Ok(()) };
    let this = Known::this()?;
    shared.inside.retain(|known| *known != this);
    if shared.inside.is_empty() { end(&register, &shared) } else { register.write(&shared) }
}

/// Carry what arrives at the ports of container `id`, which were held before this process moved in, across; `None` when
/// there are none.
pub fn relay(root: &Root, id: &str, holds: Holds, bindings: &[Binding]) -> Result<Option<Companion>> {
    if bindings.is_empty() {
        return Ok(None);
    }
    let serve = || {
        // Whoever reads what the person's terminal or pipe gets is not to wait for this process.
        command::let_go()?;
        network::relay::run(root.path(), id, holds, bindings.to_vec())
    };
    Companion::start("relay", 0, serve).map(Some)
}

/// Clear up after supervisors that were killed: what the containers that are not `alive` had of the network, and, if
/// nobody is left in the namespaces, the program that leads out of them.
pub fn reclaim(root: &Root, alive: &dyn Fn(&str) -> bool) -> Result<()> {
    if !Register::is_written(root)? && !network::bridge::is_noted(root.path())? {
        return Ok(());
    }
    let register = Register::open(root)?;
    match find(&register)? {
        Some((shared, doors)) => {
            register.write(&shared)?;
            apart::born(
                "neighbour",
                0,
                |_| Ok(()),
                || {
                    doors.enter()?;
                    network::bridge::reclaim(root.path(), alive)
                },
            )
        }
        None => {
            if let Some(shared) = register.read()? {
                end(&register, &shared)?;
            }
            network::bridge::forget(root.path())
        }
    }
}

/// Do `part` where the bridges are: an ordinary user's are in namespaces of hers, into which a child moves. Where nobody
/// is in them there are no bridges, and it is done here.
pub fn beside_bridges<T>(root: &Root, part: impl FnOnce() -> Result<T>) -> Result<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    if !plan::is_rootless() || !Register::is_written(root)? {
        return part();
    }
    // Held until the end, so that whoever was found in there stays.
    let register = Register::open(root)?;
    let Some((_, doors)) = find(&register)? else { return part() };
    apart::born("neighbour", 0, |_| Ok(()), || doors.enter().and_then(|()| part()))
}

fn end(register: &Register, shared: &Shared) -> Result<()> {
    shared.outbound.map_or(Ok(()), Known::kill)?;
    register.clear()
}

/// The namespaces of the first who is still in them, opened. That it was still the same process is asked when they are
/// open, and that they are the same namespaces.
fn find(register: &Register) -> Result<Option<(Shared, Doors)>> {
    let Some(shared) = register.read()? else { return Ok(None) };
    for known in &shared.inside {
        let Ok(doors) = open(known.pid) else { continue };
        let same = doors.identity("user") == Some(shared.user) && doors.identity("net") == Some(shared.net);
        if same && known.lives() {
            return Ok(Some((shared, doors)));
        }
    }
    Ok(None)
}

fn open(pid: i32) -> Result<Doors> {
    Doors::open(pid, |kind| ["user", "net"].contains(&kind))
}

fn describe(doors: &Doors) -> Result<Shared> {
    let both = doors.identity("user").zip(doors.identity("net"));
    let (user, net) = both.ok_or_else(|| Error::new(Problem::NoProc))?;
    Ok(Shared { user, net, inside: Vec::new(), outbound: None })
}

/// Start a program that leads out of the namespaces that process `pid` is in. The reason when there is none.
fn lead_out(register: &Register, shared: &mut Shared, pid: i32) -> Result<Option<Error>> {
    let mut why = None;
    for way in Way::ALL {
        let Some(program) = way.find() else { continue };
        let task = Task { program, argv: way.argv(pid), ready: way.ready(), log: register.log() };
        let waiting = detached::prepare("outbound", &task)?;
        shared.outbound = Some(waiting.known);
        register.write(shared)?;
        match waiting.go() {
            Ok(_) => return Ok(None),
            Err(_) => {
                let program = way.name().to_owned();
                // What the first says is as a rule true of the others.
                why = why.or(Some(RootlessProblem::WayOutFailed { program, said: register.said() }));
                shared.outbound = None;
            }
        }
    }
    Ok(Some(Error::new(Problem::Rootless(why.unwrap_or(RootlessProblem::NoWayOut)))))
}
