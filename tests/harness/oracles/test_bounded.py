import numpy as np
import pytest

from altered import CASE, Altered, failing, off_by, verdicts, with_last
from convcheck import Capabilities, Status
from convcheck.model.profiles import BF16_ACC
from convcheck.model.token import read
from convcheck.oracles import Trial
from convcheck.oracles.bounded import expectation
from convcheck.plugin.registry import load
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams


@pytest.mark.parametrize(
    "regime", ["reals", "wide", "positive", "cancelling", "large", "overflow", "subnormal", "special"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "complex64", "complex128"])
def test_the_reference_passes(dtype, regime):
    assert not failing(Altered(), f"{CASE},dtype={dtype},values={regime}")


@pytest.mark.parametrize("change", [off_by(1), with_last(np.nan), with_last(np.inf), with_last(0)])
def test_one_wrong_element_fails(change):
    assert failing(Altered(change), only=("bounded",)) == {("bounded", "output", Status.FAIL)}


def test_an_error_just_above_the_bound_fails_and_just_below_it_passes():
    token = f"{CASE},dtype=float64,values=positive"
    below, above = (failing(Altered(lambda a, e=e: a * (1 + e)), token) for e in (2.0**-52, 2.0**-44))
    assert ("bounded", "output", Status.FAIL) not in below
    assert ("bounded", "output", Status.FAIL) in above


def test_the_margin_says_how_much_of_the_legal_error_is_used():
    (right,) = verdicts(Altered(), only=("bounded",))
    (wrong,) = verdicts(Altered(off_by(1)), only=("bounded",))
    assert 0 < right.margin < 1 < wrong.margin
    assert f"{wrong.margin:.3g} times the largest legal error of fp32-strict" in wrong.reason


def test_operands_rounded_to_tf32_fail_where_float32_is_promised():
    class Rounded(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            x, weight = (((a.view(np.int32) + 0x1000) & ~0x1FFF).view(np.float32) for a in (x.copy(), weight.copy()))
            return super().conv2d(x, weight, bias, params)

    assert ("bounded", "output", Status.FAIL) in failing(Rounded())


def test_another_order_of_summation_passes():
    class Reordered(NumpyBackend):
        """float32 sums, one tap at a time, from the last to the first."""

        capabilities = Capabilities()

        def conv2d(self, x, weight, bias, params):
            params = Conv2dParams.of(params.arguments)
            out = np.zeros(params.output_shape(x.shape), x.dtype)
            if bias is not None:
                out += bias[:, None, None]
            for at in reversed(list(np.ndindex(weight.shape[1:]))):
                tap = np.zeros_like(weight)
                tap[(slice(None), *at)] = weight[(slice(None), *at)]
                out += super().conv2d(x, tap, None, params)
            return out

    for seed in range(20):
        token = f"v1,x=2x8x6x5,out=4,k=3,values=positive,seed={seed}"
        assert not failing(Reordered(), token, only=("exact", "bounded"))


@pytest.mark.parametrize(
    ("regime", "clauses"),
    [
        ("reals", set()),
        ("subnormal", {"C2D-SPECIAL-3"}),
        ("cancelling", {"C2D-SPECIAL-5"}),
        ("large", {"C2D-SPECIAL-4", "C2D-ARITH-3"}),
        ("overflow", {"C2D-SPECIAL-4", "C2D-ARITH-3"}),
    ],
)
def test_a_regime_is_judged_by_its_own_clauses(regime, clauses):
    (found,) = verdicts(Altered(), f"{CASE},values={regime}", only=("bounded",))
    assert {c for c in found.clauses if "SPECIAL" in c or c == "C2D-ARITH-3"} == clauses
    assert "C2D-ARITH-2" in found.clauses


def test_special_values_are_left_to_another_oracle():
    assert verdicts(Altered(), f"{CASE},values=special", only=("bounded",)) == ()


def test_a_case_that_could_not_tell_is_vacuous():
    found = verdicts(load("numpy"), "v1,x=1x1x1x1,out=1,k=1,p=4,bias=false", only=("bounded",))
    assert [v.status for v in found] == [Status.VACUOUS]


def test_where_there_is_no_bound_the_case_is_vacuous_and_everything_is_due():
    backend = NumpyBackend()
    backend.capabilities = Capabilities(profiles={"float32": BF16_ACC})
    token = "v1,x=1x64x5x5,out=1,k=3"
    (found,) = verdicts(backend, token, only=("bounded",))
    assert found.status is Status.VACUOUS
    assert "leaves no bound" in found.reason
    assert np.isinf(expectation(Trial(read(token), backend.capabilities), "output").tolerance).all()
