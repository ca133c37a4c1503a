import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
import torch

from convcheck import ReferenceBackend, differentiate, differentiate_twice, from_torch, to_torch
from convcheck.model.calls import OPERANDS
from convcheck_reference import DTYPES, Conv2dParams

LAYER = Conv2dParams(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), groups=2)


def conv(x, weight, bias):
    return torch.nn.functional.conv2d(x, weight, bias, (2, 1), (1, 0), 1, 2)


def integers(*shapes):
    rng = np.random.default_rng(0)
    return [rng.integers(-3, 4, shape).astype(np.float64) for shape in shapes]


def layer(batch=2):
    x_shape = (batch, 4, 7, 6)
    return integers(x_shape, LAYER.weight_shape, LAYER.bias_shape, LAYER.output_shape(x_shape))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tensor_lies_on_the_memory_of_its_array_and_so_does_the_way_back(dtype):
    array = np.arange(-6, 6).astype(DTYPES[dtype]).reshape(3, 4).T[:, 1:]
    tensor = to_torch(array)
    assert (tensor.dtype, tuple(tensor.shape)) == (getattr(torch, dtype), array.shape)
    assert tensor.to(torch.complex128).tolist() == array.astype(complex).tolist()
    back = from_torch(tensor)
    assert (back.dtype, back.strides) == (array.dtype, array.strides)
    assert np.shares_memory(back, array)


def test_bfloat16_crosses_by_its_bits():
    array = np.array([1.5, -0.0, np.inf, 1e-40], ml_dtypes.bfloat16)
    tensor = to_torch(array)
    assert torch.equal(tensor, torch.tensor([1.5, -0.0, np.inf, 1e-40]).to(torch.bfloat16))
    assert from_torch(tensor).tobytes() == array.tobytes()


def test_negative_strides_are_refused():
    with pytest.raises(ValueError, match="negative"):
        to_torch(np.zeros(3)[::-1])


@pytest.mark.parametrize(
    "result",
    [np.zeros(3), None, [1.0], torch.zeros(3).as_subclass(torch.nn.Buffer)],
    ids=lambda result: type(result).__name__,
)
def test_what_is_no_plain_tensor_is_refused(result):
    with pytest.raises(TypeError, match=f"returned a {type(result).__name__}; expected a torch.Tensor"):
        from_torch(result)


def test_a_parameter_is_a_plain_tensor_that_a_module_owns():
    assert from_torch(torch.nn.Parameter(torch.ones(3))).tolist() == [1.0, 1.0, 1.0]


def test_a_tensor_on_another_device_is_a_copy_there_and_is_refused_elsewhere():
    tensor = to_torch(np.ones((2, 3), ml_dtypes.bfloat16), "meta")
    assert (tensor.device.type, tensor.dtype, tuple(tensor.shape)) == ("meta", torch.bfloat16, (2, 3))
    with pytest.raises(TypeError, match="returned a tensor on meta; expected cuda"):
        from_torch(tensor, "cuda")
    with pytest.raises(TypeError, match="returned a tensor on cpu; expected cuda:1"):
        from_torch(torch.zeros(3), "cuda:1")
    assert from_torch(torch.zeros(1), "cpu").tolist() == [0.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_result_that_autograd_records_is_read_as_well(dtype):
    tensor = torch.ones(3, dtype=dtype, requires_grad=True) * 2
    assert from_torch(tensor).tolist() == [2.0, 2.0, 2.0]


def test_a_view_that_torch_conjugates_when_it_is_read_is_read_conjugated():
    assert from_torch(torch.tensor([1 + 2j]).conj()).tolist() == [1 - 2j]


@pytest.mark.parametrize("biased", [True, False])
def test_gradients_are_those_of_the_reference(biased):
    x, weight, bias, grad_output = layer()
    bias = bias if biased else None
    expected = ReferenceBackend().conv2d_backward(grad_output, x, weight, bias, LAYER)
    tensors = tuple(None if a is None else to_torch(a) for a in (x, weight, bias))
    found = differentiate(conv, tensors, to_torch(grad_output))
    for name in ("input", "weight"):
        assert np.array_equal(from_torch(getattr(found, name)), getattr(expected, name)), name
    assert (found.bias is None) is not biased
    assert not biased or np.array_equal(from_torch(found.bias), expected.bias)
    assert not any(t is not None and (t.requires_grad or t.grad is not None) for t in tensors)


@pytest.mark.parametrize("batch", [2, 0])
@pytest.mark.parametrize("biased", [True, False])
def test_gradients_of_gradients_are_those_of_the_reference(biased, batch):
    x, weight, bias, grad_output = layer(batch)
    outer = integers(x.shape, weight.shape, bias.shape)
    if not biased:
        bias = outer[2] = None
    expected = ReferenceBackend().conv2d_double_backward(*outer, grad_output, x, weight, bias, LAYER)
    tensors, grad_grads = (
        tuple(None if a is None else to_torch(a) for a in arrays) for arrays in ((x, weight, bias), outer)
    )
    found = differentiate_twice(conv, tensors, to_torch(grad_output), grad_grads)
    for name in ("grad_output", "input", "weight"):
        assert np.array_equal(from_torch(getattr(found, name)), getattr(expected, name)), name


def test_what_the_output_does_not_depend_on_has_a_zero_gradient():
    x, weight, bias, grad_output = map(to_torch, layer())
    found = differentiate(lambda x, w, b: conv(x, w.detach(), b), (x, weight, bias), grad_output)
    assert not found.weight.any()
    assert found.input.any()


def test_that_is_so_where_no_other_gradient_is_asked_for():
    x, weight, bias, grad_output = map(to_torch, layer())
    found = differentiate(lambda x, w, b: conv(x, w, b.detach()), (x, weight, bias), grad_output, ("bias",))
    assert (found.input, found.weight) == (None, None)
    assert torch.equal(found.bias, torch.zeros_like(bias))


def test_a_function_of_which_nothing_is_recorded_has_no_gradients():
    x, weight, bias, grad_output = map(to_torch, layer())
    for wanted in (OPERANDS, ("bias",)):
        with pytest.raises(RuntimeError, match="does not require grad"):
            differentiate(lambda *operands: conv(*operands).detach(), (x, weight, bias), grad_output, wanted)


def test_what_autograd_imports_at_its_first_call_is_there_before():
    later = (
        "import sys, torch\n"
        "from convcheck.plugin.torch_bridge import preload_autograd\n"
        "preload_autograd()\n"
        "before = set(sys.modules)\n"
        "x = torch.ones(1, requires_grad=True)\n"
        "torch.autograd.grad(2 * x, x)\n"
        "print(len(set(sys.modules) - before))\n"
    )
    found = subprocess.run([sys.executable, "-c", later], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 20
