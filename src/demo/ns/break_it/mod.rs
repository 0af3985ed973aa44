//! break-it: three mistakes that a container's author can make, made on purpose, and what is right instead.

mod hostname;
mod proc;
mod root;

use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage};

/// `ns-demo break-it`.
pub const WALK: Walk = Walk {
    name: "break-it",
    title: Text { en: "Three mistakes, made on purpose", zh: "故意犯三个错误" },
    place: Place::ThrowAway,
    show: all,
};

/// `ns-demo break-it chroot`.
pub const CHROOT: Walk = Walk {
    name: "break-it chroot",
    title: Text { en: "A chroot is no wall", zh: "chroot 不是墙" },
    place: Place::ThrowAway,
    show: |stage| one(stage, root::show),
};

/// `ns-demo break-it proc`.
pub const PROC: Walk = Walk {
    name: "break-it proc",
    title: Text { en: "A /proc that was not mounted anew", zh: "没有重新挂载的 /proc" },
    place: Place::ThrowAway,
    show: |stage| one(stage, proc::show),
};

/// `ns-demo break-it hostname`.
pub const HOSTNAME: Walk = Walk {
    name: "break-it hostname",
    title: Text { en: "sethostname before unshare", zh: "先 sethostname，后 unshare" },
    place: Place::ThrowAway,
    show: |stage| one(stage, hostname::show),
};

/// A claim, with whether it held.
type Claim = (bool, String);

fn one(stage: &Stage, part: fn(&Stage) -> Result<Claim>) -> Result<Ending> {
    let (holds, claim) = part(stage)?;
    Ok(Ending::default()
        .saw(holds, claim)
        .next("ns-demo break-it")
        .next("minidocker run --rm --explain base true"))
}

fn all(stage: &Stage) -> Result<Ending> {
    let claims = [root::show(stage)?, proc::show(stage)?, hostname::show(stage)?];
    let ending = Ending::default();
    let ending = claims.into_iter().fold(ending, |ending, (holds, claim)| ending.saw(holds, claim));
    let ending = ending.next("ns-demo break-it chroot --explain").next("ns-demo break-it proc --explain");
    Ok(ending.next("minidocker run --rm --explain base true"))
}
