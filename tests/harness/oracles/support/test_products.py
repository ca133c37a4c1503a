from dataclasses import replace

import numpy as np
import pytest

from convcheck.model.token import read
from convcheck.oracles.support.products import counts, meets_padding
from convcheck_reference.naive import naive_conv2d

CASES = [
    "v1,x=2x4x5x6,out=6,k=3x2,s=2x1,p=1x0,g=2,bias=false",
    "v1,x=4x5x4,out=4,k=2x3,s=1x2,p=2x1,d=2x1,g=4,bias=false",
    "v1,x=1x2x4x5,out=3,k=3,p=same,mode=reflect,bias=false",
]


def masks(case, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (case.input_shape, case.params.weight_shape, case.output_shape)
    return tuple((rng.random(shape) < 0.5).astype(np.float64) for shape in shapes)


def forward(case, x, weight):
    """The output, multiplied out loop by loop."""
    batched = x if x.ndim == 4 else x[None]
    out = naive_conv2d(batched, weight, None, case.params)
    return out if x.ndim == 4 else out[0]


def derivative(function, at):
    """The gradient of a linear function by putting a one everywhere in turn."""
    found = np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        one = np.zeros(at.shape)
        one[index] = 1
        found[index] = function(one)
    return found


@pytest.mark.parametrize("token", CASES)
def test_products_of_masks_are_counted_as_the_loops_meet_them(token):
    case = read(token)
    x, weight, grad = masks(case)
    assert np.array_equal(counts(case, "output")(x, weight), forward(case, x, weight))
    by_input = derivative(lambda one: (forward(case, one, weight) * grad).sum(), x)
    assert np.array_equal(counts(case, "grad_input")(grad, weight), by_input)
    by_weight = derivative(lambda one: (forward(case, x, one) * grad).sum(), weight)
    assert np.array_equal(counts(case, "grad_weight")(grad, x), by_weight)
    assert np.array_equal(
        counts(case, "grad_bias")(grad, np.ones(1)),
        grad.sum(axis=tuple(a for a in range(grad.ndim) if a != grad.ndim - 3)),
    )


@pytest.mark.parametrize("token", CASES)
def test_an_element_meets_padding_where_fewer_of_its_products_read_the_image(token):
    case = read(token)
    _, weight, grad = masks(case, 1)
    ones = np.ones(case.input_shape)
    side = [(0, 0)] * (ones.ndim - 2)
    padded = np.pad(ones, [*side, *case.params.padding])
    full = np.ones_like(padded)
    bare = replace(case, arguments=replace(case.arguments, padding=0, padding_mode="zeros"), input_shape=padded.shape)
    if case.params.padding_mode != "zeros":
        padded = full  # copies of pixels, and no zeros
    assert np.array_equal(
        meets_padding(case, "output", weight), forward(bare, padded, weight) < forward(bare, full, weight)
    )
    met, whole = (counts(bare, "grad_weight")(grad, each) for each in (padded, full))
    assert np.array_equal(meets_padding(case, "grad_weight", grad), met < whole)


def test_gradients_of_the_input_and_of_the_bias_read_no_padding():
    case = read(CASES[0])
    _, weight, grad = masks(case)
    assert not meets_padding(case, "grad_input", weight).any()
    assert meets_padding(case, "grad_input", weight).shape == case.input_shape
    assert not meets_padding(case, "grad_bias", grad).any()
