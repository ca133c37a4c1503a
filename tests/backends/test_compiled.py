import shutil

import numpy as np
import pytest
import torch

from convcheck import UnavailableError
from convcheck_backends import TorchCompile, TorchCpu
from convcheck_reference import Conv2dParams

LAYER = Conv2dParams(2, 3, (3, 2), padding=1)
COMPILERS = ("c++", "g++", "clang++", "cl")


def tensors(backend):
    rng = np.random.default_rng(0)
    x = (1, 2, 4, 5)
    shapes = (x, LAYER.weight_shape, LAYER.bias_shape, LAYER.output_shape(x))
    return [backend.to_native(rng.integers(-3, 4, shape).astype(np.float32)) for shape in shapes]


def results(backend):
    x, weight, bias, grad = tensors(backend)
    output = backend.conv2d(x, weight, bias, LAYER)
    gradients = backend.conv2d_backward(grad, x, weight, bias, LAYER)
    return [backend.to_numpy(result) for result in (output, *gradients)]


@pytest.fixture
def compiled(monkeypatch):
    """What is compiled, in order; it runs as it is."""
    functions = []

    def noting(function, **_):
        functions.append(function)
        return function

    monkeypatch.setattr(torch, "compile", noting)
    monkeypatch.setattr(shutil, "which", lambda _: "a compiler")
    return functions


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, in what Inductor imports
@pytest.mark.skipif(not any(map(shutil.which, COMPILERS)), reason="Inductor needs a C++ compiler")
def test_what_inductor_makes_of_it_is_the_convolution():
    for found, expected in zip(results(TorchCompile()), results(TorchCpu()), strict=True):
        assert np.array_equal(found, expected)


def test_a_layer_is_compiled_once_for_both_passes(compiled):
    results(TorchCompile())
    assert len(compiled) == 1


@pytest.mark.parametrize(
    "other",
    [Conv2dParams(2, 3, (3, 2), padding=1, dilation=2), Conv2dParams(2, 3, (3, 2), padding=(1, 1))],
    ids=["layer", "spelling"],
)
def test_another_layer_or_spelling_is_compiled_anew(compiled, other):
    backend = TorchCompile()
    x, weight, bias, _ = tensors(backend)
    expected = [TorchCpu().conv2d(x, weight, bias, layer) for layer in (LAYER, other)]
    for layer, output in zip((LAYER, other), expected, strict=True):
        assert torch.equal(backend.conv2d(x, weight, bias, layer), output)
    assert len(compiled) == 2


def test_without_a_compiler_it_is_unavailable(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UnavailableError, match="C\\+\\+ compiler"):
        TorchCompile()
