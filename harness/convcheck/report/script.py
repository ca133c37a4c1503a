"""A reproduction of a finding: a Python file, which needs NumPy and the candidate only where one call shows it."""

from __future__ import annotations

from typing import Final

import numpy as np

from convcheck.model.record import Finding, Record
from convcheck.model.reproduction import PackedArray, PackedTensor
from convcheck.model.strides import ALIGNMENT, Strides, strides_of
from convcheck.model.token import read
from convcheck.plugin.placed import Placed
from convcheck.plugin.registry import installed_target
from convcheck.report.replaying import replay_arguments
from convcheck.report.tables import printable
from convcheck.report.templating import environment

_LARGEST_LITERAL: Final = 64
"""Elements up to which an array is written out, so that a reader sees its numbers."""


def script(record: Record, finding: Finding) -> str:
    """The script; one that asks `convcheck replay` where a finding needs more than one call, or is about no one result.

    Empty where no case is to blame.
    """
    return _of_one_call(record, finding) or _of_replay(finding)


def _of_replay(finding: Finding) -> str:
    """A script that needs convcheck as well: what it judges is more than a script can hold."""
    command = replay_arguments(finding)
    if not command:
        return ""
    return environment().get_template("replay.py.j2").render(about=_in_docstring(_about(finding)), command=command)


def _about(finding: Finding) -> str:
    case = read(finding.reproduction.token)
    head = f"{finding.backend}: {finding.clause}, {finding.verdict.quantity}, {finding.status}."
    return f"{head}\n\n{case.arguments}\n{case.token}"


def _of_one_call(record: Record, finding: Finding) -> str:
    """A script that needs NumPy and the candidate only; empty where no one call shows it, or it is not installed."""
    call = finding.reproduction.call
    if call is None:
        return ""
    backend = next(b for b in record.backends if b.name == finding.backend)
    if Placed.of(backend.spec) is not None:  # a worker in an environment of its own finds it, and nobody here
        return ""
    try:
        spec = installed_target(backend.spec)
    except (KeyError, ValueError):  # it is not installed, or no file can have that name
        return ""
    case = read(finding.reproduction.token)
    results = [(name, r) for name, r in (("expected", call.expected), ("tolerance", call.tolerance)) if r is not None]
    packed = [*(t.values for t in call.tensors.values()), *(r for _, r in results)]
    return (
        environment()
        .get_template("reproduce.py.j2")
        .render(
            finding=finding,
            about=_in_docstring(_about(finding)),
            arguments=case.arguments,
            spec=spec,
            backward=call.backward,
            wanted=tuple(name for name in call.wanted if name in call.tensors),
            tensors=[(name, literal(t.values), t.layout, *_in_memory(t)) for name, t in call.tensors.items()],
            results=[(name, literal(array)) for name, array in results],
            bfloat16=any(array.dtype == "bfloat16" for array in packed),
        )
    )


def _in_memory(tensor: PackedTensor) -> tuple[Strides, int]:
    """The view of its memory that a tensor is, and how many bytes after a multiple of 64 that begins."""
    view = strides_of(tensor.values.shape, tensor.layout)
    size = view.memory * tensor.values.array.itemsize
    return view, -size % ALIGNMENT if tensor.placement == "at_end" else 0


def _in_docstring(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def literal(packed: PackedArray) -> str:
    """A Python expression that makes an array, bit for bit."""
    array = packed.array
    name = array.dtype.name  # not as the text of a record has it, which would become code
    dtype = f"np.{name}" if name != "bfloat16" else "bfloat16"
    # the spelling of a complex number loses the sign of a zero
    spelled = 0 < array.size <= _LARGEST_LITERAL and not np.iscomplexobj(array)
    if spelled and np.isfinite(array.astype(float)).all():
        return f"np.array({array.tolist()!r}, dtype={dtype})"
    return f"unpack({packed.data!r}, {dtype}, {packed.shape})"
