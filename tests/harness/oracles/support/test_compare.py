import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck import Status
from convcheck.oracles.support.compare import compare_bounded, compare_exact
from convcheck.tensors.poison import POISON_BYTE

DTYPES = (np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.complex64, np.complex128)
INTEGERS = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50), st.booleans()), min_size=1, max_size=20)


def exact(got, expected, judged=None):
    expected = np.asarray(expected)
    return compare_exact(np.asarray(got), expected, np.ones(expected.shape, np.bool_) if judged is None else judged)


def bounded(got, expected, bound):
    expected = np.asarray(expected)
    return compare_bounded(np.asarray(got), expected, np.broadcast_to(np.float64(bound), expected.shape).copy())


def poison(dtype, size=3):
    return np.frombuffer(bytes([POISON_BYTE]) * (size * np.dtype(dtype).itemsize), dtype)


@given(INTEGERS)
def test_exactly_the_judged_elements_that_differ_are_wrong(drawn):
    got, expected, judged = (np.array(column) for column in zip(*drawn, strict=True))
    got, expected = got.astype(np.float32), expected.astype(np.float64)
    wrong = judged & (got != expected)
    for found in (compare_exact(got, expected, judged), compare_bounded(got, expected, np.where(judged, 0.0, np.inf))):
        assert (found.status is Status.PASS) == (not wrong.any())
        assert found.judged == judged.sum()
        if wrong.any():
            assert (found.evidence.wrong, found.evidence.total) == (wrong.sum(), judged.sum())
            assert wrong[found.evidence.index]


@given(INTEGERS, st.integers(0, 60))
def test_the_margin_is_the_largest_error_in_units_of_its_bound(drawn, bound):
    got, expected, _ = (np.array(column, np.float64) for column in zip(*drawn, strict=True))
    found = bounded(got, expected, bound + 1)
    assert found.margin == pytest.approx(np.abs(got - expected).max() / (bound + 1))
    assert (found.status is Status.PASS) == (found.margin <= 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_wrong(dtype, value):
    got, expected = np.array([1, 2, value]).astype(dtype), np.array([1.0, 2.0, 3.0])
    expected = expected.astype(np.complex128) if np.dtype(dtype).kind == "c" else expected
    for found in (exact(got, expected), bounded(got, expected, 1e9), bounded(got, expected, [1e9, np.inf, 1.0])):
        assert found.status is Status.FAIL
        assert found.evidence.index == (2,)
    assert bounded(got, expected, 1e9).margin == np.inf


def test_nan_equals_nothing_not_even_nan():
    assert exact(np.float32([np.nan]), [np.nan]).status is Status.FAIL
    assert bounded(np.float32([np.nan]), [np.nan], 1.0).status is Status.FAIL


@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_are_equal_whatever_their_sign(dtype):
    got, expected = np.array([-0.0, 0.0]).astype(dtype), np.array([0.0, -0.0]).astype(np.complex128)
    expected = expected if np.dtype(dtype).kind == "c" else expected.real
    assert exact(got, expected).status is Status.PASS
    assert bounded(got, expected, 0.0).status is Status.PASS


def test_the_right_result_is_rounded_to_the_dtype_before_it_is_compared():
    assert exact(np.float16([2048]), [2049.0]).status is Status.PASS
    assert exact(np.float32([2048]), [2049.0]).status is Status.FAIL
    assert exact(np.float16([np.inf]), [1e6]).status is Status.PASS


def test_elements_that_are_not_judged_may_be_anything():
    judged = np.array([True, False, False])
    got = np.float32([1, np.nan, 7])
    assert exact(got, [1.0, 2.0, 3.0], judged).judged == 1
    found = bounded(got, [1.0, 2.0, 3.0], [0.0, np.inf, np.inf])
    assert (found.status, found.judged, found.margin) == (Status.PASS, 1, 0.0)


def test_a_bound_of_zero_asks_for_the_value():
    assert bounded([1.0, 2.0], [1.0, 2.0], 0.0).margin == 0.0
    found = bounded([1.0, 2.0], [1.0, 2.0 + 2.0**-51], 0.0)
    assert (found.status, found.evidence.index) == (Status.FAIL, (1,))
    assert found.margin > 1e200


def test_the_worst_element_is_shown():
    found = exact(np.float32([[1, 5], [90, 4]]), [[1.0, 2.0], [3.0, 7.0]])
    assert (found.evidence.index, found.evidence.got, found.evidence.expected) == ((1, 0), "90", "3")
    assert (found.evidence.wrong, found.evidence.total) == (3, 4)
    by_bound = bounded([1.0, 12.0, 103.0], [1.0, 2.0, 3.0], [1.0, 1.0, 50.0])
    assert by_bound.evidence.index == (1,)  # ten times its bound; the largest error is twice its own
    assert by_bound.evidence.expected == "2 ± 1"


@pytest.mark.parametrize("dtype", DTYPES)
def test_where_every_wrong_element_is_poison_nothing_was_written(dtype):
    got = poison(dtype).copy()
    expected = np.array([1, 2, 3]).astype(np.complex128 if got.dtype.kind == "c" else np.float64)
    assert exact(got, expected).status is Status.UNWRITTEN
    assert bounded(got, expected, 0.5).status is Status.UNWRITTEN
    got[0] = 1
    assert exact(got, expected).status is Status.UNWRITTEN
    got[1] = 7
    assert exact(got, expected).status is Status.FAIL
    assert bounded(got, expected, 0.5).status is Status.FAIL


def test_a_complex_number_is_wrong_if_one_of_its_components_is():
    got = np.complex64([1 + 2j, 3 - 4j])
    assert exact(got, np.complex128([1 + 2j, 3 - 4j])).status is Status.PASS
    assert exact(got, np.complex128([1 + 2j, 3 + 4j])).evidence.index == (1,)


def test_each_component_of_a_complex_number_is_judged_against_the_bound():
    assert bounded(np.complex64([0.9 + 0.9j]), np.complex128([0]), 1.0).status is Status.PASS
    for wrong in (1.1 + 0j, 1.1j):
        found = bounded(np.complex64([wrong]), np.complex128([0]), 1.0)
        assert found.margin == pytest.approx(1.1)
        assert found.status is Status.FAIL


@pytest.mark.parametrize("one", [np.float64(1), np.complex128(1 + 1j)])
def test_numbers_that_differ_are_shown_with_digits_that_differ(one):
    expected = np.array([one])
    found = exact(expected * (1 + 2.0**-52), expected)
    assert found.evidence.got != found.evidence.expected
    close = bounded(
        expected.astype(np.complex64 if one.dtype.kind == "c" else np.float32) * np.float32(1 + 2.0**-23), expected, 0.0
    )
    assert close.evidence.got != close.evidence.expected.split(" ")[0]


def test_nothing_is_right_about_no_elements_and_nothing_wrong():
    assert exact(np.zeros((0, 3), np.float32), np.zeros((0, 3))).status is Status.PASS
    found = bounded(np.zeros((0, 3), np.float32), np.zeros((0, 3)), 1.0)
    assert (found.status, found.judged, found.margin) == (Status.PASS, 0, 0.0)
