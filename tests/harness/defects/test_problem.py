from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck.defects.problem import Axis, compute, problem
from convcheck_reference import PADDING_MODES, Conv2dParams, conv2d
from convcheck_reference.naive import terms

AXIS = Axis(size=4, kernel=2, stride=2, dilation=2, before=1, after=1, mode="zeros", output=2)


@pytest.mark.parametrize(
    ("mode", "sources"),
    [
        ("zeros", [[-1, 1], [1, 3]]),
        ("reflect", [[1, 1], [1, 3]]),
        ("replicate", [[0, 1], [1, 3]]),
        ("circular", [[3, 1], [1, 3]]),
    ],
)
def test_the_table_says_which_pixel_each_tap_reads(mode, sources):
    assert replace(AXIS, mode=mode).sources().tolist() == sources


@settings(deadline=None)
@given(
    mode=st.sampled_from(PADDING_MODES),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.integers(0, 3),
    spare=st.integers(0, 4),
)
def test_the_table_is_that_of_the_loops(mode, kernel, stride, dilation, padding, spare):
    params = Conv2dParams(1, 1, (kernel, 1), (stride, 1), (padding, 0), (dilation, 1), padding_mode=mode)
    size = max(params.extent[0], padding + 1) + spare
    posed = problem(np.ones((1, 1, size, 1)), np.ones(params.weight_shape), None, params)
    table = posed.rows.sources()
    read = {(i, a): row for (_, _, i, _), (_, _, row, _), (_, _, a, _) in terms(params, (1, 1, size, 1))}
    assert {at: int(table[at]) for at in np.ndindex(table.shape) if table[at] >= 0} == read


@pytest.mark.parametrize("beyond", [-1, -5, 4, 99])
def test_a_remap_to_no_pixel_reads_a_zero(beyond):
    astray = replace(AXIS, remaps=(lambda read, _position, _axis: np.full_like(read, beyond),))
    assert (astray.sources() == -1).all()


def test_remaps_follow_one_another_and_know_the_positions():
    seen = []

    def noting(read, position, axis):
        seen.append((read.tolist(), position.tolist(), axis.size))
        return read + 1

    last = replace(AXIS, mode="circular", remaps=(noting, noting))
    assert last.sources().tolist() == [[-1, 3], [3, -1]]
    position = [[-1, 1], [1, 3]]
    assert seen == [([[3, 1], [1, 3]], position, 4), ([[4, 2], [2, 4]], position, 4)]


def test_windows_beyond_the_padding_read_zeros():
    assert replace(AXIS, output=4, mode="replicate").sources()[2:].tolist() == [[3, -1], [-1, -1]]


def test_an_unbatched_problem_is_a_batch_of_one():
    params = Conv2dParams(2, 3, 2)
    rng = np.random.default_rng(0)
    x, weight, bias = (rng.integers(-9, 10, shape).astype(float) for shape in ((2, 4, 5), params.weight_shape, (3,)))
    posed = problem(x, weight, bias, params, np.ones((3, 3, 4)))
    assert (posed.batch, posed.in_per_group, posed.out_per_group) == (1, 2, 3)
    assert np.array_equal(compute(posed, "output")[0], conv2d(x, weight, bias, params))
    assert compute(posed, "grad_bias").tolist() == [12, 12, 12]
