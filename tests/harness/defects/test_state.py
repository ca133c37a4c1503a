"""Defects that show on a sequence of calls only."""

import numpy as np

from convcheck.defects import defect
from convcheck_reference import Conv2dParams, conv2d


def operands(params, shape, seed):
    rng = np.random.default_rng(seed)
    x, weight = (rng.integers(-4, 5, s).astype(np.float32) for s in (shape, params.weight_shape))
    return x, weight, rng.integers(1, 5, params.bias_shape).astype(np.float32)


def test_a_reused_buffer_changes_an_earlier_result():
    params, backend = Conv2dParams(2, 3, 3), defect("result-buffer-reused").backend()
    first, second = operands(params, (1, 2, 5, 5), 0), operands(params, (1, 2, 5, 5), 1)
    output = backend.conv2d(*first, params)
    assert np.array_equal(output, conv2d(*first, params))
    backend.conv2d(*second, params)
    assert not np.array_equal(output, conv2d(*first, params))


def test_a_plan_of_another_layer_with_the_same_shapes():
    # 5 + 2·1 pixels at stride 2, and 5 at stride 1: three windows each
    first, second = Conv2dParams(1, 1, 3, stride=2, padding=1), Conv2dParams(1, 1, 3)
    backend = defect("plan-kept-by-shape").backend()
    data = operands(first, (1, 1, 5, 5), 0)
    assert np.array_equal(backend.conv2d(*data, first), conv2d(*data, first))
    assert not np.array_equal(backend.conv2d(*data, second), conv2d(*data, second))


def test_a_border_that_keeps_a_larger_image():
    large, padded = Conv2dParams(1, 1, 3), Conv2dParams(1, 1, 3, padding=1)
    backend = defect("stale-border").backend()
    first, second = operands(large, (1, 1, 7, 7), 0), operands(padded, (1, 1, 5, 5), 1)
    assert np.array_equal(backend.conv2d(*first, large), conv2d(*first, large))
    assert not np.array_equal(backend.conv2d(*second, padded), conv2d(*second, padded))


def test_a_result_kept_by_address():
    params, backend = Conv2dParams(1, 1, 3), defect("result-kept-by-address").backend()
    x, weight, bias = operands(params, (1, 1, 5, 5), 0)
    assert np.array_equal(backend.conv2d(x, weight, bias, params), conv2d(x, weight, bias, params))
    x += 1
    assert not np.array_equal(backend.conv2d(x, weight, bias, params), conv2d(x, weight, bias, params))


def test_every_hundredth_call():
    params, backend = Conv2dParams(1, 1, 1), defect("every-hundredth-call").backend()
    data = operands(params, (1, 1, 2, 2), 0)
    wrong = [n for n in range(1, 301) if not np.array_equal(backend.conv2d(*data, params), conv2d(*data, params))]
    assert wrong == [100, 200, 300]
