"""What a metamorphic relation is: other layers whose outputs, put together, have to give the output of this one.

No reference is asked: the candidate's own outputs have to agree. On integers every output is exact, so a
relation is an equality; the data of an image has the magnitudes of the original, so what kept the sums of
the original exact keeps those of the image exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck_reference.params import Arguments, Conv2dParams, PaddingMode

Array = NDArray[Any]

_NUMPY_MODES: Final[dict[PaddingMode, Any]] = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}
"""The padding modes in NumPy's words: `numpy.pad` shares no code with the reference."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A legal layer and the tensors that it is applied to.

    Attributes:
        arguments: as a caller spells them.
        x: (N, C, H, W) or (C, H, W).
        weight: (O, C/G, kh, kw).
        bias: (O,) or None.
    """

    arguments: Arguments
    x: Array
    weight: Array
    bias: Array | None

    @cached_property
    def params(self) -> Conv2dParams:
        """The layer's validated parameters."""
        return Conv2dParams.of(self.arguments)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one forward pass."""
        return self.params.multiply_adds(self.x.shape)

    @property
    def padded(self) -> Array:
        """The input with its padding around it."""
        sides = [(0, 0)] * (self.x.ndim - 2) + list(self.params.padding)
        mode = _NUMPY_MODES[self.params.padding_mode]
        return np.asarray(np.pad(self.x, sides, mode=mode)) if any(map(any, sides)) else self.x


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation.

    Attributes:
        name: in a word or two.
        statement: the equality, for readers of a report.
        clauses: what it tests more than anything else, where the case exercises it.
        images: the layers whose outputs it needs, none if it computes the output itself; None for a layer
            that it says nothing about.
        predict: the output of the layer, from the layer and the outputs of its images.
        adds: whether `predict` adds outputs up, so that they must not have been rounded.
    """

    name: str
    statement: str
    clauses: tuple[str, ...]
    images: Callable[[Layer], tuple[Layer, ...] | None]
    predict: Callable[[Layer, tuple[Array, ...]], Array]
    adds: bool = False
