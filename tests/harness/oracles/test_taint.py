import numpy as np
import pytest

from altered import CASE, Altered, verdicts
from altered import failing as failures
from convcheck import Gradients, Status
from convcheck.model.token import read
from convcheck.numerics.nonfinite import classes
from convcheck.oracles import taint
from convcheck.oracles.support.trial import Trial
from convcheck_backends import NumpyBackend, TorchCpu
from convcheck_reference.naive import naive_conv2d, naive_grad_input, naive_grad_weight

TOKENS = [f"{CASE},seed={seed}" for seed in range(8)]
SMALL = "v1,x=2x2x5x4,out=4,k=2x3,s=2x1,p=1x2,d=1,g=2"


def failing(backend, token=CASE):
    return failures(backend, token, only=("taint",))


def caught(backend):
    return [f for token in TOKENS for f in failing(backend, token)]


class WithoutNaN(NumpyBackend):
    """Takes NaN for 0 on the way in."""

    def conv2d(self, x, weight, bias, params):
        return super().conv2d(np.nan_to_num(x), weight, bias, params)


class OneBeyond(NumpyBackend):
    """Reads one column too many, times zero."""

    def conv2d(self, x, weight, bias, params):
        beyond = np.zeros_like(x)
        beyond[..., :-1] = x[..., 1:] * 0
        return super().conv2d(x + beyond, weight, bias, params)


class SkipsZeros(NumpyBackend):
    """Leaves out products with a zero of the other factor: 0·Inf is lost."""

    def conv2d(self, x, weight, bias, params):
        out = super().conv2d(x, weight, bias, params)
        clean = super().conv2d(np.where(np.isfinite(x), x, 0), weight, bias, params)
        return np.where(np.isnan(out) & ~np.isnan(x).any(), clean, out).astype(out.dtype)


class Spreading(NumpyBackend):
    """A NaN anywhere in an image spoils the whole of it, as in an FFT."""

    def conv2d(self, x, weight, bias, params):
        out = super().conv2d(x, weight, bias, params)
        out[np.isnan(x).any(axis=(1, 2, 3))] = np.nan
        return out


@pytest.mark.parametrize("backend", [WithoutNaN, OneBeyond, Spreading])
def test_a_wrong_receptive_field_fails(backend):
    assert caught(backend())


def test_a_product_of_zero_and_infinity_that_is_skipped_fails():
    tokens = [f"v1,x=1x1x4x4,out=1,k=3,bias=false,nonzeros=4,seed={seed}" for seed in range(8)]
    assert any(failing(SkipsZeros(), token) for token in tokens)


@pytest.mark.parametrize("at", range(3))
def test_a_gradient_that_swallows_the_special_value_fails(at):
    def swallow(g):
        return Gradients(*(np.nan_to_num(a) if i == at else a for i, a in enumerate(g)))

    name = ("grad_input", "grad_weight", "grad_bias")[at]
    assert ("taint", name, Status.FAIL) in failing(Altered(gradients=swallow))


def test_a_wrong_number_beside_the_special_value_fails():
    def nudge(a):
        a = a.copy()
        where = np.argwhere(np.isfinite(a))
        if len(where) < a.size and len(where):
            a[tuple(where[-1])] += 1
        return a

    assert any("do not read it" in v.reason for v in verdicts(Altered(nudge), only=("taint",)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize(
    "extra", ["", ",layout=expanded", ",layout=sliced", ",layout-grad=broadcast", ",mode=circular", ",mode=reflect"]
)
def test_ieee_arithmetic_passes(dtype, extra):
    for backend in (NumpyBackend(), TorchCpu()):
        assert not failing(backend, f"{CASE},dtype={dtype}{extra}")


@pytest.mark.parametrize("seed", range(4))
def test_the_classes_are_those_of_the_plain_loops(seed):
    trial = Trial(read(f"{SMALL},seed={seed}"), NumpyBackend.capabilities)
    params, shape = trial.case.params, trial.case.input_shape
    for call in taint.tainted(trial):
        v = call.values
        looped = {
            "output": lambda v=v: naive_conv2d(v.x, v.weight, v.bias, params),
            "grad_input": lambda v=v: naive_grad_input(v.grad_output, v.weight, params, shape),
            "grad_weight": lambda v=v: naive_grad_weight(v.grad_output, v.x, params),
            "grad_bias": lambda v=v: v.grad_output.sum(axis=(0, 2, 3)),
        }
        for quantity in call.quantities:
            expected, open_ = taint._classes(trial, v, quantity)
            with np.errstate(invalid="ignore"):
                found = classes(looped[quantity]())
            assert (found == expected)[~open_].all()
            assert (~open_).any()
