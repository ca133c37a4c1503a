from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
import torch

from convcheck import ReferenceBackend
from convcheck_reference import Conv2dParams, ConvcheckError, InputError, ParameterError

LAYER = Conv2dParams(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), groups=2)
X = (2, 4, 7, 6)


def tensors(dtype="float64"):
    rng = np.random.default_rng(0)
    shapes = (X, LAYER.weight_shape, LAYER.bias_shape, LAYER.output_shape(X))
    return [rng.integers(-3, 4, shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16, "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("biased", [True, False])
def test_output_and_gradients_are_those_of_torch_in_every_dtype(dtype, biased):
    x, weight, bias, grad = tensors(dtype)
    wide = "complex128" if x.dtype.kind == "c" else "float64"
    exact = [torch.tensor(a.astype(wide), requires_grad=True) for a in (x, weight, bias)]
    output = torch.nn.functional.conv2d(*exact[:2], exact[2] if biased else None, (2, 1), (1, 0), 1, 2)
    output.backward(torch.tensor(grad.astype(wide)))
    backend, bias = ReferenceBackend(), bias if biased else None
    found = (backend.conv2d(x, weight, bias, LAYER), *backend.conv2d_backward(grad, x, weight, bias, LAYER))
    assert (found[-1] is None) is not biased
    for array, expected in zip(found[: 4 if biased else 3], (output, *(t.grad for t in exact)), strict=False):
        assert array.dtype == x.dtype
        assert np.array_equal(array, expected.detach().numpy().astype(x.dtype))


def test_an_illegal_layer_is_refused_although_nobody_validated_it():
    x, weight, bias, _ = tensors()
    illegal = Conv2dParams.unchecked(replace(LAYER.arguments, stride=0))
    with pytest.raises(ParameterError, match="stride"):
        ReferenceBackend().conv2d(x, weight, bias, illegal)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x, w, b: (x[0, 0], w, b), "dimensions|shape"),
        (lambda x, w, b: (x[:, :3], w, b), "channels|shape"),
        (lambda x, w, b: (x, w[:, :1], b), "weight has shape"),
        (lambda x, w, b: (x, w, b[:3]), "bias has shape"),
        (lambda x, w, b: (x, w.astype(np.float32), b), "weight has dtype"),
        (lambda x, w, b: (x, w, b.astype(np.float32)), "bias has dtype"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(spoil, message):
    with pytest.raises(InputError, match=message):
        ReferenceBackend().conv2d(*spoil(*tensors()[:3]), LAYER)


def test_a_module_is_drawn_from_the_generator_that_its_caller_seeds():
    arguments = {"in_channels": 4, "out_channels": 6, "kernel_size": (3, 2), "groups": 2}
    weights = []
    for seed in (0, 0, 1):
        np.random.seed(seed)  # noqa: NPY002
        weights.append(ReferenceBackend().make_module(**arguments).weight.tolist())
    assert weights[0] == weights[1] != weights[2]


@pytest.mark.parametrize("biased", [True, False])
def test_a_module_computes_its_layer(biased):
    module = ReferenceBackend().make_module(
        in_channels=4, out_channels=6, kernel_size=(3, 2), stride=(2, 1), padding=(1, 0), groups=2,
        bias=biased, dtype="float64",
    )  # fmt: skip
    x = tensors()[0]
    assert (module.weight.shape, module.weight.dtype) == (LAYER.weight_shape, np.float64)
    assert np.abs(module.weight).max() <= 1 / np.sqrt(2 * 3 * 2)
    assert (module.bias is None) is not biased
    assert np.array_equal(module(x), ReferenceBackend().conv2d(x, module.weight, module.bias, LAYER))


def test_a_module_refuses_what_the_layer_refuses():
    with pytest.raises(ConvcheckError):
        ReferenceBackend().make_module(in_channels=4, out_channels=6, kernel_size=3, groups=3)
