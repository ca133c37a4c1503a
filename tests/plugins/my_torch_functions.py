"""Convolutions of one's own as torch has them: convcheck run --backend my_torch_functions.py:MyConvFunction

`MyConvFunction.apply` has a backward pass of its own; `my_conv` is a custom operator with a kernel for fake tensors and
a backward pass, so it goes through torch.compile.
"""

from collections.abc import Sequence

import torch
from torch.nn.grad import conv2d_input, conv2d_weight

import convcheck


@convcheck.capabilities(string_padding=False, unbatched=False, double_backward=False)
class MyConvFunction(torch.autograd.Function):
    """A convolution with gradients of its own."""

    @staticmethod
    def forward(ctx, x, weight, bias, stride, padding, dilation, groups):
        ctx.save_for_backward(x, weight)
        ctx.layer = (stride, padding, dilation, groups)
        return torch.conv2d(x, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        grad_x = conv2d_input(x.shape, weight, grad_output, *ctx.layer) if ctx.needs_input_grad[0] else None
        grad_weight = conv2d_weight(x, weight.shape, grad_output, *ctx.layer) if ctx.needs_input_grad[1] else None
        grad_bias = grad_output.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None
        return grad_x, grad_weight, grad_bias, None, None, None, None


@torch.library.custom_op("my_torch_functions::conv", mutates_args=())
def my_conv(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> torch.Tensor:
    """The kernel."""
    return torch.conv2d(x, weight, bias, stride, padding, dilation, groups)


@my_conv.register_fake
def _(x, weight, bias, stride, padding, dilation, groups):
    sizes = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(x.shape[-2:], weight.shape[-2:], stride, padding, dilation, strict=True)
    ]
    return x.new_empty((*x.shape[:-3], weight.shape[0], *sizes))


def _keep(ctx, inputs, output):
    x, weight, _, *ctx.layer = inputs
    ctx.save_for_backward(x, weight)


my_conv.register_autograd(MyConvFunction.backward, setup_context=_keep)
convcheck.capabilities(unbatched=False, double_backward=False, transforms=("meta",))(my_conv)
