"""Transforms of a function: what torch makes of one, where a backend declares that its own goes through it.

Each has a clause of its own, judged where it is declared. Sources: the documentation of torch.func.vmap, of
torch.func.jvp, of torch.autocast, of the meta device and of functions with out=.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from convcheck.model.calls import Mode


class Transform(StrEnum):
    """What a function may go through.

    VMAP: over a leading dimension of every operand, each slice is convolved by itself.
    JVP: the directional derivative along tangents of all operands, conv(ẋ, w) + conv(x, ẇ) + ḃ, beside the output.
    META: of tensors on the meta device comes one there, of the output's shape and dtype.
    AUTOCAST: within torch.autocast to bfloat16, float32 operands are computed with in that, which the result has.
    OUT: a tensor given as out= holds the output, and is what is returned.
    """

    VMAP = "vmap"
    JVP = "jvp"
    META = "meta"
    AUTOCAST = "autocast"
    OUT = "out"

    @property
    def clause(self) -> str:
        """The clause that says what it gives."""
        return f"C2D-TRANSFORM-{_IN_ORDER.index(self) + 1}"

    @property
    def mode(self) -> Mode:
        """The mode of a call through it."""
        return Mode(self.value)


_IN_ORDER: Final = tuple(Transform)
