"""Namespaces: what a process sees of users, mounts, processes, networks and shared memory is its own. namespaces(7)."""

from __future__ import annotations

import os
from enum import IntFlag
from pathlib import Path

from convcheck.execution.confinement.linux import function


class Namespace(IntFlag):
    """The kinds of namespaces, as the kernel numbers them."""

    MOUNT = 0x00020000
    CGROUP = 0x02000000
    NAMES = 0x04000000
    IPC = 0x08000000
    USER = 0x10000000
    PROCESSES = 0x20000000
    NETWORK = 0x40000000


ALL_BUT_USER = (
    Namespace.MOUNT | Namespace.NAMES | Namespace.IPC | Namespace.PROCESSES | Namespace.NETWORK | Namespace.CGROUP
)


def enter(wanted: Namespace) -> None:
    """Leave the namespaces of this process for new ones; that of processes holds for its children.

    With one of users, this process has all rights there, and nobody else exists; it may have one thread only.

    Raises:
        OSError: the system refused.
    """
    uid, gid = os.geteuid(), os.getegid()
    function("unshare", int(wanted))
    if Namespace.USER in wanted:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", encoding="ascii")
