from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcheck.numerics.reduction_length import copies, reduction_lengths
from convcheck_reference import PADDING_MODES, Conv2dParams, pad_adjoint
from convcheck_reference.naive import terms

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def layers(draw):
    """A small layer and the shape of a legal input."""
    kernel, stride, dilation = draw(PAIRS), draw(PAIRS), draw(PAIRS)
    padding = (draw(st.integers(0, 3)), draw(st.integers(0, 3)))
    groups, into, out = (draw(st.integers(1, 2)) for _ in range(3))
    mode = draw(st.sampled_from(PADDING_MODES))
    params = Conv2dParams(groups * into, groups * out, kernel, stride, padding, dilation, groups, padding_mode=mode)
    size = [max(extent, pad + 1) + draw(st.integers(0, 3)) for extent, pad in zip(params.extent, padding, strict=True)]
    return params, (draw(st.integers(1, 2)), groups * into, *size)


@settings(deadline=None)
@given(layers())
def test_no_element_sums_more_products_and_the_busiest_pixel_sums_as_many(drawn):
    params, shape = drawn
    lengths = reduction_lengths(params, shape)
    products = list(terms(params, shape))
    assume(products)  # every window may lie in the padding
    summed = [Counter(at).most_common(1)[0][1] for at in zip(*products, strict=True)]
    assert summed[0] <= lengths["output"]
    assert summed[1] == lengths["grad_input"]
    assert summed[2] <= lengths["grad_weight"]
    if params.padding_mode != "zeros" or not any(map(any, params.padding)):
        assert (summed[0], summed[2]) == (lengths["output"], lengths["grad_weight"])


def test_a_bias_gradient_sums_over_images_and_windows():
    assert reduction_lengths(Conv2dParams(2, 3, 2, 2), (5, 2, 6, 9))["grad_bias"] == 5 * 3 * 4
    assert reduction_lengths(Conv2dParams(2, 3, 2, 2), (2, 6, 9))["grad_bias"] == 3 * 4


def test_an_empty_batch_counts_as_one_product():
    assert set(reduction_lengths(Conv2dParams(1, 1, 1), (0, 1, 2, 2)).values()) == {1}


@pytest.mark.parametrize("mode", PADDING_MODES)
def test_the_copies_of_every_pixel_make_up_the_padded_image(mode):
    params = Conv2dParams(1, 1, 3, padding=(1, 2), padding_mode=mode)
    assert np.array_equal(copies(params, 4, 5), pad_adjoint(np.ones((6, 9), int), params))
