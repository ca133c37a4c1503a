import math

import numpy as np
import pytest

from convcheck_reference import Conv2dParams, errors


@pytest.mark.parametrize(
    ("arguments", "weight_shape"),
    [
        ({"in_channels": 1, "out_channels": 3, "stride": 1, "kernel_size": (4, 5)}, (3, 1, 4, 5)),
        ({"in_channels": 1, "out_channels": 5, "stride": 1, "kernel_size": (4, 5)}, (5, 1, 4, 5)),
        ({"in_channels": 2, "out_channels": 5, "stride": 1, "kernel_size": (4, 5)}, (5, 2, 4, 5)),
        ({"in_channels": 8, "out_channels": 4, "kernel_size": 3, "groups": 4}, (4, 2, 3, 3)),
    ],
)
def test_weight_shape(arguments, weight_shape):
    assert Conv2dParams(**arguments).weight_shape == weight_shape


def test_activations_of_the_documented_layer():
    layer = Conv2dParams(3, 10, kernel_size=5, stride=1, padding=2)
    assert layer.output_shape((16, 3, 28, 28)) == (16, 10, 28, 28)
    assert layer.activations((16, 3, 28, 28)) == 125_440


def test_an_int_means_a_pair():
    assert Conv2dParams(2, 2, 3, 2, 1, 2) == Conv2dParams(2, 2, (3, 3), (2, 2), (1, 1), (2, 2))


def test_same_puts_the_odd_pixel_below_and_to_the_right():
    assert Conv2dParams(1, 1, (2, 4), padding="same", dilation=(1, 1)).padding == ((0, 1), (1, 2))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"stride": 0}, errors.StrideError),
        ({"stride": (1, -1)}, errors.StrideError),
        ({"kernel_size": 0}, errors.KernelSizeError),
        ({"kernel_size": (3, 3, 3)}, errors.KernelSizeError),
        ({"groups": 3}, errors.GroupsError),
        ({"groups": 0}, errors.GroupsError),
        ({"dilation": 0}, errors.DilationError),
        ({"padding": -1}, errors.PaddingError),
        ({"padding": "full"}, errors.PaddingError),
        ({"padding": "same", "stride": 2}, errors.SamePaddingStrideError),
        ({"padding_mode": "constant"}, errors.PaddingModeError),
        ({"stride": True}, errors.ParameterTypeError),
        ({"stride": 1.5}, errors.ParameterTypeError),
        ({"stride": math.nan}, errors.ParameterTypeError),
        ({"dilation": np.True_}, errors.ParameterTypeError),
        ({"padding": np.array([1, 1])}, errors.ParameterTypeError),
        ({"stride": (1, 1, 1)}, errors.StrideError),
        ({"padding": "same "}, errors.PaddingError),
        ({"bias": 1}, errors.ParameterTypeError),
        ({"in_channels": 0}, errors.ChannelsError),
        ({"kernel_size": 2**64}, errors.SizeOverflowError),
    ],
)
def test_each_illegal_value_has_its_own_error(change, error):
    with pytest.raises(error) as raised:
        Conv2dParams(**({"in_channels": 4, "out_channels": 4, "kernel_size": 3} | change))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("layer", "shape", "error"),
    [
        (Conv2dParams(1, 1, 5), (1, 1, 4, 9), errors.KernelTooLargeError),
        (Conv2dParams(1, 1, 3, padding=4, padding_mode="reflect"), (1, 1, 4, 9), errors.ReflectPaddingError),
        (
            Conv2dParams(1, 1, 3, padding=5, padding_mode="circular"),
            (1, 1, 4, 9),
            errors.CircularPaddingError,
        ),
        (Conv2dParams(1, 1, 3), (4, 9), errors.InputShapeError),
        (Conv2dParams(1, 1, 3), (1, 2, 4, 9), errors.InputShapeError),
    ],
)
def test_inputs_that_do_not_fit(layer, shape, error):
    with pytest.raises(error):
        layer.output_shape(shape)
