from dataclasses import replace

import numpy as np
import pytest

from convcheck import Capabilities
from convcheck.model.profiles import BF16_ACC, FFT, FP16_ACC, FP32_STRICT, QUANTITIES, WINOGRAD_F2, WINOGRAD_F4
from convcheck.model.token import read
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.transforms import magnitude
from convcheck.oracles.support.trial import Trial
from convcheck_reference.naive import naive_conv2d

TOKENS = [
    "v1,x=2x4x5x4,out=6,k=3x2,s=2x1,p=1x0,g=2",
    "v1,x=2x4x4,out=2,k=2,d=1x2,bias=false",
    "v1,x=1x2x3x4,out=2,k=3,p=1,mode=reflect",
    "v1,x=1x2x3x3,out=2,k=2,dtype=complex64,values=wide",
]


def data(token):
    case = read(token)
    return case, Trial(case, Capabilities(dtypes=(case.dtype,), gradients=True)).reals


def gauges(case, values):
    """Σ|a||b| of every quantity, a product at a time: each is the largest that unit factors can make the sum."""
    wide = np.complex128 if values.x.dtype.kind == "c" else np.float64
    x, weight, grad = (magnitude(a.astype(wide)) for a in (values.x, values.weight, values.grad_output))
    bias = None if values.bias is None else magnitude(values.bias)

    def forward(x, weight, bias=None):
        out = naive_conv2d(x if x.ndim == 4 else x[None], weight, bias, case.params)
        return out if x.ndim == 4 else out[0]

    def along(shape, made):
        found = np.zeros(shape)
        for at in np.ndindex(shape):
            one = np.zeros(shape)
            one[at] = 1
            found[at] = (made(one) * grad).sum()
        return found

    return {
        "output": forward(x, weight, bias),
        "grad_input": along(x.shape, lambda one: forward(one, weight)),
        "grad_weight": along(weight.shape, lambda one: forward(x, one)),
        "grad_bias": grad.sum(axis=tuple(axis for axis in range(grad.ndim) if axis != grad.ndim - 3)),
    }


@pytest.mark.parametrize("token", TOKENS)
def test_a_gauge_is_the_sum_of_the_magnitudes_of_the_products(token):
    case, values = data(token)
    expected = Expected(case, values)
    for quantity, right in gauges(case, values).items():
        found = expected.sum(quantity)
        np.testing.assert_allclose(found.gauge, right, rtol=1e-12)
        assert (magnitude(found.value) <= found.gauge * (2 if found.value.dtype.kind == "c" else 1 + 1e-12)).all()
        assert found.gauge.max() <= found.ceiling * (1 + 1e-12)


@pytest.mark.parametrize("token", TOKENS)
def test_stays_below_tells_by_the_largest_gauge(token):
    expected = Expected(*data(token))
    for quantity in QUANTITIES:
        found = expected.sum(quantity)
        largest = float(found.gauge.max())
        assert found.stays_below(largest)
        assert found.stays_below(found.ceiling)
        assert not found.stays_below(np.nextafter(largest, 0))


def scaled(token, factor):
    """Integers of a case, all alike in magnitude."""
    case, values = data(token)
    ones = replace(values, **{n: np.full_like(getattr(values, n), factor) for n in ("x", "weight", "grad_output")})
    return case, ones


def test_integers_are_exact_up_to_the_limit_of_the_accumulator():
    case, values = scaled("v1,x=1x1x1x1,out=1,k=1,bias=false", 2**12)
    assert Expected(case, values).exact("output", FP32_STRICT).all()  # 2^24
    assert not Expected(case, values).exact("output", FP16_ACC).any()
    case, values = scaled("v1,x=1x2x1x1,out=1,k=1,bias=false", 2**12)
    assert not Expected(case, values).exact("output", FP32_STRICT).any()  # 2^25


def test_pixels_that_the_padding_copies_sum_gradients_which_were_rounded_before():
    token = "v1,x=1x1x4x4,out=1,k=1,p=1,mode=replicate,bias=false,dtype=float16"
    case, values = scaled(token, 32)
    exact = Expected(case, values).exact("grad_input", FP32_STRICT)
    inner = np.zeros((4, 4), np.bool_)
    inner[1:3, 1:3] = True
    assert exact[0, 0][inner].all()  # 32² each
    assert exact[0, 0, 0, 1]  # twice that, 2^11
    assert not exact[0, 0, 0, 0]  # four times


def test_a_direct_sum_of_integers_has_to_be_the_right_one_where_it_is_exact():
    case, values = scaled("v1,x=1x1x3x3,out=1,k=3,p=1,bias=false", 700)
    expected = Expected(case, values)
    tolerance = expected.integer_tolerance("output", FP16_ACC)
    assert np.isinf(tolerance).all()
    assert (expected.integer_tolerance("output", FP32_STRICT) == 0).all()
    assert expected.is_direct("output", FP32_STRICT)


def test_a_transform_that_divides_by_powers_of_two_is_exact_with_room_and_others_to_the_nearest_integer():
    case, values = scaled("v1,x=1x1x6x6,out=1,k=3,bias=false", 3)
    expected = Expected(case, values)
    assert not expected.is_direct("output", WINOGRAD_F2)
    assert (expected.integer_tolerance("output", WINOGRAD_F2) == 0).all()
    for profile in (WINOGRAD_F4, FFT):
        tolerance = expected.integer_tolerance("output", profile)
        assert ((tolerance > 0.49) & (tolerance < 0.5)).all()
    case, values = scaled("v1,x=1x1x6x6,out=1,k=3,bias=false", 900)
    assert np.isinf(Expected(case, values).integer_tolerance("output", WINOGRAD_F4)).all()


def test_there_is_no_bound_for_long_sums_in_few_bits_and_the_reason_says_so():
    expected = Expected(*data("v1,x=1x64x5x5,out=1,k=3"))
    assert expected.bound("output", BF16_ACC) is None
    assert "n·u > 0.1 leaves no bound" in expected.unbounded("output", BF16_ACC)
    assert expected.unbounded("output", FP32_STRICT) == ""


def test_there_is_no_bound_for_transforms_of_complex_numbers():
    expected = Expected(*data("v1,x=1x2x5x5,out=1,k=3,dtype=complex64"))
    assert "no bound is derived for output in complex64" in expected.unbounded("output", WINOGRAD_F2)


def test_where_a_sum_may_overflow_nothing_is_judged():
    case, values = data("v1,x=1x2x4x4,out=1,k=2,bias=false")
    huge = replace(values, x=values.x.copy(), weight=np.full_like(values.weight, 1e19))
    huge.x[...] = 1
    huge.x[0, 0, 0, 0] = 1e20
    bound = Expected(case, huge).bound("output", FP32_STRICT)
    assert np.isinf(bound[0, 0, 0, 0])
    assert np.isfinite(bound[0, 0, 1:, 1:]).all()


def test_equal_values_are_bounded_as_if_every_rounding_went_one_way():
    plain = Expected(*data("v1,x=4x16x5x5,out=1,k=3"))
    case, values = data("v1,x=4x16x5x5,out=1,k=3")
    repeated = Expected(replace(case, layouts=("expanded", "contiguous", "contiguous")), values)
    assert (repeated.bound("output", FP32_STRICT) > plain.bound("output", FP32_STRICT)).all()


def test_pixels_that_the_padding_copies_have_a_wider_bound():
    case, values = data("v1,x=1x2x5x5,out=2,k=3,p=1,mode=circular")
    zeros = replace(case, arguments=replace(case.arguments, padding=1, padding_mode="zeros"))
    folded = Expected(case, values).bound("grad_input", FP32_STRICT) / Expected(case, values).sum("grad_input").gauge
    plain = Expected(zeros, values).bound("grad_input", FP32_STRICT) / Expected(zeros, values).sum("grad_input").gauge
    assert (folded[0, :, 0] > 1.2 * plain[0, :, 2, 2].max()).all()


@pytest.mark.parametrize(("number", "size"), [(3 - 4j, 7.0), (-2.5, 2.5), (-0.0, 0.0)])
def test_a_magnitude_bounds_the_modulus_and_both_components(number, size):
    assert magnitude(np.array([number])) == [size]


def test_integers_that_need_not_be_exact_are_as_far_off_as_sums_are_where_copies_are_folded_too():
    case, values = data("v1,x=1x2x5x5,out=2,k=3,p=1,mode=circular")
    expected, inexact = Expected(case, values), replace(FP32_STRICT, name="", exact=False)
    bound = expected.bound("grad_input", inexact)
    assert np.array_equal(expected.integer_tolerance("grad_input", inexact), bound)
    low, high = expected.integers_between("grad_input", inexact)
    assert (high - low <= 2 * bound).all()
    assert (high - low > 0).all()


@pytest.mark.parametrize(("put", "most"), [(-9.0, 9.0), (9.0, 9.0), (-np.inf, np.inf), (np.nan, np.nan)])
def test_the_largest_operand_is_that_of_either_sign(put, most):
    case, values = data("v1,x=1x1x2x2,out=1,k=1")
    values.x[...] = [[[[0.5, -0.5], [put, 1.0]]]]
    assert Expected(case, values).sum("output").operands[0] == pytest.approx(most, nan_ok=True)
