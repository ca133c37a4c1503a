"""Graphs that an engine builds once a layer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from numpy.typing import NDArray

from convcheck_reference import Conv2dParams

_MOST = 32


class Graphs:
    """The graphs that were asked for last, by all that is built into them."""

    def __init__(self) -> None:
        self._built: OrderedDict[Hashable, Any] = OrderedDict()

    def of(self, key: Hashable, build: Callable[[], Any]) -> Any:
        """The graph of a key, built if it is not there; what `build` raises is raised."""
        if key not in self._built:
            self._built[key] = build()
        self._built.move_to_end(key)
        while len(self._built) > _MOST:
            self._built.popitem(last=False)
        return self._built[key]


def key_of(params: Conv2dParams, *arrays: NDArray[Any] | None, baked: tuple[NDArray[Any] | None, ...] = ()) -> Hashable:
    """All that a graph is made of.

    Args:
        params: the layer, legal or not.
        arrays: those whose shapes and dtypes are built in.
        baked: those whose values are as well.
    """
    forms = [None if array is None else (array.shape, array.dtype.name) for array in (*arrays, *baked)]
    # the text of a number tells 1 from True and from 1.0, as an engine may
    values = [None if array is None else array.tobytes() for array in baked]
    return repr((params, params.arguments)), *forms, *values
