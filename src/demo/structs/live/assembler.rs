//! An assembler for BPF: each method appends one instruction. Documentation/bpf/standardization/instruction-set.rst.
//!
//! A program has eleven registers of 64 bits. r0 holds what a call returns and what the program returns, r1 to r5 the
//! arguments of a call, which destroys them; r6 to r9 survive calls; r10 points to the end of the stack of 512 bytes.

use crate::sys::bpf::Instruction;
use std::fmt::Write as _;

/// A register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the registers are those of the instruction set")]
pub enum Register {
    R0,
    R1,
    R2,
    R3,
    R6 = 6,
    R7,
    /// The end of the stack: slots have negative offsets from it.
    Frame = 10,
}

/// A function of the kernel's that a program may call: its number in linux/bpf.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Helper {
    /// `bpf_probe_read_kernel(to, size, from)`: copy kernel memory; zeroes where there is none.
    ProbeReadKernel = 113,
    /// `bpf_seq_write(seq, from, size)`: write to whoever reads the iterator.
    SeqWrite = 127,
}

/// A jump whose target is not known yet.
#[derive(Debug)]
#[must_use = "a jump must land"]
pub struct Jump(usize);

// Operations, as linux/bpf.h and linux/bpf_common.h compose them: class | size or source | mode or operation.
const LOAD_WORD: u8 = 0x61;
const LOAD_DOUBLE: u8 = 0x79;
const STORE_DOUBLE: u8 = 0x7b;
const SET: u8 = 0xb7;
const COPY: u8 = 0xbf;
const ADD: u8 = 0x07;
const JUMP: u8 = 0x05;
const JUMP_IF_EQUAL: u8 = 0x15;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;

/// A program under construction.
#[derive(Debug, Default)]
pub struct Assembler {
    code: Vec<Instruction>,
}

impl Assembler {
    /// The instructions so far.
    pub fn code(&self) -> &[Instruction] {
        &self.code
    }

    fn emit(&mut self, code: u8, (to, from): (u8, u8), offset: i16, immediate: i32) {
        self.code.push(Instruction { code, registers: from << 4 | to, offset, immediate });
    }

    /// `to = *(u64 *)(from + offset)`
    pub fn load_double(&mut self, to: Register, from: Register, offset: i16) {
        self.emit(LOAD_DOUBLE, (to as u8, from as u8), offset, 0);
    }

    /// `to = *(u32 *)(from + offset)`
    pub fn load_word(&mut self, to: Register, from: Register, offset: i16) {
        self.emit(LOAD_WORD, (to as u8, from as u8), offset, 0);
    }

    /// `*(u64 *)(to + offset) = from`
    pub fn store_double(&mut self, to: Register, offset: i16, from: Register) {
        self.emit(STORE_DOUBLE, (to as u8, from as u8), offset, 0);
    }

    /// `to = number`
    pub fn set(&mut self, to: Register, number: i32) {
        self.emit(SET, (to as u8, 0), 0, number);
    }

    /// `to = from`
    pub fn copy(&mut self, to: Register, from: Register) {
        self.emit(COPY, (to as u8, from as u8), 0, 0);
    }

    /// `to += number`
    pub fn add(&mut self, to: Register, number: i32) {
        self.emit(ADD, (to as u8, 0), 0, number);
    }

    /// `r0 = helper(r1, r2, r3)`
    pub fn call(&mut self, helper: Helper) {
        self.emit(CALL, (0, 0), 0, helper as i32);
    }

    /// `return r0`
    pub fn exit(&mut self) {
        self.emit(EXIT, (0, 0), 0, 0);
    }

    /// `if register == number, goto` where the jump lands.
    pub fn jump_if_equal(&mut self, register: Register, number: i32) -> Jump {
        self.emit(JUMP_IF_EQUAL, (register as u8, 0), 0, number);
        Jump(self.code.len())
    }

    /// `goto` where the jump lands.
    pub fn jump(&mut self) -> Jump {
        self.emit(JUMP, (0, 0), 0, 0);
        Jump(self.code.len())
    }

    /// Let `jump` lead to the next instruction. A distance that does not fit is one that the verifier refuses.
    pub fn land(&mut self, jump: Jump) {
        let distance = self.code.len() - jump.0;
        self.code[jump.0 - 1].offset = i16::try_from(distance).unwrap_or(i16::MIN);
    }
}

/// An instruction as the verifier's log writes it: `r1 = *(u64 *)(r7 +1840)`.
pub fn text(instruction: &Instruction) -> String {
    let Instruction { code, registers, offset, immediate } = *instruction;
    let (to, from) = (registers & 0xf, registers >> 4);
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = match code {
        LOAD_WORD => write!(text, "r{to} = *(u32 *)(r{from} {offset:+})"),
        LOAD_DOUBLE => write!(text, "r{to} = *(u64 *)(r{from} {offset:+})"),
        STORE_DOUBLE => write!(text, "*(u64 *)(r{to} {offset:+}) = r{from}"),
        SET => write!(text, "r{to} = {immediate}"),
        COPY => write!(text, "r{to} = r{from}"),
        ADD => write!(text, "r{to} += {immediate}"),
        JUMP => write!(text, "goto {offset:+}"),
        JUMP_IF_EQUAL => write!(text, "if r{to} == {immediate} goto {offset:+}"),
        CALL if immediate == Helper::SeqWrite as i32 => write!(text, "call bpf_seq_write"),
        CALL => write!(text, "call bpf_probe_read_kernel"),
        _ => write!(text, "exit"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_reads_as_the_verifier_would_write_it() {
        let mut assembler = Assembler::default();
        assembler.load_double(Register::R7, Register::R1, 8);
        let none = assembler.jump_if_equal(Register::R7, 0);
        assembler.load_word(Register::R1, Register::R7, 1264);
        assembler.store_double(Register::Frame, -8, Register::R1);
        assembler.call(Helper::SeqWrite);
        assembler.land(none);
        assembler.set(Register::R0, 0);
        assembler.exit();
        let lines: Vec<String> = assembler.code().iter().map(text).collect();
        assert_eq!(
            lines,
            [
                "r7 = *(u64 *)(r1 +8)",
                "if r7 == 0 goto +3",
                "r1 = *(u32 *)(r7 +1264)",
                "*(u64 *)(r10 -8) = r1",
                "call bpf_seq_write",
                "r0 = 0",
                "exit",
            ]
        );
        assert_eq!(assembler.code()[0], Instruction { code: 0x79, registers: 0x17, offset: 8, immediate: 0 });
    }
}
