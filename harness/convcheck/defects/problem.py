"""One convolution, spelled out far enough that any part of it can deviate.

The geometry of each axis is a table: which input pixel each tap of each window reads. Strides, dilations,
padding and padding modes all end in it, so a kernel that gets one of them wrong has another table, for
the output and for the gradients alike. The sums are matrix products as in `convcheck_reference`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Quantity
from convcheck_reference.padding import source_index
from convcheck_reference.params import Conv2dParams, PaddingMode

Array = NDArray[Any]
Indices = NDArray[np.intp]
Remap: TypeAlias = "Callable[[Indices, Indices, Axis], Indices]"
"""From the pixels read, the positions before padding is resolved, and the axis: the pixels really read."""

Product: TypeAlias = Callable[[Array, Array], Array]
"""A batched matrix product."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Height or width of a convolution.

    Attributes:
        size: pixels of the input.
        kernel: taps.
        stride: of the windows.
        dilation: of the taps.
        before: pixels of padding above or to the left.
        after: below or to the right.
        mode: of the padding.
        output: windows.
        remaps: what a deviation does to the table of `sources`, in order.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    mode: PaddingMode
    output: int
    remaps: tuple[Remap, ...] = ()

    def sources(self) -> Indices:
        """Which input pixel each tap of each window reads, (output, kernel); −1 where it reads a zero."""
        position = np.arange(self.output)[:, None] * self.stride + np.arange(self.kernel) * self.dilation - self.before
        padded = source_index(self.size, (self.before, self.after), self.mode)
        inside = (position >= -self.before) & (position < self.size + self.after)
        read = np.where(inside, padded[np.where(inside, position + self.before, 0)], -1)
        for remap in self.remaps:
            read = remap(read, position, self)
        return np.where((read >= 0) & (read < self.size), read, -1)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A convolution and its operands, which lie in memory as the caller gave them.

    Attributes:
        params: the layer.
        rows: its geometry along the height.
        columns: along the width.
        x: (N, C, H, W).
        weight: (O, C/G, kh, kw).
        bias: (O,) or None.
        grad_output: (N, O, oh, ow) or None where no gradient is asked for.
        product: forms the sums of products.
    """

    params: Conv2dParams
    rows: Axis
    columns: Axis
    x: Array
    weight: Array
    bias: Array | None
    grad_output: Array | None = None
    product: Product = np.matmul

    @property
    def batch(self) -> int:
        """Number of images."""
        return int(self.x.shape[0])

    @property
    def in_per_group(self) -> int:
        """Input channels of a group."""
        return self.params.in_channels // self.params.groups

    @property
    def out_per_group(self) -> int:
        """Output channels of a group."""
        return self.params.out_channels // self.params.groups


def problem(
    x: Array, weight: Array, bias: Array | None, params: Conv2dParams, grad_output: Array | None = None
) -> Problem:
    """The convolution as documented. Unbatched tensors become a batch of one."""
    if x.ndim == 3:
        x, grad_output = x[None], None if grad_output is None else grad_output[None]
    output = params.output_size(*x.shape[-2:])
    rows, columns = (
        Axis(
            size=x.shape[axis - 2],
            kernel=params.kernel_size[axis],
            stride=params.stride[axis],
            dilation=params.dilation[axis],
            before=params.padding[axis][0],
            after=params.padding[axis][1],
            mode=params.padding_mode,
            output=output[axis],
        )
        for axis in (0, 1)
    )
    return Problem(params, rows, columns, x, weight, bias, grad_output)


def compute(problem: Problem, quantity: Quantity) -> Array:
    """One quantity in float64, batched."""
    return _COMPUTE[quantity](problem)


def _output(problem: Problem) -> Array:
    out = problem.product(_matrix(problem.weight, problem), _gather(problem))
    out = out.reshape(problem.batch, problem.params.out_channels, problem.rows.output, problem.columns.output)
    return out if problem.bias is None else out + _wide(problem.bias)[:, None, None]


def _grad_input(problem: Problem) -> Array:
    return _scatter(_matrix(problem.weight, problem).conj().swapaxes(-1, -2) @ _grouped_grad(problem), problem)


def _grad_weight(problem: Problem) -> Array:
    product = problem.product(_grouped_grad(problem), _gather(problem).swapaxes(-1, -2))
    return np.asarray(product.sum(axis=0)).reshape(problem.params.weight_shape)


def _grad_bias(problem: Problem) -> Array:
    return np.asarray(_grad(problem).sum(axis=(0, 2, 3)))


_COMPUTE: dict[Quantity, Callable[[Problem], Array]] = {
    "output": _output,
    "grad_input": _grad_input,
    "grad_weight": _grad_weight,
    "grad_bias": _grad_bias,
}


def _gather(problem: Problem) -> Array:
    """The pixels under every tap: (N, G, K, P)."""
    # −1 is the last row or column: one of zeros
    padded = np.pad(_wide(problem.x), ((0, 0), (0, 0), (0, 1), (0, 1)))
    rows, columns = problem.rows.sources(), problem.columns.sources()
    taken = padded[:, :, rows.T[:, None, :, None], columns.T[None, :, None, :]]
    return taken.reshape(problem.batch, problem.params.groups, problem.params.fan_in, len(rows) * len(columns))


def _scatter(columns: Array, problem: Problem) -> Array:
    """The adjoint of `_gather`: every entry is added to the pixel that it came from."""
    height, width = problem.rows.size + 1, problem.columns.size + 1
    rows, taps = problem.rows.sources() % height, problem.columns.sources() % width
    pixel = rows.T[:, None, :, None] * width + taps.T[None, :, None, :]
    planes = problem.batch * problem.params.in_channels
    at = np.arange(planes)[:, None] * (height * width) + pixel.reshape(-1)
    summed = np.bincount(at.reshape(-1), columns.reshape(-1), planes * height * width)
    return summed.reshape(problem.batch, problem.params.in_channels, height, width)[..., :-1, :-1]


def _grad(problem: Problem) -> Array:
    assert problem.grad_output is not None
    return _wide(problem.grad_output)


def _grouped_grad(problem: Problem) -> Array:
    windows = problem.rows.output * problem.columns.output
    return _grad(problem).reshape(problem.batch, problem.params.groups, problem.out_per_group, windows)


def _matrix(weight: Array, problem: Problem) -> Array:
    return _wide(weight).reshape(problem.params.groups, problem.out_per_group, problem.params.fan_in)


def _wide(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.float64)
