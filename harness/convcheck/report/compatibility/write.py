"""Writing the matrix into a folder, each file whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from convcheck.model.matrix import Matrix
from convcheck.report.compatibility.csv import matrix_csv
from convcheck.report.compatibility.html import matrix_html
from convcheck.report.compatibility.markdown import matrix_markdown
from convcheck.report.compatibility.matrix_file import MATRIX
from convcheck.report.write import write_text

PAGE: Final = "matrix.html"


def write_matrix(matrix: Matrix, as_json: str, folder: Path) -> None:
    """Write every form of a matrix.

    Args:
        matrix: what is written.
        as_json: the same as machines read it.
        folder: that is there.

    Raises:
        ReportError: one of them cannot be written; those that were stay as they are.
    """
    write_text(folder / PAGE, matrix_html(matrix))
    write_text(folder / "matrix.md", matrix_markdown(matrix))
    write_text(folder / "matrix.csv", matrix_csv(matrix))
    write_text(folder / MATRIX, f"{as_json}\n")
