//! From expressions of C to a program: `task->nsproxy->uts_ns->ns.inum` becomes instructions, with the offsets that the
//! running kernel's BTF gives.
//!
//! Each `->` but the last is a pointer to be read: its address is the pointer before it plus the offset of the member.
//! The program reads through `bpf_probe_read_kernel`, which gives zeroes where a pointer leads nowhere, so it needs no
//! branch. Values lie on its stack side by side, eight bytes each, until they are written out.

use super::assembler::{Assembler, Helper, Register};
use crate::observe::btf::{Btf, Field, Kind, TypeId};
use crate::sys::bpf::Instruction;

/// Values that are kept on the stack of 512 bytes before they are written out.
const KEPT: usize = 32;
/// Bytes of a value.
const SLOT: usize = 8;

/// A program, and how to understand what it writes.
#[derive(Debug)]
pub struct Program {
    /// The instructions.
    pub code: Vec<Instruction>,
    /// Which of them belong to the first expression: one to be shown.
    pub first: std::ops::Range<usize>,
    /// The type of the function that tells the kernel what is iterated over.
    pub attach_btf_id: u32,
    /// Bytes that the value of each expression takes.
    sizes: Vec<usize>,
}

/// One pointer or value to be read: where it stands, from the pointer before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hop {
    offset: i32,
    size: i32,
}

/// An expression cannot be read on this kernel: it has no such member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(pub String);

impl Program {
    /// A program that reads `expressions` of each task, or of those whose `task->pid` is one of `pids`.
    pub fn new(btf: &Btf, pids: &[i32], expressions: &[String]) -> Result<Self, Unknown> {
        let structure = |name: &str| btf.find(&[Kind::Struct], name).ok_or(Unknown(format!("struct {name}")));
        let member = |of: TypeId, name: &str| btf.field(of, name).ok_or(Unknown(name.to_owned()));
        let (context, task) = (structure("bpf_iter__task")?, structure("task_struct")?);
        let iterated = btf.find(&[Kind::Func], "bpf_iter_task").ok_or(Unknown("bpf_iter_task".to_owned()))?;
        let (own_task, meta) = (member(context, "task")?, member(context, "meta")?);
        let seq = member(structure("bpf_iter_meta")?, "seq")?;
        let chains = expressions.iter().map(|text| chain(btf, task, text).ok_or(Unknown(text.clone())));
        let chains: Vec<Vec<Hop>> = chains.collect::<Result<_, _>>()?;

        let mut program = Assembler::default();
        program.copy(Register::R6, Register::R1);
        program.load_double(Register::R7, Register::R6, near(own_task));
        // The walk ends with a call without a task.
        let mut done = vec![program.jump_if_equal(Register::R7, 0)];
        if !pids.is_empty() {
            program.load_word(Register::R1, Register::R7, near(member(task, "pid")?));
            let wanted: Vec<_> = pids.iter().map(|pid| program.jump_if_equal(Register::R1, *pid)).collect();
            done.push(program.jump());
            wanted.into_iter().for_each(|jump| program.land(jump));
        }
        let mut first = 0..0;
        for part in chains.chunks(KEPT) {
            for (index, hops) in part.iter().enumerate() {
                let begin = program.code().len();
                read(&mut program, hops, slot(index, part.len()));
                if first.is_empty() && hops.len() > 1 {
                    first = begin..program.code().len();
                }
            }
            write(&mut program, part.len(), near(meta), near(seq));
        }
        done.into_iter().for_each(|jump| program.land(jump));
        program.set(Register::R0, 0);
        program.exit();
        let sizes = chains.iter().map(|hops| hops.last().map_or(SLOT, |hop| hop.size as usize)).collect();
        Ok(Self { code: program.code().to_vec(), first, attach_btf_id: iterated.0, sizes })
    }

    /// What the program wrote: for each task that it met, the value of each expression.
    pub fn understand(&self, written: &[u8]) -> Vec<Vec<u64>> {
        let tasks = written.chunks_exact(SLOT * self.sizes.len().max(1));
        let value = |(bytes, size): (&[u8], &usize)| match (bytes, size) {
            (&[a, ..], 1) => u64::from(a),
            (&[a, b, ..], 2) => u64::from(u16::from_ne_bytes([a, b])),
            (&[a, b, c, d, ..], 4) => u64::from(u32::from_ne_bytes([a, b, c, d])),
            (&[a, b, c, d, e, f, g, h], _) => u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
            _ => 0,
        };
        tasks.map(|task| task.chunks_exact(SLOT).zip(&self.sizes).map(value).collect()).collect()
    }
}

/// The offset of a member, where an instruction has sixteen bits for it.
fn near(field: Field) -> i16 {
    i16::try_from(field.offset).unwrap_or(i16::MAX)
}

/// Where the value with that index stands, from the end of the stack.
fn slot(index: usize, count: usize) -> i16 {
    -((count - index) as i16 * SLOT as i16)
}

/// Follow `hops` from the task in r7, and leave what is found in `slot`. Without a hop that is the task's address.
fn read(program: &mut Assembler, hops: &[Hop], slot: i16) {
    if hops.is_empty() {
        program.store_double(Register::Frame, slot, Register::R7);
    }
    for (index, hop) in hops.iter().enumerate() {
        match index {
            0 => program.copy(Register::R3, Register::R7),
            _ => program.load_double(Register::R3, Register::Frame, slot),
        }
        program.add(Register::R3, hop.offset);
        program.set(Register::R2, hop.size);
        program.copy(Register::R1, Register::Frame);
        program.add(Register::R1, slot.into());
        program.call(Helper::ProbeReadKernel);
    }
}

/// Write `count` values from the end of the stack to `ctx->meta->seq`; the context is in r6.
fn write(program: &mut Assembler, count: usize, meta: i16, seq: i16) {
    program.load_double(Register::R1, Register::R6, meta);
    program.load_double(Register::R1, Register::R1, seq);
    program.copy(Register::R2, Register::Frame);
    program.add(Register::R2, slot(0, count).into());
    program.set(Register::R3, (count * SLOT) as i32);
    program.call(Helper::SeqWrite);
}

/// The hops of `task->…`; `None` when it is no such expression, or a member of it is not there.
fn chain(btf: &Btf, task: TypeId, expression: &str) -> Option<Vec<Hop>> {
    let mut rest = expression.strip_prefix("task")?;
    let (mut hops, mut offset, mut id) = (Vec::new(), 0u64, None);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("->") {
            let structure = match id {
                None => task,
                Some(pointer) => {
                    hops.push(hop(offset, 8)?);
                    btf.pointee(pointer)?
                }
            };
            let field = btf.field(structure, word(after))?;
            (offset, id, rest) = (field.offset, Some(field.id), &after[word(after).len()..]);
        } else if let Some(after) = rest.strip_prefix('.') {
            let field = btf.field(id?, word(after))?;
            (offset, id, rest) = (offset + field.offset, Some(field.id), &after[word(after).len()..]);
        } else {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            let (element, length) = btf.elements(id?)?;
            // An array of length 0 (of 1, before Linux 6.1) at the end of a struct is as long as whoever made it says.
            let index = index.parse::<u32>().ok().filter(|index| length <= 1 || *index < length)?;
            (offset, id, rest) = (offset + u64::from(index) * btf.size(element)?, Some(element), after);
        }
    }
    if let Some(id) = id {
        hops.push(hop(offset, btf.size(id).filter(|size| [1, 2, 4, 8].contains(size))?)?);
    }
    Some(hops)
}

fn hop(offset: u64, size: u64) -> Option<Hop> {
    Some(Hop { offset: i32::try_from(offset).ok()?, size: size as i32 })
}

/// The identifier that `text` begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_becomes_hops_with_this_kernels_offsets() {
        // Without a description of the kernel there are no offsets.
        let Ok(btf) = Btf::of_running_kernel() else { return };
        let task = btf.find(&[Kind::Struct], "task_struct").unwrap();
        let of = |name, member| {
            let id = btf.find(&[Kind::Struct], name).unwrap();
            btf.field(id, member).unwrap().offset as i32
        };
        assert_eq!(chain(&btf, task, "task"), Some(vec![]));
        let pid = Hop { offset: of("task_struct", "pid"), size: 4 };
        assert_eq!(chain(&btf, task, "task->pid"), Some(vec![pid]));
        let nsproxy = Hop { offset: of("task_struct", "nsproxy"), size: 8 };
        let uts = Hop { offset: of("nsproxy", "uts_ns"), size: 8 };
        let inum = Hop { offset: of("uts_namespace", "ns") + of("ns_common", "inum"), size: 4 };
        assert_eq!(chain(&btf, task, "task->nsproxy->uts_ns->ns.inum"), Some(vec![nsproxy, uts, inum]));
        let second = chain(&btf, task, "task->cgroups->subsys[1]").unwrap();
        assert_eq!(second[1], Hop { offset: of("css_set", "subsys") + 8, size: 8 });
        for wrong in
            ["", "task->", "task->nothing", "task->cgroups->subsys[9999]", "task.pid", "task->comm", "x"]
        {
            assert_eq!(chain(&btf, task, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_was_written_is_cut_into_tasks_and_values() {
        let program = Program { code: vec![], first: 0..0, attach_btf_id: 0, sizes: vec![8, 4] };
        let mut written = Vec::new();
        for task in [7u64, 8] {
            written.extend(task.to_ne_bytes());
            written.extend(5u32.to_ne_bytes());
            written.extend([0xff; 4]);
        }
        assert_eq!(program.understand(&written), [[7, 5], [8, 5]]);
        assert!(program.understand(&written[..20]).len() == 1);
    }
}
