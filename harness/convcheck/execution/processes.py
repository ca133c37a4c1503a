"""What the system knows of processes: who descends from whom, what each runs and how much memory it has.

The guardian of a worker runs this without any library, so that it starts in milliseconds; where the system has no
/proc, no process is known.
"""

from __future__ import annotations

import ctypes
import mmap
import os

_DIE_WITH_PARENT = 1  # of <linux/prctl.h>
_ADOPT_ORPHANS = 36
_SHOWN = 100
"""Characters of a command line that are shown."""


def die_with_parent() -> None:
    """Have the system kill this process when the thread that started it is gone, whatever that was stopped by."""
    _prctl(_DIE_WITH_PARENT, 9)


def adopt_orphans() -> None:
    """Be the parent of all that descend from this process and lose theirs, in whatever session they are."""
    _prctl(_ADOPT_ORPHANS, 1)


def descendants(ancestor: int, *, but: int = 0) -> list[int]:
    """The living processes that descend from one, children first; without `but` and what descends from it."""
    children: dict[int, list[int]] = {}
    for pid in _running():
        state, parent = _state_and_parent(pid)
        if state not in "ZX":
            children.setdefault(parent, []).append(pid)
    found = [ancestor]
    for pid in found:
        found += [child for child in children.get(pid, ()) if child != but]
    return found[1:]


def may_have_children(pid: int) -> bool:
    """Whether a process has children, as far as the system tells quickly."""
    tasks = f"/proc/{pid}/task"
    try:
        lists = [f"{tasks}/{task}/children" for task in os.listdir(tasks)]  # noqa: PTH208  (imported in a hurry)
    except OSError:
        return False
    return any(map(_read, lists)) or not all(map(os.path.exists, lists))


def command_of(pid: int) -> str:
    """What a process runs, for a reader."""
    line = _read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").strip() or _read(f"/proc/{pid}/comm").strip()
    return line.decode(errors="replace")[:_SHOWN]


def memory(pid: int) -> int:
    """Bytes of memory that a process has and that are no file's; 0 if it is gone."""
    fields = _read(f"/proc/{pid}/statm").split()
    return mmap.PAGESIZE * (int(fields[1]) - int(fields[2])) if len(fields) > 2 else 0


def share_of_memory(pid: int) -> int:
    """As `memory`, with what several processes share divided among them, where the system tells: it takes longer."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss_Anon:"):
            return 1024 * int(line.split()[1])
    return memory(pid)


def is_stopped(pid: int) -> bool:
    """Whether somebody has stopped a process."""
    return _state_and_parent(pid)[0] == "T"


def _running() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208  (imported in a hurry)
    except OSError:
        return []


def _state_and_parent(pid: int) -> tuple[str, int]:
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()  # its name may hold anything
    return (fields[0].decode(), int(fields[1])) if len(fields) > 1 else ("X", 0)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (imported in a hurry)
            return file.read()
    except OSError:
        return b""


def _prctl(option: int, value: int) -> None:
    call = getattr(ctypes.CDLL(None), "prctl", None)
    if call is not None:
        call(option, value, 0, 0, 0)
