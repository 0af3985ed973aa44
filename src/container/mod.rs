//! COMPOSITION: a container is the four mechanisms, taken in the right order.
//!
//! | file | process | what |
//! |---|---|---|
//! | [`spec`] | | what the container is to be, complete before anything is done |
//! | [`plan`] | the runtime | from the words of a command line to a spec |
//! | [`parts`] | | the steps as plain functions, each of which can be exchanged |
//! | [`client`] | what the person started | makes the supervisor, and is there for the person until the end |
//! | [`supervisor`] | the container's parent | makes what stands outside, waits, clears up, begins again |
//! | [`claim`] | the supervisor | takes possession of the container's directory |
//! | [`report`], [`restart`] | | what the supervisor tells the client; whether it begins again |
//! | [`init`] | the container's first process | makes what is inside, becomes the command |
//! | [`cable`] | the runtime | its network: from words to ports held, addresses leased and files written |
//! | [`record`] | | what is remembered of it on disk |
//! | [`attach`] | any minidocker | hears a running container, and lets it read |
//! | [`create`], [`alive`], [`life`] | any minidocker | make one without starting it; find one that lives; stop, pause, rename, remove |
//! | [`changes`] | any minidocker | what a container changed of its image |
//! | [`cp`] | a client, and a child in the container | copies between both |
//! | [`environment`] | | the variables of a command |
//! | [`running`] | any minidocker | a container that runs, and the ways into it |
//! | [`exec`] | what the person started | another command in a running container: what it is to be |
//! | [`exec_supervisor`] | that command's parent | gives birth to it there, waits |
//! | [`exec_init`] | that command's process | joins the container, becomes the command |
//! | [`commit`] | any minidocker | what a container changed, as one more layer on its image |
//! | [`images`] | any minidocker | which images are needed by containers, and what goes when they are removed |
//! | [`usage`] | any minidocker | what everything takes of the disk |
//! | [`reclaim`] | any minidocker | clears up after a supervisor that was killed |
//!
//! Nothing here asks the kernel for anything: that is done by the mechanisms.

pub mod alive;
pub mod attach;
pub mod cable;
pub mod changes;
pub mod claim;
pub mod client;
pub mod commit;
pub mod connect;
pub mod cp;
pub mod create;
pub mod environment;
pub mod exec;
pub mod exec_init;
pub mod exec_supervisor;
pub mod images;
pub mod init;
pub mod life;
mod limits;
pub mod look;
mod names;
pub mod parts;
pub mod plan;
pub mod reclaim;
pub mod record;
pub mod report;
pub mod restart;
pub mod running;
pub mod shared;
pub mod spec;
pub mod supervisor;
pub mod tell;
pub mod usage;
pub mod volumes;

pub use parts::Parts;
pub use spec::Spec;
