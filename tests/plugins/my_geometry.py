"""What the kernels on a device share: which layers are legal, and where their outputs lie."""

import torch


def geometry(x, weight, bias, stride, padding, dilation, groups):
    """(oh, ow), (sh, sw), padding above and on the left, (dh, dw); whatever is illegal raises."""
    stride, dilation = _pair(stride), _pair(dilation)
    _check(x, weight, bias, stride, dilation, groups)
    reach = [d * (k - 1) for k, d in zip(weight.shape[2:], dilation, strict=True)]
    before, both = _padding(padding, reach, stride)
    outputs = [(i + b - r - 1) // s + 1 for i, b, r, s in zip(x.shape[2:], both, reach, stride, strict=True)]
    if min(outputs) < 1:
        raise ValueError("the kernel is larger than the padded input")
    return outputs, stride, before, dilation


def _check(x, weight, bias, stride, dilation, groups):
    if x.dim() != 4 or weight.dim() != 4 or min(*stride, *dilation, groups, *weight.shape) < 1:
        raise ValueError("expected 4-d tensors, and kernel, stride, dilation and groups of at least 1")
    if weight.shape[1] * groups != x.shape[1] or weight.shape[0] % groups:
        raise ValueError("channels do not fit groups")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError("expected a bias for each output channel")
    if any(t.dtype != torch.float32 for t in (x, weight, bias) if t is not None):
        raise TypeError("this kernel computes in float32")


def _padding(padding, reach, stride):
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        if stride != (1, 1):
            raise ValueError("padding='same' needs stride 1")
        return [r // 2 for r in reach], reach
    before = _pair(padding)
    if min(before) < 0:
        raise ValueError("padding must be 'same', 'valid' or at least 0")
    return before, [2 * p for p in before]


def _pair(value):
    return tuple(value) if isinstance(value, tuple | list) else (value, value)
