"""The table of guarantees: what the walls around a candidate keep it from, and what is missing where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from convcheck.execution.confinement.privileges import be_opaque
from convcheck.execution.confinement.walls import Walls
from convcheck.model.guarantees import Guarantee

_PROCESSES: Final = "other processes"


def guarantees(walls: Walls) -> tuple[Guarantee, ...]:
    """What is guaranteed of a candidate behind these walls.

    Args:
        walls: those that stand.
    """
    root = walls.own_root and "a file system of its own"
    landlock = walls.landlock and f"Landlock {walls.landlock}"
    filtered = walls.seccomp and "seccomp"
    wrapped = walls.bubblewrap and "bubblewrap"
    processes = walls.own_root and "a namespace of processes"
    uid = walls.nobody and "another uid"
    memory = walls.memory and f"a limit of {walls.memory / 2**30:.3g} GiB for each process"
    rows: tuple[tuple[str, str, tuple[object, ...]], ...] = (
        ("reference withheld", "no source of the judge can be opened", (root, landlock)),
        ("files", "reads its folder and libraries, writes to a temporary folder only", (root, landlock)),
        ("network", "reaches no other machine", (root and "a namespace of networks", wrapped, filtered)),
        (
            _PROCESSES,
            "reads, changes and signals none but its own",
            (processes, wrapped, filtered and landlock and f"{landlock} with seccomp", uid),
        ),
        ("left processes", "ends with all that it has started", (processes, wrapped)),
        ("privileges", "has none, and can get none", (not walls.capabilities and "no capabilities", uid)),
        ("programs", "starts no other Python, in which nobody would watch", (landlock,)),
        ("convolutions", "torch's are seen in all threads and forks", ("the trace of torch's dispatcher",)),
        ("trace", "stays open until the process ends", (filtered,)),
        ("memory", "allocates no more than its share", (memory,)),
    )
    why = "; ".join(f"{wall}: {reason}" for wall, reason in walls.missing) or "nothing on this machine"
    return tuple(_of(name, what, [str(each) for each in by if each], why) for name, what, by in rows)


def shield(held: Sequence[Guarantee]) -> None:
    """Close this process, as far as it can do that itself, to a candidate that nothing keeps from other processes."""
    if any(guarantee.name == _PROCESSES and not guarantee.holds for guarantee in held):
        be_opaque()


def _of(name: str, what: str, by: list[str], why: str) -> Guarantee:
    return Guarantee(name=name, what=what, holds=bool(by), by=", ".join(by) or why)
