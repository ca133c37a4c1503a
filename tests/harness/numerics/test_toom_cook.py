import numpy as np
import pytest

from convcheck.numerics.toom_cook import suits_winograd, transforms
from convcheck_reference import Conv2dParams


@pytest.mark.parametrize("tile", [2, 4, 6])
def test_the_adjoint_filters_of_one_dimension_are_those_of_the_weights(tile):
    m = transforms(tile).for_weights
    pixels, gradients = np.random.default_rng(tile).standard_normal((2, tile + 2))
    gradients = gradients[:tile]
    expected = [pixels[tap : tap + tile] @ gradients for tap in range(3)]
    assert np.allclose(m.output @ ((m.kernel @ gradients) * (m.data @ pixels)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("m", [transforms(2), transforms(2).for_weights], ids=["outputs", "weights"])
def test_the_denominator_makes_integers_of_all_numbers_on_the_way(m):
    rng = np.random.default_rng(0)
    taps, pixels = (rng.integers(-9, 10, (size, size)) for size in (m.kernel.shape[1], m.data.shape[1]))
    product = (m.kernel @ taps @ m.kernel.T) * (m.data @ pixels @ m.data.T)
    for number in (product, m.output @ product @ m.output.T):
        assert np.array_equal(number * m.denominator, np.rint(number * m.denominator))


def test_no_smaller_denominator_would_do():
    m = transforms(2)
    weight = m.kernel @ np.diag([0, 1, 0]) @ m.kernel.T
    assert m.denominator == 4
    assert not np.array_equal(2 * weight, np.rint(2 * weight))


@pytest.mark.parametrize("tile", [4, 6])
def test_thirds_have_no_denominator(tile):
    assert transforms(tile).denominator is None


def test_the_depth_counts_coefficients_products_and_additions():
    # rows of Aᵀ, G and Bᵀ with 3, 3 and 2 entries, in two dimensions
    assert transforms(2).depth == 2 * (4 + 4 + 3)


def test_a_larger_tile_amplifies_more():
    found = [transforms(tile).amplification for tile in (2, 4, 6)]
    assert found == sorted(found)
    # by hand, of F(2, 3) in one dimension: |Aᵀ|(|G|·1 ⊙ |Bᵀ|·1) is 1·2 + 1.5·2 + 1.5·2 at most
    assert found[0] == 8.0**2


def test_padding_and_groups_do_not_matter_to_winograd():
    assert suits_winograd(Conv2dParams(4, 4, 3, padding=2, groups=2, padding_mode="circular"))
