"""How large exact integers may be.

With |x| ≤ X, |w| ≤ W and |dy| ≤ D, every partial sum is exact in an accumulator of p bits, in any order, blocked,
fused or split, if n·X·W ≤ 2^p for the output, n·D·W ≤ 2^p for grad_input, n·D·X ≤ 2^p for grad_weight and n·D ≤ 2^p
for grad_bias, each with its own n. Three bounds a, b and c on the products X·W, D·W and D·X are all met with equality
by X = √(a·c/b), W = √(a·b/c), D = √(b·c/a); where one of these is out of range, the others take what it leaves. So
every quantity is summed as near to 2^p as the operands allow, and an accumulator with fewer bits shows.

A dtype may be narrower than the accumulator. Sums have to be finite in it all the same: those of random terms, whose
root mean square is √n·X·W/3, by their size, and those that cancel (`convcheck.tensors.cancelling`) by their noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from convcheck.model.case import Case
from convcheck.model.profiles import QUANTITIES, Profile, Quantity
from convcheck.numerics.gauges import integer_room
from convcheck.numerics.limits import integer_limit
from convcheck.numerics.reduction_length import reduction_lengths
from convcheck_reference.formats import component_format

FACTORS: Final[Mapping[Quantity, tuple[str, str]]] = MappingProxyType(
    {
        "output": ("x", "weight"),
        "grad_input": ("grad_output", "weight"),
        "grad_weight": ("grad_output", "x"),
    }
)
"""The tensors whose products a quantity sums."""

_LEAST_MAGNITUDE: Final = 4
"""Integers are drawn from ±1…±4 at least; below that they are thinned out instead. With magnitudes up
to M, one draw misses a wrong output element with probability ≤ 2/(2M+1) (Schwartz–Zippel)."""

_OF_PRODUCTS: Final = 0.75
"""What the products of an output may take of its limit; the rest is the bias'."""

_DEVIATIONS: Final = 6.0
"""How many times its root mean square a sum has to be finite."""

_MOST_RESULT: Final = 2.0**16
"""What results that cancel may come to where the dtype holds far more."""

TENSORS: Final = ("x", "weight", "grad_output")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the integers of a case.

    Attributes:
        magnitudes: the largest |x|, |weight| and |grad_output|, by name.
        bias: the largest |bias|, of the size of the sums.
        products: the most that a product of each quantity may be, for sums that are exact.
        cancelling: the quantities whose sums are to cancel.
        noise: by name, the most that a tensor may differ from what cancels, for sums that are finite.
    """

    magnitudes: Mapping[str, int]
    bias: int
    products: Mapping[Quantity, float]
    cancelling: frozenset[Quantity]
    noise: Mapping[str, int]

    def share(self, *quantities: Quantity) -> float:
        """The share of non-zeros in a factor that keeps the sums of some quantities exact."""
        return min(1.0, *(self.products[q] / math.prod(self.magnitudes[f] for f in FACTORS[q]) for q in quantities))

    def at_most(self, digit: int) -> Sizes:
        """The same with every magnitude at most `digit`, and nothing that cancels."""
        magnitudes = {name: min(digit, most) for name, most in self.magnitudes.items()}
        return replace(self, magnitudes=magnitudes, bias=min(digit, self.bias), cancelling=frozenset())


def sizes_of(case: Case, profiles: Mapping[Quantity, Profile]) -> Sizes:
    """The largest integers whose sums are exact under the promises.

    Args:
        case: a legal case.
        profiles: the promised profile of each quantity.
    """
    fmt = component_format(case.dtype)
    finite = fmt.largest / _DEVIATIONS
    counts = reduction_lengths(case.params, case.input_shape)
    limits = {q: _limit(case, profiles[q], q) for q in QUANTITIES}
    rooms = {q: integer_room(profiles[q], q, case.params, case.input_shape) for q in QUANTITIES}
    direct = all(map(math.isinf, rooms.values()))
    wide = frozenset(q for q in QUANTITIES if limits[q] > 2.0**fmt.precision)
    cancelling = frozenset(q for q in wide if direct and profiles[q].exact and _has_pairs(case, q))
    noise = {q: 1.5 * min(finite, _MOST_RESULT / _DEVIATIONS) / math.sqrt(counts[q]) for q in cancelling}

    most = 2.0 ** min(min(p.input_precision or fmt.precision, fmt.precision) for p in profiles.values())
    # noise of ±1 has to be little enough
    bounds = {name: min([most, *(noise[q] for q in noise if name in FACTORS.get(q, ()))]) for name in TENSORS}
    of_bias = min(limits["grad_bias"] / counts["grad_bias"], finite / math.sqrt(counts["grad_bias"]))
    bounds["grad_output"] = min(bounds["grad_output"], of_bias)
    # thinning out does not help transforms, whose errors follow the largest values: there down to ±1
    least = dict.fromkeys(TENSORS, _LEAST_MAGNITUDE if direct else 1)
    if wide == {"output"}:
        least["grad_output"] = 1  # small gradients leave x and the weight more of the little that their sums may be
    products = {q: min(limits[q], rooms[q]) / counts[q] for q in FACTORS}
    for q in FACTORS.keys() - cancelling:
        products[q] = min(products[q], 3.0 * finite / math.sqrt(counts[q]))
    magnitudes = _balanced(products, least, bounds)

    x, weight = magnitudes["x"], magnitudes["weight"]
    of_sums = math.sqrt(counts["output"]) * (max(x, weight) if "output" in cancelling else x * weight / 2)
    room = min(limits["output"] / _OF_PRODUCTS, rooms["output"]) / 4
    return Sizes(
        magnitudes,
        bias=max(1, int(min(most, room, of_sums))),
        products={q: limits[q] / counts[q] for q in FACTORS},
        cancelling=cancelling,
        noise={name: _noise(name, magnitudes, noise) for name in TENSORS},
    )


def _limit(case: Case, profile: Profile, quantity: Quantity) -> float:
    """What the sums of products may reach in magnitude."""
    fmt = component_format(case.dtype)
    limit = float(integer_limit(profile, case.dtype))
    if case.repeats or case.nonzeros is not None:  # equal terms, or few, may all add up
        limit = min(limit, fmt.largest)
    if quantity == "grad_input" and case.params.padding_mode != "zeros":
        # the gradient is rounded to the dtype before the padding is folded back
        limit = min(limit, 2.0**fmt.precision)
    return _OF_PRODUCTS * limit if quantity == "output" else limit


def _has_pairs(case: Case, quantity: Quantity) -> bool:
    """Whether what a quantity sums over has pairs of channels, filters or images, each of them dense and its own."""
    if case.repeats or case.nonzeros is not None:
        return False
    params = case.params
    summed = {
        "output": params.in_channels // params.groups,
        "grad_input": params.out_channels // params.groups,
    }
    return summed.get(quantity, case.batch) > 1


def _balanced(
    products: Mapping[Quantity, float], least: Mapping[str, int], most: Mapping[str, float]
) -> Mapping[str, int]:
    """The magnitude of each tensor, so that the products of two are as large as they may be."""
    of_output, of_input, of_weight = (products[q] for q in FACTORS)
    ideal = {
        "x": math.sqrt(of_output / of_input * of_weight),
        "weight": math.sqrt(of_output / of_weight * of_input),
        "grad_output": math.sqrt(of_input / of_output * of_weight),
    }
    found = {name: max(least[name], int(min(most[name], ideal[name]))) for name in TENSORS}
    for name in TENSORS * 2:  # each takes what the other two leave
        left = (products[q] / found[_other(q, name)] for q, factors in FACTORS.items() if name in factors)
        found[name] = max(least[name], int(min(most[name], *left)))
    return found


def _noise(name: str, magnitudes: Mapping[str, int], noise: Mapping[Quantity, float]) -> int:
    """How far a tensor may be from what cancels, if `noise` is the most that a product of it may come to."""
    summed = [q for q, factors in FACTORS.items() if q in noise and name in factors]
    return max(1, int(min([magnitudes[name], *(noise[q] / magnitudes[_other(q, name)] for q in summed)])))


def _other(quantity: Quantity, name: str) -> str:
    first, second = FACTORS[quantity]
    return second if name == first else first
