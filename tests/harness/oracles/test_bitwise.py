import numpy as np
import pytest

from altered import CASE, Altered
from altered import failing as failures
from altered import verdicts as judged
from convcheck import Capabilities, Gradients, Status
from convcheck.model.calls import Operation
from convcheck.model.profiles import FP32_STRICT, TF32_INPUTS, Profile
from convcheck.model.token import read
from convcheck.oracles import bitwise
from convcheck.oracles.support.trial import Trial
from convcheck_backends import NumpyBackend, TorchCpu
from convcheck_reference.formats import FLOAT32

TOKENS = [f"{CASE},seed={seed}" for seed in range(8)]


def failing(backend, token=CASE):
    return failures(backend, token, only=("bitwise",))


def caught(backend):
    return {f for token in TOKENS for f in failing(backend, token)}


def factors(token, capabilities=NumpyBackend.capabilities):
    trial = Trial(read(token), capabilities)
    return bitwise.factor(trial, Operation.FORWARD)


class Shuffled(NumpyBackend):
    """float32 sums in an order that differs from call to call, as with atomic additions."""

    def __init__(self, profile=FP32_STRICT):
        self.rng = np.random.default_rng(0)
        self.capabilities = Capabilities(profiles={"float32": profile})

    def conv2d(self, x, weight, bias, params):
        out = np.zeros(params.output_shape(x.shape), x.dtype) + bias[:, None, None]
        for tap in self.rng.permutation(weight[0].size):
            one = np.zeros_like(weight)
            one.reshape(len(weight), -1)[:, tap] = weight.reshape(len(weight), -1)[:, tap]
            out += super().conv2d(x, one, None, params)
        return out


class Ordered(Shuffled):
    """The same, in one order."""

    def conv2d(self, x, weight, bias, params):
        self.rng = np.random.default_rng(0)
        return super().conv2d(x, weight, bias, params)


@pytest.mark.parametrize(
    "output",
    [
        lambda a: np.where(np.abs(a) < 1e-3, 0, a).astype(a.dtype),
        lambda a: np.clip(a, -20, 20),
        lambda a: a + a.dtype.type(1e-7),
        lambda a: np.maximum(a, -3.0).astype(a.dtype),
        lambda a: a + a.dtype.type(1e-6) * np.sign(a[0, 0, 0, 0]) ** 2,
    ],
    ids=["threshold", "clamp", "epsilon", "one-sided clamp", "offset"],
)
def test_what_does_not_scale_fails(output):
    assert ("bitwise", "output", Status.FAIL) in caught(Altered(output))


@pytest.mark.parametrize("at", range(3))
def test_a_gradient_that_does_not_scale_fails(at):
    def clipped(g):
        return Gradients(*(np.clip(a, -1, 1) if i == at else a for i, a in enumerate(g)))

    name = ("grad_input", "grad_weight", "grad_bias")[at]
    assert ("bitwise", name, Status.FAIL) in caught(Altered(gradients=clipped))


def test_another_order_each_time_fails_unless_it_is_declared():
    assert ("bitwise", "output", Status.FAIL) in failing(Shuffled())
    atomic = Profile(name="fp32-atomics", accumulator=FLOAT32, repeatable=False)
    found = judged(Shuffled(atomic), only=("bitwise",))
    assert {v.status for v in found} == {Status.NOT_APPLICABLE}


@pytest.mark.parametrize(
    "values", ["reals", "wide", "positive", "cancelling", "large", "overflow", "subnormal", "special"]
)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64"])
def test_one_order_passes(dtype, values):
    for backend in (Altered(), TorchCpu()):
        assert not failing(backend, f"{CASE},dtype={dtype},values={values}")


@pytest.mark.parametrize("values", ["reals", "wide", "positive", "cancelling", "large", "subnormal"])
def test_float32_sums_pass(values):
    for seed in range(4):
        assert not failing(Ordered(), f"{CASE},values={values},seed={seed}")


def test_factors_leave_room_for_every_rounding():
    assert {abs(factors(token)) for token in TOKENS} == {2.0**k for k in (3, -3, 20, -20)}
    assert all(factors(token) < 0 for token in TOKENS)
    assert all(factors(f"{token},values=subnormal") == -1.0 for token in TOKENS)
    assert all(abs(factors(f"{token},values=overflow")) <= 8.0 for token in TOKENS)
    assert all(abs(factors(f"{token},dtype=float16")) in (8.0, 0.125, 1.0) for token in TOKENS)


def test_a_truncating_accumulator_keeps_the_sign():
    assert all(factors(token, Capabilities(profiles={"float32": TF32_INPUTS})) > 0 for token in TOKENS)
