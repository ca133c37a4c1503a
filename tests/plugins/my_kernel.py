"""A kernel of one's own, in NumPy: what `convcheck run --backend my_kernel.py:my_conv` takes."""

import numpy as np


def my_conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The signature of `torch.nn.functional.conv2d`, on NumPy arrays."""
    if x.ndim == 3:
        return my_conv(x[None], weight, bias, stride, padding, dilation, groups)[0]
    (sh, sw), (dh, dw) = _pair(stride), _pair(dilation)
    _check(x, weight, bias, (sh, sw), (dh, dw), padding, groups)
    out_channels, per_group, kh, kw = weight.shape
    top, bottom, left, right = _sides(padding, (kh, kw), (sh, sw), (dh, dw))
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (dh * (kh - 1) + 1, dw * (kw - 1) + 1), (2, 3))
    windows = windows[:, :, ::sh, ::sw, ::dh, ::dw]  # N, C, oh, ow, kh, kw
    batch, _, oh, ow = windows.shape[:4]
    windows = windows.reshape(batch, groups, per_group, oh, ow, kh, kw)
    filters = weight.reshape(groups, out_channels // groups, per_group, kh, kw)
    out = np.einsum("ngchwkl,gockl->ngohw", windows, filters).reshape(batch, out_channels, oh, ow)
    return out if bias is None else out + bias[:, None, None]


def _check(x, weight, bias, stride, dilation, padding, groups):
    if x.ndim != 4 or weight.ndim != 4 or min(*stride, *dilation, groups) < 1:
        raise ValueError("expected 4-d tensors, and stride, dilation and groups of at least 1")
    if x.shape[1] % groups or weight.shape[0] % groups or x.shape[1] // groups != weight.shape[1]:
        raise ValueError("channels do not fit groups")
    if not all(type(number) is int for number in (*stride, *dilation, groups)):
        raise TypeError("stride, dilation and groups are whole numbers")
    if weight.dtype != x.dtype or (bias is not None and (bias.shape != weight.shape[:1] or bias.dtype != x.dtype)):
        raise ValueError("weight and bias must fit the input")
    if min(weight.shape) < 1:
        raise ValueError("the kernel is empty")
    numbers = [type(side) for side in _pair(padding)] == [int, int]
    if padding not in ("same", "valid") and (not numbers or min(_pair(padding)) < 0):
        raise ValueError("padding must be 'same', 'valid' or two whole numbers of at least 0")


def _sides(padding, kernel, stride, dilation):
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        if stride != (1, 1):
            raise ValueError("padding='same' needs stride 1")
        high, wide = (d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
        return high // 2, high - high // 2, wide // 2, wide - wide // 2
    ph, pw = _pair(padding)
    return ph, ph, pw, pw


def _pair(value):
    return tuple(value) if isinstance(value, tuple | list) else (value, value)
