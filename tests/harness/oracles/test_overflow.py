"""Sums that overflow in any order: what clamps them fails, whatever sums them passes."""

import numpy as np
import pytest

from altered import verdicts
from convcheck import PROFILES, Capabilities, Level, Status
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import Trial, extra_calls, find
from convcheck_backends import NumpyBackend
from convcheck_backends.torch_engine import TorchCpu, TorchCpuNative

NAME = "overflow"
DTYPES = ("float32", "float64", "float16", "bfloat16")
TOKEN = "v1,x=2x4x6x7,out=6,k=3x2,s=2x1,p=1x0,g=2"
PADDED = "v1,x=1x1x2x2,out=2,k=1,p=1"


class Saturating(NumpyBackend):
    """A store that clamps."""

    def conv2d(self, x, weight, bias, params):
        found = super().conv2d(x, weight, bias, params)
        return np.where(np.isinf(found), np.copysign(_largest(found.dtype), found), found).astype(found.dtype)


class PositiveAlone(NumpyBackend):
    """Whatever overflows is +Inf."""

    def conv2d(self, x, weight, bias, params):
        return np.where(np.isinf(found := super().conv2d(x, weight, bias, params)), np.inf, found).astype(x.dtype)


class BetweenFilters(NumpyBackend):
    """Filters are summed apart by sign, and taken from one another."""

    def conv2d(self, x, weight, bias, params):
        with np.errstate(all="ignore"):
            found = super().conv2d(x, weight, bias, params)
            return found - (found - found)


def _largest(dtype):
    return float(np.nextafter(np.array(np.inf, dtype), np.array(0, dtype)))


def judged(backend, token):
    return verdicts(backend, token, only=(NAME,))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("wrong", [Saturating, PositiveAlone, BetweenFilters])
def test_what_is_not_infinite_with_its_sign_fails(wrong, dtype):
    (found,) = judged(wrong(), f"{TOKEN},dtype={dtype}")
    assert found.status in FAILURES
    assert found.clauses[0] == "C2D-SPECIAL-6"
    assert "inf" in found.evidence.expected
    assert find(NAME).level is Level.IEEE


@pytest.mark.parametrize("backend", [NumpyBackend(), TorchCpu(), TorchCpuNative()], ids=lambda b: b.name)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "rest", ["", ",bias=false", ",layout=channels_last", ",layout-weight=expanded", ",mode=reflect", ",nonzeros=1"]
)
def test_who_sums_in_any_order_passes(backend, dtype, rest):
    assert [v.status for v in judged(backend, f"{TOKEN},dtype={dtype}{rest}")] == [Status.PASS]


def test_where_every_tap_lies_in_the_padding_the_bias_is_due():
    assert [v.status for v in judged(NumpyBackend(), PADDED)] == [Status.PASS]

    class Everywhere(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            found = super().conv2d(x, weight, bias, params)
            return np.full_like(found, np.inf) if np.isinf(found).any() else found

    assert judged(Everywhere(), PADDED)[0].status in FAILURES


@pytest.mark.parametrize(
    "declared",
    [
        {"nonfinite": False},
        {"profiles": {"float32": PROFILES["tf32"]}},
        {"profiles": {"float32": PROFILES["winograd-f4"]}},
    ],
    ids=["no special values", "truncated sums", "transforms"],
)
def test_it_is_asked_of_sums_of_the_products_as_they_are(declared):
    trial = Trial(read(TOKEN), Capabilities(**declared))
    assert not extra_calls(trial, (find(NAME),))
    assert extra_calls(Trial(read(TOKEN), Capabilities()), (find(NAME),))
