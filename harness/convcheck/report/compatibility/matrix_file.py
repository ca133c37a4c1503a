"""The matrix as a file: what `convcheck matrix` writes as JSON, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from convcheck.model.matrix import Matrix
from convcheck.model.record_checks import check
from convcheck.model.schemas import adapter
from convcheck.model.text_file import text_of
from convcheck_reference.clauses import clause
from convcheck_reference.errors import ConvcheckError

MATRIX: Final = "matrix.json"
KIND: Final = "matrix"
SCHEMA: Final = 1
_EXPECTED: Final = f"expected the {MATRIX} that `convcheck matrix` writes"


class MatrixError(ConvcheckError, ValueError):
    """A file that is no matrix."""


def read_matrix(file: Path) -> Matrix:
    """The matrix of a file.

    Raises:
        MatrixError: it is none, or cannot be read; the message says what was expected.
    """
    try:
        found = json.loads(text_of(file))
    except (OSError, ValueError, RecursionError) as error:
        raise MatrixError(f"{str(file)[:300]} cannot be read: {error}; {_EXPECTED}") from error
    if not isinstance(found, dict) or found.pop("kind", None) != KIND:
        raise MatrixError(f"{file} holds something else; {_EXPECTED}")
    if (schema := found.pop("schema", None)) != SCHEMA:
        raise MatrixError(f"{file}: schema {schema}; this convcheck reads schema {SCHEMA}")
    return _checked(file, _matrix(file, found))


def _matrix(file: Path, found: dict[str, Any]) -> Matrix:
    from pydantic import ValidationError  # noqa: PLC0415  (it takes long to import, and few processes read matrices)

    try:
        matrix: Matrix = adapter(Matrix, strict=False).validate_python([found])[0]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][1:]))
        raise MatrixError(f"{file}: field {where}: {first['msg']}; {_EXPECTED}") from error
    return matrix


def _checked(file: Path, matrix: Matrix) -> Matrix:
    """Refuse what would stop whoever renders it."""
    try:
        for name in (*matrix.clauses, *(cell.clause for engine in matrix.engines for cell in engine.cells)):
            clause(name)
        for entry in matrix.findings:
            check(entry.finding)
    except ConvcheckError as error:
        raise MatrixError(f"{file}: {error}; {_EXPECTED}") from error
    return matrix
