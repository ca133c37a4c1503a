"""Convolutions of torch tensors that are wrong by what is asked of their gradients, or by where a tensor lies.

For any other call they give torch's float64 result, rounded once.
"""

from __future__ import annotations

import torch


class _Passing(torch.autograd.Function):
    """Other values for a tensor, and another gradient."""

    @staticmethod
    def forward(ctx, tensor, values, change):
        ctx.change = change
        return values.detach().view_as(values)

    @staticmethod
    def backward(ctx, grad):
        return ctx.change(grad), None, None


def weight_with_input(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The weight's gradient is zero where x asks for none."""
    if weight.requires_grad and not x.requires_grad:
        weight = _Passing.apply(weight, weight, torch.zeros_like)
    return _wide(x, weight, bias, stride, padding, dilation, groups)


def bias_lost_while_recording(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The bias has its gradient, and no part in the output."""
    asked = any(t is not None and t.requires_grad for t in (x, weight, bias))
    if bias is not None and asked and torch.is_grad_enabled():
        bias = _Passing.apply(bias, torch.zeros_like(bias), lambda grad: grad)
    return _wide(x, weight, bias, stride, padding, dilation, groups)


def storage_from_its_start(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Ignores the offset of x in its storage."""
    if x.storage_offset():
        x = _Passing.apply(x, x.detach().as_strided(x.shape, x.stride(), 0), lambda grad: grad)
    return _wide(x, weight, bias, stride, padding, dilation, groups)


def input_alone(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The input's gradient lacks its last row where neither weight nor bias asks for one."""
    if x.requires_grad and not any(t is not None and t.requires_grad for t in (weight, bias)):
        kept = torch.arange(x.shape[-2]) < x.shape[-2] - 1
        x = _Passing.apply(x, x, lambda grad: grad * kept[:, None])
    return _wide(x, weight, bias, stride, padding, dilation, groups)


def second_backward_adds(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Every backward through one graph adds to what the one before made of the weight's gradient."""
    sums = []

    def summed(grad):
        sums.append(grad + sums[-1] if sums else grad)
        return sums[-1]

    if weight.requires_grad:
        weight = _Passing.apply(weight, weight, summed)
    return _wide(x, weight, bias, stride, padding, dilation, groups)


def _wide(x, weight, bias, stride, padding, dilation, groups):
    if any(t is not None and t.dtype != x.dtype for t in (weight, bias)):
        raise TypeError(f"expected tensors of {x.dtype}")
    wide = [t if t is None else t.double().contiguous() for t in (x, weight, bias)]
    output = torch.nn.functional.conv2d(*wide, stride, padding, dilation, groups)
    return output.to(x.dtype)
