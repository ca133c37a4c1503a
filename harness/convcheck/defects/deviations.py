"""An algebra of deviations: what a wrong kernel does differently from the reference, in one respect.

A deviation turns a way to compute the quantities of a problem into another one. It changes the problem
before the sums (`takes` and its special cases `reads`, `operand` and `sums`) or the result after them
(`gives`, `leaves`), for some of the quantities. Deviations compose: apply one to the other's result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Literal, TypeAlias

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from convcheck.defects.problem import Axis, Indices, Problem, Product, Remap
from convcheck.model.profiles import GRADIENTS, QUANTITIES, Quantity

Array = NDArray[Any]
Compute: TypeAlias = Callable[[Problem, Quantity], Array]
Deviation: TypeAlias = Callable[[Compute], Compute]
Operand: TypeAlias = Literal["x", "weight", "bias", "grad_output"]
Quantities: TypeAlias = tuple[Quantity, ...]

FORWARD: Final[Quantities] = ("output",)
BACKWARD: Final[Quantities] = GRADIENTS
EVERYWHERE: Final[Quantities] = QUANTITIES


def takes(change: Callable[[Problem], Problem], on: Quantities = FORWARD) -> Deviation:
    """The problem is another one."""

    def deviate(compute: Compute) -> Compute:
        return lambda problem, quantity: compute(change(problem) if quantity in on else problem, quantity)

    return deviate


def gives(change: Callable[[Array, Problem], Array], on: Quantities = FORWARD) -> Deviation:
    """The result, in float64, is another one of the same shape."""

    def deviate(compute: Compute) -> Compute:
        def deviating(problem: Problem, quantity: Quantity) -> Array:
            result = compute(problem, quantity)
            return change(result, problem) if quantity in on else result

        return deviating

    return deviate


def leaves(part: Callable[[Problem], Any], on: Quantities = FORWARD) -> Deviation:
    """The part of the result that `part` indexes is never computed: it stays zero."""

    def blank(result: Array, problem: Problem) -> Array:
        result = result.copy()
        result[part(problem)] = 0.0
        return result

    return gives(blank, on)


def operand(name: Operand, change: Callable[[Array, Problem], Array], on: Quantities = FORWARD) -> Deviation:
    """An operand's values are others; a missing bias stays missing."""

    def changed(problem: Problem) -> Problem:
        array = getattr(problem, name)
        if array is None:
            return problem
        values: dict[str, Any] = {name: change(array, problem)}
        return replace(problem, **values)

    return takes(changed, on)


def reads(
    rows: Callable[[Axis, Axis], Axis] | None = None,
    columns: Callable[[Axis, Axis], Axis] | None = None,
    on: Quantities = FORWARD,
) -> Deviation:
    """The geometry of an axis is another one; each change is given its own axis and the other one."""

    def changed(problem: Problem) -> Problem:
        own, other = problem.rows, problem.columns
        return replace(
            problem,
            rows=own if rows is None else rows(own, other),
            columns=other if columns is None else columns(other, own),
        )

    return takes(changed, on)


def reads_both(change: Callable[[Axis, Axis], Axis], on: Quantities = FORWARD) -> Deviation:
    """The geometry of both axes is changed alike."""
    return reads(change, change, on)


def sums(product: Product, on: Quantities = FORWARD) -> Deviation:
    """The sums of products are formed by another matrix product."""
    return takes(lambda problem: replace(problem, product=product), on)


def remapped(axis: Axis, remap: Remap) -> Axis:
    """The axis with one more change to the pixels it reads."""
    return replace(axis, remaps=(*axis.remaps, remap))


def reversed_taps(axis: Axis, _: Axis) -> Axis:
    """The kernel is flipped along the axis."""
    return remapped(axis, lambda read, _position, _axis: read[:, ::-1])


def only(keeps: Callable[[Indices, Axis], Any]) -> Callable[[Axis, Axis], Axis]:
    """Taps at the positions that `keeps` refuses read zeros."""

    def change(axis: Axis, _: Axis) -> Axis:
        return remapped(axis, lambda read, position, own: np.where(keeps(position, own), read, -1))

    return change


def rounded(array: Array, name: str) -> Array:
    """The values rounded to nearest in a narrower format: float16, bfloat16, tf32 or float32."""
    if name == "tf32":
        words = array.astype(np.float32).view(np.uint32)
        # half the last kept place, less one where that place is even: round half to even
        words = words + np.uint32(0xFFF) + ((words >> np.uint32(13)) & np.uint32(1))
        kept = (words & np.uint32(0xFFFFE000)).view(np.float32)
        return np.where(np.isfinite(array), kept, array).astype(np.float64)
    dtype = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32}[name]
    return np.asarray(array, np.float64).astype(dtype).astype(np.float64)


def accumulated(terms: int, name: str) -> Product:
    """A matrix product that rounds its partial sum to a format after every block of `terms` products."""

    def product(a: Array, b: Array) -> Array:
        total = np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]))
        for start in range(0, a.shape[-1], terms):
            block = slice(start, start + terms)
            total = rounded(total + a[..., block] @ b[..., block, :], name)
        return total

    return product


def both(*deviations: Deviation) -> Deviation:
    """One deviation after the other."""

    def deviate(compute: Compute) -> Compute:
        for deviation in deviations:
            compute = deviation(compute)
        return compute

    return deviate
