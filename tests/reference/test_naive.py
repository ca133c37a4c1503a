"""The loops, by hand: nothing here is computed by the other formulation."""

from collections import Counter

import numpy as np
import pytest

from convcheck_reference import Conv2dParams
from convcheck_reference.naive import naive_conv2d, naive_grad_bias, naive_grad_input, naive_grad_weight, terms

ONES = np.ones((1, 1, 1, 1), int)


def row(*pixels):
    return np.array(pixels).reshape(1, 1, 1, -1)


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        ("zeros", [0, 0, 1, 2, 3, 0, 0]),
        ("reflect", [3, 2, 1, 2, 3, 2, 1]),
        ("replicate", [1, 1, 1, 2, 3, 3, 3]),
        ("circular", [2, 3, 1, 2, 3, 1, 2]),
    ],
)
def test_a_pixel_outside_is_zero_or_a_copy(mode, seen):
    params = Conv2dParams(1, 1, 1, padding=(0, 2), padding_mode=mode)
    assert naive_conv2d(row(1, 2, 3), ONES, None, params).ravel().tolist() == seen


def test_the_kernel_is_not_flipped():
    assert naive_conv2d(row(1, 2), row(1, 10), None, Conv2dParams(1, 1, (1, 2))).item() == 21


def test_windows_are_a_stride_apart_and_taps_a_dilation():
    params = Conv2dParams(1, 1, (1, 2), stride=(1, 3), dilation=(1, 2))
    assert naive_conv2d(row(1, 2, 3, 4, 5, 6, 7), row(1, 10), None, params).ravel().tolist() == [31, 64]


def test_the_second_group_reads_the_second_channels_and_each_filter_has_its_bias():
    params = Conv2dParams(2, 4, 1, groups=2)
    out = naive_conv2d(np.array([3, 5]).reshape(1, 2, 1, 1), np.ones((4, 1, 1, 1), int), np.arange(4) * 100, params)
    assert out.ravel().tolist() == [3, 103, 205, 305]


def test_the_gradients_of_one_strided_row():
    # y = [1·1 + 2·10, 3·1 + 4·10] reads four of five pixels
    params = Conv2dParams(1, 1, (1, 2), stride=(1, 2))
    x, weight, grad = row(1, 2, 3, 4, 5), row(1, 10), row(2, 7)
    assert naive_grad_input(grad, weight, params, x.shape).ravel().tolist() == [2, 20, 7, 70, 0]
    assert naive_grad_weight(grad, x, params).ravel().tolist() == [2 * 1 + 7 * 3, 2 * 2 + 7 * 4]
    assert naive_grad_bias(grad).tolist() == [9]


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_every_product_of_the_layer_is_a_term_once(mode):
    params = Conv2dParams(4, 6, (2, 3), 2, 1, (2, 1), 2, padding_mode=mode)
    found = Counter(terms(params, (2, 4, 5, 6)))
    assert sum(found.values()) == params.multiply_adds((2, 4, 5, 6))
    by_tap = Counter((out, tap) for out, _, tap in found)
    assert set(by_tap.values()) == {1}


def test_zeros_of_the_padding_are_no_terms():
    assert list(terms(Conv2dParams(1, 1, 1, padding=2), (1, 1, 1, 1))) == [((0, 0, 2, 2), (0, 0, 0, 0), (0, 0, 0, 0))]
