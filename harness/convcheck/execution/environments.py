"""Virtual environments for engines that do not install beside each other, and for older releases of one.

`onnxruntime@1.24` is the backend onnxruntime in the environment of this name, or in the one called 1.24, and
`torch-cpu@torch@2.4` the backend torch-cpu in the environment torch@2.4. Its worker runs there; the judge stays where
it is. What a worker needs is put on its path: convcheck's packages, that of the backend, and NumPy and ml_dtypes where
the environment has none of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from convcheck.plugin.backend_spec import parted
from convcheck.plugin.placed import Placed
from convcheck.plugin.registry import installed_target
from convcheck_reference.errors import ConvcheckError

FOLDER: Final = "CONVCHECK_ENV_DIR"
"""The variable that says where environments are."""

DESCRIPTION: Final = "convcheck.json"
"""Of an environment; written when all of it is there."""

_PATH: Final = "convcheck-path"
_OURS: Final = ("convcheck", "convcheck_reference", "convcheck_backends")
_UNLESS_THERE: Final = ("numpy", "ml_dtypes")


class EnvironmentNotFoundError(ConvcheckError, ValueError):
    """No environment has this name."""


class BrokenEnvironmentError(ConvcheckError, RuntimeError):
    """An environment that was not built to its end, or from which something has been removed."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment.

    Attributes:
        folder: where it lies.
        requirements: that were installed, as they were asked for.
        python: version of its interpreter; empty where it was not built to its end.
    """

    folder: Path
    requirements: tuple[str, ...] = ()
    python: str = ""

    @property
    def name(self) -> str:
        """Behind the @ of a backend."""
        return self.folder.name

    @property
    def interpreter(self) -> Path:
        """Its interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def whole(self) -> bool:
        """Whether it was built to its end, and its interpreter can be started."""
        return bool(self.python) and self.interpreter.exists()

    def path(self, target: str) -> Path:
        """The folder that a worker has on its path, with links to what it needs.

        Args:
            target: of the backend, package.module:name or path/to/file.py:name, and its options.
        """
        links = self.folder / _PATH
        links.mkdir(exist_ok=True)
        location = parted(target)[0].rpartition(":")[0]
        own = () if location.endswith(".py") else (location.partition(".")[0],)
        missing = (name for name in _UNLESS_THERE if not self._has(name))
        for name in dict.fromkeys((*_OURS, *own, *missing)):
            _link(links, name)
        return links

    def _has(self, package: str) -> bool:
        return any(self.folder.glob(f"[Ll]ib*/**/site-packages/{package}"))


def environments_folder() -> Path:
    """Where environments are: as the variable says, else in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get(FOLDER) or cache / "convcheck" / "environments")


def environments(folder: Path) -> tuple[Environment, ...]:
    """The environments of a folder, by name."""
    there = sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
    return tuple(map(described, there))


def described(folder: Path) -> Environment:
    """An environment as its description has it; without one it was not built to its end."""
    try:
        found = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        return Environment(folder, tuple(map(str, found["requirements"])), str(found["python"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Environment(folder)


def found_for(placed: Placed) -> Environment:
    """The environment of a backend.

    Raises:
        EnvironmentNotFoundError: there is none of its names; the message says which there are.
        BrokenEnvironmentError: it was not built to its end.
    """
    folder = environments_folder()
    there = {environment.name: environment for environment in environments(folder)}
    found = next((there[name] for name in placed.names if name in there), None)
    if found is None:
        known = ", ".join(there) or "none"
        raise EnvironmentNotFoundError(
            f"no environment is called {placed.names[0]!r} or {placed.names[1]!r}; in {folder} there are: {known}; "
            f"build one with `convcheck env add PACKAGE=={placed.release} --name {placed.names[0]}`"
        )
    if not found.whole:
        raise BrokenEnvironmentError(
            f"the environment {found.name} in {folder} is not complete; remove it with `convcheck env remove "
            f"{found.name}`, and add it again"
        )
    return found


def target_of(backend: str) -> str:
    """What a worker can load that has none of the entry points of this environment."""
    try:
        return installed_target(backend)
    except KeyError:  # said by whoever loads it, with the nearest name
        return backend


def _link(links: Path, package: str) -> None:
    """Have a package of this environment on the path of another."""
    spec = find_spec(package)
    if spec is None or not (spec.submodule_search_locations or spec.origin):
        return
    there = Path(spec.submodule_search_locations[0]) if spec.submodule_search_locations else Path(str(spec.origin))
    link = links / there.name
    if link.is_symlink() and link.readlink() == there:
        return
    beside = links / f".{there.name}-{os.getpid()}"
    beside.symlink_to(there)
    beside.replace(link)  # other judging processes may do so at the same time


def removed(environment: Environment) -> None:
    """Remove all of an environment."""
    shutil.rmtree(environment.folder)


def describe(folder: Path, requirements: tuple[str, ...]) -> Environment:
    """Say that all of an environment is there."""
    python = sys.version.split()[0]
    text = json.dumps({"requirements": requirements, "python": python}, indent=2)
    (folder / DESCRIPTION).write_text(f"{text}\n", encoding="utf-8")
    return described(folder)
