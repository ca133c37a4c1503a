"""State: what is kept under a key that lacks something."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from math import prod
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.defects.model import Category, Defect, DefectBackend
from convcheck.model.rules import Rule
from convcheck.plugin.backend import Gradients
from convcheck_reference.params import Arguments, Conv2dParams

Array = NDArray[Any]

Key: TypeAlias = Callable[[Array, Array, Conv2dParams], Hashable]
"""What a plan is kept under, from x, weight and layer."""


def _spelled(params: Conv2dParams, **changed: Any) -> Conv2dParams:
    """A layer with some arguments changed, its padding as numbers."""
    (top, _), (left, _) = params.padding
    named = {name: getattr(params, name) for name in Arguments.__slots__}
    return Conv2dParams(**{**named, "padding": (top, left), **changed})


def _fitted(result: Array, like: Array) -> Array:
    """A result written into an array of the right shape, from its beginning, and again where it is too short."""
    return result if result.shape == like.shape else np.resize(result, like.shape)


class _PlanWithout(DefectBackend):
    """Keeps an argument of the first layer that is alike in tensors and all other arguments, and goes by that.

    Args:
        missing: the argument.
        backward: whether the backward pass does, rather than the forward pass.
    """

    def __init__(self, missing: str, *, backward: bool = False) -> None:
        self._missing = missing
        self._backward = backward
        self._plans: dict[Hashable, Any] = {}

    def _planned(self, x: Array, weight: Array, params: Conv2dParams) -> Conv2dParams:
        if self._missing == "padding" and params.padding[0][0] != params.padding[0][1]:
            return params
        rest = tuple(getattr(params, name) for name in Arguments.__slots__ if name != self._missing)
        kept = self._plans.setdefault((x.shape, x.dtype, weight.shape, rest), getattr(params, self._missing))
        if kept == getattr(params, self._missing):
            return params
        if self._missing == "padding":
            kept = tuple(first for first, _ in kept)
        try:
            planned = _spelled(params, **{self._missing: kept})
            planned.output_shape(x.shape)
        except ValueError:
            return params
        return planned

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        right = super().conv2d(x, weight, bias, params)
        planned = params if self._backward else self._planned(x, weight, params)
        return right if planned is params else _fitted(super().conv2d(x, weight, bias, planned), right)

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        planned = self._planned(x, weight, params) if self._backward else params
        if planned is not params:
            grad_output = _fitted(grad_output, np.empty(planned.output_shape(x.shape), grad_output.dtype))
        return super().conv2d_backward(grad_output, x, weight, bias, planned)


class _BiasOfEarlierLayer(DefectBackend):
    """A fused plan keeps its bias, which a layer without one and with as many filters adds as well."""

    def __init__(self) -> None:
        self._bias: dict[Hashable, Array] = {}

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        right = super().conv2d(x, weight, bias, params)
        key = (weight.shape, x.dtype)
        if bias is not None:
            self._bias[key] = bias.copy()
            return right
        kept = self._bias.get(key)
        return right if kept is None else (right + kept[:, None, None]).astype(right.dtype)


class _IndexTable(DefectBackend):
    """Keeps where pixels lie under a key, and reads another image by the height and width of the first.

    Args:
        key: what of x, weight and layer it is kept under.
    """

    def __init__(self, key: Key) -> None:
        self._key = key
        self._tables: dict[Hashable, tuple[int, ...]] = {}

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        shape = self._tables.setdefault(self._key(x, weight, params), x.shape[-2:])
        right = super().conv2d(x, weight, bias, params)
        if shape == x.shape[-2:]:
            return right
        return _fitted(super().conv2d(np.resize(x, (*x.shape[:-2], *shape)), weight, bias, params), right)


class _LayoutOfFirst(DefectBackend):
    """Keeps the order of strides of the first tensor of a shape, and reads others of that shape so.

    Args:
        which: 0 for x, 1 for the weight.
    """

    def __init__(self, which: int) -> None:
        self._which = which
        self._orders: dict[Hashable, bool] = {}

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        tensor = weight if self._which else x
        plain = tensor.flags.c_contiguous
        known = self._orders.setdefault((tensor.shape, tensor.dtype, self._which), plain)
        if known != plain and tensor.ndim > 1:
            misread = np.swapaxes(tensor, -1, -2).reshape(tensor.shape)
            x, weight = (x, misread) if self._which else (misread, weight)
        return super().conv2d(x, weight, bias, params)


class _RoundedByFirstDtype(DefectBackend):
    """Keeps a scale of two under the shape of a weight, for all dtypes but the one that came first."""

    def __init__(self) -> None:
        self._packed: dict[Hashable, np.dtype[Any]] = {}

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        first = self._packed.setdefault(weight.shape, weight.dtype)
        right = super().conv2d(x, weight, bias, params)
        return right if first == weight.dtype else right.astype(first).astype(right.dtype) * right.dtype.type(2)


class _ColumnsOfLastForward(DefectBackend):
    """The weight gradient is computed from the input of the last forward pass, where that has the shape of x."""

    def __init__(self) -> None:
        self._last: Array | None = None

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        self._last = x.copy()
        return super().conv2d(x, weight, bias, params)

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        right = super().conv2d_backward(grad_output, x, weight, bias, params)
        last = self._last
        if last is None or (last.shape, last.dtype) != (x.shape, x.dtype):
            return right
        return right._replace(weight=super().conv2d_backward(grad_output, last, weight, bias, params).weight)


class _RowsOfLargerBatch(DefectBackend):
    """Sums the bias gradient over a workspace that a larger batch has filled further."""

    def __init__(self) -> None:
        self._spaces: dict[Hashable, Array] = {}

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        right = super().conv2d_backward(grad_output, x, weight, bias, params)
        if right.bias is None or grad_output.ndim == 3:
            return right
        key = (grad_output.shape[1:], grad_output.dtype)
        space = self._spaces.get(key)
        batch = len(grad_output)
        if space is None or len(space) < batch:
            self._spaces[key] = grad_output.copy()
            return right
        space[:batch] = grad_output
        return right._replace(bias=space.astype(np.float64).sum((0, 2, 3)).astype(grad_output.dtype))


class _ImagesOfFirstBatch(DefectBackend):
    """A plan computes as many images as the first batch of its layer had; those beyond stay zero."""

    def __init__(self) -> None:
        self._batches: dict[Hashable, int] = {}

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        right = super().conv2d(x, weight, bias, params)
        if x.ndim == 4:
            held = self._batches.setdefault((x.shape[1:], weight.shape, params, x.dtype), len(x))
            right[held:] = 0
        return right


class _WeightBySize(DefectBackend):
    """Keeps a packed weight under its number of elements and its first and last ones."""

    def __init__(self) -> None:
        self._packed: dict[Hashable, Array] = {}

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        flat = np.ascontiguousarray(weight).reshape(-1)
        kept = self._packed.setdefault((flat.size, flat.dtype, flat[0], flat[-1]), flat.copy())
        return super().conv2d(x, kept.reshape(weight.shape), bias, params)


def _padded(x: Array, weight: Array, params: Conv2dParams) -> Hashable:
    (top, bottom), (left, right) = params.padding
    height, width = x.shape[-2:]
    return top + height + bottom, left + width + right, weight.shape, params.stride, params.dilation, x.dtype


def _row(name: str, summary: str, region: str, build: Callable[[], DefectBackend]) -> Defect:
    return Defect(name, Category.STATE, summary, Rule(region), build)


DEFECTS: Final[tuple[Defect, ...]] = (
    _row("plan-without-stride", "a stride kept from the first layer alike in all else", "",
         lambda: _PlanWithout("stride")),
    _row("plan-without-dilation", "a dilation kept from the first layer alike in all else", "",
         lambda: _PlanWithout("dilation")),
    _row("plan-without-padding", "a padding kept from the first layer alike in all else", "",
         lambda: _PlanWithout("padding")),
    _row("plan-without-padding-mode", "a padding mode kept from the first layer alike in all else", "",
         lambda: _PlanWithout("padding_mode")),
    _row("backward-plan-without-stride", "gradients by the stride of the first layer alike in all else", "",
         lambda: _PlanWithout("stride", backward=True)),
    _row("backward-plan-without-padding-mode", "gradients by the padding mode of the first layer alike in all else", "",
         lambda: _PlanWithout("padding_mode", backward=True)),
    _row("bias-of-earlier-layer", "the bias of an earlier layer added where there is none", "not bias",
         _BiasOfEarlierLayer),
    _row("table-by-number-of-pixels", "an image read by the sides of an earlier one with as many pixels", "",
         lambda: _IndexTable(lambda x, weight, params: (prod(x.shape), weight.shape, params, x.dtype))),
    _row("table-by-padded-size", "an image read by the sides of an earlier one with the same padded size", "",
         lambda: _IndexTable(_padded)),
    _row("table-by-longer-side", "an image read by the sides of an earlier one with as long a side", "",
         lambda: _IndexTable(lambda x, weight, params: (max(x.shape[-2:]), weight.shape, params, x.dtype))),
    _row("input-layout-of-first", "an input read in the order of the first one of its shape", "",
         lambda: _LayoutOfFirst(0)),
    _row("weight-layout-of-first", "a weight read in the order of the first one of its shape", "",
         lambda: _LayoutOfFirst(1)),
    _row("scale-of-first-dtype", "the scale of the dtype in which a weight of that shape came first", "",
         _RoundedByFirstDtype),
    _row("weight-kept-by-size", "a packed weight kept by its number of elements and its ends", "", _WeightBySize),
    _row("columns-of-last-forward", "a weight gradient from the input of the last forward pass", "",
         _ColumnsOfLastForward),
    _row("rows-of-larger-batch", "a bias gradient that sums what a larger batch left", "bias", _RowsOfLargerBatch),
    _row("images-of-first-batch", "as many images as the first batch of the layer had", "", _ImagesOfFirstBatch),
)  # fmt: skip
"""The defects of state that depend on a key."""
