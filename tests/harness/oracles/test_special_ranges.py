"""Near overflow, subnormals, cancellation and signed zeros: what the regimes catch, and what they let pass."""

import numpy as np
import pytest

from altered import CASE, Altered, failing, verdicts
from convcheck import Capabilities, Status
from convcheck.evaluation.variant_backends import ProductVariant
from convcheck.evaluation.variants import sequential
from convcheck.model.profiles import FP16_ACC, FP16_IN_FP32_ACC
from convcheck.model.token import read
from convcheck.oracles.support.trial import Trial
from convcheck_backends import NumpyBackend
from convcheck_reference.formats import component_format

DTYPES = ("float16", "bfloat16", "float32", "float64")
LONG = "v1,x=1x16x9x9,out=4,k=3,dtype=float16"
FINITE = ("bounded", "gradients-exact", "gradients-bounded")


def caught(output, values, dtype="float32", only=FINITE):
    tokens = [f"{CASE},dtype={dtype},values={values},seed={seed}" for seed in range(4)]
    return any(failing(Altered(output), token, only) for token in tokens)


def half_sums(profile):
    declared = Capabilities(dtypes=("float16",), profiles={"float16": profile})
    return ProductVariant(sequential, declared, accumulator=np.float16)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_magnitudes_come_near_the_largest_number(dtype):
    largest = component_format(dtype).largest
    for layer in (CASE, "v1,x=3x64x9x9,out=2,k=5,p=2", "v1,x=1x1x3x3,out=1,k=1,mode=circular,p=1"):
        trial = Trial(read(f"{layer},dtype={dtype},values=overflow"), NumpyBackend.capabilities)
        gauge = trial.expected_reals.sum("output").gauge
        gradients = [trial.expected_reals.sum(q).gauge.max() for q in ("grad_input", "grad_weight", "grad_bias")]
        assert max(gradients) <= largest / 1.9
        assert largest / 5 < gauge.max() <= largest / 1.9


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_infinity_where_no_sum_overflows_fails(dtype):
    limit = component_format(dtype).largest / 32
    assert caught(lambda a: np.where(np.abs(a) > limit, a.dtype.type(np.inf), a).astype(a.dtype), "overflow", dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_clamp_below_the_largest_number_fails(dtype):
    limit = component_format(dtype).largest / 32
    assert caught(lambda a: np.clip(a.astype(float), -limit, limit).astype(a.dtype), "overflow", dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_flushed_subnormals_fail_unless_declared(dtype):
    smallest = component_format(dtype).smallest_normal
    assert caught(lambda a: np.where(np.abs(a) < smallest, 0, a).astype(a.dtype), "subnormal", dtype)


def test_lost_cancellation_fails():
    class Rounding(NumpyBackend):
        """Operands in 12 bits: what is left after cancellation is their error."""

        def conv2d(self, x, weight, bias, params):
            mantissa, exponent = np.frexp(x)
            return super().conv2d(np.ldexp(np.rint(mantissa * 2**12), exponent - 12), weight, bias, params)

    assert failing(Rounding(), f"{CASE},values=cancelling", ("bounded",))


@pytest.mark.parametrize("values", ["reals", "special", "subnormal"])
def test_the_sign_of_zero_is_not_judged(values):
    def negative(a):
        return np.where(a == 0, a.dtype.type(-0.0), a)

    for token in (CASE, "v1,x=1x2x3x3,out=2,k=2,p=3,bias=false"):
        assert not failing(Altered(negative), f"{token},values={values}")


def test_sums_that_overflow_on_the_way_are_legal_where_they_are_declared():
    for seed in range(3):
        assert not failing(half_sums(FP16_ACC), f"{LONG},values=overflow,seed={seed}", ("bounded",))


def test_undeclared_float16_sums_fail():
    assert failing(half_sums(FP16_IN_FP32_ACC), f"{LONG},values=overflow", ("bounded",))


def test_elements_that_may_overflow_are_left_out():
    token = f"{CASE},dtype=float16,values=overflow"
    trial = Trial(read(token), NumpyBackend.capabilities)
    scaled = Trial(trial.case, trial.capabilities)
    values = trial.reals
    scaled.__dict__["reals"] = type(values)(values.x * 64, values.weight, values.bias, values.grad_output)
    with np.errstate(all="ignore"):
        bound = scaled.expected_reals.bound("output", FP16_IN_FP32_ACC)
    assert np.isinf(bound).any()
    assert {v.status for v in verdicts(NumpyBackend(), token, ("bounded",))} == {Status.PASS}
