import math

import numpy as np
import pytest

from convcheck import Capabilities, Status
from convcheck.campaign.large import (
    PERIOD,
    LargeCase,
    _shapes,
    _table,
    _tensor,
    exact_element,
    judge,
    large_cases,
    sample_positions,
)
from convcheck.model.case import Case
from convcheck.model.profiles import FFT, FP16_ACC
from convcheck_backends import NumpyBackend, TorchCpu
from convcheck_reference import Arguments, conv2d

SMALL = 16 * 2**20
CASES = large_cases(SMALL)


class OneGrid(NumpyBackend):
    """Covers at most 65,535 entries of one axis; the rest of the output stays zero."""

    def __init__(self, axis):
        self.axis = axis

    def conv2d(self, x, weight, bias, params):
        out = super().conv2d(x, weight, bias, params)
        np.moveaxis(out, self.axis, 0)[65_535:] = 0
        return out


class ShortIndices(NumpyBackend):
    """Offsets into the input wrap around at 65,536."""

    def conv2d(self, x, weight, bias, params):
        flat = x.reshape(-1)
        wrapped = flat[np.arange(flat.size) % 65_536].reshape(x.shape)
        return super().conv2d(wrapped, weight, bias, params)


def test_the_period_is_a_prime():
    assert all(PERIOD % d for d in range(2, math.isqrt(PERIOD) + 1))


@pytest.mark.parametrize("large", CASES, ids=lambda c: c.passes)
def test_right_results_pass(large):
    assert judge(TorchCpu(), large).status is Status.PASS


@pytest.mark.parametrize("large", CASES, ids=lambda c: c.passes)
def test_some_defect_fails_in_each_case(large):
    found = [judge(backend, large).status for backend in (*map(OneGrid, range(4)), ShortIndices())]
    assert Status.FAIL in found


def test_where_it_fails_is_said():
    images = next(c for c in CASES if c.passes == "65536 images")
    verdict = judge(OneGrid(0), images)
    assert "layer with 65536 images" in verdict.reason
    assert verdict.evidence.index[0] >= 65_535


@pytest.mark.parametrize(
    "layer",
    [
        Arguments(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2),
        Arguments(2, 3, 3, padding=1, padding_mode="reflect"),
    ],
)
def test_every_element_is_that_of_the_reference(layer):
    case = Case(layer, (2, layer.in_channels, 7, 8))
    x, weight, bias = (_tensor(shape, "float64", _table(at)) for at, shape in enumerate(_shapes(case)))
    expected = conv2d(x, weight, bias, case.params)
    assert all(exact_element(case, index) == expected[index] for index in np.ndindex(expected.shape))


def test_the_samples_lie_about_every_limit():
    case = Case(Arguments(2, 3, 1), (1, 2, 40, 50))
    flat = {int(np.ravel_multi_index(at, case.output_shape)) for at in sample_positions(case, offsets=(4000,))}
    assert {0, 5999, 3999, 4000, 4001, 999, 1000, 1001} <= flat
    assert len(flat) > 80


def test_memory_decides_which_cases_there_are():
    assert [c.passes for c in large_cases(0)] == []
    assert all(c.nbytes <= SMALL for c in CASES)
    everything = large_cases(2**40, "float16")
    assert {"an input of 2^31 elements", "an output of 2^32 bytes"} <= {c.passes for c in everything}
    for large in everything:
        shape = large.case.input_shape if "input" in large.passes else large.case.output_shape
        if "elements" in large.passes:
            assert math.prod(shape) > 2**31
        if "bytes" in large.passes:
            assert math.prod(shape) * 2 > (2**32 if "32" in large.passes else 2**31)


def test_a_wrong_shape_fails():
    class Short(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            return super().conv2d(x, weight, bias, params)[..., :-1]

    assert judge(Short(), LargeCase(Case(Arguments(1, 1, 1), (1, 1, 2, 2)), "nothing")).status is Status.FAIL


@pytest.mark.parametrize(("profile", "why"), [(FP16_ACC, "sums of 65539 products"), (FFT, "under profile fft")])
def test_what_is_not_exact_is_not_judged(profile, why):
    backend = OneGrid(0)
    backend.capabilities = Capabilities(profiles={"float32": profile})
    verdict = judge(backend, next(c for c in CASES if c.passes == "65536 input channels"))
    assert verdict.status is Status.NOT_APPLICABLE
    assert why in verdict.reason


def test_what_is_not_declared_is_not_judged():
    backend = NumpyBackend()
    backend.capabilities = Capabilities(groups=False)
    assert judge(backend, next(c for c in CASES if "groups" in c.passes)).status is Status.NOT_APPLICABLE
