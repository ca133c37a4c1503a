"""One order of cases, by which the smallest of several is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from convcheck.model.case import Case

Complexity: TypeAlias = tuple[int, ...]
"""What `complexity` gives: compared from left to right."""

_PLAIN: Final = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "padding_mode": "zeros"}
_DTYPES: Final = ("float32", "float64")
_SPARSE: Final = (1, 2, 4)


def complexity(case: Case) -> Complexity:
    """How much there is to a case, legal or not; every step that `shrink.simpler` takes makes it less.

    In this order: how many parameters and properties of the data are not the plainest, which a reader has to think
    about; the sum of its sizes and other numbers; how unusual the dtype is; whether there is a bias, and how many
    elements are not zero; the length of its token; its seed.
    """
    return (
        _away(case),
        sum(_sizes(case)),
        _DTYPES.index(case.dtype) if case.dtype in _DTYPES else len(_DTYPES),
        int(case.arguments.bias is not False),
        len(_SPARSE) if case.nonzeros is None else sum(case.nonzeros > few for few in _SPARSE),
        len(case.token),
        case.seed,
    )


def _away(case: Case) -> int:
    arguments = case.arguments
    properties = (
        case.dtype != "float32",
        case.regime != "reals",
        case.entry != "function",
        case.flaw != "none",
        len(case.input_shape) != 4,
        case.batch == 0,
        *(layout != "contiguous" for layout in case.layout_of.values()),
        case.placement != "aligned",
    )
    parameters = (_entries(getattr(arguments, name)) - {plainest} for name, plainest in _PLAIN.items())
    return sum(properties) + sum(map(bool, parameters))


def _entries(value: Any) -> set[Any]:
    return set(value) if isinstance(value, tuple) else {value}


def _sizes(case: Case) -> Iterator[int]:
    """The magnitudes of all numbers of a case; an int for both axes counts twice, as the pair that it stands for."""
    spelled = case.arguments
    pairs = (spelled.kernel_size, spelled.stride, spelled.padding, spelled.dilation)
    values = (spelled.in_channels, spelled.out_channels, spelled.groups, *case.input_shape)
    for value in (*values, *(part for pair in pairs for part in (pair if isinstance(pair, tuple) else (pair, pair)))):
        if type(value) is int:
            yield abs(value)
