"""Conv2d once more, in plain Python: exact fractions, loops over the definition, and the arithmetic of sizes."""

import math
from fractions import Fraction
from itertools import product

EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52, "float16": 2.0**-10, "bfloat16": 2.0**-7}
SMALLEST = {"float32": 2.0**-149, "float64": 2.0**-1074, "float16": 2.0**-24, "bfloat16": 2.0**-133}
LARGEST = {
    "float32": (2 - 2.0**-23) * 2.0**127, "float64": (2 - 2.0**-52) * 2.0**1023, "float16": 65504.0,
    "bfloat16": (2 - 2.0**-7) * 2.0**127,
}  # fmt: skip


def pair(value):
    """Height and width."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def pads(layer):
    """Zeros before and after, for both axes."""
    if layer.padding == "valid":
        return (0, 0), (0, 0)
    if layer.padding == "same":
        spans = [d * (k - 1) for d, k in zip(pair(layer.dilation), pair(layer.kernel_size), strict=True)]
        return tuple((span // 2, span - span // 2) for span in spans)
    if len(pair(layer.padding)) == 4:
        return tuple(layer.padding[:2]), tuple(layer.padding[2:])
    return tuple((p, p) for p in pair(layer.padding))


def sizes(layer, shape):
    """Rows and columns of the output; below 1 where a kernel does not fit."""
    axes = zip(shape[-2:], pads(layer), pair(layer.kernel_size), pair(layer.stride), pair(layer.dilation), strict=True)
    return tuple((size + sum(pad) - d * (k - 1) - 1) // s + 1 for size, pad, k, s, d in axes)


def legal(layer, shape):
    """Whether the numbers are those of a layer that fits its input; of texts and types it knows nothing."""
    numbers = (*pair(layer.kernel_size), *pair(layer.stride), *pair(layer.dilation), layer.groups)
    if not all(type(number) is int and number >= 1 for number in numbers):
        return False
    if layer.padding not in ("same", "valid"):
        given = pair(layer.padding) if not isinstance(layer.padding, str) else ("",)
        if len(given) != 2 or not all(type(p) is int and p >= 0 for p in given):
            return False
    if layer.padding == "same" and pair(layer.stride) != (1, 1):
        return False
    if any(len(pair(each)) != 2 for each in (layer.kernel_size, layer.stride, layer.dilation)):
        return False
    divides = layer.in_channels % layer.groups == layer.out_channels % layer.groups == 0
    return divides and shape[-3] == layer.in_channels and min(sizes(layer, shape)) >= 1


def terms(layer, arrays, quantity):
    """For each element of a result, the products that it sums."""
    x, weight, upstream = arrays["x"], arrays["weight"], arrays.get("grad_output")
    (top, _), (left, _) = pads(layer)
    (rows, columns), (down, right) = pair(layer.stride), pair(layer.dilation)
    per_group, filters = weight.shape[1], len(weight) // layer.groups
    height, width = sizes(layer, x.shape)
    places = product(range(len(x)), range(len(weight)), range(height), range(width))
    for (n, o, i, j), c, u, v in product(places, *map(range, weight.shape[1:])):
        row, column, channel = i * rows + u * down - top, j * columns + v * right - left, o // filters * per_group + c
        if not (0 <= row < x.shape[2] and 0 <= column < x.shape[3]):
            continue
        pixel, tap, above = (n, channel, row, column), (o, c, u, v), (n, o, i, j)
        if quantity == "output":
            yield above, x[pixel], weight[tap]
        elif quantity == "grad_input":
            yield pixel, upstream[above], weight[tap]
        elif quantity == "grad_weight":
            yield tap, upstream[above], x[pixel]
    if quantity == "output" and "bias" in arrays:
        for n, o, i, j in product(range(len(x)), range(len(weight)), range(height), range(width)):
            yield (n, o, i, j), arrays["bias"][o], 1.0
    if quantity == "grad_bias":
        for at in product(*map(range, upstream.shape)):
            yield (at[1],), upstream[at], 1.0


def wrong(case, quantity, arrays):
    """Whether a result is further off than any order of summation could be, or differs in what is not finite."""
    sums = {}
    for at, one, other in terms(case.arguments, arrays, quantity):
        total, size, count, plain = sums.get(at, (Fraction(0), Fraction(0), 0, 0.0))
        plain += float(one) * float(other)
        if math.isfinite(one) and math.isfinite(other):
            term = Fraction(float(one)) * Fraction(float(other))
            total, size = total + term, size + abs(term)
        sums[at] = total, size, count + 1, plain
    if quantity == "output" and arrays["got"].shape[-2:] != sizes(case.arguments, arrays["x"].shape):
        return True
    nothing, got = (Fraction(0), Fraction(0), 0, 0.0), arrays["got"]
    return any(is_wrong(got[at], *sums.get(at, nothing), case.dtype) for at in product(*map(range, got.shape)))


def is_wrong(got, total, size, count, plain, dtype):
    """Whether an element is."""
    if math.isnan(plain) or math.isinf(plain):
        return str(float(got)) != str(plain)
    if abs(total) > LARGEST[dtype]:
        return not math.isinf(got)
    if not math.isfinite(got):
        return size <= LARGEST[dtype]
    bound = (count + 3) * (Fraction(EPSILON[dtype]) * size + Fraction(SMALLEST[dtype]))
    return abs(Fraction(float(got)) - total) > bound
