//! Runs the compiled program as the kernel would, for every number, and compares with the policy's table.
use super::*;

const ADMIN: u64 = 1 << 21;
const DEFAULT_SET: u64 = Capabilities::DEFAULT.0;

/// `struct seccomp_data`, as far as the filter looks at it.
#[derive(Clone, Copy, Debug)]
struct Data {
    number: u32,
    architecture: u32,
    argument: u64,
}

/// What the kernel's interpreter of classic BPF does (`___bpf_prog_run`): the answer, and how many instructions it took.
fn run(program: &[Instruction], data: Data) -> (u32, usize) {
    let (mut accumulator, mut pc) = (0, 0);
    for steps in 1.. {
        let Instruction { code, jt, jf, k } = program[pc];
        pc += 1;
        let holds = match code {
            RETURN => return (k, steps),
            LOAD => {
                accumulator = match k {
                    NUMBER => data.number,
                    ARCHITECTURE => data.architecture,
                    FIRST_ARGUMENT => data.argument as u32,
                    _ => panic!("loads byte {k}"),
                };
                continue;
            }
            IF_EQUAL => accumulator == k,
            IF_AT_LEAST => accumulator >= k,
            IF_ANY_OF => accumulator & k != 0,
            _ => panic!("unknown code {code:#x}"),
        };
        pc += usize::from(if holds { jt } else { jf });
    }
    unreachable!()
}

fn answer(program: &Program, number: u32, argument: u64) -> u32 {
    run(program.as_slice(), Data { number, architecture: AUDIT_ARCH, argument }).0
}

fn compiled(capabilities: u64) -> Program {
    Policy::container(Capabilities(capabilities)).compile()
}

/// The policy said a second time, in plain words.
fn expected(policy: &Policy, number: u32, argument: u64) -> u32 {
    let low = argument as u32;
    let condition = |holds| if holds { RET_ALLOW } else { RET_EPERM };
    match policy.0.get(number as usize).unwrap_or(&Verdict::Absent) {
        Verdict::Allow => RET_ALLOW,
        Verdict::Refuse => RET_EPERM,
        Verdict::Absent => RET_ENOSYS,
        Verdict::UnlessNewNamespace => condition(low & 0x7E02_0000 == 0),
        Verdict::IfFamily => {
            condition((1..=45).contains(&low) && ![12, 19, 20, 23, 25, 34, 37, 38, 40].contains(&low))
        }
        Verdict::IfPersonality => condition([0, 8, 0x20000, 0x20008, u32::MAX].contains(&low)),
    }
}

/// Sets worth a close look: none, the default, all, the default with each capability that grants calls.
fn sets() -> Vec<u64> {
    let mut sets = vec![0, DEFAULT_SET, u64::MAX];
    sets.extend(GRANTED.iter().map(|(capability, _)| DEFAULT_SET | 1 << capability));
    sets
}

#[test]
fn every_number_gets_its_verdict() {
    let personalities =
        PERSONALITIES.iter().flat_map(|&p| [u64::from(p), u64::from(p) ^ 1, u64::from(p) | 1 << 32]);
    let flags = (0..40).map(|bit| 1 << bit | 17);
    let arguments: Vec<u64> = (0..64).chain(personalities).chain(flags).collect();
    let x32 = 0x4000_0000;
    for set in sets() {
        let policy = Policy::container(Capabilities(set));
        let program = policy.compile();
        for number in (0..=600).chain(x32..=x32 + 600).chain([i32::MAX as u32, u32::MAX]) {
            for &argument in &arguments {
                let (is, should) = (answer(&program, number, argument), expected(&policy, number, argument));
                assert_eq!(is, should, "call {number}({argument:#x}) with capabilities {set:#x}");
            }
        }
    }
}

/// What a person would check first, without the table.
#[test]
fn well_known_calls() {
    let default = |number, argument| answer(&DEFAULT, number, argument);
    assert_eq!(default(SYS_getpid, 0), RET_ALLOW);
    assert_eq!(default(SYS_execve, 0), RET_ALLOW);
    assert_eq!(default(SYS_chroot, 0), RET_ALLOW);
    assert_eq!(default(SYS_clone, 17), RET_ALLOW); // SIGCHLD: fork
    for number in
        [SYS_mount, SYS_unshare, SYS_setns, SYS_bpf, SYS_reboot, SYS_init_module, SYS_open_by_handle_at]
    {
        assert_eq!(default(number, 0), RET_EPERM, "call {number}");
    }
    assert_eq!(default(SYS_clone, 0x1000_0000), RET_EPERM); // CLONE_NEWUSER
    assert_eq!(default(SYS_socket, 38), RET_EPERM); // AF_ALG
    assert_eq!(default(SYS_socket, 40), RET_EPERM); // AF_VSOCK
    assert_eq!(default(SYS_clone3, 0), RET_ENOSYS);
    assert_eq!(default(NEWEST + 1, 0), RET_ENOSYS);
    assert_eq!(answer(&compiled(ADMIN), SYS_mount, 0), RET_ALLOW);
    assert_eq!(answer(&compiled(ADMIN), SYS_clone, 0x1000_0000), RET_ALLOW);
    assert_eq!(answer(&compiled(ADMIN), SYS_clone3, 0), RET_ALLOW);
    assert_eq!(answer(&compiled(0), SYS_chroot, 0), RET_EPERM);
}

#[test]
fn a_foreign_architecture_is_killed() {
    let i386_and_arm = [0x4000_0003, 0x4000_0028];
    for architecture in i386_and_arm {
        let data = Data { number: SYS_getpid, architecture, argument: 0 };
        assert_eq!(run(DEFAULT.as_slice(), data).0, RET_KILL_PROCESS);
    }
}

/// What the kernel checks at load (`bpf_check_classic`), for every set of capabilities that makes a difference; and
/// that the program stays as small as promised.
#[test]
fn every_program_is_valid_and_small() {
    for choice in 0..1_u64 << GRANTED.len() {
        let rows = GRANTED.iter().enumerate().filter(|(row, _)| choice >> row & 1 == 1);
        let set = rows.fold(0, |set, (_, (capability, _))| set | 1 << capability);
        let program = compiled(set);
        let program = program.as_slice();
        assert!(program.len() <= 130, "{} instructions for capabilities {set:#x}", program.len());
        assert_eq!(program[program.len() - 1].code, RETURN);
        for (place, instruction) in program.iter().enumerate() {
            assert!(
                place + usize::from(instruction.jt.max(instruction.jf)) + 1 < program.len()
                    || instruction.code == RETURN
            );
        }
    }
    let steps = |number| run(DEFAULT.as_slice(), Data { number, architecture: AUDIT_ARCH, argument: 46 }).1;
    assert!((0..=600).map(steps).max() <= Some(16));
}
