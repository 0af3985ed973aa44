//! The default seccomp filter: which system calls a container may make.
//!
//! A container shares the host's kernel, so every system call is a door into it. A *seccomp filter* is a program that
//! the kernel runs at each of these doors, before the call itself. It sees `struct seccomp_data` (architecture, number
//! and the six arguments, never the memory an argument points to) and returns what to do. It cannot be taken off
//! again, and children inherit it through `fork` and `execve`.
//!
//! The policy is that of Docker's default profile: a call is refused unless it is listed. The first half of this file
//! is that policy as data; the second half compiles it to the kernel's filter language, *classic BPF*.
//!
//! - Left out are `keyctl` (no namespace separates keys), `io_uring` (it makes requests that pass no filter),
//!   `userfaultfd` (it makes races in the kernel easy to win), swap, `kexec`, `pivot_root`, what is obsolete, and
//!   whatever needs a capability that the container does not hold.
//! - A refused call gives `EPERM`. A call newer than the list gives `ENOSYS`, as an older kernel would: C libraries
//!   then fall back to the older call, whereas `EPERM` would make them give up.
//!
//! `man 2 seccomp`; kernel: `kernel/seccomp.c`, `Documentation/userspace-api/seccomp_filter.rst`.

use super::capabilities::Capabilities;
use crate::sys::errno::{ENOSYS, EPERM};
use crate::sys::security::Instruction;
use crate::sys::syscalls::*;

#[cfg(test)]
mod tests;

/// Lists system calls by name.
macro_rules! calls {
    ($($name:ident)*) => { &[$($name),*] };
}

/// What any container may call, whatever the arguments.
pub const EVERYDAY: &[u32] = calls![
    // Use an open file: read, write, move about, lock, copy.
    SYS_read SYS_readv SYS_pread64 SYS_preadv SYS_preadv2 SYS_write SYS_writev SYS_pwrite64 SYS_pwritev
    SYS_pwritev2 SYS_lseek SYS_close SYS_close_range SYS_dup SYS_dup2 SYS_dup3 SYS_fcntl SYS_flock SYS_ioctl
    SYS_sendfile SYS_splice SYS_tee SYS_vmsplice SYS_copy_file_range SYS_readahead SYS_fadvise64 SYS_cachestat
    SYS_ftruncate SYS_fallocate SYS_fsync SYS_fdatasync SYS_sync SYS_syncfs SYS_sync_file_range SYS_pipe SYS_pipe2
    // Find, make, name and remove files; the kernel checks permissions as ever.
    SYS_open SYS_openat SYS_openat2 SYS_creat SYS_mkdir SYS_mkdirat SYS_mknod SYS_mknodat SYS_rmdir SYS_unlink
    SYS_unlinkat SYS_link SYS_linkat SYS_symlink SYS_symlinkat SYS_readlink SYS_readlinkat SYS_rename SYS_renameat
    SYS_renameat2 SYS_truncate SYS_getdents SYS_getdents64 SYS_chdir SYS_fchdir SYS_getcwd SYS_umask
    SYS_name_to_handle_at // harmless alone: opening by handle needs CAP_DAC_READ_SEARCH
    // What files and file systems are, and who owns them.
    SYS_stat SYS_lstat SYS_fstat SYS_newfstatat SYS_statx SYS_statfs SYS_fstatfs SYS_access SYS_faccessat
    SYS_faccessat2 SYS_chmod SYS_fchmod SYS_fchmodat SYS_fchmodat2 SYS_chown SYS_fchown SYS_lchown SYS_fchownat
    SYS_utime SYS_utimes SYS_futimesat SYS_utimensat SYS_statmount SYS_listmount
    SYS_getxattr SYS_lgetxattr SYS_fgetxattr SYS_getxattrat SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_setxattrat
    SYS_listxattr SYS_llistxattr SYS_flistxattr SYS_listxattrat SYS_removexattr SYS_lremovexattr SYS_fremovexattr
    SYS_removexattrat
    // Wait for events: descriptors, file changes, timers, asynchronous I/O.
    SYS_poll SYS_ppoll SYS_select SYS_pselect6 SYS_epoll_create SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_ctl_old
    SYS_epoll_wait SYS_epoll_wait_old SYS_epoll_pwait SYS_epoll_pwait2 SYS_eventfd SYS_eventfd2 SYS_signalfd
    SYS_signalfd4 SYS_inotify_init SYS_inotify_init1 SYS_inotify_add_watch SYS_inotify_rm_watch SYS_fanotify_mark
    SYS_io_setup SYS_io_submit SYS_io_cancel SYS_io_getevents SYS_io_pgetevents SYS_io_destroy
    // Memory of one's own.
    SYS_brk SYS_mmap SYS_munmap SYS_mremap SYS_mprotect SYS_madvise SYS_mincore SYS_msync SYS_mlock SYS_mlock2
    SYS_mlockall SYS_munlock SYS_munlockall SYS_mseal SYS_remap_file_pages SYS_memfd_create SYS_memfd_secret
    SYS_pkey_alloc SYS_pkey_free SYS_pkey_mprotect SYS_map_shadow_stack SYS_membarrier SYS_process_mrelease
    // Begin, run, wait for and end processes and threads.
    SYS_fork SYS_vfork SYS_execve SYS_execveat SYS_exit SYS_exit_group SYS_wait4 SYS_waitid SYS_getpid SYS_getppid
    SYS_gettid SYS_getpgrp SYS_getpgid SYS_setpgid SYS_getsid SYS_setsid SYS_pidfd_open SYS_set_tid_address SYS_rseq
    SYS_arch_prctl SYS_modify_ldt SYS_get_thread_area SYS_set_thread_area SYS_prctl SYS_uretprobe
    SYS_futex SYS_futex_wait SYS_futex_wake SYS_futex_waitv SYS_futex_requeue SYS_get_robust_list SYS_set_robust_list
    // Look into other processes of the container (see `man 2 ptrace`: since Linux 4.8 the filter also sees calls that
    // a tracer changes, so tracing is no way round it).
    SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev
    // Scheduling and limits.
    SYS_sched_yield SYS_sched_getaffinity SYS_sched_setaffinity SYS_sched_getattr SYS_sched_setattr
    SYS_sched_getparam SYS_sched_setparam SYS_sched_getscheduler SYS_sched_setscheduler SYS_sched_rr_get_interval
    SYS_sched_get_priority_max SYS_sched_get_priority_min SYS_getpriority SYS_setpriority SYS_ioprio_get
    SYS_ioprio_set SYS_getcpu SYS_getrlimit SYS_setrlimit SYS_prlimit64 SYS_getrusage SYS_times
    // Signals.
    SYS_kill SYS_tkill SYS_tgkill SYS_pidfd_send_signal SYS_pause SYS_sigaltstack SYS_restart_syscall
    SYS_rt_sigaction SYS_rt_sigpending SYS_rt_sigprocmask SYS_rt_sigqueueinfo SYS_rt_tgsigqueueinfo SYS_rt_sigreturn
    SYS_rt_sigsuspend SYS_rt_sigtimedwait
    // Time: read clocks, sleep, set timers. The kernel lets `adjtimex` change a clock only with CAP_SYS_TIME.
    SYS_time SYS_gettimeofday SYS_clock_gettime SYS_clock_getres SYS_clock_nanosleep SYS_nanosleep SYS_alarm
    SYS_getitimer SYS_setitimer SYS_adjtimex SYS_clock_adjtime SYS_timer_create SYS_timer_delete
    SYS_timer_getoverrun SYS_timer_gettime SYS_timer_settime SYS_timerfd_create SYS_timerfd_gettime
    SYS_timerfd_settime
    // Who one is: users, groups, capabilities; and giving privileges up.
    SYS_getuid SYS_geteuid SYS_getresuid SYS_setuid SYS_setreuid SYS_setresuid SYS_setfsuid SYS_getgid SYS_getegid
    SYS_getresgid SYS_setgid SYS_setregid SYS_setresgid SYS_setfsgid SYS_getgroups SYS_setgroups SYS_capget SYS_capset
    SYS_seccomp SYS_landlock_create_ruleset SYS_landlock_add_rule SYS_landlock_restrict_self
    // Sockets, once made: see `FAMILIES`.
    SYS_socketpair SYS_bind SYS_listen SYS_accept SYS_accept4 SYS_connect SYS_shutdown SYS_getsockname
    SYS_getpeername SYS_getsockopt SYS_setsockopt SYS_sendto SYS_sendmsg SYS_sendmmsg SYS_recvfrom SYS_recvmsg
    SYS_recvmmsg
    // System V and POSIX message queues, semaphores and shared memory: the ipc namespace separates them.
    SYS_msgget SYS_msgsnd SYS_msgrcv SYS_msgctl SYS_semget SYS_semop SYS_semtimedop SYS_semctl SYS_shmget SYS_shmat
    SYS_shmdt SYS_shmctl SYS_mq_open SYS_mq_unlink SYS_mq_timedsend SYS_mq_timedreceive SYS_mq_notify
    SYS_mq_getsetattr
    // The machine: names, memory and load, random bytes.
    SYS_uname SYS_sysinfo SYS_getrandom
];

/// The calls that come with a capability, by its number in `<linux/capability.h>`.
const GRANTED: &[(u32, &[u32])] = &[
    (2, calls![SYS_open_by_handle_at]), // CAP_DAC_READ_SEARCH: reaches files outside the container's root
    (16, calls![SYS_init_module SYS_finit_module SYS_delete_module]), // CAP_SYS_MODULE: code for the kernel
    (17, calls![SYS_iopl SYS_ioperm]),  // CAP_SYS_RAWIO: the hardware's I/O ports
    (18, calls![SYS_chroot]),           // CAP_SYS_CHROOT
    (19, calls![SYS_kcmp SYS_pidfd_getfd SYS_process_madvise]), // CAP_SYS_PTRACE: processes of other users
    (20, calls![SYS_acct]),             // CAP_SYS_PACCT: a record of every process that ends
    (
        21, // CAP_SYS_ADMIN: namespaces, mounts, and much that has no capability of its own
        calls![
            SYS_clone SYS_clone3 SYS_unshare SYS_setns SYS_sethostname SYS_setdomainname
            SYS_mount SYS_umount2 SYS_fsopen SYS_fsconfig SYS_fsmount SYS_fspick SYS_open_tree SYS_move_mount
            SYS_mount_setattr SYS_quotactl SYS_quotactl_fd
            SYS_bpf SYS_perf_event_open SYS_fanotify_init SYS_lookup_dcookie SYS_syslog
            SYS_lsm_get_self_attr SYS_lsm_set_self_attr SYS_lsm_list_modules
        ],
    ),
    (22, calls![SYS_reboot]), // CAP_SYS_BOOT
    // CAP_SYS_NICE: on which of the machine's nodes memory lies
    (23, calls![SYS_get_mempolicy SYS_set_mempolicy SYS_set_mempolicy_home_node SYS_mbind]),
    (25, calls![SYS_settimeofday SYS_clock_settime]), // CAP_SYS_TIME: the clock, which no namespace separates
    (26, calls![SYS_vhangup]),                        // CAP_SYS_TTY_CONFIG
    (34, calls![SYS_syslog]),                         // CAP_SYSLOG: the kernel's log
    (38, calls![SYS_perf_event_open]),                // CAP_PERFMON: counters, which see other processes
    (39, calls![SYS_bpf]),                            // CAP_BPF: programs that run in the kernel
];

/// The newest call that the lists above judge.
const NEWEST: u32 = SYS_removexattrat;

/// The flags of `clone` that make a namespace: CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET.
///
/// `clone3` passes its flags behind a pointer, where no filter can look. It answers `ENOSYS`, and C libraries fall
/// back to `clone`; refusing `clone(CLONE_NEWUSER)` while allowing `clone3` would refuse nothing.
const NEW_NAMESPACE: u32 = 0x7E02_0000;

/// What `personality` may set: Linux, 32-bit Linux, either with UNAME26; and the question what is set now.
/// Not, for one, ADDR_NO_RANDOMIZE, which makes every later attack easier.
const PERSONALITIES: &[u32] = &[0, 0x0008, 0x2_0000, 0x2_0008, 0xFFFF_FFFF];

/// The address families that `socket` may use, as ranges of `AF_` numbers. Between them are families that Linux has
/// dropped, and two that it has: AF_ALG (38), the kernel's own cryptography, which programs hardly need and attackers
/// have used to become root; and AF_VSOCK (40), the line to the hypervisor, which network namespaces do not separate.
const FAMILIES: &[(usize, usize)] =
    &[(1, 11), (13, 18), (21, 22), (24, 24), (26, 33), (35, 36), (39, 39), (41, 45)];

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is made.
    Allow,
    /// It gives `EPERM`.
    Refuse,
    /// It gives `ENOSYS`, as if the kernel had no such call.
    Absent,
    /// `Allow` if the first argument has no flag of `NEW_NAMESPACE`, else `Refuse`.
    UnlessNewNamespace,
    /// `Allow` if the first argument is one of `FAMILIES`, else `Refuse`.
    IfFamily,
    /// `Allow` if the first argument is one of `PERSONALITIES`, else `Refuse`.
    IfPersonality,
}

/// The policy, call by call: a verdict for each number up to `NEWEST`, and one for all above. These include the x32 calls
/// of x86_64, which have bit 30 set: to them the container is a kernel built without x32, as most are.
///
/// A policy is written as a chain, in which a later word on a call replaces an earlier one:
///
/// ```
/// use minidocker::security::seccomp::{EVERYDAY, Policy, Verdict};
/// use minidocker::sys::syscalls::*;
///
/// let policy = Policy::REFUSE_ALL.answer(EVERYDAY, Verdict::Allow).answer(&[SYS_ptrace], Verdict::Refuse);
/// let filter = policy.compile();
/// # assert!(!filter.as_slice().is_empty());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Policy([Verdict; NEWEST as usize + 2]);

impl Policy {
    /// Every call gives `EPERM`: one that nobody thought of is refused.
    pub const REFUSE_ALL: Self = Self([Verdict::Refuse; NEWEST as usize + 2]);
    /// Every call is made: one that nobody thought of is open.
    pub const ALLOW_ALL: Self = Self([Verdict::Allow; NEWEST as usize + 2]);

    /// The product's, for a container whose processes can hold at most `capabilities`.
    pub const fn container(capabilities: Capabilities) -> Self {
        Self::REFUSE_ALL
            .answer_newer(Verdict::Absent)
            .answer(EVERYDAY, Verdict::Allow)
            .answer(&[SYS_clone], Verdict::UnlessNewNamespace)
            .answer(&[SYS_clone3], Verdict::Absent)
            .answer(&[SYS_socket], Verdict::IfFamily)
            .answer(&[SYS_personality], Verdict::IfPersonality)
            .allow_granted(capabilities)
    }

    /// Gives `calls` this verdict. A call that this architecture does not have, and one newer than the newest that the
    /// lists know, is passed over. (A `const fn` can run in the compiler, but has no `for` and no iterators.)
    #[must_use]
    pub const fn answer(mut self, calls: &[u32], verdict: Verdict) -> Self {
        let mut i = 0;
        while i < calls.len() {
            if calls[i] <= NEWEST {
                self.0[calls[i] as usize] = verdict;
            }
            i += 1;
        }
        self
    }

    /// Gives this verdict to every call that is newer than the lists.
    #[must_use]
    pub const fn answer_newer(mut self, verdict: Verdict) -> Self {
        self.0[NEWEST as usize + 1] = verdict;
        self
    }

    /// Allows the calls that come with each of `capabilities`: who may hold CAP_SYS_ADMIN may call `mount`.
    #[must_use]
    pub const fn allow_granted(mut self, capabilities: Capabilities) -> Self {
        let mut i = 0;
        while i < GRANTED.len() {
            let (capability, calls) = GRANTED[i];
            if capabilities.0 >> capability & 1 == 1 {
                self = self.answer(calls, Verdict::Allow);
            }
            i += 1;
        }
        self
    }
}

/// The verdict for each address family; the last entry is for all above.
const fn families() -> [Verdict; 47] {
    let mut table = [Verdict::Refuse; 47];
    let mut i = 0;
    while i < FAMILIES.len() {
        let (mut family, last) = FAMILIES[i];
        while family <= last {
            table[family] = Verdict::Allow;
            family += 1;
        }
        i += 1;
    }
    table
}

// The language. Its machine has one register that matters here, the accumulator, and jumps only forward: every program
// ends. Five kinds of instruction are enough.

/// `BPF_LD | BPF_W | BPF_ABS`: load the word at byte k of `struct seccomp_data`.
const LOAD: u16 = 0x20;
/// `BPF_JMP | BPF_JEQ | BPF_K`: is the accumulator k?
const IF_EQUAL: u16 = 0x15;
/// `BPF_JMP | BPF_JGE | BPF_K`: is it k or more, unsigned?
const IF_AT_LEAST: u16 = 0x35;
/// `BPF_JMP | BPF_JSET | BPF_K`: has it any of the bits of k?
const IF_ANY_OF: u16 = 0x45;
/// `BPF_RET | BPF_K`: end with the answer k.
const RETURN: u16 = 0x06;

/// Where things stand in `struct seccomp_data`. Of the first argument this is the low word (both architectures are
/// little-endian): `clone`, `socket` and `personality` look at no more than that.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

/// The answers: SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO with the errno in the low half, SECCOMP_RET_KILL_PROCESS.
const RET_ALLOW: u32 = 0x7FFF_0000;
const RET_EPERM: u32 = 0x0005_0000 | EPERM as u32;
const RET_ENOSYS: u32 = 0x0005_0000 | ENOSYS as u32;
const RET_KILL_PROCESS: u32 = 0x8000_0000;

/// Room for a program; so small that no jump within it can be too far for the 8 bits of `jt` and `jf`.
const ROOM: usize = 256;

/// A filter, ready for `sys::security::load_seccomp_filter`.
///
/// It is written from its end: since jumps go forward only, whatever an instruction jumps to stands already, and
/// falling through reaches what was put just before.
pub struct Program {
    instructions: [Instruction; ROOM],
    start: usize,
}

/// The filter for Docker's default capabilities, made by the compiler: starting a container costs none of this work.
pub static DEFAULT: Program = Policy::container(Capabilities::DEFAULT).compile();

impl Policy {
    /// Compiles the policy.
    ///
    /// The number is found by binary search over ranges of equal verdict: at most seven questions, where a list
    /// takes hundreds. The kernel asks even fewer: at load it notes for which numbers the answer is always "allow", and
    /// does not run the filter for those (`seccomp_cache_prepare`, Linux 5.11).
    ///
    /// A call by another architecture's convention (`int 0x80` on x86_64: 32-bit programs) kills the process. Numbers
    /// mean other calls there, so none may be judged by this table; and since such a program could not even `exit`,
    /// `SIGSYS` is the one answer that says what happened.
    pub const fn compile(&self) -> Program {
        let mut program =
            Program { instructions: [Instruction { code: 0, jt: 0, jf: 0, k: 0 }; ROOM], start: ROOM };
        let kill = program.put(RETURN, RET_KILL_PROCESS);
        let mut at = [0; 6];
        let allow = program.put(RETURN, RET_ALLOW);
        at[Verdict::Allow as usize] = allow;
        let refuse = program.put(RETURN, RET_EPERM);
        at[Verdict::Refuse as usize] = refuse;
        at[Verdict::Absent as usize] = program.put(RETURN, RET_ENOSYS);

        program.branch(IF_ANY_OF, NEW_NAMESPACE, refuse, allow);
        at[Verdict::UnlessNewNamespace as usize] = program.put(LOAD, FIRST_ARGUMENT);
        program.search(&families(), &at);
        at[Verdict::IfFamily as usize] = program.put(LOAD, FIRST_ARGUMENT);
        let mut otherwise = refuse;
        let mut i = PERSONALITIES.len();
        while i > 0 {
            i -= 1;
            otherwise = program.branch(IF_EQUAL, PERSONALITIES[i], allow, otherwise);
        }
        at[Verdict::IfPersonality as usize] = program.put(LOAD, FIRST_ARGUMENT);

        program.search(&self.0, &at);
        let number = program.put(LOAD, NUMBER);
        program.branch(IF_EQUAL, AUDIT_ARCH, number, kill);
        program.put(LOAD, ARCHITECTURE);
        program
    }
}

/// The numbers from `first` up to the next range.
#[derive(Clone, Copy)]
struct Range {
    first: u32,
    verdict: Verdict,
}

impl Program {
    /// The instructions, in the order the kernel takes them.
    pub fn as_slice(&self) -> &[Instruction] {
        &self.instructions[self.start..]
    }

    /// Puts an instruction before all others, which goes on with the one after it, and returns its place.
    const fn put(&mut self, code: u16, k: u32) -> usize {
        self.branch(code, k, self.start, self.start)
    }

    /// Puts a question before all others, which goes on at the place `yes` or `no`, and returns its place.
    const fn branch(&mut self, code: u16, k: u32, yes: usize, no: usize) -> usize {
        self.start -= 1;
        let (jt, jf) = ((yes - self.start - 1) as u8, (no - self.start - 1) as u8);
        self.instructions[self.start] = Instruction { code, jt, jf, k };
        self.start
    }

    /// Puts code that looks the accumulator up in `verdicts`, whose last entry is for everything above, and jumps to
    /// the place that `at` has for the verdict.
    const fn search(&mut self, verdicts: &[Verdict], at: &[usize; 6]) {
        let mut ranges = [Range { first: 0, verdict: verdicts[0] }; ROOM];
        let mut count = 1;
        let mut i = 1;
        while i < verdicts.len() {
            if verdicts[i] as u8 != verdicts[i - 1] as u8 {
                ranges[count] = Range { first: i as u32, verdict: verdicts[i] };
                count += 1;
            }
            i += 1;
        }
        self.decide(ranges.split_at(count).0, at);
    }

    /// Puts code that decides between `ranges`, and returns its place: is it in the upper or in the lower half of them?
    const fn decide(&mut self, ranges: &[Range], at: &[usize; 6]) -> usize {
        if let [only] = ranges {
            return at[only.verdict as usize];
        }
        let (low, high) = ranges.split_at(ranges.len() / 2);
        let first = high[0].first;
        let high = self.decide(high, at);
        let low = self.decide(low, at);
        self.branch(IF_AT_LEAST, first, high, low)
    }
}
