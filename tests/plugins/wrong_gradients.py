"""Kernels on torch tensors that are right in what every test asks, and wrong in another of torch's ways."""

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d


class Recorded(torch.autograd.Function):
    """A convolution with a backward pass of its own, right as it stands."""

    @staticmethod
    def forward(context, change, x, weight, bias, *layer):
        context.save_for_backward(x, weight, bias)
        context.change, context.layer, context.passes = change, layer, 0
        return conv2d(x, weight, bias, *layer)

    @staticmethod
    @once_differentiable
    def backward(context, grad_output):
        context.passes += 1
        found = _gradients(context.saved_tensors, context.layer, grad_output)
        return (None, *context.change(context, found), None, None, None, None)


def _gradients(tensors, layer, grad_output):
    with torch.enable_grad():
        leaves = [t if t is None else t.detach().requires_grad_() for t in tensors]
        output = conv2d(*leaves, *layer)
    found = torch.autograd.grad(output, [t for t in leaves if t is not None], grad_output)
    return found if len(found) == 3 else (*found, None)


def _unchanged(_context, found):
    return found


def right(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Nothing is wrong, but its gradients cannot be differentiated again, which it says."""
    return Recorded.apply(_unchanged, x, weight, bias, stride, padding, dilation, groups)


def _no_weight_without_input(context, found):
    needed = context.needs_input_grad[1]
    return found if needed else (found[0], torch.zeros_like(found[1]), found[2])


def skips_the_weight(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The weight gradient is zero where x needs none, as in the first layer of a network."""
    return Recorded.apply(_no_weight_without_input, x, weight, bias, stride, padding, dilation, groups)


def _all_or_nothing(context, found):
    if not all(context.needs_input_grad[1:4]):
        raise RuntimeError("no kernel for some gradients alone")
    return found


def takes_all_or_nothing(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Raises where some gradients are not asked for."""
    return Recorded.apply(_all_or_nothing, x, weight, bias, stride, padding, dilation, groups)


def _into_grad_itself(context, found):
    weight = context.saved_tensors[1]
    if weight.grad is not None:
        weight.grad.add_(found[1])
    return found


def adds_twice(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Adds the weight gradient to `.grad`, where there is one, and returns it as well."""
    return Recorded.apply(_into_grad_itself, x, weight, bias, stride, padding, dilation, groups)


def _freed(context, found):
    return found if context.passes == 1 else tuple(t if t is None else torch.zeros_like(t) for t in found)


_LAST = {}


class KeptElsewhere(torch.autograd.Function):
    """A convolution that keeps what its gradients take where the next call keeps it, too."""

    @staticmethod
    def forward(context, x, weight, bias, *layer):
        _LAST["operands"] = x, weight, bias
        context.layer = layer
        return conv2d(x, weight, bias, *layer)

    @staticmethod
    @once_differentiable
    def backward(context, grad_output):
        return (*_gradients(_LAST["operands"], context.layer, grad_output), None, None, None, None)


def keeps_the_last_operands(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Gradients of an output are of the operands of the last one."""
    return KeptElsewhere.apply(x, weight, bias, stride, padding, dilation, groups)


def frees_its_workspace(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """A second pass through one graph finds nothing."""
    return Recorded.apply(_freed, x, weight, bias, stride, padding, dilation, groups)


def _without_bias(x, weight, _bias, *layer):
    return conv2d(x, weight, None, *layer)


def forgets_bias_in_training(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The output has no bias where gradients are recorded, though the gradients are right."""
    output = conv2d(x, weight, bias, stride, padding, dilation, groups)
    if bias is None or not output.requires_grad:
        return output
    return output - bias.detach()[:, None, None]


def forgets_bias_in_inference(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The output has no bias in inference mode."""
    kernel = _without_bias if torch.is_inference_mode_enabled() else conv2d
    return kernel(x, weight, bias, stride, padding, dilation, groups)


def second_gradients_lost(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Right gradients; in those of the gradients the weight counts for a constant half of itself."""
    half = Halved.apply(weight)
    return conv2d(x, half, bias, stride, padding, dilation, groups)


class Halved(torch.autograd.Function):
    """The identity, half of whose gradient is a constant to whoever differentiates it."""

    @staticmethod
    def forward(_context, weight):
        return weight.clone()

    @staticmethod
    def backward(_context, grad):
        return (grad + grad.detach()) / 2


def mixes_slices(x, weight, bias, stride=1, padding=0, dilation=1, groups=1, out=None):
    """Under vmap, each slice gets the first one's weight and bias; without, and on the meta device, it is right.

    Within autocast it drops the bias, and out= is taken to be dense.
    """
    if torch.is_autocast_enabled("cpu"):
        bias = None
    output = Sliced.apply(x, weight, bias, stride, padding, dilation, groups)
    return output if out is None else _written_densely(output, out)


def _written_densely(output, out):
    flat = out.untyped_storage()
    torch.tensor([], dtype=out.dtype).set_(flat)[: output.numel()] = output.flatten()
    return out


class Sliced(torch.autograd.Function):
    """A convolution whose tangents lack those of the bias, and whose slices have the first one's bias."""

    @staticmethod
    def forward(x, weight, bias, *layer):
        output = conv2d(x, weight, bias, *layer)
        return output[..., :-1] if x.device.type == "meta" else output

    @staticmethod
    def setup_context(context, inputs, _output):
        x, weight, _, *layer = inputs
        context.save_for_backward(x, weight)
        context.save_for_forward(x, weight)
        context.layer = layer

    @staticmethod
    def backward(context, grad_output):
        x, weight = context.saved_tensors
        return (*_gradients((x, weight, None), context.layer, grad_output)[:2], None, None, None, None, None)

    @staticmethod
    def jvp(context, x_tangent, weight_tangent, _bias_tangent, *_):
        x, weight = context.saved_tensors
        return conv2d(x_tangent, weight, None, *context.layer) + conv2d(x, weight_tangent, None, *context.layer)

    @staticmethod
    def vmap(_info, _along, x, weight, bias, *layer):
        first = None if bias is None else bias[0]
        return torch.stack([conv2d(*pair, first, *layer) for pair in zip(x, weight, strict=True)]), 0
