"""`convcheck new-backend`: a project for a backend of one's own, that works as it is."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from convcheck.cli.numbers import brief
from convcheck.cli.output import say
from convcheck.plugin.registry import installed
from convcheck.report import write_text
from convcheck_reference.errors import ConvcheckError

FILES: Final[Mapping[str, str]] = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    ".gitignore": "gitignore.j2",
    ".github/workflows/conformance.yml": "conformance.yml.j2",
    "src/{package}/__init__.py": "init.py.j2",
    "src/{package}/kernel.py": "kernel.py.j2",
    "tests/test_conformance.py": "test_conformance.py.j2",
}
"""By path in the project, the template of each file."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST: Final = 100


class NewBackendError(ConvcheckError, ValueError):
    """A project that cannot be made."""


def new_backend(
    name: Annotated[str, typer.Argument(help="of the backend, and of the folder: my-kernel")],
    into: Annotated[Path, typer.Option(help="where the folder goes")] = Path(),
) -> None:
    """Write a project for a backend of your own: a kernel, its tests, pyproject.toml with the entry point, CI."""
    folder = into / name
    write_project(name, folder)
    kernel = folder / "src" / _package(name) / "kernel.py"
    say(f"written: {folder}")
    say(f"your kernel goes into {kernel}; what is there conforms")
    say(f"try: cd {folder} && convcheck run")


def write_project(name: str, folder: Path) -> None:
    """Write every file.

    Args:
        name: of the backend.
        folder: that is made.

    Raises:
        NewBackendError: no backend can be called so, or something is there already; nothing is written.
        ReportError: a file cannot be written.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise NewBackendError(f"{brief(name)} is not made of small letters, digits and dashes between them: my-kernel")
    if folder.exists():
        raise NewBackendError(f"{str(folder)!r} exists, and nothing is overwritten; choose another name, or --into")
    if reason := _taken(name):
        raise NewBackendError(f"{name!r} {reason}; choose another name")
    package = _package(name)
    templates = _templates()
    for path, template in FILES.items():
        file = folder / path.format(package=package)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, templates.get_template(template).render(name=name, package=package))


def _package(name: str) -> str:
    return name.replace("-", "_")


def _taken(name: str) -> str:
    """Why no backend can be called so, or its package; empty if both can."""
    package = _package(name)
    if keyword.iskeyword(package) or package in sys.stdlib_module_names:
        return "is a word of Python, or a module that comes with it"
    if any(item.name == name for item in installed()):
        return "is an installed backend"
    if find_spec(package) is not None:
        return f"is taken: its package {package} would stand in the way of the one that is installed"
    return ""


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("convcheck.cli", "project"),
        autoescape=select_autoescape(enabled_extensions=()),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
