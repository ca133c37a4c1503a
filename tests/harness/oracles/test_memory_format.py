from dataclasses import replace

import numpy as np
import pytest

from altered import failing, verdicts
from convcheck import Status
from convcheck_backends import NumpyBackend, TorchCpu

SMALL = "v1,x=2x3x5x4,out=4,k=3x2,p=1"
ONLY = ("memory-format",)


def nhwc(array):
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if array.ndim == 4 else array


class Following(NumpyBackend):
    """Results in the format of torch's: any strides of NHWC order among the operands decide."""

    capabilities = replace(NumpyBackend.capabilities, memory_format=True)

    def in_format(self, array, *operands):
        return nhwc(array) if any(o.ndim == 4 and o.strides[1] < o.strides[3] for o in operands) else array

    def conv2d(self, x, weight, bias, params):
        return self.in_format(super().conv2d(x, weight, bias, params), x, weight)

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        gradients = super().conv2d_backward(grad_output, x, weight, bias, params)
        return type(gradients)(*(g if g is None else self.in_format(g, x, weight) for g in gradients))


class ByInputOnly(Following):
    """Goes by x: a weight in NHWC order changes nothing."""

    def in_format(self, array, *operands):
        return super().in_format(array, operands[0])


class Undeclared(NumpyBackend):
    """Always C order, as anybody may."""


@pytest.mark.parametrize(
    "layouts",
    ["", ",layout=channels_last", ",layout-x=channels_last+offset", ",layout-weight=channels_last", ",layout=sliced",
     ",layout-x=channels_last_channel_slice", ",layout-grad=channels_last", ",layout-x=offset", ",layout=order-2310"],
)  # fmt: skip
def test_results_in_the_format_of_the_operands_pass(layouts):
    assert not failing(Following(), SMALL + layouts, only=ONLY)
    assert not failing(TorchCpu(), SMALL + layouts, only=ONLY)
    assert not failing(Undeclared(), SMALL + layouts, only=ONLY)


def test_a_format_that_follows_one_operand_only_fails():
    assert failing(ByInputOnly(), f"{SMALL},layout-weight=channels_last", only=ONLY) == {
        ("memory-format", quantity, Status.FAIL) for quantity in ("output", "grad_input", "grad_weight")
    }
    assert not failing(ByInputOnly(), f"{SMALL},layout=channels_last", only=ONLY)


def test_results_that_are_always_in_nhwc_order_fail_where_operands_are_contiguous():
    class Nhwc(Following):
        def in_format(self, array, *operands):
            return nhwc(array)

    found = [v for v in verdicts(Nhwc(), SMALL, only=ONLY) if v.status is Status.FAIL]
    assert {v.clauses for v in found} == {("C2D-LAYOUT-3",)}
    assert "has to be contiguous" in found[0].reason


@pytest.mark.parametrize("token", ["v1,x=3x5x4,out=4,k=2", f"{SMALL},mode=circular", "v1,x=0x3x5x4,out=4,k=2"])
def test_nothing_is_said_where_there_is_no_format(token):
    assert not verdicts(ByInputOnly(), f"{token},layout-weight=channels_last", only=ONLY)


def test_one_pixel_or_one_channel_is_in_both_formats():
    for token in ("v1,x=2x3x1x1,out=4,k=1", "v1,x=2x1x5x4,out=1,k=2"):
        assert not failing(Undeclared(), f"{token},layout-x=channels_last", only=ONLY)
        assert not failing(ByInputOnly(), f"{token},layout-x=channels_last", only=ONLY)
