"""The table of guarantees: what the walls around a candidate keep it from, and what is missing where they do not."""

from __future__ import annotations

from collections.abc import Iterable

from convcheck.execution.confinement.landlock import OF_SIGNALS
from convcheck.execution.confinement.walls import Walls
from convcheck.model.guarantees import Guarantee

_NOTHING = "nothing on this machine"


def guarantees(walls: Walls) -> tuple[Guarantee, ...]:
    """What is guaranteed of a candidate behind these walls.

    Args:
        walls: those that stand.
    """
    root = walls.own_root and "a file system of its own"
    landlock = walls.landlock and f"Landlock {walls.landlock}"
    signals = walls.landlock >= OF_SIGNALS and landlock
    filtered = walls.seccomp and "seccomp"
    processes = walls.own_root and "a namespace of processes"
    uid = walls.nobody and "another uid"
    memory = walls.memory and f"a limit of {walls.memory / 2**30:.3g} GiB for each process"
    return (
        _of("reference withheld", "no source of the judge can be opened", walls, (root, landlock)),
        _of("files", "reads its folder and libraries, writes to a temporary folder only", walls, (root, landlock)),
        _of("network", "reaches no other machine", walls, (root and "a namespace of networks", filtered)),
        _of("other processes", "sees, reads and signals none but its own", walls, (processes, signals and filtered, uid)),
        _of("left processes", "ends with all that it has started", walls, (processes,)),
        _of("privileges", "has none, and can get none", walls, (not walls.capabilities and "no capabilities", uid)),
        _of("programs", "starts no other Python, in which nobody would watch", walls, (landlock,)),
        _of("convolutions", "torch's are seen in all threads and forks", walls, ("the trace of torch's dispatcher",)),
        _of("trace", "stays open until the process ends", walls, (filtered,)),
        _of("memory", "allocates no more than its share", walls, (memory,)),
    )


def _of(name: str, what: str, walls: Walls, by: Iterable[object]) -> Guarantee:
    held = [str(each) for each in by if each]
    why = "; ".join(f"{wall}: {reason}" for wall, reason in walls.missing)
    return Guarantee(name=name, what=what, holds=bool(held), by=", ".join(held) or why or _NOTHING)
