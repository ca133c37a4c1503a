"""A library of wrong convolutions, to measure what the harness detects and to name what it has found.

Every defect is a backend: ``convcheck run --backend convcheck.defects:stride-exchanged``.
"""

from __future__ import annotations

from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from convcheck.defects import (
    accumulators,
    channels,
    cheats,
    conjunctions,
    contract,
    flaws,
    gradients,
    indexing,
    layout,
    padding,
    partial_gradients,
    precision,
    sampling,
    sizes,
    special_values,
    state,
    state_keys,
    state_wear,
    tiles,
)
from convcheck.defects.model import Category, Defect
from convcheck.plugin.backend import Backend
from convcheck_reference.errors import ConvcheckError

__all__ = ["DEFECTS", "Category", "Defect", "UnknownDefectError", "defect"]


class UnknownDefectError(ConvcheckError, KeyError):
    """No defect has this name."""

    def __str__(self) -> str:
        """The message, without the quotes that KeyError adds."""
        return str(self.args[0])


DEFECTS: Final[tuple[Defect, ...]] = (
    *indexing.DEFECTS,
    *padding.DEFECTS,
    *sampling.DILATIONS,
    *sampling.STRIDES,
    *channels.GROUPS,
    *channels.BIASES,
    *tiles.DEFECTS,
    *sizes.DEFECTS,
    *precision.DEFECTS,
    *accumulators.DEFECTS,
    *special_values.DEFECTS,
    *contract.DEFECTS,
    *flaws.DEFECTS,
    *layout.DEFECTS,
    *state.DEFECTS,
    *state_keys.DEFECTS,
    *state_wear.DEFECTS,
    *gradients.DEFECTS,
    *partial_gradients.DEFECTS,
    *conjunctions.DEFECTS,
    *cheats.DEFECTS,
)
"""Every defect, by category."""

_BY_NAME: Final = MappingProxyType({item.name: item for item in DEFECTS})


def defect(name: str) -> Defect:
    """The defect of this name.

    Raises:
        UnknownDefectError: there is none; the message names the nearest.
    """
    if name not in _BY_NAME:
        near = get_close_matches(name, _BY_NAME, n=1)
        hint = f"did you mean {near[0]}?" if near else "`convcheck.defects.DEFECTS` lists them"
        raise UnknownDefectError(f"no defect is called {name!r}; {hint}")
    return _BY_NAME[name]


def __getattr__(name: str) -> Backend:
    # what makes `convcheck.defects:NAME` the spec of a backend
    if name in _BY_NAME:
        return _BY_NAME[name].backend()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
