//! `stats`: what containers use, once or again every second.

use crate::container::Parts;
use crate::container::look::{self, Seen};
use crate::error::Result;
use crate::narrate::listing::{self, Columns, Row};
use crate::narrate::{self, table, units};
use crate::network::Network;
use crate::observe::{self, Counted, Usage};
use crate::process::moment;
use crate::state::Root;
use clap::Args;
use std::collections::HashMap;
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub struct Stats {
    /// Show all containers (default: just those that run).
    #[arg(short, long)]
    all: bool,
    /// table, table TEMPLATE, json or TEMPLATE.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show them once.
    #[arg(long)]
    no_stream: bool,
    /// Do not cut long words.
    #[arg(long)]
    no_trunc: bool,
    /// Names or ids.
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

const COLUMNS: Columns = Columns {
    all: &[
        ("ID", "CONTAINER ID"),
        ("Name", "NAME"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
        ("Container", "CONTAINER"),
    ],
    shown: 8,
};

/// How long the processor's use is measured, and how often the table is drawn anew.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a container uses, at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    usage: Usage,
    network: (u64, u64),
}

pub fn obey(options: &Stats, root: &Root, parts: &Parts) -> Result<u8> {
    let mut before = sample(&chosen(options, root, true)?, parts)?;
    loop {
        moment::pass(INTERVAL)?;
        let seen = chosen(options, root, false)?;
        let now = sample(&seen, parts)?;
        let row = |one: &Seen| {
            let id = &one.config.spec.id;
            row(one, before.get(id), now.get(id))
        };
        let rows: Vec<Row> = seen.iter().map(row).collect();
        let text = listing::lay_out(COLUMNS, &rows, options.format.as_deref())?;
        if options.no_stream {
            narrate::print(&text);
            return Ok(0);
        }
        table::redraw(&text);
        if !options.containers.is_empty() && now.is_empty() {
            return Ok(0);
        }
        before = now;
    }
}

/// The containers to be shown; of those that were named, a missing one is an error the first time, and has gone later.
fn chosen(options: &Stats, root: &Root, first: bool) -> Result<Vec<Seen>> {
    if !options.containers.is_empty() {
        let found = options.containers.iter().map(|word| look::one(root, word));
        return found.filter(|one| first || one.is_ok()).collect();
    }
    let (seen, damaged) = look::all(root)?;
    if first {
        damaged.iter().for_each(narrate::report);
    }
    Ok(seen.into_iter().filter(|one| options.all || one.pid != 0).collect())
}

/// What those of `seen` that run use at this moment, by their ids.
fn sample(seen: &[Seen], parts: &Parts) -> Result<HashMap<String, Sample>> {
    let running = seen.iter().filter(|one| one.pid != 0);
    running
        .map(|one| {
            let group = one.group()?;
            let used = (parts.usage)(&group)?;
            let counted = Counted { processor: used.processor, memory: used.memory, tasks: used.tasks };
            let usage = observe::usage(&group.directories(), one.pid, counted);
            let network = match one.config.spec.network {
                Network::Host => (0, 0),
                _ => observe::network_bytes(one.pid),
            };
            Ok((one.config.spec.id.clone(), Sample { at: Instant::now(), usage, network }))
        })
        .collect()
}

fn row(seen: &Seen, before: Option<&Sample>, now: Option<&Sample>) -> Row {
    let spec = &seen.config.spec;
    let usage = now.map(|now| now.usage).unwrap_or_default();
    let network = now.map(|now| now.network).unwrap_or_default();
    let limit = match now {
        Some(_) => usage.limit.or_else(observe::machine_memory).unwrap_or(0),
        None => 0,
    };
    let processor = before.zip(now).map_or(0.0, |(before, now)| {
        let used = now.usage.processor.saturating_sub(before.usage.processor) as f64;
        let passed = now.at.duration_since(before.at).as_nanos().max(1) as f64;
        used / passed * 100.0
    });
    let memory = if limit == 0 { 0.0 } else { usage.memory as f64 / limit as f64 * 100.0 };
    let both =
        |one: u64, other: u64| format!("{} / {}", units::decimal_short(one), units::decimal_short(other));
    let texts = [
        spec.id.clone(),
        spec.name.clone(),
        format!("{processor:.2}%"),
        format!("{} / {}", units::binary(usage.memory), units::binary(limit)),
        format!("{memory:.2}%"),
        both(network.0, network.1),
        both(usage.read, usage.written),
        usage.tasks.to_string(),
        spec.name.clone(),
    ];
    listing::row(COLUMNS, texts)
}
