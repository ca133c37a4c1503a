"""A standalone reproduction of a finding: a Python file that needs NumPy and the candidate only."""

from __future__ import annotations

from typing import Final

import numpy as np

from convcheck.model.record import Finding, Record
from convcheck.model.reproduction import PackedArray
from convcheck.model.token import read
from convcheck.plugin.registry import installed_target
from convcheck.report.templating import environment

_LARGEST_LITERAL: Final = 64
"""Elements up to which an array is written out, so that a reader sees its numbers."""


def script(record: Record, finding: Finding) -> str:
    """The script; empty where only `convcheck replay` can repeat a finding.

    That is so for findings that need more than one call of a fresh candidate, or are not about one result of it.
    """
    call = finding.reproduction.call
    if call is None:
        return ""
    backend = next(b for b in record.backends if b.name == finding.backend)
    case = read(finding.reproduction.token)
    results = (("expected", call.expected), ("tolerance", call.tolerance))
    return (
        environment()
        .get_template("reproduce.py.j2")
        .render(
            finding=finding,
            layer=str(case.arguments),
            arguments=case.arguments,
            spec=installed_target(backend.spec),
            backward=call.backward,
            tensors=[(name, literal(t.values), t.layout) for name, t in call.tensors.items()],
            results=[(name, literal(array)) for name, array in results if array is not None],
            bfloat16=case.dtype == "bfloat16",
        )
    )


def literal(packed: PackedArray) -> str:
    """A Python expression that makes an array, bit for bit."""
    array = packed.array
    dtype = f"np.{packed.dtype}" if packed.dtype != "bfloat16" else "bfloat16"
    if array.size <= _LARGEST_LITERAL and array.size and np.isfinite(array.astype(complex)).all():
        return f"np.array({array.tolist()!r}, dtype={dtype})"
    return f'unpack("{packed.data}", {dtype}, {packed.shape})'
