import numpy as np
import pytest

from convcheck_backends.engines.spelling import dilated, padded, sides
from convcheck_reference import Arguments, Conv2dParams


def test_sides_in_the_order_of_names():
    assert sides(Conv2dParams(1, 1, (2, 4), padding="same")) == (0, 1, 1, 2)
    assert sides(Conv2dParams.unchecked(Arguments(1, 1, 3, padding=(1, 2, 3, 4)))) == (1, 2, 3, 4)


@pytest.mark.parametrize("padding", ["SAME", "full", (1, 2, 3)])
def test_what_is_no_padding_is_refused(padding):
    with pytest.raises(ValueError, match=r"padding|unpack"):
        sides(Conv2dParams.unchecked(Arguments(1, 1, 3, padding=padding)))


def test_zeros_around_an_image_and_between_taps():
    layer = Conv2dParams(1, 1, 2, padding=(1, 0), dilation=(1, 3))
    assert padded(np.ones((1, 1, 1, 2)), layer).tolist() == [[[[0, 0], [1, 1], [0, 0]]]]
    assert dilated(np.ones((1, 1, 2, 2)), layer).tolist() == [[[[1, 0, 0, 1], [1, 0, 0, 1]]]]
