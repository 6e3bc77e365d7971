// The system calls that the running program may make, by name; those with a condition on an argument are in sandbox.cpp.
// Names that this machine does not have are passed over.
#pragma once

#include <array>

namespace app {

inline constexpr std::array kAllowedCalls{
    // memory, and mapping a driver
    "brk", "madvise", "mincore", "mmap", "mprotect", "mremap", "msync", "munmap",
    // files: recordings, reports, drivers and what they need, the control socket's path
    "access", "chmod", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64",
    "fallocate", "fchmod", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getcwd",
    "getdents64", "lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open", "openat", "pread64", "preadv",
    "preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readlink", "readlinkat", "readv", "rename", "renameat",
    "renameat2", "rmdir", "stat", "statfs", "statx", "umask", "unlink", "unlinkat", "write", "writev",
    // threads and waiting
    "exit", "exit_group", "futex", "futex_waitv", "futex_wait", "futex_wake", "get_robust_list", "gettid",
    "membarrier", "restart_syscall", "rseq", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min", "sched_setaffinity", "sched_yield", "set_robust_list",
    "set_tid_address", "wait4", "waitid",
    // time
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday", "nanosleep",
    "setitimer", "time", "timerfd_create", "timerfd_gettime", "timerfd_settime", "timer_create", "timer_delete",
    "timer_getoverrun", "timer_gettime", "timer_settime",
    // signals, to itself
    "pause", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
    "sigaltstack", "signalfd4",
    // descriptors that are open: the device, the control socket and its clients, the supervisor
    "accept", "accept4", "bind", "connect", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd2", "getpeername", "getsockname", "getsockopt", "io_uring_enter",
    "io_uring_register", "listen", "pipe", "pipe2", "poll", "ppoll", "pselect6", "recvfrom", "recvmmsg", "recvmsg",
    "select", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socketpair",
    // questions
    "arch_prctl", "capget", "getcpu", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid",
    "getppid", "getpriority", "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "getuid",
    "prlimit64", "sysinfo", "times", "uname"};

}  // namespace app
