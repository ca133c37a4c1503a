import pytest
import torch

from convcheck.model.calls import Mode
from convcheck.plugin.torch_modes import in_mode


def conv(x, weight, bias):
    return torch.nn.functional.conv2d(x, weight, bias, (2, 1), (1, 0), 1, 2)


def integers(*shape):
    return torch.arange(-7, torch.Size(shape).numel() - 7).reshape(shape).double() % 11 - 5


@pytest.fixture(params=[True, False], ids=["bias", "no bias"])
def tensors(request):
    found = {"x": integers(2, 4, 7, 6), "weight": integers(6, 2, 3, 2), "grad_output": integers(2, 6, 4, 5)}
    return found | ({"bias": integers(6)} if request.param else {})


def operands(tensors):
    return tensors["x"], tensors["weight"], tensors.get("bias")


@pytest.mark.parametrize(
    ("mode", "recording", "inference"),
    [(Mode.RECORDED, True, False), (Mode.NO_GRAD, False, False), (Mode.INFERENCE, False, True)],
)
def test_the_function_is_called_in_the_mode_on_operands_that_require_gradients(tensors, mode, recording, inference):
    seen = []

    def watched(*given):
        seen.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
        seen.extend(t.requires_grad for t in given if t is not None)
        return conv(*given)

    (output,) = in_mode(mode, watched, tensors)
    assert torch.equal(output, conv(*operands(tensors)))
    assert output.requires_grad is recording
    assert seen[0] == (recording, inference)
    assert all(seen[1:])


@pytest.mark.parametrize(
    ("mode", "calls", "times"), [(Mode.ACCUMULATED, 2, -1), (Mode.RETAINED, 1, -1), (Mode.INTERLEAVED, 2, 2)]
)
def test_two_passes_come_to_so_many_times_the_gradients(tensors, mode, calls, times):
    made = []

    def counted(*given):
        made.append(given)
        return conv(*given)

    found = in_mode(mode, counted, tensors)
    leaves = [None if t is None else t.clone().requires_grad_() for t in operands(tensors)]
    conv(*leaves).backward(tensors["grad_output"])
    assert len(made) == calls
    for gradient, leaf in zip(found, leaves, strict=True):
        assert gradient is leaf if leaf is None else torch.equal(gradient, times * leaf.grad)
    assert not any(t.requires_grad for t in tensors.values())


def test_vmap_gives_the_output_and_its_negative(tensors):
    output, negated = in_mode(Mode.VMAP, conv, tensors)
    assert torch.equal(output, conv(*operands(tensors)))
    assert torch.equal(negated, -output)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # torch's own, on the way to jvp
def test_jvp_gives_the_output_and_its_derivative(tensors):
    tangents = {f"tangent_{name}": t.flip(0) for name, t in tensors.items()}
    output, tangent = in_mode(Mode.JVP, conv, tensors | tangents)
    x, weight, bias = operands(tensors)
    due = conv(x.flip(0), weight, None) + conv(x, weight.flip(0), None)
    assert torch.equal(output, conv(x, weight, bias))
    assert torch.equal(tangent, due if bias is None else due + bias.flip(0)[:, None, None])


def test_on_the_meta_device_a_shape_and_a_dtype_come_back(tensors):
    (output,) = in_mode(Mode.META, conv, tensors)
    assert (tuple(output.shape), output.dtype, output.device.type) == ((2, 6, 4, 5), torch.float64, "cpu")
    with pytest.raises(TypeError, match="came a Tensor; expected a tensor on the meta device"):
        in_mode(Mode.META, lambda *_: torch.zeros(2), tensors)
