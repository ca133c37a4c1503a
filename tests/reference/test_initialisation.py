import numpy as np
import pytest
import torch

from convcheck_reference import Conv2dParams, init_bound, reset_parameters

LAYERS = [
    {"in_channels": 64, "out_channels": 64, "kernel_size": 1},
    {"in_channels": 32, "out_channels": 64, "kernel_size": (3, 5), "groups": 4},
    {"in_channels": 64, "out_channels": 64, "kernel_size": 3, "groups": 64},
]


@pytest.mark.parametrize("layer", LAYERS)
def test_torch_draws_its_weights_from_the_same_interval(layer):
    torch.manual_seed(0)
    weight = torch.nn.Conv2d(**layer).weight.detach().abs().max().item()
    bound = init_bound(Conv2dParams(**layer))
    assert 0.95 * bound < weight <= bound


@pytest.mark.parametrize("layer", LAYERS)
def test_weight_and_bias_fill_the_interval_evenly(layer):
    params = Conv2dParams(**layer)
    weight, bias = reset_parameters(params, np.random.default_rng(0))
    bound = init_bound(params)
    assert (weight.shape, bias.shape) == (params.weight_shape, params.bias_shape)
    for drawn in (weight, bias):
        assert 0.9 * bound < np.abs(drawn).max() <= bound
        # of a uniform distribution: the mean, and the standard deviation bound / √3
        assert abs(drawn.mean()) < 0.3 * bound
        assert drawn.std() == pytest.approx(bound / np.sqrt(3), rel=0.2)


def test_parameters_have_the_dtype_asked_for_and_no_bias_without_one():
    params = Conv2dParams(2, 3, 2, bias=False)
    weight, bias = reset_parameters(params, np.random.default_rng(0), np.float16)
    assert weight.dtype == np.float16
    assert bias is None


def test_the_generator_decides():
    params = Conv2dParams(2, 3, 2)
    one, same, other = (reset_parameters(params, np.random.default_rng(seed))[0] for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
