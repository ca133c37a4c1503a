"""Twelve wrong kernels: each a defect that convolutions have shipped with."""

import numpy as np
import torch

from convcheck import capabilities

_earlier = {}


def conv2d(x, weight, *others):
    """torch's own on tensors in C order: its kernels for channels_last end the process now and then."""
    plain = (tensor.clone(memory_format=torch.contiguous_format) for tensor in (x, weight))
    return torch.nn.functional.conv2d(*plain, *others)


def _pair(value):
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def swapped_stride(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Height and width of the stride exchanged."""
    return conv2d(x, weight, bias, _pair(stride)[::-1], padding, dilation, groups)


def swapped_padding(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Height and width of the padding exchanged."""
    padding = padding if isinstance(padding, str) else _pair(padding)[::-1]
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


def one_pixel_tail(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The last column of a row that is no multiple of four stays zero."""
    out = conv2d(x, weight, bias, stride, padding, dilation, groups)
    if out.shape[-1] % 4 == 1 and out.shape[-1] > 4:
        out = torch.cat([out[..., :-1], torch.zeros_like(out[..., -1:])], dim=-1)
    return out


def group_order(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Output channels interleaved across groups."""
    out = conv2d(x, weight, bias, stride, padding, dilation, groups)
    if groups == 1:
        return out
    axis = out.dim() - 3
    blocks = out.unflatten(axis, (groups, -1)).transpose(axis, axis + 1)
    return blocks.flatten(axis, axis + 1)


def bias_per_column(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """A bias added along the columns where their number is that of the channels."""
    out = conv2d(x, weight, None, stride, padding, dilation, groups)
    if bias is None:
        return out
    return out + (bias if out.shape[-1] == len(bias) else bias[:, None, None])


def bias_lost_with_groups(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The bias forgotten with groups."""
    return conv2d(x, weight, bias if groups == 1 else None, stride, padding, dilation, groups)


@capabilities(gradients=False)
def tf32_inputs(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Operands rounded to 11 significant bits, undeclared."""

    def rounded(t):
        return ((t.view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)

    return conv2d(rounded(x.contiguous()), rounded(weight.contiguous()), bias, stride, padding, dilation, groups)


@capabilities(gradients=False)
def stale_cache(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """A transformed weight kept under its shape only."""
    kept = _earlier.setdefault((weight.shape, weight.dtype), weight.detach().clone())
    return conv2d(x, kept if kept.isfinite().all() else weight, bias, stride, padding, dilation, groups)


class _WeightTail(torch.autograd.Function):
    @staticmethod
    def forward(context, weight):
        return weight.clone()

    @staticmethod
    def backward(context, grad):
        grad = grad.clone()
        if grad.shape[-1] > 1:
            grad[..., -1] = 0
        return grad


def weight_gradient_tail(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of the kernel's last column is dropped."""
    return conv2d(x, _WeightTail.apply(weight), bias, stride, padding, dilation, groups)


def same_pads_first(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The odd pixel of 'same' goes above and to the left."""
    if padding == "same":
        high, wide = (d * (k - 1) for d, k in zip(_pair(dilation), weight.shape[2:], strict=True))
        x = torch.nn.functional.pad(x, (wide - wide // 2, wide // 2, high - high // 2, high // 2))
        padding = 0 if _pair(stride) == (1, 1) else padding
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


def accepts_anything(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """What is too small is taken for the smallest legal value."""
    stride, dilation = (tuple(max(1, v) for v in _pair(value)) for value in (stride, dilation))
    if not isinstance(padding, str):
        padding = tuple(max(0, p) for p in _pair(padding))
    return conv2d(x, weight, bias, stride, padding, dilation, max(1, groups))


@capabilities(arrays="numpy", dtypes=("float32", "float64"))
def flipped_kernel(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """A true convolution: the kernel is flipped."""
    tensors = [torch.from_numpy(np.ascontiguousarray(a)) for a in (x, weight[..., ::-1, ::-1])]
    bias = None if bias is None else torch.from_numpy(np.ascontiguousarray(bias))
    return conv2d(*tensors, bias, stride, padding, dilation, groups).numpy()


KERNELS = (
    "swapped_stride",
    "swapped_padding",
    "one_pixel_tail",
    "group_order",
    "bias_per_column",
    "bias_lost_with_groups",
    "tf32_inputs",
    "stale_cache",
    "weight_gradient_tail",
    "same_pads_first",
    "accepts_anything",
    "flipped_kernel",
)
