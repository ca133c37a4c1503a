from dataclasses import replace

import numpy as np
import pytest

from convcheck.model.profiles import TF32_INPUTS
from convcheck.numerics.operand_rounding import operand_errors
from convcheck_reference.formats import FLOAT32

BITS = 11
NEAREST = replace(TF32_INPUTS, name="", input_rounding=2.0**-BITS)


def drawn():
    rng = np.random.default_rng(0)
    usual = np.abs(rng.standard_normal(2000)) * 2.0 ** rng.integers(-20, 20, 2000)
    tiny = np.abs(rng.standard_normal(500)) * FLOAT32.smallest_normal
    return np.concatenate((usual, tiny, [0.0])).astype(np.float32).astype(np.float64)


def kept(a, bits, how):
    """The numbers of so many bits that `how` picks (np.rint, np.floor, np.ceil), of float32's exponents."""
    exponents = np.maximum(np.frexp(a)[1] - 1, FLOAT32.min_exponent)
    spacing = np.ldexp(1.0, exponents - bits + 1)
    return how(a / spacing) * spacing


@pytest.mark.parametrize("how", [np.rint, np.floor, np.ceil])
@pytest.mark.parametrize("bits", [BITS, BITS + 1, BITS + 2, 24])
def test_whatever_keeps_as_many_bits_or_more_stays_within(how, bits):
    a = drawn()
    assert (np.abs(kept(a, bits, how) - a) <= operand_errors(a, TF32_INPUTS, FLOAT32)).all()


def test_rounding_to_nearest_stays_within_half_the_error():
    a = drawn()
    errors = operand_errors(a, NEAREST, FLOAT32)
    assert (np.abs(kept(a, BITS, np.rint) - a) <= errors).all()
    assert (np.abs(kept(a, BITS + 1, np.floor) - a) <= errors).all()
    usual = a >= FLOAT32.smallest_normal
    assert (errors[usual] <= 2.0**-BITS * a[usual]).all()


@pytest.mark.parametrize("how", [np.rint, np.floor])
def test_fewer_bits_do_not_stay_within(how):
    a = drawn()[:2000]
    assert (np.abs(kept(a, BITS - 3, how) - a) > operand_errors(a, TF32_INPUTS, FLOAT32)).mean() > 0.7


def test_a_number_that_needs_no_rounding_is_not_rounded():
    assert (operand_errors(np.array([0.0, 1.0, 1.5, 2047.0, 2.0**-136]), TF32_INPUTS, FLOAT32) == 0).all()


def test_where_the_number_of_bits_is_unknown_the_relative_error_counts():
    unknown = replace(TF32_INPUTS, input_precision=None)
    found = operand_errors(np.array([0.0, 1.0, 3.0, 2.0**-140]), unknown, FLOAT32)
    assert found.tolist() == [0.0, 2.0**-10, 3 * 2.0**-10, 2.0**-136]  # as that of the smallest normal number
