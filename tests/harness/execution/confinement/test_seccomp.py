"""What the filter of system calls makes of them, on every machine that it knows, by an interpreter of such filters."""

import errno
import struct

import pytest

from convcheck.execution.confinement.seccomp import _MACHINES, _program

ALLOWED = 0x7FFF0000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NUMBERS = {
    "x86_64": {
        "read": 0, "close": 3, "socket": 41, "socketpair": 53, "clone": 56, "kill": 62, "ptrace": 101, "mount": 165,
        "setns": 308, "openat": 257, "dup2": 33, "dup3": 292, "execve": 59, "bpf": 321, "process_vm_readv": 310,
    },
    "aarch64": {
        "read": 63, "close": 57, "socket": 198, "socketpair": 199, "clone": 220, "kill": 129, "ptrace": 117,
        "mount": 40, "setns": 268, "openat": 56, "dup2": 24, "dup3": 24, "execve": 221, "bpf": 280,
        "process_vm_readv": 270,
    },
}  # fmt: skip
CLOSE_RANGE, CLONE3, IO_URING, PIDFD_GETFD = 436, 435, 425, 438
TRACE, OWN = 7, 4321


def verdict(machine, number, *arguments, audit=None):
    """What a filter says: "allowed", or the name of an error."""
    data = struct.pack("<IIQ6Q", number, audit or AUDIT[machine], 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    steps = [struct.unpack("HBBI", step) for step in _program(_MACHINES[machine], (TRACE,), OWN)]
    at = register = 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:
            (register,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return "allowed" if value == ALLOWED else errno.errorcode[value & 0xFFFF]
        else:
            holds = {0x15: register == value, 0x25: register > value, 0x45: bool(register & value)}[code]
            at += if_true if holds else if_false


@pytest.fixture(params=NUMBERS)
def asked(request):
    def ask(name, *arguments, **others):
        return verdict(request.param, NUMBERS[request.param].get(name, name), *arguments, **others)

    return ask


@pytest.mark.parametrize("name", ["read", "openat", "execve", "socketpair", 231])
def test_what_a_kernel_needs_is_allowed(asked, name):
    assert asked(name) == "allowed"


@pytest.mark.parametrize("name", ["ptrace", "mount", "setns", "bpf", "process_vm_readv", IO_URING, PIDFD_GETFD])
def test_what_reaches_out_is_refused(asked, name):
    assert asked(name) == "EPERM"


def test_sockets_are_local(asked):
    assert (asked("socket", 1), asked("socket", 2), asked("socket", 10), asked("socket", 16)) == (
        "allowed", "EACCES", "EACCES", "EACCES",
    )  # fmt: skip


def test_threads_and_processes_are_made_but_no_namespaces(asked):
    assert asked("clone", 0x3D0F00) == "allowed"
    assert asked("clone", 17) == "allowed"
    assert asked("clone", 0x10000000 | 17) == "EPERM"
    assert asked(CLONE3) == "ENOSYS"  # so that the C library makes threads by the other


def test_the_trace_stays_what_it_is(asked):
    assert (asked("close", TRACE), asked("close", 8)) == ("EBADF", "allowed")
    assert (asked("dup3", 3, TRACE), asked("dup3", TRACE, 3)) == ("EBADF", "allowed")
    assert (asked("dup2", 3, TRACE), asked("dup2", TRACE, 3)) == ("EBADF", "allowed")
    assert (asked(CLOSE_RANGE, 3, 2**32 - 1), asked(CLOSE_RANGE, TRACE, TRACE)) == ("EPERM", "EPERM")
    assert (asked(CLOSE_RANGE, 8, 2**32 - 1), asked(CLOSE_RANGE, 3, 6)) == ("allowed", "allowed")


def test_signals_go_to_the_process_itself(asked):
    assert (asked("kill", OWN), asked("kill", OWN - 1), asked("kill", 2**32 - 1)) == ("allowed", "EPERM", "EPERM")


def test_another_architecture_is_refused_whole(asked):
    assert asked("read", audit=0x40000003) == "EPERM"


def test_the_second_interface_of_the_same_processor_is_not_there(asked):
    assert asked(0x40000000 | 59) == "ENOSYS"
