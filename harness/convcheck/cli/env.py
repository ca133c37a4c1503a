"""`convcheck env`: environments for engines that do not install beside each other, and for older releases of one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated, Final

import typer

from convcheck.cli.output import complain, say
from convcheck.execution.environments import (
    FOLDER,
    Environment,
    describe,
    described,
    environments,
    environments_folder,
    removed,
)
from convcheck.report.folder import check_writable, folder_of
from convcheck.report.tables import table
from convcheck_reference.errors import ConvcheckError

_EXACT: Final = re.compile(r"(?P<package>[\w.-]+?)(\[[^]]*\])?==(?P<version>[\w.+!-]+)")
_WHEEL: Final = re.compile(r"(?P<package>[^-]+)-(?P<version>[^-]+)-.*\.whl")


class EnvironmentBuildError(ConvcheckError, RuntimeError):
    """An environment could not be built; nothing of it is left."""


class Action(StrEnum):
    """What is done with environments."""

    ADD = "add"
    LIST = "list"
    REMOVE = "remove"


def env(
    action: Annotated[Action, typer.Argument(help="add one, list all, remove some", case_sensitive=False)],
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REQUIREMENT|NAME]...", help="what to install, as pip takes it; or which to remove"),
    ] = None,
    name: Annotated[str, typer.Option(help="of the one to add (default: PACKAGE@VERSION of the first)")] = "",
    env_dir: Annotated[
        Path | None, typer.Option(envvar=FOLDER, help="where they are (default: in the user's cache)")
    ] = None,
) -> None:
    """Build virtual environments for releases of engines, list and remove them; --backend NAME@VERSION uses one."""
    folder, asked = env_dir or environments_folder(), tuple(what or ())
    if action is Action.LIST:
        _list(folder, asked)
    elif not asked:
        raise typer.BadParameter(f"env {action} needs {'a requirement' if action is Action.ADD else 'a name'}")
    elif action is Action.ADD:
        _add(folder, asked, name or _name(asked[0]))
    else:
        _remove(folder, asked)


def _list(folder: Path, asked: Sequence[str]) -> None:
    if asked:
        raise typer.BadParameter(f"env list takes no names; leave out {' '.join(asked)}")
    rows = [
        (each.name, each.python, " ".join(each.requirements), "" if each.whole else "not complete")
        for each in environments(folder)
    ]
    say(table(["environment", "python", "requirements", "state"], rows, "text") if rows else "none")
    say(f"in {folder}")


def _name(requirement: str) -> str:
    """PACKAGE@VERSION of a requirement.

    Raises:
        BadParameter: it names no version.
    """
    found = _EXACT.fullmatch(requirement) or _WHEEL.fullmatch(Path(requirement).name)
    if found is None:
        raise typer.BadParameter(f"{requirement!r} names no version; expected package==version, or a --name")
    return f"{found['package']}@{found['version']}"


def _add(folder: Path, requirements: tuple[str, ...], name: str) -> None:
    place = folder_of(folder, name)
    if described(place).whole:
        raise typer.BadParameter(f"the environment {name} is there; remove it first: convcheck env remove {name}")
    check_writable(folder)
    complain(f"building {name} in {folder}: {' '.join(requirements)}")
    try:
        for command in _commands(place, requirements):
            _run(command)
        built = describe(place, requirements)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    say(f"built {built.name}; use it as --backend NAME@{name.rpartition('@')[2]}")


def _commands(place: Path, requirements: tuple[str, ...]) -> list[list[str]]:
    """What builds an environment, by uv where that is installed.

    Raises:
        EnvironmentBuildError: there is nothing that could.
    """
    python = str(Environment(place).interpreter)
    if uv := shutil.which("uv"):
        return [
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)],
            [uv, "pip", "install", "--quiet", "--python", python, *requirements],
        ]
    # who looks for the module pip has setuptools' hook step aside for the rest of the process
    if not any(distributions(name="pip")):
        raise EnvironmentBuildError(
            "neither uv nor pip is installed here, one of which builds environments; install uv"
        )
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "--quiet"]
    return [
        [sys.executable, "-m", "venv", "--clear", "--without-pip", str(place)],
        [*pip, "install", *requirements],
    ]


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603  (as the user asked)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise EnvironmentBuildError(f"{Path(command[0]).name} {command[-1]}: {' '.join(said[-3:]) or 'it failed'}")


def _remove(folder: Path, names: Sequence[str]) -> None:
    there = {each.name: each for each in environments(folder)}
    if unknown := [name for name in names if name not in there]:
        known = ", ".join(there) or "none"
        raise typer.BadParameter(f"no environment is called {unknown[0]!r}; in {folder} there are: {known}")
    for name in dict.fromkeys(names):
        removed(there[name])
        say(f"removed {name}")
