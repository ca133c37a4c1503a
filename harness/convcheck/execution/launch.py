"""How a worker process is started: as a part of the user's session, or for a candidate nobody vouches for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from convcheck.execution.confinement import ALL_MEANS, Means, bubblewrap
from convcheck.execution.environments import found_for, target_of
from convcheck.plugin.backend_spec import parted
from convcheck.plugin.placed import Placed
from convcheck.tensors.poison import ALLOCATOR_SETTINGS

_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_ASKED_WITHOUT_CUDA: Final = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}
"""Has `torch.cuda.is_available()` ask the driver's library: a kernel's module may call it before workers are forked,
and CUDA cannot be used in a fork of a process that has started it (torch's documentation of the function)."""
_HARMLESS: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", *_THREADS)
_ONE_PROCESS: Final = {"TORCHINDUCTOR_COMPILE_THREADS": "1", "TORCHINDUCTOR_VEC_ISA_OK": "1"}
"""Unless told so, torch compiles in other processes of Python, and tries what the processor can do in one. A confined
candidate can start none."""
_BOOTSTRAP: Final = """
import sys
sys.path[:] = {paths!r}
from convcheck.execution.confined_worker import Means, main
main({means!r}, {hidden!r}, wrapped={wrapped!r})
"""

REPORTS: Final = Path("reports")
"""Where reports go by default."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What starts a worker.

    Attributes:
        arguments: of the interpreter; the worker's own, a descriptor and a spec, follow.
        environment: of the process.
        elsewhere: whether it works in an empty folder of its own.
        spec: of the backend, as that process has to spell it.
        wrapper: the command that runs the interpreter; empty where nothing stands before it.
        watched: whether who watches a worker tells the judge what it calls, on a connection of their own.
        interpreter: that runs it.
        grace: seconds that a process which has no connection any more may take to end by itself.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    elsewhere: bool
    spec: str
    wrapper: tuple[str, ...] = ()
    watched: bool = False
    interpreter: str = sys.executable
    grace: float = 0.2


Launcher: TypeAlias = Callable[[str], Launch]
"""From the spec of a backend to what starts its worker."""


def trusted(spec: str) -> Launch:
    """The environment and the folder are the user's; so is the virtual environment, unless the spec names another.

    Raises:
        EnvironmentNotFoundError, BrokenEnvironmentError: there is none of that name, or not all of it.
    """
    placed = Placed.of(spec)
    if placed is not None:
        return _elsewhere(placed)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_paths())}
    return Launch(("-m", "convcheck.execution.worker"), _completed(environment), elsewhere=False, spec=spec)


def _elsewhere(placed: Placed) -> Launch:
    """In a virtual environment of its own, with links to what a worker needs of this one."""
    found, target = found_for(placed), target_of(placed.backend)
    environment = {
        **os.environ,
        "PYTHONPATH": str(found.path(target)),
        "VIRTUAL_ENV": str(found.folder),
    }
    return Launch(
        ("-m", "convcheck.execution.worker"),
        _completed(environment),
        elsewhere=False,
        spec=target,
        interpreter=str(found.interpreter),
    )


def untrusted(spec: str, means: Means = ALL_MEANS, hidden: Sequence[Path] = (REPORTS,)) -> Launch:
    """Isolated from the user's session: the worker confines itself before it loads the candidate.

    Args:
        spec: of the backend, as the user spells it.
        means: of the system that may be used to confine it.
        hidden: folders that it is not to see, besides the judge's.
    """
    location = parted(spec)[0].rpartition(":")[0]
    if location.endswith(".py"):
        spec = f"{Path(location).expanduser().resolve()}{spec[len(location) :]}"
    environment = {name: os.environ[name] for name in _HARMLESS if name in os.environ}
    wrapper = bubblewrap.wrapper(means)
    concealed = [str(path.resolve()) for path in hidden]
    bootstrap = _BOOTSTRAP.format(paths=_paths(), means=means, hidden=concealed, wrapped=bool(wrapper))
    return Launch(
        ("-I", "-c", bootstrap),
        _completed(_ONE_PROCESS | environment),
        elsewhere=True,
        spec=spec,
        wrapper=wrapper,
        watched=True,
    )


def _completed(environment: Mapping[str, str]) -> dict[str, str]:
    """With one thread, unless the user says otherwise, and poison in all new memory."""
    tunables = ":".join(filter(None, (ALLOCATOR_SETTINGS, environment.get("GLIBC_TUNABLES"))))
    return {**dict.fromkeys(_THREADS, "1"), **_ASKED_WITHOUT_CUDA, **environment, "GLIBC_TUNABLES": tunables}


def _paths() -> list[str]:
    return [path for path in sys.path if path]
