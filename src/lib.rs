//! minidocker: Linux containers to run, see and break.
//!
//! A container is no thing that the kernel knows. It is a process with its own view of the machine
//! (*namespaces*), a ration of it (*cgroups*), a file system of layers (*overlay*), a place in the *network*, and
//! fewer rights than others (*security*). This crate shows each of the five alone, and then composes exactly that
//! code into a small Docker.
//!
//! # The rooms of the house, in reading order
//!
//! The mechanisms. Each file can be read alone; none knows of the others.
//!
//! | module | in one sentence |
//! |---|---|
//! | [`namespace`] | what a process sees: host name, mounts, processes, users, network, clocks, one file a kind |
//! | [`cgroup`] | how much it may use, and how much it did: version 1, version 2 and machines that have both |
//! | [`overlay`] | many read-only layers and one writable, seen as one tree |
//! | [`rootfs`] | another root file system: `pivot_root`, /proc, /sys, /dev, volumes, and what stays hidden |
//! | [`network`] | links, addresses and routes by netlink; the bridge, its addresses and its NAT |
//! | [`security`] | fewer capabilities, no new ones, and a filter on system calls |
//! | [`process`] | how parent and child work together, whom the command runs as, and how it is found and executed |
//! | [`image`] | what an image is, where it is kept, and how `base` is made from this machine's own programs |
//! | [`console`] | what the container's command reads and writes: pipes or a terminal, who listens, and what is kept of it |
//! | [`state`] | what is remembered on disk, and how locks tell the living from the dead |
//!
//! Their composition.
//!
//! | module | in one sentence |
//! |---|---|
//! | [`container`] | from a request to a plan, and the plan carried out in two halves: [`container::supervisor`] in the parent, [`container::init`] in the child |
//! | [`container::parts`] | the steps as plain functions, any of which a learner can replace by their own |
//!
//! Their demonstration.
//!
//! | module | in one sentence |
//! |---|---|
//! | [`demo`] | each fact about containers shown by itself, on a throw-away host, with the evidence |
//!
//! The course.
//!
//! | module | in one sentence |
//! |---|---|
//! | [`lab`] | the grader: what the kernel says of a student's part |
//!
//! What all of them stand on.
//!
//! | module | in one sentence |
//! |---|---|
//! | [`sys`] | THE DOOR: the only place that asks the kernel for anything, and the only one with `unsafe` |
//! | [`error`] | what was asked, what the kernel answered, and what that means, as data |
//! | [`step`] | how the composition says which part it is at |
//!
//! How it is told.
//!
//! | module | in one sentence |
//! |---|---|
//! | [`observe`] | reads evidence from /proc and /sys; asks for nothing, changes nothing |
//! | [`narrate`] | turns what passes the door into an explanation, a JSON trace or a shell script, in English and Chinese |
//! | [`cli`] | the command lines: what they share, [`main`], the whole of `minidocker`, and the four demos' |
//!
//! # The direction of dependency
//!
//! ```text
//! bin → cli → lab → demo → narrate → observe
//!        ↓     ↓      ↓        ↓
//!         container   →  step
//!              ↓           ↓
//!         mechanisms   →  sys → error
//! ```
//!
//! An arrow means "uses". `sys` uses nothing but `error`; the mechanisms do not use each other; `container` makes no
//! request itself, while `demo` shows single calls too, and `lab` looks by them; only `narrate` and the binaries print.
//! `tests/tidy.rs` holds the house to this.
//!
//! # One request, followed
//!
//! [`namespace::uts::enter`] calls [`sys::namespace::sethostname`]. That function describes the request as a
//! [`sys::Call`] and hands it, with the closure that makes it, to `sys::ask`. With an observer installed, `ask` tells it the
//! call, makes the request, and tells it the answer; so what `--explain` shows is what was executed. Without one,
//! `ask` makes the request. If the kernel refuses, `ask` builds the [`error::Error`], and whoever knows what the
//! request was for adds the [`error::Problem`].

pub mod cgroup;
pub mod cli;
pub mod console;
pub mod container;
pub mod demo;
pub mod error;
pub mod image;
pub mod lab;
pub mod namespace;
pub mod narrate;
pub mod network;
pub mod observe;
pub mod overlay;
pub mod process;
pub mod rootfs;
pub mod security;
pub mod state;
pub mod step;
pub mod sys;

pub use cli::minidocker::main;
