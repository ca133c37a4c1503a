"""Values of a case, drawn from its seed: exact integers, and the real-valued regimes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import REGIMES, Case
from convcheck.model.profiles import Profile, Quantity
from convcheck.numerics.reduction_length import reduction_lengths
from convcheck.tensors.cancelling import cancelling
from convcheck.tensors.integer_sizes import sizes_of
from convcheck.tensors.layouts import conformed
from convcheck_reference.convolution import conv2d, conv2d_grad_bias, conv2d_grad_input, conv2d_grad_weight
from convcheck_reference.formats import DTYPES, Format, component_format

Array = NDArray[Any]

_DIGITS: Final = 9  # the same in most layers, so that contents that are to stay do
_PERIOD: Final = 262_139
"""A prime: offsets that differ by a power of two, or by a channel of most images, hold different entries of a table."""

_INTEGER_STREAM: Final = 8
"""The random stream of the integers, besides one for each regime."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The tensors of a case: C-contiguous, in its dtype; bias is None for a layer without one.

    Shapes: x (N, C, H, W) or (C, H, W); weight (O, C/G, kh, kw); bias (O,); grad_output as the output.
    """

    x: Array
    weight: Array
    bias: Array | None
    grad_output: Array


def integer_values(case: Case, profiles: Mapping[Quantity, Profile], seeds: tuple[int, ...] | None = None) -> Values:
    """Dense signed integers, sized so that every partial sum is exact in the promised accumulators.

    Where not even ±4 is little enough, the tensor that is summed over is thinned out. Under a fast algorithm magnitudes
    are such that the result gives the integer away. In a dtype of fewer bits than the accumulators, sums cancel.

    Args:
        case: a legal case.
        profiles: the promised profile of each quantity.
        seeds: of x, weight, bias and grad_output, of digits then: each keeps its contents with its seed and shape.
    """
    sizes = sizes_of(case, profiles)
    rngs = [np.random.default_rng([case.seed, _INTEGER_STREAM])] * 4
    if seeds is not None:
        sizes = sizes.at_most(_DIGITS)
        rngs = [np.random.default_rng([seed, _INTEGER_STREAM, number]) for number, seed in enumerate(seeds)]
    of_x, of_weight, of_bias, of_grad = rngs
    dtype = DTYPES[component_format(case.dtype).name]
    if sizes.cancelling:
        x, weight, grad = cancelling(case, sizes, of_x)
    else:
        most, of_gradients = sizes.magnitudes, sizes.share("grad_input", "grad_weight")
        x = _integers(of_x, case.input_shape, most["x"], sizes.share("output"), dtype)
        weight = _integers(of_weight, case.params.weight_shape, most["weight"], 1.0, dtype)
        grad = _integers(of_grad, case.output_shape, most["grad_output"], of_gradients, dtype)
    bias = _integers(of_bias, case.params.bias_shape, sizes.bias, 1.0) if case.params.bias_shape else None
    drawn = Values(x, weight, bias, grad)
    rngs = [of_x, of_weight, of_grad] if bias is None else [of_bias, of_x, of_weight, of_grad]
    parts = iter(rngs)  # as they are finished
    return _finish(case, drawn, of_x, imaginary=lambda a: _integers(next(parts), a.shape, 1, 1.0))


def real_values(case: Case) -> Values:
    """The real-valued data of the case's regime, rounded to its dtype."""
    regime = REGIMES.index(case.regime)
    rng = np.random.default_rng([case.seed, regime if regime < _INTEGER_STREAM else regime + 1])
    shapes = (case.input_shape, case.params.weight_shape, case.params.bias_shape, case.output_shape)
    x, weight, bias, grad = (None if shape is None else _repeated(rng.standard_normal, shape) for shape in shapes)
    assert x is not None
    assert weight is not None
    assert grad is not None
    fmt = component_format(case.dtype)
    values = Values(x, weight, bias, grad)
    if case.regime == "positive":
        values = _map(values, lambda a: 0.5 + np.abs(a) % 1.0)
    elif case.regime == "wide":
        values = _map(values, lambda a: a * 2.0 ** rng.integers(-8, 9, a.shape) * _moderate(fmt))
    elif case.regime == "large":
        values = _scaled_up(values, case, fmt)
    elif case.regime == "overflow":
        values = _near_overflow(values, case, fmt)
    elif case.regime == "cancelling":
        values = _cancelling(values)
    elif case.regime == "subnormal":
        values = Values(
            x * fmt.smallest_normal * 0.25,
            weight,
            None if bias is None else bias * fmt.smallest_normal,
            grad * fmt.smallest_normal * 0.25,
        )
    elif case.regime == "special":
        values = _sprinkled(values, rng)
    elif case.regime == "mixed":
        values = _mixed(values, fmt, rng)
    return _finish(case, values, rng, imaginary=lambda a: rng.permuted(a.reshape(-1)).reshape(a.shape))


def _repeated(make: Callable[[tuple[int, ...]], Array], shape: tuple[int, ...]) -> Array:
    """An array that is made as a whole, or of which a table of prime length is, if it is long, and repeated."""
    size = math.prod(shape)
    return make(shape) if size <= _PERIOD else np.resize(make((_PERIOD,)), size).reshape(shape)


def _integers(
    rng: np.random.Generator, shape: tuple[int, ...], magnitude: int, share: float, dtype: Any = np.float64
) -> Array:
    """In a dtype that has them all: what is repeated is converted before."""
    return _repeated(lambda part: _drawn_integers(rng, part, magnitude, share).astype(dtype, copy=False), shape)


def _drawn_integers(rng: np.random.Generator, shape: tuple[int, ...], magnitude: int, share: float) -> Array:
    sizes = rng.integers(1, magnitude, shape, endpoint=True)
    drawn = (sizes * (2 * rng.integers(0, 2, shape) - 1)).astype(np.float64)
    if share < 1.0:
        drawn *= rng.random(shape) < share
    return drawn


def _moderate(fmt: Format) -> float:
    # float16 spans 2^-14…2^15 only: 16 binades around 1 for each factor would overflow
    return 2.0**-4 if fmt.max_exponent < 16 else 1.0


def _scaled_up(values: Values, case: Case, fmt: Format) -> Values:
    """Both factors scaled by powers of two until the sums of magnitudes reach 3/4 of the binades."""
    counts = reduction_lengths(case.params, case.input_shape)
    most = max(counts["output"], counts["grad_input"], counts["grad_weight"])
    room = math.log2(fmt.largest) - math.log2(most) - 5 - 0.25 * fmt.max_exponent
    factor = 2.0 ** math.floor(max(0.0, room) / 2)
    bias = None if values.bias is None else values.bias * factor
    return Values(values.x * factor, values.weight * factor, bias, values.grad_output * factor)


def _near_overflow(values: Values, case: Case, fmt: Format) -> Values:
    """Scaled by powers of two until the largest sum of magnitudes is between 1/4 and 1/2 of the largest number.

    x and weight share the exponent that the output leaves; grad_output takes what both gradients leave.
    """
    params = case.params
    # entries that will be equal make larger sums
    x, weight, grad = (
        np.abs(conformed(a, layout))
        for a, layout in zip((values.x, values.weight, values.grad_output), case.layouts, strict=True)
    )
    bias = None if values.bias is None else np.abs(conformed(values.bias, case.layout_bias))
    # the imaginary part, drawn later, makes four products of each
    limit = fmt.largest / (8.0 if case.dtype.startswith("complex") else 2.0)

    def room(*sums: Array) -> int:
        most = max(float(a.max(initial=0.0)) for a in sums)
        return math.floor(math.log2(limit) - math.log2(most)) if most > 0 else 0

    total = room(conv2d(x, weight, bias, params))
    of_x = total // 2
    of_weight = total - of_x
    of_grad = min(
        room(conv2d_grad_input(grad, weight, params, x.shape)) - of_weight,
        room(conv2d_grad_weight(grad, x, params)) - of_x,
        room(conv2d_grad_bias(grad)),
    )
    return Values(
        np.ldexp(values.x, of_x),
        np.ldexp(values.weight, of_weight),
        None if values.bias is None else np.ldexp(values.bias, total),
        np.ldexp(values.grad_output, of_grad),
    )


def _cancelling(values: Values) -> Values:
    """Pairs along the channels, else the columns, whose products cancel to about 2⁻¹²: w, −w and x, x(1+2⁻¹²)."""
    x, weight = values.x.copy(), values.weight.copy()
    axis = -3 if weight.shape[1] > 1 else -1
    for array, factor in ((x, 1 + 2.0**-12), (weight, -1.0)):
        paired = np.moveaxis(array, axis, 0)
        even = len(paired) // 2 * 2
        paired[1:even:2] = paired[0:even:2] * factor
    return Values(x, weight, values.bias, values.grad_output)


def _sprinkled(values: Values, rng: np.random.Generator) -> Values:
    """A few NaN, ±Inf and ±0 among the inputs; in the weight only where it has several elements.

    In half of the layers with several filters one bias is special; a zero says little there.
    """
    x, weight = values.x.copy(), values.weight.copy()
    specials = [np.nan, np.inf, -np.inf, 0.0, -0.0]
    for array, share in ((x, 0.03), (weight, 0.02 if weight.size > 8 else 0.0)):
        count = max(1, min(6, int(array.size * share))) if share and array.size else 0
        if count:
            at = rng.choice(array.size, count, replace=False)
            array.reshape(-1)[at] = rng.choice(specials, count)
    bias = values.bias
    if bias is not None and bias.size > 1 and rng.integers(2) == 0:
        bias = bias.copy()
        bias[rng.integers(bias.size)] = rng.choice([np.nan, np.inf, -np.inf, -0.0])
    return Values(x, weight, bias, values.grad_output)


def _mixed(values: Values, fmt: Format, rng: np.random.Generator) -> Values:
    """One tensor mixed: the images of a batch (padded batches end, and begin, with zeros), filters, or gradients.

    A weight is all zeros in one of four layers, as some are before they are trained, and so are gradients.
    """
    which = rng.choice(["x", "x", "weight", "grad_output"])
    if which != "x" and rng.integers(4) == 0:
        return replace(values, **{which: np.zeros_like(getattr(values, which))})
    if which == "grad_output":
        return replace(values, grad_output=_mixed_along(values.grad_output, fmt, rng))
    if which == "weight":
        bias = None if values.bias is None else _mixed_along(values.bias[:, None, None, None], fmt, rng).reshape(-1)
        return replace(values, weight=_mixed_along(values.weight, fmt, rng), bias=bias)
    return replace(values, x=_mixed_along(values.x, fmt, rng))


def _mixed_along(array: Array, fmt: Format, rng: np.random.Generator) -> Array:
    """Entries of the first axis dense, zero, wide and an impulse in turn: no look at one tells about the rest.

    Args:
        array: of four dimensions, or an image of three; zero mean and scale 1.
        fmt: of the dtype.
        rng: draws which kind comes first; a single entry is dense.
    """
    if array.ndim == 3 or len(array) < 2:
        return array
    entry = array.shape[1:]
    kinds = (np.arange(len(array)) + rng.integers(4)) % 4
    mixed = array.copy()
    mixed[kinds == 1] = 0.0
    mixed[kinds == 2] *= 2.0 ** (np.arange(math.prod(entry)).reshape(entry) * 5 % 17 - 8) * _moderate(fmt)
    mixed[kinds == 3] = 0.0
    mixed[(kinds == 3, *(size // 2 for size in entry))] = 1.0
    return mixed


def _finish(case: Case, values: Values, rng: np.random.Generator, imaginary: Any) -> Values:
    """Rounded to the dtype, thinned out to `nonzeros`, equal where the layout has stride 0."""
    dtype = DTYPES[case.dtype]
    layout_of = case.layout_of

    def finish(name: str, array: Array) -> Array:
        if dtype.kind == "c":
            with np.errstate(invalid="ignore"):  # Inf in one part makes NaN of the other
                array = array + 1j * imaginary(array)
        if case.nonzeros is not None and name != "bias":
            rank = rng.permutation(array.size).reshape(array.shape)
            array = np.where(rank < case.nonzeros, array, 0)
        return conformed(array, layout_of[name]).astype(dtype, order="C", copy=False)

    bias = None if values.bias is None else finish("bias", values.bias)
    x, weight, grad = (finish(name, getattr(values, name)) for name in ("x", "weight", "grad_output"))
    return Values(x, weight, bias, grad)


def _map(values: Values, function: Callable[[Array], Array]) -> Values:
    bias = None if values.bias is None else function(values.bias)
    return Values(function(values.x), function(values.weight), bias, function(values.grad_output))
