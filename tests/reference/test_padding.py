import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck_reference import PADDING_MODES, Conv2dParams, pad, pad_adjoint
from convcheck_reference.padding import source_index

OF_NUMPY = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@st.composite
def layers(draw):
    """A layer, and the height and width of a legal input."""
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    padding = draw(st.one_of(st.just("same"), st.tuples(st.integers(0, 4), st.integers(0, 4))))
    mode = draw(st.sampled_from(PADDING_MODES))
    params = Conv2dParams(1, 1, kernel, padding=padding, padding_mode=mode)
    least = {"reflect": 1, "circular": 0}.get(mode)
    widest = [1 if least is None else max(1, max(pads) + least) for pads in params.padding]
    return params, tuple(draw(st.integers(size, size + 3)) for size in widest)


def integers(shape):
    return np.random.default_rng(0).integers(-99, 100, shape)


@settings(deadline=None)
@given(layers())
def test_every_mode_pads_as_numpy_does(drawn):
    params, size = drawn
    x = integers((2, 3, *size))
    assert np.array_equal(pad(x, params), np.pad(x, ((0, 0), (0, 0), *params.padding), OF_NUMPY[params.padding_mode]))


@settings(deadline=None)
@given(layers())
def test_the_adjoint_moves_every_padded_pixel_to_the_one_that_it_copies(drawn):
    params, size = drawn
    x = integers((2, 3, *size))
    padded = pad(x, params)
    y = integers(padded.shape)
    folded = pad_adjoint(y, params)
    assert folded.shape == x.shape
    assert (padded * y).sum() == (x * folded).sum()


@settings(deadline=None)
@given(layers())
def test_the_adjoint_leaves_what_it_is_given_as_it_was(drawn):
    params, size = drawn
    y = integers((1, 1, *(s + sum(p) for s, p in zip(size, params.padding, strict=True))))
    before = y.copy()
    pad_adjoint(y, params)
    assert np.array_equal(y, before)


@pytest.mark.parametrize(
    ("mode", "sources"),
    [
        ("zeros", [-1, -1, 0, 1, 2, -1]),
        ("reflect", [2, 1, 0, 1, 2, 1]),
        ("replicate", [0, 0, 0, 1, 2, 2]),
        ("circular", [1, 2, 0, 1, 2, 0]),
    ],
)
def test_the_pixel_that_a_padded_pixel_copies(mode, sources):
    assert source_index(3, (2, 1), mode).tolist() == sources
