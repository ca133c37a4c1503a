import numpy as np
import pytest
import torch
from hypothesis import given, settings

from convcheck import Capabilities
from convcheck.explanation.geometry import Geometry, axes, example_size
from convcheck.strategies import cases
from convcheck_reference import Conv2dParams

TORCH_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


@settings(deadline=None, max_examples=60)
@given(cases(Capabilities(dtypes=("float32",))))
def test_windows_and_positions_are_those_of_the_layer(case):
    if case.violation is not None:
        return
    size = case.input_shape[-2:]
    down, across = axes(case.params, size)
    assert (down.windows, across.windows) == case.output_shape[-2:]
    assert (down.extent, across.extent) == case.params.extent
    for axis in (down, across):
        assert len(axis.positions(axis.windows - 1)) == axis.taps
        assert axis.positions(axis.windows - 1)[-1] + axis.left_over == axis.padded - 1
        assert axis.start(axis.windows) + axis.extent > axis.padded


@pytest.mark.parametrize("mode", TORCH_MODES)
@pytest.mark.parametrize("size", [4, 5, 9])
def test_the_padding_reads_what_torch_pads_with(mode, size):
    _, axis = axes(Conv2dParams(1, 1, (1, 4), padding=(0, 3), padding_mode=mode), (1, size))
    pixels = torch.arange(1.0, size + 1)[None, None]
    padded = torch.nn.functional.pad(pixels, (3, 3), TORCH_MODES[mode])[0, 0]
    sources = [axis.source(position) for position in range(axis.padded)]
    assert [0 if at is None else at + 1 for at in sources] == padded.tolist()


@settings(deadline=None, max_examples=60)
@given(cases(Capabilities(dtypes=("float32",))))
def test_every_layer_takes_its_example_and_shows_three_windows(case):
    try:
        params = case.params
    except ValueError:
        return
    assert min(params.output_size(*example_size(params))) >= 3


def test_a_picture_shows_the_first_window_its_neighbours_and_the_last_one():
    found = Geometry.of(Conv2dParams(1, 1, 3), (6, 7))
    assert (found.shown, found.others) == ((0, 0), ((0, 1), (1, 0), (3, 4)))


def test_a_single_window_has_no_neighbours():
    assert Geometry.of(Conv2dParams(1, 1, 3), (3, 3)).others == ()
    assert Geometry.of(Conv2dParams(1, 1, 3), (3, 4)).others == ((0, 1),)


def test_a_window_may_be_chosen():
    found = Geometry.of(Conv2dParams(1, 1, 3, stride=2, dilation=2), (9, 9), (1, 2))
    assert (found.shown, found.others) == ((1, 2), ())
    assert np.array_equal(found.down.positions(1), [2, 4, 6])
