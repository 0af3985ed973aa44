//! The numbers of the system calls, under the names they have in `<sys/syscall.h>`.
//!
//! A program asks the kernel by number: on x86_64 in register `rax`, on aarch64 in `x8`. The numbers differ between
//! architectures up to 423 and are the same everywhere from 424 on. Only the calls that some part of the crate has
//! to name are here. Each is described by its page in section 2 of the manual.
//!
//! Kernel: `arch/x86/entry/syscalls/syscall_64.tbl`, `scripts/syscall.tbl` (aarch64).
#![allow(missing_docs, non_upper_case_globals)] // `man 2 name` documents SYS_name

/// Stands for a call that this architecture does not have.
pub const ABSENT: u32 = u32::MAX;

/// How `struct seccomp_data` and the audit log name this architecture: the ELF machine number, with one bit each for
/// 64-bit and little-endian. `<linux/audit.h>`
#[cfg(target_arch = "x86_64")]
pub const AUDIT_ARCH: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
pub const AUDIT_ARCH: u32 = 0xC000_00B7;

/// Calls that every architecture has.
macro_rules! everywhere {
    ($($name:ident)*) => {
        $(pub const $name: u32 = libc::$name as u32;)*
        const EVERYWHERE: &[(&str, u32)] = &[$((stringify!($name), $name)),*];
    };
}

/// Calls of x86_64 that newer architectures never had: most take a path where their `…at` successor takes a directory
/// and a path.
macro_rules! only_on_x86_64 {
    ($($name:ident)*) => {
        $(
            #[cfg(target_arch = "x86_64")]
            pub const $name: u32 = libc::$name as u32;
            #[cfg(not(target_arch = "x86_64"))]
            pub const $name: u32 = ABSENT;
        )*
        const ONLY_ON_X86_64: &[(&str, u32)] = &[$((stringify!($name), $name)),*];
    };
}

/// Calls whose number the libc crate does not give on every architecture: x86_64, then aarch64.
macro_rules! by_hand {
    ($($name:ident $x86_64:literal $aarch64:tt,)*) => { $(
        pub const $name: u32 = if cfg!(target_arch = "x86_64") { $x86_64 } else { $aarch64 };
    )* };
}

/// Calls with one number on all architectures.
macro_rules! shared {
    ($($name:ident $number:literal,)*) => {
        $(pub const $name: u32 = $number;)*
        const SHARED: &[(&str, u32)] = &[$((stringify!($name), $name)),*];
    };
}

everywhere! {
    SYS_accept SYS_accept4 SYS_acct SYS_add_key SYS_adjtimex SYS_bind SYS_bpf SYS_brk SYS_capget SYS_capset SYS_chdir SYS_chroot
    SYS_clock_adjtime SYS_clock_getres SYS_clock_gettime SYS_clock_nanosleep SYS_clock_settime SYS_clone SYS_close
    SYS_connect SYS_copy_file_range SYS_delete_module SYS_dup SYS_dup3 SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait
    SYS_eventfd2 SYS_execve SYS_execveat SYS_exit SYS_exit_group SYS_faccessat SYS_fadvise64 SYS_fallocate
    SYS_fanotify_init SYS_fanotify_mark SYS_fchdir SYS_fchmod SYS_fchmodat SYS_fchown SYS_fchownat SYS_fcntl
    SYS_fdatasync SYS_fgetxattr SYS_finit_module SYS_flistxattr SYS_flock SYS_fremovexattr SYS_fsetxattr SYS_fstat
    SYS_fstatfs SYS_fsync SYS_ftruncate SYS_futex SYS_get_mempolicy SYS_get_robust_list SYS_getcpu SYS_getcwd
    SYS_getdents64 SYS_getegid SYS_geteuid SYS_getgid SYS_getgroups SYS_getitimer SYS_getpeername SYS_getpgid
    SYS_getpid SYS_getppid SYS_getpriority SYS_getrandom SYS_getresgid SYS_getresuid SYS_getrusage SYS_getsid
    SYS_getsockname SYS_getsockopt SYS_gettid SYS_gettimeofday SYS_getuid SYS_getxattr SYS_init_module
    SYS_inotify_add_watch SYS_inotify_init1 SYS_inotify_rm_watch SYS_io_cancel SYS_io_destroy SYS_io_getevents
    SYS_io_setup SYS_io_submit SYS_ioctl SYS_ioprio_get SYS_ioprio_set SYS_kcmp SYS_keyctl SYS_kill SYS_lgetxattr SYS_linkat
    SYS_listen SYS_listxattr SYS_llistxattr SYS_lookup_dcookie SYS_lremovexattr SYS_lseek SYS_lsetxattr SYS_madvise
    SYS_mbind SYS_membarrier SYS_memfd_create SYS_mincore SYS_mkdirat SYS_mknodat SYS_mlock SYS_mlock2 SYS_mlockall
    SYS_mmap SYS_mount SYS_mprotect SYS_mq_getsetattr SYS_mq_notify SYS_mq_open SYS_mq_timedreceive SYS_mq_timedsend
    SYS_mq_unlink SYS_mremap SYS_msgctl SYS_msgget SYS_msgrcv SYS_msgsnd SYS_msync SYS_munlock SYS_munlockall
    SYS_munmap SYS_name_to_handle_at SYS_nanosleep SYS_newfstatat SYS_open_by_handle_at SYS_openat SYS_perf_event_open
    SYS_personality SYS_pipe2 SYS_pkey_alloc SYS_pkey_free SYS_pkey_mprotect SYS_ppoll SYS_prctl SYS_pread64
    SYS_preadv SYS_preadv2 SYS_prlimit64 SYS_process_vm_readv SYS_process_vm_writev SYS_pselect6 SYS_ptrace
    SYS_pwrite64 SYS_pwritev SYS_pwritev2 SYS_quotactl SYS_read SYS_readahead SYS_readlinkat SYS_readv SYS_reboot
    SYS_recvfrom SYS_recvmmsg SYS_recvmsg SYS_remap_file_pages SYS_removexattr SYS_renameat2 SYS_request_key SYS_restart_syscall
    SYS_rseq SYS_rt_sigaction SYS_rt_sigpending SYS_rt_sigprocmask SYS_rt_sigqueueinfo SYS_rt_sigreturn
    SYS_rt_sigsuspend SYS_rt_sigtimedwait SYS_rt_tgsigqueueinfo SYS_sched_get_priority_max SYS_sched_get_priority_min
    SYS_sched_getaffinity SYS_sched_getattr SYS_sched_getparam SYS_sched_getscheduler SYS_sched_rr_get_interval
    SYS_sched_setaffinity SYS_sched_setattr SYS_sched_setparam SYS_sched_setscheduler SYS_sched_yield SYS_seccomp
    SYS_semctl SYS_semget SYS_semop SYS_semtimedop SYS_sendfile SYS_sendmmsg SYS_sendmsg SYS_sendto SYS_set_mempolicy
    SYS_set_robust_list SYS_set_tid_address SYS_setdomainname SYS_setfsgid SYS_setfsuid SYS_setgid SYS_setgroups
    SYS_sethostname SYS_setitimer SYS_setns SYS_setpgid SYS_setpriority SYS_setregid SYS_setresgid SYS_setresuid
    SYS_setreuid SYS_setsid SYS_setsockopt SYS_settimeofday SYS_setuid SYS_setxattr SYS_shmat SYS_shmctl SYS_shmdt
    SYS_shmget SYS_shutdown SYS_sigaltstack SYS_signalfd4 SYS_socket SYS_socketpair SYS_splice SYS_statfs SYS_statx
    SYS_symlinkat SYS_sync SYS_syncfs SYS_sysinfo SYS_syslog SYS_tee SYS_tgkill SYS_timer_create SYS_timer_delete
    SYS_timer_getoverrun SYS_timer_gettime SYS_timer_settime SYS_timerfd_create SYS_timerfd_gettime
    SYS_timerfd_settime SYS_times SYS_tkill SYS_truncate SYS_umask SYS_umount2 SYS_uname SYS_unlinkat SYS_unshare SYS_userfaultfd
    SYS_utimensat SYS_vhangup SYS_vmsplice SYS_wait4 SYS_waitid SYS_write SYS_writev
}

only_on_x86_64! {
    SYS_access SYS_alarm SYS_arch_prctl SYS_chmod SYS_chown SYS_creat SYS_dup2 SYS_epoll_create SYS_epoll_ctl_old
    SYS_epoll_wait SYS_epoll_wait_old SYS_eventfd SYS_fork SYS_futimesat SYS_get_thread_area SYS_getdents SYS_getpgrp
    SYS_inotify_init SYS_ioperm SYS_iopl SYS_lchown SYS_link SYS_lstat SYS_mkdir SYS_mknod SYS_modify_ldt SYS_open
    SYS_pause SYS_pipe SYS_poll SYS_readlink SYS_rename SYS_rmdir SYS_select SYS_set_thread_area SYS_signalfd SYS_stat
    SYS_symlink SYS_time SYS_unlink SYS_utime SYS_utimes SYS_vfork
}

by_hand! {
    SYS_getrlimit 97 163, SYS_setrlimit 160 164, SYS_renameat 264 38, SYS_sync_file_range 277 84,
    SYS_io_pgetevents 333 292, SYS_uretprobe 335 ABSENT,
}

shared! {
    SYS_pidfd_send_signal 424, SYS_io_uring_setup 425, SYS_open_tree 428, SYS_move_mount 429, SYS_fsopen 430, SYS_fsconfig 431,
    SYS_fsmount 432, SYS_fspick 433, SYS_pidfd_open 434, SYS_clone3 435, SYS_close_range 436, SYS_openat2 437,
    SYS_pidfd_getfd 438, SYS_faccessat2 439, SYS_process_madvise 440, SYS_epoll_pwait2 441, SYS_mount_setattr 442,
    SYS_quotactl_fd 443, SYS_landlock_create_ruleset 444, SYS_landlock_add_rule 445, SYS_landlock_restrict_self 446,
    SYS_memfd_secret 447, SYS_process_mrelease 448, SYS_futex_waitv 449, SYS_set_mempolicy_home_node 450,
    SYS_cachestat 451, SYS_fchmodat2 452, SYS_map_shadow_stack 453, SYS_futex_wake 454, SYS_futex_wait 455,
    SYS_futex_requeue 456, SYS_statmount 457, SYS_listmount 458, SYS_lsm_get_self_attr 459, SYS_lsm_set_self_attr 460,
    SYS_lsm_list_modules 461, SYS_mseal 462, SYS_setxattrat 463, SYS_getxattrat 464, SYS_listxattrat 465,
    SYS_removexattrat 466,
}

/// The name in the manual pages of the system call with this number, if it is one of those here: `wait4`.
pub fn name(number: u32) -> Option<&'static str> {
    let mut all = [EVERYWHERE, ONLY_ON_X86_64, SHARED].into_iter().flatten();
    let (name, _) = all.find(|(_, known)| *known == number && number != ABSENT)?;
    name.strip_prefix("SYS_")
}
