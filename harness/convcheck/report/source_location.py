"""Where a backend is written, for programs that show findings beside the source."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from pathlib import Path

from convcheck.model.text_file import text_of


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a file.

    Attributes:
        path: from the current folder if it is within, with / between folders; absolute otherwise.
        line: from 1; where the definition is not found, the first.
    """

    path: str
    line: int


def source_location(spec: str) -> SourceLocation | None:
    """Where a backend of path/to/file.py:name is defined; None for other ways to name one.

    Args:
        spec: of the backend.
    """
    location, colon, name = spec.rpartition(":")
    if not colon or not location.endswith(".py"):
        return None
    path = Path(os.path.relpath(location))
    shown = Path(location).absolute() if path.parts[:1] == ("..",) else path
    return SourceLocation(shown.as_posix(), _line(Path(location), name))


def _line(file: Path, name: str) -> int:
    """Where the name is defined or assigned at the top of a file; nothing is imported."""
    try:
        nodes = ast.parse(text_of(file)).body
    except (OSError, ValueError, SyntaxError, RecursionError):
        return 1
    return next((node.lineno for node in reversed(nodes) if name in _names(node)), 1)


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}
