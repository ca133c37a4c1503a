"""Ways to the judge's process, files and machine; each raises where it is closed."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

from routes import TARGETS, route

to_judge, to_machine = route("judge"), route("machine")
PID, REPORT = TARGETS["pid"], TARGETS["report"]


def _libc(name, *arguments):
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    result = function(*(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


@to_judge
def signalled():
    os.kill(PID, 0)


@to_judge
def stopped():
    os.kill(PID, signal.SIGSTOP)


@to_judge
def the_parent_stopped():
    parent = os.getppid()
    os.kill(parent, signal.SIGSTOP)
    time.sleep(0.05)
    state = Path(f"/proc/{parent}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    if state != "T":
        raise PermissionError("it goes on")


@to_judge
def memory_through_proc():
    with Path(f"/proc/{PID}/mem").open("r+b", 0):
        pass


@to_judge
def memory_of_the_parent_through_proc():
    with Path(f"/proc/{os.getppid()}/mem").open("rb", 0):
        pass


@to_judge
def memory_by_a_system_call():
    class Vector(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))

    mine = ctypes.create_string_buffer(8)
    local, remote = Vector(ctypes.addressof(mine), 8), Vector(TARGETS["address"], 8)
    for pid in (PID, os.getppid()):
        _libc("process_vm_readv", pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)


@to_judge
def traced():
    _libc("ptrace", 0x4206, PID, 0, 0)  # PTRACE_SEIZE


@to_judge
def environment():
    Path(f"/proc/{PID}/environ").read_bytes()


@to_judge
def descriptors():
    for pid in (PID, os.getppid()):
        opened = Path(f"/proc/{pid}/fd")
        for each in opened.iterdir():
            os.readlink(each)
        _libc("syscall", 438, _libc("syscall", 434, pid, 0), 0, 0)  # pidfd_getfd of pidfd_open


@to_judge
def report_rewritten():
    Path(REPORT).write_text("CONFORMS", encoding="utf-8")


@to_judge
def report_read():
    Path(REPORT).read_text(encoding="utf-8")


@to_judge
def report_rewritten_by_a_child_that_stays():
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        try:
            time.sleep(TARGETS["later"])
            Path(REPORT).write_text("CONFORMS", encoding="utf-8")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    Path(REPORT).parent.joinpath("x").write_text("", encoding="utf-8")


@to_judge
def own_source_rewritten():
    Path(__file__).with_name("targets.json").write_text("{}", encoding="utf-8")


@to_judge
def library_rewritten():
    import numpy

    Path(numpy.__file__).with_name("mine.py").write_text("", encoding="utf-8")


@to_machine
def network():
    with socket.create_connection(tuple(TARGETS["server"]), 1.0):
        pass


@to_machine
def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", tuple(TARGETS["server"]))


@to_machine
def abstract_socket():
    with socket.socket(socket.AF_UNIX) as connected:
        connected.connect("\0" + TARGETS["abstract"])


@to_machine
def packets():
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


@to_machine
def root_again():
    os.setuid(0)
    os.setresuid(0, 0, 0)
    Path("/etc/shadow").read_bytes()


@to_machine
def root_by_a_program():
    done = subprocess.run(["su", "-c", "cat /etc/shadow"], capture_output=True, check=True, stdin=subprocess.DEVNULL)
    return done.stdout


@to_machine
def new_namespaces():
    _libc("unshare", 0x10000000)


@to_machine
def mounts():
    _libc("mount", b"none", b"/", None, 1 << 18, None)


@to_machine
def handles():
    _libc("syscall", 303, -100, b"/", ctypes.create_string_buffer(256), ctypes.byref(ctypes.c_int()), 0)


@to_machine
def chroot():
    os.chroot(".")


@to_machine
def core_file():
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))


@to_machine
def kernel_settings():
    with Path("/proc/sys/kernel/core_pattern").open("r+b"):
        pass


@to_machine
def another_users_files():
    Path("/etc/shadow").read_bytes()


@to_machine
def temporary_files_of_others():
    Path(REPORT).parent.parent.joinpath("others").read_text(encoding="utf-8")
