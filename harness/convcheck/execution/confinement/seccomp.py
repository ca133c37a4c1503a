"""seccomp: system calls that a convolution has no use for are refused by the kernel, in this process and its children.

What is listed reaches into other processes, changes what a process sees of the machine, or goes past the walls that
are up: asynchronous calls, other address families than that of local sockets. See seccomp(2).
"""

from __future__ import annotations

import ctypes
import errno
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from convcheck.execution.confinement.linux import PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, machine, on_linux, prctl

_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_X32: Final = 0x40000000

_LOAD: Final = 0x20
_EQUAL: Final = 0x15
_ABOVE: Final = 0x25
_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06

_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_NEW_NAMESPACES: Final = 0x7E020000 | 0x80
_AF_UNIX: Final = 1
_PIDFD_SEND_SIGNAL: Final = 424


@dataclass(frozen=True, slots=True)
class _Machine:
    """An architecture: its number in the audit interface, and those of system calls."""

    audit: int
    refused: tuple[int, ...]
    socket: int
    clone: int
    clone3: int
    close: int
    close_range: int
    dup: tuple[int, ...]
    kill: tuple[int, ...]


_NEWER: Final = (
    425, 426, 427,  # io_uring_setup, io_uring_enter, io_uring_register
    428, 429, 430, 431, 432, 433, 442,  # open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr
    438, 440,  # pidfd_getfd, process_madvise
    467,  # open_tree_attr
)  # fmt: skip
"""Those that have one number on every machine."""

_MACHINES: Final = {
    "x86_64": _Machine(
        audit=0xC000003E,
        refused=(
            101, 310, 311, 312,  # ptrace, process_vm_readv, process_vm_writev, kcmp
            165, 166, 155, 161, 272, 308,  # mount, umount2, pivot_root, chroot, unshare, setns
            163, 167, 168, 169, 170, 171, 179,  # acct, swapon, swapoff, reboot, sethostname, setdomainname, quotactl
            164, 227, 305, 159,  # settimeofday, clock_settime, clock_adjtime, adjtimex
            172, 173, 103,  # iopl, ioperm, syslog
            175, 313, 176, 246, 320,  # init_module, finit_module, delete_module, kexec_load, kexec_file_load
            248, 249, 250,  # add_key, request_key, keyctl
            298, 321, 323, 300,  # perf_event_open, bpf, userfaultfd, fanotify_init
            303, 304,  # name_to_handle_at, open_by_handle_at
        ),
        socket=41, clone=56, clone3=435, close=3, close_range=436, dup=(33, 292), kill=(62, 200, 234, 129, 297),
    ),
    "aarch64": _Machine(
        audit=0xC00000B7,
        refused=(
            117, 270, 271, 272, 40, 39, 41, 51, 97, 268, 89, 224, 225, 142, 161, 162, 60, 170, 112, 266, 171, 116,
            105, 273, 106, 104, 294, 217, 218, 219, 241, 280, 282, 262, 264, 265,
        ),
        socket=198, clone=220, clone3=435, close=57, close_range=436, dup=(24,), kill=(129, 130, 131, 138, 240),
    ),
}  # fmt: skip


def available() -> bool:
    """Whether filters of this module fit the machine."""
    return on_linux() and machine() in _MACHINES and sys.byteorder == "little"


def restrict(*, kept: Sequence[int] = (), signals_within: int | None = None) -> None:
    """Refuse system calls from here on, in the calling thread and those that it starts.

    Args:
        kept: descriptors that stay open, and what they are, until the process ends.
        signals_within: the only process that may be sent signals; None for no such limit.

    Raises:
        OSError: the system refused.
    """
    program = b"".join(_program(_MACHINES[machine()], kept, signals_within))
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    given = ctypes.create_string_buffer(header, len(header))
    prctl(PR_SET_SECCOMP, _FILTER, ctypes.addressof(given))


def _program(known: _Machine, kept: Sequence[int], signals_within: int | None) -> list[bytes]:
    """The filter: one block a rule, each of which jumps over its own refusal where it does not apply."""
    found = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, known.audit, 1, 0), _refusal(errno.EPERM)]
    found += [_step(_LOAD, _NUMBER), _step(_ABOVE, _X32 - 1, 0, 1), _refusal(errno.ENOSYS)]
    for number in (*known.refused, *_NEWER):
        found += [_step(_EQUAL, number, 0, 1), _refusal(errno.EPERM)]
    found += [_step(_EQUAL, known.clone3, 0, 1), _refusal(errno.ENOSYS)]  # whose flags lie in memory: clone is left
    found += _rule(known.socket, [_argument(0), _step(_EQUAL, _AF_UNIX, 1, 0), _refusal(errno.EACCES)])
    found += _rule(known.clone, [_argument(0), _step(_ANY_BIT, _NEW_NAMESPACES, 0, 1), _refusal(errno.EPERM)])
    for descriptor in kept:
        found += _kept(known, descriptor)
    if signals_within is not None:
        for number in (*known.kill, _PIDFD_SEND_SIGNAL):
            # a descriptor in place of a process says nothing of whom it is of, and the numbers hardly meet
            found += _rule(number, [_argument(0), _step(_EQUAL, signals_within, 1, 0), _refusal(errno.EPERM)])
    return [*found, _step(_RETURN, _ALLOW)]


def _kept(known: _Machine, descriptor: int) -> list[bytes]:
    is_it = [_step(_EQUAL, descriptor, 0, 1), _refusal(errno.EBADF)]
    found = _rule(known.close, [_argument(0), *is_it])
    for number in known.dup:
        found += _rule(number, [_argument(1), *is_it])
    covers = [_argument(0), _step(_ABOVE, descriptor, 3, 0), _argument(1), _step(_ABOVE, descriptor - 1, 0, 1)]
    return found + _rule(known.close_range, [*covers, _refusal(errno.EPERM)])


def _rule(number: int, block: list[bytes]) -> list[bytes]:
    """A block for one system call; the number is loaded again after it."""
    return [_step(_EQUAL, number, 0, len(block)), *block, _step(_LOAD, _NUMBER)]


def _argument(index: int) -> bytes:
    return _step(_LOAD, 16 + 8 * index)  # its lower half, as the machine is little-endian


def _refusal(number: int) -> bytes:
    return _step(_RETURN, _ERRNO | number)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
