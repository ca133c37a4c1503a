"""A system that has of what Linux has only what every system of the kind of Unix has: for tests of what runs there.

What is missing is taken away from the processes of a worker and its guardian, in the test's own from `os`.
"""

import os
import subprocess
import sys
from dataclasses import replace

from convcheck.execution import guarded
from convcheck.execution.launch import trusted

ABSENT = ("pidfd_open", "waitid")
"""Of `os`. Nothing of a worker may fork either; its guardian does so to start it."""

_PRELUDE = f"""
import builtins, ctypes, io, os
for name in {ABSENT!r}:
    delattr(os, name)

def without_proc(function):
    def asked(path=".", *more, **named):
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith("/proc"):
            raise FileNotFoundError(2, "no such file", os.fspath(path))
        return function(path, *more, **named)
    return asked

for module, name in ((os, "listdir"), (os, "scandir"), (os, "stat"), (builtins, "open"), (io, "open")):
    setattr(module, name, without_proc(getattr(module, name)))

class Library(ctypes.CDLL):
    def __getattr__(self, name):
        if name in ("prctl", "mprotect"):
            raise AttributeError(name)
        return super().__getattr__(name)

ctypes.CDLL = Library
"""
_GUARDIAN = "import runpy, sys\nrunpy.run_path({program!r}, run_name='__main__')\n"
_WORKER = "del os.fork\nfrom convcheck.execution.worker import main\nmain()\n"


def launched(spec):
    """What starts a worker there."""
    return replace(trusted(spec), arguments=("-c", _PRELUDE + _WORKER))


def bare(monkeypatch, folder):
    """Has guardians live there, and this process as far as it looks after one."""
    program = folder / "guardian.py"
    program.write_text(_PRELUDE + _GUARDIAN.format(program=str(guarded._PROGRAM)))
    monkeypatch.setattr(guarded, "_PROGRAM", program)
    for name in ABSENT:
        monkeypatch.delattr(os, name)


def answers(code):
    """What Python prints there."""
    return subprocess.run([sys.executable, "-c", _PRELUDE + code], capture_output=True, text=True, check=True).stdout
