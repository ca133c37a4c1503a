"""The main program that an untrusted candidate's workers come from.

It imports what they need. Each is a fork that is confined first, loads the backend then, and works in a folder of its
own.
"""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

from convcheck.execution.call_tracing import watch_functions
from convcheck.execution.confinement import Means, Run, confined, end_like, survey, trace
from convcheck.execution.import_sandbox import block_the_judge, load_public_names
from convcheck.execution.worker import keep, serve_and_exit
from convcheck.tensors.guarded import GuardedPages

__all__ = ["Means", "main"]

_NO_PYTHON: Final = "/bin/false"
"""The interpreter, for libraries that try something in another process (torch does, whether code for a processor runs),
and are prepared for its failure but not for its absence."""


def main(means: Means, hidden: Sequence[str], *, wrapped: bool) -> None:
    """Serve the control socket of the command line, for the backend named there.

    Args:
        means: of the system that may be used to confine the candidate.
        hidden: folders that it is not to see, besides the judge's.
        wrapped: whether this process is in bubblewrap's namespaces.
    """
    control, spec = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
    del sys.argv[1:], sys.orig_argv[1:]
    faulthandler.enable()  # a segmentation fault leaves its traceback on stderr
    load_public_names()
    watch_functions(trace.noter())

    run = Run(spec, tuple(sys.path), tuple(map(Path, hidden)), means, wrapped)
    survey(run)

    def become(descriptors: list[int]) -> NoReturn:
        connection, told = descriptors

        def serve() -> NoReturn:
            _settle()
            block_the_judge()
            serve_and_exit(connection, spec, GuardedPages(), before_answer=trace.marker())

        Path.cwd().chmod(0o711)  # who becomes nobody has to get to his own folder, which is below
        with TemporaryDirectory(dir=Path.cwd(), ignore_cleanup_errors=True) as own:
            os.chdir(own)
            status = confined(run, serve, only=connection, judge=socket.socket(fileno=told))
        end_like(status)

    keep(control, become)


def _settle() -> None:
    """Keep what libraries write for themselves in the one folder that can be written to, and start no other Python."""
    own = os.getcwd()  # noqa: PTH109  (as the environment has it)
    os.environ.update(TMPDIR=own, HOME=own, USER="nobody", LOGNAME="nobody")
    tempfile.tempdir = None
    sys.executable = _NO_PYTHON
