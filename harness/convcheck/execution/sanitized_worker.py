"""The main program of a worker under a sanitizer: each of its tensors is an allocation of its own.

Workers are forked under AddressSanitizer as they are without it. What compute-sanitizer watches is never forked: a
device does not outlive that. A sanitizer takes over where the worker crashes, so that nothing of ours writes a
traceback.
"""

from __future__ import annotations

import os
import socket
import sys

from convcheck.execution.sanitizer_launch import UNDER
from convcheck.execution.worker import become_worker, give_workers
from convcheck.model.sanitizers import Sanitizer
from convcheck.tensors.regions import exact


def main() -> None:
    """Serve the control socket of the command line, for the backend named there."""
    control, spec = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
    if os.environ[UNDER] != Sanitizer.ADDRESS:
        become_worker(control, spec, exact)
    give_workers(control, spec, exact)


if __name__ == "__main__":
    main()
