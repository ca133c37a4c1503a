import numpy as np
import pytest
from hypothesis import assume, given, settings

from convcheck import Capabilities
from convcheck.strategies import cases
from convcheck_reference import Conv2dParams, conv2d, conv2d_grad_input, conv2d_grad_weight, patches
from convcheck_reference.patches import Patches, col2im, im2col


def sums(x, weight, grad_output, params):
    return (
        conv2d(x, weight, None, params),
        conv2d_grad_weight(grad_output, x, params),
        conv2d_grad_input(grad_output, weight, params, x.shape),
    )


def integers(case):
    rng = np.random.default_rng(case.seed)
    shapes = (case.input_shape, case.params.weight_shape, case.output_shape)
    return [rng.integers(-9, 10, shape).astype(np.float64) for shape in shapes]


@pytest.mark.parametrize("in_cache", [1, 40, 400])
def test_bands_give_the_same_sums(monkeypatch, in_cache):
    @settings(max_examples=60, deadline=None)
    @given(cases(Capabilities(dtypes=("float64",), gradients=True)))
    def same(case):
        assume(case.violation is None and case.output_shape)
        operands = integers(case)
        with monkeypatch.context() as patched:
            patched.setattr(patches, "_IN_CACHE", 1 << 40)
            whole = sums(*operands, case.params)
            patched.setattr(patches, "_IN_CACHE", in_cache)
            patched.setattr(patches, "prod", lambda _: in_cache)
            banded = sums(*operands, case.params)
        for one, other in zip(whole, banded, strict=True):
            np.testing.assert_array_equal(one, other)

    same()


@pytest.mark.parametrize(
    ("params", "shape"),
    [
        (Conv2dParams(40, 40, 5, padding=2, groups=40), (1, 40, 40, 41)),
        (Conv2dParams(3, 4, 3, stride=2), (1, 3, 401, 403)),
        (Conv2dParams(2, 3, (3, 2), dilation=3, padding=4, padding_mode="circular"), (60, 2, 31, 33)),
        (Conv2dParams(1, 2, (129, 3), padding=(64, 1)), (1, 1, 200, 90)),
    ],
)
def test_columns_that_no_cache_holds_are_made_in_bands(params, shape):
    rng = np.random.default_rng(0)
    x, weight = (rng.integers(-9, 10, s).astype(np.float64) for s in (shape, params.weight_shape))
    grad = rng.integers(-9, 10, params.output_shape(shape)).astype(np.float64)
    banded = Patches(x, params)
    assert len(banded._bands) > 1
    columns, matrix = im2col(x, params), weight.reshape(params.groups, -1, params.fan_in)
    grads = grad.reshape(shape[0], params.groups, matrix.shape[1], -1)
    np.testing.assert_array_equal(banded.output(weight), matrix @ columns)
    weight_gradient = (grads @ columns.swapaxes(-1, -2)).sum(axis=0).reshape(params.weight_shape)
    np.testing.assert_array_equal(banded.grad_weight(grad), weight_gradient)
    spread = col2im(matrix.swapaxes(-1, -2) @ grads, params, shape)
    np.testing.assert_array_equal(patches.grad_input(weight, grad, params, shape), spread)
