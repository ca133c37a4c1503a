"""What the judge and the process that workers come from say to each other."""

from __future__ import annotations

import struct
from typing import Final

FORK: Final = b"F"
"""Start a worker on the socket that comes with this byte."""

WORKER: Final = b"W"
"""The worker has been started; a descriptor of its process comes with this byte, where the system has such."""

END: Final = b"E"
"""Kill the worker if it still runs, and answer with its `STATUS`."""

STATUS: Final = struct.Struct("<i")
"""How a worker ended: its exit status, or minus the number of the signal."""
