import numpy as np
import pytest

from convcheck.evaluation.fast_algorithms import fft, transposed, winograd
from convcheck.numerics.toom_cook import suits_winograd, transforms
from convcheck_reference import Conv2dParams, conv2d
from convcheck_reference.convolution import conv2d_grad_input


def operands(params, shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), rng.standard_normal(params.weight_shape)


@pytest.mark.parametrize("tile", [2, 4, 6])
def test_the_filters_of_one_dimension(tile):
    m = transforms(tile)
    d, g = np.random.default_rng(1).standard_normal(tile + 2), np.array([2.0, -3.0, 5.0])
    expected = [d[i : i + 3] @ g for i in range(tile)]
    assert np.allclose(m.output @ ((m.kernel @ g) * (m.data @ d)), expected, rtol=1e-12, atol=1e-12)


def test_the_matrices_of_two_outputs_are_the_published_ones():
    # Lavin & Gray (2016), equation 5, up to the sign of a row
    m = transforms(2)
    assert np.array_equal(np.abs(m.kernel), [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0, 0, 1]])
    assert np.array_equal(np.abs(m.data), [[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1]])


@pytest.mark.parametrize("tile", [2, 4, 6])
@pytest.mark.parametrize("mode", ["zeros", "circular"])
@pytest.mark.parametrize("size", [(3, 3), (7, 10), (9, 6)])
def test_winograd_is_the_convolution(tile, mode, size):
    params = Conv2dParams(4, 6, 3, padding=1, groups=2, padding_mode=mode)
    x, weight = operands(params, (2, 4, *size))
    assert suits_winograd(params)
    assert np.allclose(winograd(x, weight, params, tile), conv2d(x, weight, None, params), rtol=0, atol=1e-11)


@pytest.mark.parametrize("stride", [1, (2, 3)])
@pytest.mark.parametrize("dilation", [1, (1, 2)])
@pytest.mark.parametrize("kernel", [1, (2, 3)])
def test_fourier_is_the_convolution(stride, dilation, kernel):
    params = Conv2dParams(4, 6, kernel, stride, 1, dilation, groups=2)
    x, weight = operands(params, (2, 4, 7, 10))
    assert np.allclose(fft(x, weight, params), conv2d(x, weight, None, params), rtol=0, atol=1e-12)


@pytest.mark.parametrize("changes", [{"stride": 2}, {"dilation": 2}, {"kernel_size": (3, 2)}])
def test_other_layers_do_not_suit_winograd(changes):
    assert not suits_winograd(Conv2dParams(**{"in_channels": 2, "out_channels": 2, "kernel_size": 3, **changes}))


@pytest.mark.parametrize(
    "changes", [{}, {"padding_mode": "reflect"}, {"stride": (2, 3)}, {"dilation": 2, "kernel_size": (2, 3)}]
)
def test_the_transposed_problem_gives_the_input_gradient(changes):
    params = Conv2dParams(
        **{"in_channels": 4, "out_channels": 6, "kernel_size": 3, "padding": 1, "groups": 2, **changes}
    )
    algorithms = [fft, lambda *a: winograd(*a, tile=4)] if suits_winograd(params) else [fft]
    x, weight = operands(params, (2, 4, 8, 10))
    grad = np.random.default_rng(3).standard_normal(params.output_shape(x.shape))
    expected = conv2d_grad_input(grad, weight, params, x.shape)
    for algorithm in algorithms:
        assert np.allclose(transposed(algorithm, grad, weight, params, 8, 10), expected, rtol=0, atol=1e-11)
