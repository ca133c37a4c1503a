"""Large indices: layers whose offsets or sizes pass 65,535, 2^31 and 2^32, judged at sampled elements.

32-bit offsets overflow, grids of blocks have limits, and the tail of a long loop stays unwritten. Such
tensors are too large to send around or to compute twice, so these cases run in the candidate's process:
the tensors repeat a table of prime length, by which any element of them is known, and a few hundred
outputs are formed again as exact dot products.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.profiles import Algorithm
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.numerics.gauges import in_use
from convcheck.numerics.limits import output_limit
from convcheck.plugin.backend import Backend
from convcheck_reference.formats import DTYPES
from convcheck_reference.padding import source_index
from convcheck_reference.params import Arguments, Shape

Array = NDArray[Any]
Index = tuple[int, ...]

NAME = "large"
CLAUSE = "C2D-SHAPE-6"

PERIOD: Final = 2**20 - 3
"""Length of the table, a prime: offsets that differ by a power of two hold different entries of it."""

_GRID: Final = 65_536
_OFFSETS: Final = (2**31, 2**32)
_RANDOM: Final = 100
_MAGNITUDE: Final = 3


@dataclass(frozen=True, slots=True)
class LargeCase:
    """A layer with large indices.

    Attributes:
        case: the layer and its input.
        passes: what it passes, in words.
    """

    case: Case
    passes: str

    @property
    def nbytes(self) -> int:
        """Bytes of input, weight and output; what the candidate allocates comes on top."""
        shapes = (self.case.input_shape, self.case.params.weight_shape, self.case.output_shape)
        return int(sum(map(math.prod, shapes)) * DTYPES[self.case.dtype].itemsize)


def large_cases(memory: int, dtype: str = "float32") -> tuple[LargeCase, ...]:
    """The cases whose tensors take at most `memory` bytes, the smallest first.

    Args:
        memory: bytes for input, weight and output together.
        dtype: of the tensors.
    """
    size = DTYPES[dtype].itemsize
    side = math.isqrt(2**31 // 8) + 9
    half = math.isqrt(2**31 // 8 // size) + 9
    wide = math.isqrt(2**32 // 8 // size) + 9
    layers = (
        (f"{_GRID} images", Arguments(1, 2, 2), (_GRID + 3, 1, 3, 3)),
        (f"{_GRID} output channels", Arguments(2, _GRID + 3, 1), (1, 2, 2, 3)),
        (f"{_GRID} input channels", Arguments(_GRID + 3, 2, 1), (1, _GRID + 3, 2, 2)),
        (f"{_GRID} groups", Arguments(_GRID + 3, _GRID + 3, 2, groups=_GRID + 3), (1, _GRID + 3, 3, 3)),
        (f"{_GRID} rows", Arguments(1, 2, 3, padding=1), (1, 1, _GRID + 3, 7)),
        (f"{_GRID} columns", Arguments(1, 2, 3, padding=1), (1, 1, 7, _GRID + 3)),
        ("an input of 2^31 bytes", Arguments(8, 2, 3, stride=4), (1, 8, half, half)),
        ("an input of 2^32 bytes", Arguments(8, 2, 3, stride=4), (1, 8, wide, wide)),
        ("an input of 2^31 elements", Arguments(8, 2, 3, stride=4), (1, 8, side, side)),
        ("an output of 2^31 bytes", Arguments(1, 8, 1), (1, 1, half, half)),
        ("an output of 2^32 bytes", Arguments(1, 8, 1), (1, 1, wide, wide)),
        ("an output of 2^31 elements", Arguments(1, 8, 1), (1, 1, side, side)),
        ("2^31 pixels under all taps", Arguments(1, 1, 15, padding=7), (1, 1, 3100, 3100)),
    )
    found = [LargeCase(Case(arguments, shape, dtype), passes) for passes, arguments, shape in layers]
    return tuple(sorted((c for c in found if c.nbytes <= memory), key=lambda c: c.nbytes))


def judge(backend: Backend, large: LargeCase) -> Verdict:
    """Run the layer in this process and judge its sampled outputs (clause C2D-SHAPE-6).

    Raises:
        Exception: whatever the backend raises.
    """
    case = large.case
    reason = _inapplicable(backend.capabilities, case)
    if reason:
        return Verdict(NAME, "output", Status.NOT_APPLICABLE, (CLAUSE,), reason)
    x, weight, bias = (_tensor(shape, case.dtype, _table(which)) for which, shape in enumerate(_shapes(case)))
    got = backend.to_numpy(
        backend.conv2d(backend.to_native(x), backend.to_native(weight), backend.to_native(bias), case.params)
    )
    if got.shape != case.output_shape or got.dtype != DTYPES[case.dtype]:
        reason = f"output is {got.dtype} {got.shape}; expected {case.dtype} {case.output_shape}"
        return Verdict(NAME, "output", Status.FAIL, (CLAUSE,), reason)
    at = sample_positions(case)
    expected = [exact_element(case, index) for index in at]
    wrong = [(i, e) for i, e in zip(at, expected, strict=True) if float(got[i]) != float(np.array(e, got.dtype))]
    if not wrong:
        return Verdict(NAME, "output", Status.PASS, (CLAUSE,))
    index, value = wrong[0]
    evidence = Evidence(index, str(value), f"{float(got[index]):.9g}", len(wrong), len(at), _location(wrong, at))
    reason = f"{len(wrong)} of {len(at)} sampled elements are wrong in a layer with {large.passes}"
    return Verdict(NAME, "output", Status.FAIL, (CLAUSE,), reason, evidence=evidence)


def sample_positions(case: Case, offsets: Iterable[int] = _OFFSETS) -> tuple[Index, ...]:
    """Indices of outputs: first and last, random ones, and those about each limit.

    Limits are `offsets` in elements and in bytes, of the output and of the input that it reads, and
    65,536 along each axis.
    """
    shape, size = case.output_shape, math.prod(case.output_shape)
    itemsize = DTYPES[case.dtype].itemsize
    limits = [limit // unit for limit in offsets for unit in (1, itemsize)]
    flat = {0, size - 1, *np.random.default_rng(case.seed).integers(0, size, _RANDOM).tolist()}
    flat |= {limit + by for limit in limits for by in (-1, 0, 1)}
    found = {tuple(map(int, np.unravel_index(at, shape))) for at in flat if 0 <= at < size}
    inputs = math.prod(case.input_shape)
    found |= {_reading(case, limit) for limit in limits if limit < inputs}
    for axis, length in enumerate(shape):
        for at in (_GRID - 2, _GRID - 1, _GRID, length - 1):
            if 0 <= at < length:
                found |= {(*rest[:axis], at, *rest[axis + 1 :]) for rest in _corners(shape)}
    return tuple(sorted(found))


def exact_element(case: Case, index: Index) -> int:
    """One output as an exact dot product of the tables, in Python's integers.

    Args:
        case: a layer on a batched input.
        index: (n, o, i, j).
    """
    params, (n, o, i, j) = case.params, index
    block = params.in_channels // params.groups
    first = o // (params.out_channels // params.groups) * block
    sources = []
    for axis, at in ((0, i), (1, j)):
        taps = at * params.stride[axis] + np.arange(params.kernel_size[axis]) * params.dilation[axis]
        sources.append(source_index(case.input_shape[axis + 2], params.padding[axis], params.padding_mode)[taps])
    _, channels, height, width = case.input_shape
    c, rows, columns = np.ix_(np.arange(first, first + block, dtype=np.int64), *sources)
    x = _table(0)[(((n * channels + c) * height + rows) * width + columns) % PERIOD]
    x = np.where((rows >= 0) & (columns >= 0), x, 0)
    taps = np.arange(params.fan_in, dtype=np.int64) + o * params.fan_in
    total = int((x.reshape(-1) * _table(1)[taps % PERIOD]).sum())
    return total + int(_table(2)[o % PERIOD])


def _inapplicable(capabilities: Capabilities, case: Case) -> str:
    profile = capabilities.promised(case, "output")
    if in_use(profile, "output", case.params) is not Algorithm.DIRECT:
        return f"integers are not exact under profile {profile.name}"
    if case.params.fan_in * _MAGNITUDE**2 + _MAGNITUDE > output_limit(profile, case.dtype):
        return f"sums of {case.params.fan_in} products are not exact under profile {profile.name}"
    return capabilities.unsupported(case) or ""


def _shapes(case: Case) -> tuple[Shape, ...]:
    return case.input_shape, case.params.weight_shape, (case.params.out_channels,)


@lru_cache
def _table(which: int) -> NDArray[np.int64]:
    """The integers that x (0), weight (1) and bias (2) repeat."""
    return np.random.default_rng([which, PERIOD]).integers(-_MAGNITUDE, _MAGNITUDE, PERIOD, endpoint=True)


def _tensor(shape: Shape, dtype: str, table: NDArray[np.int64]) -> Array:
    flat = np.empty(math.prod(shape), DTYPES[dtype])
    values = table.astype(flat.dtype)
    for start in range(0, flat.size, PERIOD):
        flat[start : start + PERIOD] = values[: flat.size - start]
    return flat.reshape(shape)


def _reading(case: Case, offset: int) -> Index:
    """An output whose window reads the input element at `offset`, or comes close."""
    n, c, row, column = (int(i) for i in np.unravel_index(offset, case.input_shape))
    params, (_, _, oh, ow) = case.params, case.output_shape
    group = c // (params.in_channels // params.groups)
    at = [
        min(max(0, (p + pads[0]) // stride), count - 1)
        for p, pads, stride, count in zip((row, column), params.padding, params.stride, (oh, ow), strict=True)
    ]
    return n, group * (params.out_channels // params.groups), at[0], at[1]


def _corners(shape: Shape) -> Iterator[Index]:
    return itertools.product(*((0, length - 1) for length in shape))


def _location(wrong: list[tuple[Index, int]], at: tuple[Index, ...]) -> str:
    first, last = wrong[0][0], wrong[-1][0]
    return f"{len(wrong)} of {len(at)} sampled elements, from {first} to {last}"
