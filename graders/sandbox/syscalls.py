"""The system calls that a locked child may make, by name, with their numbers on each kind of processor.

Numbers: ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h`` of Linux.
"""

from __future__ import annotations

from typing import NamedTuple

# What numpy, Python's threads and files opened for reading need; "-" where a processor has no such call.
_FREELY = """
read 0 63
write 1 64
close 3 57
stat 4 -
fstat 5 80
lstat 6 -
poll 7 -
lseek 8 62
mmap 9 222
mprotect 10 226
munmap 11 215
brk 12 214
rt_sigaction 13 134
rt_sigprocmask 14 135
rt_sigreturn 15 139
pread64 17 67
readv 19 65
writev 20 66
access 21 -
select 23 -
sched_yield 24 124
mremap 25 216
mincore 27 232
madvise 28 233
dup 32 23
dup2 33 -
nanosleep 35 101
getitimer 36 102
alarm 37 -
setitimer 38 103
getpid 39 172
exit 60 93
uname 63 160
getcwd 79 17
chdir 80 49
readlink 89 -
gettimeofday 96 169
getrlimit 97 163
getrusage 98 165
sysinfo 99 179
times 100 153
getuid 102 174
getgid 104 176
geteuid 107 175
getegid 108 177
getppid 110 173
sigaltstack 131 132
arch_prctl 158 -
gettid 186 178
futex 202 98
sched_getaffinity 204 123
getdents64 217 61
set_tid_address 218 96
restart_syscall 219 128
clock_gettime 228 113
clock_getres 229 114
clock_nanosleep 230 115
exit_group 231 94
newfstatat 262 79
readlinkat 267 78
faccessat 269 48
pselect6 270 72
ppoll 271 73
set_robust_list 273 99
dup3 292 24
pipe2 293 59
getrandom 318 278
membarrier 324 283
statx 332 291
rseq 334 293
faccessat2 439 439
futex_waitv 449 449
"""

# Where there is a scratch folder: what writing files there takes.
_WITH_SCRATCH = """
pwrite64 18 68
fsync 74 82
ftruncate 77 46
rename 82 -
mkdir 83 -
rmdir 84 -
unlink 87 -
mkdirat 258 34
unlinkat 263 35
renameat 264 38
renameat2 316 276
"""

# Allowed for some of their arguments only.
_BY_ARGUMENT = """
ioctl 16 29
clone 56 220
fcntl 72 25
prctl 157 167
openat 257 56
prlimit64 302 261
clone3 435 435
"""

# What locking down itself takes; never allowed to a child.
_LOCKING = """
pivot_root 155 41
seccomp 317 277
landlock_create_ruleset 444 444
landlock_add_rule 445 445
landlock_restrict_self 446 446
"""


class Processor(NamedTuple):
    """What the kernel calls a kind of processor, and which column of the tables is its own."""

    audit: int
    column: int


PROCESSORS = {"x86_64": Processor(0xC000003E, 0), "aarch64": Processor(0xC00000B7, 1)}


def _numbers(table: str, column: int) -> dict[str, int]:
    rows = [line.split() for line in table.split("\n") if line]
    return {name: int(numbers[column]) for name, *numbers in rows if numbers[column] != "-"}


def freely(machine: str, *, scratch: bool) -> list[int]:
    """Return the numbers of the calls that are allowed whatever their arguments."""
    column = PROCESSORS[machine].column
    table = _FREELY + (_WITH_SCRATCH.strip("\n") + "\n" if scratch else "")
    return sorted(_numbers(table, column).values())


def number(machine: str, name: str) -> int:
    """Return the number of a call that is allowed by its arguments, or used for locking.

    Raises:
        KeyError: no such processor or call.
    """
    return _numbers(_BY_ARGUMENT + _LOCKING, PROCESSORS[machine].column)[name]
