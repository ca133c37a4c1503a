"""In which pass of a layer a verdict speaks, and how many cases of each clause were judged by dtype and pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Pass(StrEnum):
    """What is computed of a layer; CALL is what is no one result of it: refusals, memory, hidden state."""

    FORWARD = "forward"
    BACKWARD = "backward"
    DOUBLE_BACKWARD = "double backward"
    MODULE = "module"
    CALL = "call"


_OF_QUANTITIES: Final = {
    "output": Pass.FORWARD,
    **dict.fromkeys(("grad_input", "grad_weight", "grad_bias", "gradients", "adjoint"), Pass.BACKWARD),
    "double_backward": Pass.DOUBLE_BACKWARD,
    "module": Pass.MODULE,
}


def pass_of(quantity: str) -> Pass:
    """The pass that a verdict on a quantity is about."""
    return _OF_QUANTITIES.get(quantity, Pass.CALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassCount:
    """How many cases of one dtype were right, and wrong, in one pass for one clause; what is known to fail is wrong.

    Histories of calls are of no one dtype, and in none.
    """

    backend: str
    clause: str
    dtype: str
    of_pass: Pass
    right: int = 0
    wrong: int = 0


def pass_counts(backend: str, right: Counter[Key], wrong: Counter[Key]) -> tuple[PassCount, ...]:
    """The counts of a backend.

    Args:
        backend: its name.
        right: cases by clause, dtype and pass.
        wrong: likewise.
    """
    return tuple(
        PassCount(backend=backend, clause=key[0], dtype=key[1], of_pass=key[2], right=right[key], wrong=wrong[key])
        for key in sorted({*right, *wrong})
    )


def added(counts: Iterable[PassCount]) -> tuple[PassCount, ...]:
    """Counts of parts of a run as those of the whole."""
    of: dict[str, tuple[Counter[Key], Counter[Key]]] = {}
    for count in counts:
        right, wrong = of.setdefault(count.backend, (Counter(), Counter()))
        key = count.clause, count.dtype, count.of_pass
        right[key] += count.right
        wrong[key] += count.wrong
    return tuple(count for backend, both in sorted(of.items()) for count in pass_counts(backend, *both))


Key = tuple[str, str, Pass]
"""Clause, dtype and pass."""
