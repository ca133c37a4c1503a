"""Layouts are drawn with the cases, so that every oracle judges them: what each of them is there to show."""

import numpy as np
import pytest

from altered import failing
from convcheck import LAYOUTS, Status
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_case
from convcheck.model.case import BIAS_LAYOUTS
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import ORACLES
from convcheck.oracles.support.exercised import exercised
from convcheck.plugin.registry import load
from convcheck_backends import NumpyBackend

OF_VALUES = [
    o for o in ORACLES if o.name in ("contract", "exact", "bounded", "gradients-exact", "gradients-bounded", "adjoint")
]
CASE = "v1,x=1x1x7x6,out=6,k=3x2,s=2x1,p=1x0"


class VectorLoads(NumpyBackend):
    """Loads two numbers at a time, from addresses rounded down to their size."""

    def conv2d(self, x, weight, bias, params):
        owner = x.base
        if isinstance(owner, np.ndarray) and owner.dtype == np.uint8 and x.flags.c_contiguous:
            at = x.ctypes.data - owner.ctypes.data
            at -= x.ctypes.data % (2 * x.itemsize)
            x = owner[at : at + x.nbytes].view(x.dtype).reshape(x.shape)
        return super().conv2d(x, weight, bias, params)


class RowPitchFromChannels(NumpyBackend):
    """Takes the stride of the channels for height · width, which it is not where there is one channel."""

    def conv2d(self, x, weight, bias, params):
        channel, row = x.strides[-3], x.strides[-1] * x.shape[-1]
        if x.flags.c_contiguous and channel != row * x.shape[-2]:
            x = np.zeros_like(x)
        return super().conv2d(x, weight, bias, params)


class SumOfMemory(NumpyBackend):
    """Sums the memory of grad_output, in which a repeated number stands once."""

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        gradients = super().conv2d_backward(grad_output, x, weight, bias, params)
        if grad_output.size and not any(grad_output.strides):
            gradients = gradients._replace(bias=np.ones_like(gradients.bias))
        return gradients


def flat(array):
    """What lies from the first element of a view on, as if it had no strides."""
    return np.lib.stride_tricks.as_strided(array, array.shape, np.empty(array.shape, array.dtype).strides)


class DenseBatch(NumpyBackend):
    """Takes the images of a batch for one behind the other."""

    def conv2d(self, x, weight, bias, params):
        return super().conv2d(flat(x) if x[0].flags.c_contiguous and len(x) > 1 else x, weight, bias, params)


class DenseBias(NumpyBackend):
    """Takes a pointer to the bias, without its stride."""

    def conv2d(self, x, weight, bias, params):
        return super().conv2d(x, weight, bias if bias is None else flat(bias), params)


class OneGradient(NumpyBackend):
    """Takes the gradient of a mean over each channel for that of a sum over all."""

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        if grad_output.size and not any(grad_output.strides[-2:]):
            grad_output = np.broadcast_to(grad_output.flat[0], grad_output.shape)
        return super().conv2d_backward(grad_output, x, weight, bias, params)


@pytest.mark.parametrize(
    ("backend", "layouts", "found"),
    [
        (DenseBatch, "x=3x2x5x4,out=2,k=2,layout-x=channel_slice", ("exact", "output", Status.FAIL)),
        (DenseBias, "x=1x2x5x4,out=3,k=2,layout-bias=step", ("exact", "output", Status.FAIL)),
        (
            OneGradient,
            "x=1x2x5x4,out=3,k=2,layout-grad=expanded_pixels",
            ("gradients-exact", "grad_weight", Status.FAIL),
        ),
    ],
)
def test_a_defect_of_one_tensor_shows_where_that_lies_so(backend, layouts, found):
    only = ("exact", "gradients-exact")
    assert found in failing(backend(), f"v1,{layouts}", only=only)
    assert not failing(backend(), f"v1,{layouts.rpartition(',')[0]}", only=only)
    assert not failing(NumpyBackend(), f"v1,{layouts}", only=only)


@pytest.mark.parametrize(
    ("backend", "layouts", "found"),
    [
        (VectorLoads, "layout=offset", ("exact", "output", Status.FAIL)),
        (RowPitchFromChannels, "layout=odd_strides", ("exact", "output", Status.FAIL)),
        (SumOfMemory, "layout-grad=broadcast", ("gradients-exact", "grad_bias", Status.FAIL)),
    ],
)
def test_a_defect_shows_in_its_layout_only(backend, layouts, found):
    assert found in failing(backend(), f"{CASE},{layouts}")
    assert not failing(backend(), CASE)
    assert not failing(NumpyBackend(), f"{CASE},{layouts}")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_reference_passes_in_every_layout(layout):
    cases = (
        f"{CASE},dtype=complex64",
        "v1,x=3x4x5x4,out=4,k=2,g=2,mode=circular,p=1,dtype=float16",
        "v1,x=0x4x5x4,out=4,k=2,dtype=bfloat16",
        "v1,x=4x5x4,out=2,k=2",
    )
    if layout.startswith("order-"):
        assert not failing(NumpyBackend(), f"{cases[0]},layout={layout}", only=("exact", "gradients-exact"))
        return
    assert not failing(NumpyBackend(), f"{cases[-1]},layout={layout}")
    for case in cases[:-1]:
        assert not failing(NumpyBackend(), f"{case},layout={layout}", only=("exact", "gradients-exact", "bounded"))


def test_every_layout_but_the_plain_one_is_a_clause_and_is_drawn():
    clauses = {layout: exercised(read(f"{CASE},layout={layout}")) for layout in LAYOUTS}
    assert [layout for layout, c in clauses.items() if not any("LAYOUT" in x for x in c)] == ["contiguous"]
    drawn = generate(NumpyBackend.capabilities, run_seed=0, block=1, size=300)
    assert {layout for layout in LAYOUTS if not layout.startswith("order-")} <= {
        layout for case in drawn for layout in case.layouts
    }
    assert {case.layout_bias for case in drawn} == set(BIAS_LAYOUTS)
    plain = [[name for name, layout in case.layout_of.items() if layout != "contiguous"] for case in drawn]
    assert all(plain.count([name]) >= 5 for name in ("x", "weight", "bias", "grad_output"))
    assert 60 < sum(case.placement == "at_end" for case in drawn) < 150


@pytest.mark.parametrize("layouts", ["layout=offset", "layout=odd_strides", "layout-grad=broadcast"])
def test_torch_passes(layouts):
    host = InProcessCandidate(lambda: load("torch-cpu"))
    tokens = (
        "v1,x=2x1x7x6,out=3,k=3,p=1",
        "v1,x=1x4x5x4,out=4,k=1x2,g=4,s=2",
        "v1,x=1x3x6x6,out=2,k=3,p=1,mode=reflect",
    )
    for token in tokens:
        for dtype in ("float32", "float64", "float16", "bfloat16"):
            found = judge_case(host, read(f"{token},dtype={dtype},{layouts}"), OF_VALUES)[0]
            assert not [v for v in found if v.status in FAILURES]
