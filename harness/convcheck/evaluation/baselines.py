"""What people use today to test a convolution, so that it can be measured beside the harness.

Each takes a list of float32 cases and one criterion. The candidate is compared with torch on the CPU,
output and gradients, in the layouts of `torch.randn`: contiguous. An exception is a failure.

Sources: the sample inputs are those of `sample_inputs_conv2d` in
torch/testing/_internal/common_methods_invocations.py (torch 2.13); five random inputs of one shape at
1e-2 is how KernelBench (Ouyang et al. 2025) judges kernels.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.plugin.backend import Backend
from convcheck_reference.params import Conv2dParams, Shape

Array = NDArray[Any]
Agrees: TypeAlias = Callable[[Array, Array], bool]
"""Whether an array is near enough to what was expected."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One input: a layer, the shape of its input, and the seed of its data."""

    params: Conv2dParams
    shape: Shape
    seed: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """A way to test a convolution.

    Attributes:
        name: as tables show it.
        samples: the inputs, for a number of cases and a seed; fixed lists ignore both.
        agrees: the criterion.
        gradients: whether gradients are compared as well.
    """

    name: str
    samples: Callable[[int, int], Sequence[Sample]] = field(repr=False)
    agrees: Agrees = field(repr=False)
    gradients: bool = True

    def detects(self, backend: Backend, examples: int, seed: int) -> int | None:
        """The number of the first input on which the candidate fails, from 1; None if there is none."""
        for number, sample in enumerate(self.samples(examples, seed), 1):
            if not self._passes(backend, sample):
                return number
        return None

    def _passes(self, backend: Backend, sample: Sample) -> bool:
        (x, weight, bias, grad), wanted = _posed(sample)
        try:
            with np.errstate(all="ignore"):  # what the candidate computes is its own business
                got = [backend.conv2d(x.copy(), weight.copy(), _copy(bias), sample.params)]
                if self.gradients:
                    got += backend.conv2d_backward(grad.copy(), x.copy(), weight.copy(), _copy(bias), sample.params)
                return all(
                    g is w if w is None else self.agrees(np.asarray(g), w) for g, w in zip(got, wanted, strict=False)
                )
        except Exception:  # noqa: BLE001  (whatever the candidate, or the comparison, raises)
            return False


def assert_close(got: Array, wanted: Array) -> bool:
    """`torch.testing.assert_close` at its default tolerances."""
    import torch  # noqa: PLC0415  (baselines run in a certification only)

    torch.testing.assert_close(torch.from_numpy(np.ascontiguousarray(got)), torch.from_numpy(wanted))
    return True


def allclose(tolerance: float) -> Agrees:
    """`numpy.allclose` with one tolerance, absolute and relative."""
    return lambda got, wanted: got.shape == wanted.shape and np.allclose(got, wanted, rtol=tolerance, atol=tolerance)


def mean_square(most: float) -> Agrees:
    """A mean-square error below `most`."""
    return lambda got, wanted: got.shape == wanted.shape and bool(np.mean((got - wanted) ** 2) < most)


def correlated(least: float) -> Agrees:
    """A Pearson correlation of at least `least`; constant arrays have to be equal."""

    def agrees(got: Array, wanted: Array) -> bool:
        if got.shape != wanted.shape:
            return False
        a, b = got.astype(np.float64).reshape(-1), wanted.astype(np.float64).reshape(-1)
        a, b = a - a.mean(), b - b.mean()
        norm = float(np.sqrt((a @ a) * (b @ b)))
        return float(a @ b) >= least * norm if norm > 0 else np.allclose(got, wanted, rtol=1e-3, atol=1e-3)

    return agrees


def mostly_close(share: float, tolerance: float) -> Agrees:
    """At most this share of the elements further away than the relative tolerance."""

    def agrees(got: Array, wanted: Array) -> bool:
        if got.shape != wanted.shape:
            return False
        near = np.abs(got - wanted) <= tolerance * np.abs(wanted)
        return float(1.0 - near.mean()) <= share if near.size else True

    return agrees


def torch_samples(_examples: int, seed: int) -> tuple[Sample, ...]:
    """The layers of torch's own operator tests, batched and not."""
    samples = []
    for shape, out, kernel, bias, changes in _TORCH_LAYERS:
        params = Conv2dParams(shape[1], out, kernel, bias=bias, **changes)
        samples += [Sample(params, shape, seed), Sample(params, shape[1:], seed)]
    return tuple(samples)


def one_shape(_examples: int, seed: int) -> tuple[Sample, ...]:
    """Five random inputs of a common layer."""
    params = Conv2dParams(3, 16, 3, padding=1)
    return tuple(Sample(params, (4, 3, 32, 32), seed + number) for number in range(5))


def plain_random(examples: int, seed: int) -> tuple[Sample, ...]:
    """Random layers of every parameter, at most 300 of them."""
    rng = np.random.default_rng(seed)
    return tuple(_random_sample(rng, seed + number) for number in range(min(examples, 300)))


def _random_sample(rng: np.random.Generator, seed: int) -> Sample:
    def pair(least: int, most: int) -> tuple[int, int]:
        first, second = rng.integers(least, most, 2, endpoint=True)
        return int(first), int(second)

    groups = int(rng.choice([1, 1, 2, 4]))
    into, out = (groups * int(n) for n in rng.integers(1, 8, 2, endpoint=True))
    mode = str(rng.choice(["zeros", "zeros", "zeros", "reflect", "replicate", "circular"]))
    params = Conv2dParams(
        into, out, pair(1, 5), pair(1, 3), pair(0, 2), pair(1, 2), groups, bool(rng.integers(2)), mode
    )
    # the widest dilated kernel spans 9 pixels
    return Sample(params, (int(rng.integers(1, 4, endpoint=True)), into, *pair(9, 24)), seed)


@lru_cache(maxsize=512)
def _posed(sample: Sample) -> tuple[tuple[Array, Array, Array | None, Array], tuple[Array | None, ...]]:
    """The operands of a sample, and what torch makes of them: the same for every candidate."""
    x, weight, bias, grad = _operands(sample)
    return (x, weight, bias, grad), _by_torch(sample.params, x, weight, bias, grad)


def _operands(sample: Sample) -> tuple[Array, Array, Array | None, Array]:
    rng = np.random.default_rng(sample.seed)
    params = sample.params
    shapes = (sample.shape, params.weight_shape, params.bias_shape, params.output_shape(sample.shape))
    x, weight, bias, grad = (None if s is None else rng.standard_normal(s).astype(np.float32) for s in shapes)
    assert x is not None
    assert weight is not None
    assert grad is not None
    return x, weight, bias, grad


def _by_torch(
    params: Conv2dParams, x: Array, weight: Array, bias: Array | None, grad: Array
) -> tuple[Array | None, ...]:
    import torch  # noqa: PLC0415  (as above)

    layer = torch.nn.Conv2d(
        params.in_channels, params.out_channels, params.kernel_size, params.arguments.stride,
        params.arguments.padding, params.arguments.dilation, params.groups, params.bias, params.padding_mode,
    )  # fmt: skip
    image = torch.from_numpy(x).requires_grad_()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        if layer.bias is not None and bias is not None:
            layer.bias.copy_(torch.from_numpy(bias))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of a copy for 'same' with even kernels
        output = layer(image)
    inputs = [image, layer.weight, *([] if layer.bias is None else [layer.bias])]
    gradients = torch.autograd.grad(output, inputs, torch.from_numpy(grad))
    found = [output.detach(), *gradients]
    arrays = [np.ascontiguousarray(tensor.numpy()) for tensor in found]
    return (*arrays, None) if layer.bias is None else tuple(arrays)


def _copy(array: Array | None) -> Array | None:
    return None if array is None else array.copy()


_TORCH_LAYERS: Final[tuple[tuple[Shape, int, tuple[int, int], bool, dict[str, Any]], ...]] = (
    ((1, 3, 4, 4), 3, (3, 3), True, {"stride": 2, "padding": 2}),
    ((2, 4, 8, 8), 2, (3, 3), True, {"stride": (3, 2), "padding": (2, 1), "groups": 2, "dilation": 4}),
    ((1, 4, 5, 5), 1, (2, 3), True, {"stride": 2, "padding": 1, "dilation": (2, 3)}),
    ((1, 2, 4, 3), 4, (3, 4), False, {"stride": 2, "padding": 1}),
    ((1, 4, 5, 5), 1, (2, 3), True, {"stride": 2, "padding": "valid"}),
    ((1, 4, 5, 5), 1, (2, 3), True, {"padding": "same", "dilation": 3}),
    ((2, 4, 6, 6), 4, (3, 3), True, {"groups": 4}),
    ((2, 4, 6, 6), 8, (3, 3), True, {"groups": 4}),
    ((2, 4, 6, 6), 8, (3, 3), False, {"groups": 4}),
    ((2, 4, 6, 6), 4, (3, 3), True, {"groups": 4, "stride": (3, 2)}),
    ((2, 4, 6, 6), 4, (3, 3), True, {"groups": 4, "padding": 1}),
    ((2, 4, 5, 5), 4, (2, 2), True, {"groups": 4, "dilation": 2}),
    ((2, 4, 6, 5), 6, (3, 2), True, {"groups": 2}),
    ((1, 4, 5, 5), 3, (3, 3), False, {}),
)  # fmt: skip
"""Input shape, filters, kernel, bias, and what else is not the default; one that is listed twice is here once."""

BASELINES: Final[tuple[Baseline, ...]] = (
    Baseline("torch samples, assert_close", torch_samples, assert_close),
    Baseline("one shape × 5, 1e-2", one_shape, allclose(1e-2), gradients=False),
    Baseline("plain random, 1e-3", plain_random, allclose(1e-3)),
    Baseline("plain random, MSE < 1e-3", plain_random, mean_square(1e-3)),
    Baseline("plain random, Pearson ≥ 0.985", plain_random, correlated(0.985)),
    Baseline("plain random, 7 % may differ", plain_random, mostly_close(0.07, 1e-3)),
)
"""Every baseline."""
