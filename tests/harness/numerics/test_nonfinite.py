import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from convcheck.numerics.nonfinite import FINITE, MINUS, NAN, PLUS, classes, classify, marked, summed

VALUES = st.sampled_from([1.0, -2.0, 0.0, -0.0, np.inf, -np.inf, np.nan])
FACTORS = st.integers(1, 4).flatmap(
    lambda n: st.tuples(nps.arrays(float, (2, n), elements=VALUES), nps.arrays(float, (n, 3), elements=VALUES))
)


@settings(deadline=None)
@given(FACTORS)
def test_the_class_of_a_sum_is_what_ieee_arithmetic_gives(factors):
    a, b = factors
    with np.errstate(invalid="ignore"):
        summed = (a[:, :, None] * b[None]).sum(axis=1)
    assert np.array_equal(classify(a, b, np.matmul, (2, 3)), classes(summed))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_class_has_its_value(dtype):
    array = np.array([1, np.nan, np.inf, -np.inf, 0], dtype)
    assert classes(array).tolist() == [FINITE, NAN, PLUS, MINUS, FINITE]


def test_marking_leaves_what_is_finite():
    found = np.array([FINITE, NAN, PLUS, MINUS])
    value = marked(np.array([7.0, 7.0, 7.0, 7.0]), found)
    assert value[0] == 7.0
    assert np.array_equal(classes(value), found)


def test_only_masks_that_meet_are_counted():
    def count(left, right):
        assert left.any()
        assert right.any()
        assert np.isfinite(left).all()
        assert np.isfinite(right).all()
        return left @ right

    classify(np.array([[np.inf, 1.0]]), np.array([[2.0], [3.0]]), count, (1, 1))


def test_the_class_of_a_sum_is_that_of_adding():
    numbers = np.array([1.0, np.nan, np.inf, -np.inf])
    with np.errstate(invalid="ignore"):
        added = numbers[:, None] + numbers
    assert np.array_equal(summed(classes(numbers)[:, None], classes(numbers)), classes(added))
