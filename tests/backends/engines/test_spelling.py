import numpy as np
import pytest

from convcheck_backends.engines.spelling import (
    check_bias,
    check_channels,
    dilated,
    given,
    gradients,
    padded,
    sides,
    word,
)
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


def test_what_an_engine_has_no_word_for_is_refused_by_its_adapter():
    layer = Conv2dParams(2, 2, 1, groups=2)
    check_channels(np.ones((2, 1, 1, 1)), layer)
    with pytest.raises(ValueError, match="2 channels in each of 2 groups; expected 2 channels in all"):
        check_channels(np.ones((2, 2, 1, 1)), layer)


@pytest.mark.parametrize("bias", [np.ones(2, "d"), np.ones(3, "f"), np.ones((2, 1), "f")])
def test_a_bias_that_an_adapter_adds_has_to_fit(bias):
    x, weight = np.ones((1, 1, 1, 1), "f"), np.ones((2, 1, 1, 1), "f")
    check_bias(x, weight, None)
    check_bias(x, weight, np.ones(2, "f"))
    with pytest.raises(ValueError, match=r"the bias is .*; expected float32 of \(2,\)"):
        check_bias(x, weight, bias)


def test_padding_in_the_words_of_an_engine():
    assert word(Conv2dParams(1, 1, 3, padding="same"), "SAME", "VALID") == "SAME"
    assert word(Conv2dParams(1, 1, 3, padding="valid"), "SAME", "VALID") == "VALID"
    assert word(Conv2dParams(1, 1, 3, padding=1), "SAME", "VALID") is None
    with pytest.raises(ValueError, match=r"padding='SAME'; expected 'same', 'valid' or numbers"):
        word(Conv2dParams.unchecked(Arguments(1, 1, 3, padding="SAME")), "SAME", "VALID")


def test_gradients_of_the_operands_that_there_are():
    assert given(1, 2, None) == (1, 2)
    assert gradients((1, 2)) == (1, 2, None)
    assert gradients((1, 2, 3)) == (1, 2, 3)
