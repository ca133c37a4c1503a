"""How much memory this machine has, or as much of it as the control group of this process may use."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_CONTROL_GROUP: Final = Path("/sys/fs/cgroup/memory.max")


def half_of_the_machine() -> int:
    """Half of the memory, in bytes: what a worker may have unless told otherwise."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with suppress(OSError, ValueError):  # there is none, or it has no limit
        sizes.append(int(_CONTROL_GROUP.read_text()))
    return min(sizes) // 2
