import math

import numpy as np
import pytest

from altered import Altered
from convcheck.model.token import read
from convcheck.oracles import PRECISION
from convcheck.triage.error_size import relative_error
from convcheck.triage.failure_signature import FailureSignature
from stand_ins import GRAD_INPUT, IMPRECISE, OUTPUT, probe_of

CASE = read("v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64"])
@pytest.mark.parametrize("signature", [OUTPUT, IMPRECISE])
def test_an_error_is_told_in_units_of_the_sum_of_magnitudes(signature, dtype):
    case = read(f"{CASE.token},dtype={dtype},values=positive,bias=false")
    if dtype == "complex64":
        # |re| + |im| of the factors bounds the sum, and is up to twice as much
        assert 0.1 <= relative_error(probe_of(lambda: Altered(lambda a: a * 2)), case, signature) <= 1.0
        return
    found = relative_error(
        probe_of(lambda: Altered(lambda a: (a.astype(np.float32) * 2).astype(a.dtype))), case, signature
    )
    assert found <= 1.01
    assert signature is OUTPUT or found > 0.99  # no term is negative


def test_it_is_that_of_the_quantity_and_of_the_largest_element():
    def tenfold(gradients):
        grad = gradients.input.copy()
        grad[0, 0, 0, 0] *= 10
        return gradients._replace(input=grad)

    probe = probe_of(lambda: Altered(gradients=tenfold))
    trial = probe.trial(CASE, GRAD_INPUT)
    right = trial.expected_integers.sum("grad_input")
    expected = 9 * abs(right.value[0, 0, 0, 0]) / right.gauge[0, 0, 0, 0]
    assert relative_error(probe, CASE, GRAD_INPUT) == pytest.approx(expected)
    assert relative_error(probe, CASE, OUTPUT) == 0.0


def test_a_right_result_has_at_most_the_error_of_its_rounding():
    assert 0.0 < relative_error(probe_of(Altered), CASE, IMPRECISE) < 2.0**-20
    assert relative_error(probe_of(Altered), CASE, FailureSignature(PRECISION, "grad_weight")) < 2.0**-20


def test_without_a_result_it_is_infinite():
    assert relative_error(probe_of(lambda: Altered(lambda a: a[..., 1:])), CASE, OUTPUT) == math.inf
