import numpy as np
import pytest

from altered import CASE, Altered, failing, verdicts
from convcheck import Capabilities, Gradients, Status
from convcheck.model.token import read
from convcheck.oracles import ORACLES, Trial, extra_calls
from convcheck_backends import NumpyBackend

ONLY = ("finite-differences",)
FAIL = {("finite-differences", "adjoint", Status.FAIL)}


def scaled_by(factor, at):
    return Altered(
        gradients=lambda g: Gradients(*(a * a.dtype.type(factor) if i == at else a for i, a in enumerate(g)))
    )


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_a_gradient_that_does_not_belong_to_the_output_fails(at, dtype):
    token = f"{CASE},dtype={dtype}"
    assert failing(scaled_by(2, at), token, ONLY) == FAIL
    found = [v for v in verdicts(scaled_by(2, at), token, ONLY) if v.status is Status.FAIL]
    assert [("x[" if at == 0 else "weight[") in v.reason for v in found] == [True]
    assert found[0].clauses[-1] == "C2D-GRAD-5"


def test_a_wrong_corner_fails():
    class Corner(NumpyBackend):
        def conv2d_backward(self, *tensors):
            gradients = super().conv2d_backward(*tensors)
            gradients.input[(0,) * gradients.input.ndim] += 1
            return gradients

    assert failing(Corner(), CASE, ONLY) == FAIL


def test_a_forward_pass_that_does_not_belong_to_the_gradients_fails():
    class Negated(NumpyBackend):
        """The right gradients, of another output: |y|."""

        def conv2d(self, *tensors):
            return np.abs(super().conv2d(*tensors))

    assert failing(Negated(), CASE, ONLY) == FAIL


def test_a_result_of_another_shape_fails():
    class Short(NumpyBackend):
        def conv2d(self, *tensors):
            return super().conv2d(*tensors)[..., :-1]

    assert failing(Short(), CASE, ONLY) == FAIL


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "complex64", "complex128"])
def test_the_reference_passes(mode, dtype):
    found = [
        verdict
        for seed in range(3)
        for verdict in verdicts(
            NumpyBackend(), f"v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1,g=2,mode={mode},dtype={dtype},seed={seed}", ONLY
        )
    ]
    assert {v.status for v in found} == {Status.PASS}


def test_torch_passes():
    from convcheck.plugin.registry import load

    for token in (CASE, "v1,x=2x3x6x6,out=4,k=3,p=1,mode=reflect", "v1,x=3x5x5,out=2,k=2,s=2"):
        for dtype in ("float32", "float16", "bfloat16"):
            assert {v.status for v in verdicts(load("torch-cpu"), f"{token},dtype={dtype}", ONLY)} == {Status.PASS}


def test_a_gradient_that_the_dtype_rounds_is_not_judged():
    # 576 windows under a gradient of ones sum to more than the 2^8 that bfloat16 counts to
    token = "v1,x=4x2x12x12,out=2,k=1,dtype=bfloat16,layout-grad=broadcast"
    assert [v.status for v in verdicts(NumpyBackend(), token, ONLY)] == [Status.PASS, Status.VACUOUS]


def test_shared_entries_are_not_moved_alone():
    oracles = [o for o in ORACLES if o.name in ONLY]
    names = {
        layout: [
            key.name for key in extra_calls(Trial(read(f"{CASE},layout={layout}"), NumpyBackend.capabilities), oracles)
        ]
        for layout in ("contiguous", "expanded")
    }
    assert {name.split("[")[0] for name in names["contiguous"]} == {"forward", "backward", "x", "weight"}
    assert names["expanded"] == ["forward", "backward"]


def test_nothing_is_asked_where_gradients_are_not_declared():
    oracles = [o for o in ORACLES if o.name in ONLY]
    assert not extra_calls(Trial(read(CASE), Capabilities()), oracles)
