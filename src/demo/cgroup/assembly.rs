//! Instructions of BPF as a person reads them, in the notation of `bpftool prog dump`.

use crate::sys::bpf::Instruction;

/// One line an instruction, each with its number; a constant of 64 bits takes two. `{:?}` of what is not known here.
pub fn listing(program: &[Instruction]) -> String {
    let mut text = String::new();
    let mut skip = false;
    for (number, one) in program.iter().enumerate() {
        if !std::mem::replace(&mut skip, one.code == 0x18) {
            text += &format!("{number:2}: {}\n", line(number, one));
        }
    }
    text
}

fn line(number: usize, one: &Instruction) -> String {
    let (to, from) = (one.registers & 0xf, one.registers >> 4);
    let (immediate, offset) = (one.immediate, one.offset);
    let sign = if offset < 0 { '-' } else { '+' };
    let distance = offset.unsigned_abs();
    let target = number as i64 + 1 + i64::from(offset);
    match one.code {
        0x07 => format!("r{to} += {immediate}"),
        0x15 => format!("if r{to} == {immediate} goto {target}"),
        0x18 => format!("r{to} = map"),
        0x54 => format!("w{to} &= {immediate:#x}"),
        0x55 => format!("if r{to} != {immediate} goto {target}"),
        0x61 => format!("r{to} = *(u32 *)(r{from} {sign} {distance})"),
        0x62 => format!("*(u32 *)(r{to} {sign} {distance}) = {immediate}"),
        0x74 => format!("w{to} >>= {immediate}"),
        0x85 => format!("call helper {immediate}"),
        0x95 => "exit".to_owned(),
        0xb7 => format!("r{to} = {immediate}"),
        0xbf => format!("r{to} = r{from}"),
        0xdb => format!("lock *(u64 *)(r{to} {sign} {distance}) += r{from}"),
        _ => format!("{one:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::devices;

    #[test]
    fn a_program_for_one_device_is_read_as_it_is_meant() {
        let text = listing(&devices::program(&[(1, Some(3))]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], " 0: r2 = *(u32 *)(r1 + 0)");
        assert_eq!(lines[4], " 4: w2 &= 0xffff");
        assert_eq!(lines[5], " 5: w3 >>= 16");
        assert_eq!(lines[6], " 6: if r3 != 1 goto 9");
        assert_eq!(lines[9], " 9: if r2 != 2 goto 14");
        assert_eq!(&lines[12..], ["12: r0 = 1", "13: exit", "14: r0 = 0", "15: exit"]);
    }
}
