"""A kernel of one's own, on torch tensors: its gradients come from autograd, so they are judged too."""

import torch

from convcheck import capabilities


@capabilities(string_padding=False, unbatched=False, empty_batch=False)
def my_conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """im2col by `torch.nn.functional.unfold`, then one matrix product a group."""
    stride, dilation = _pair(stride), _pair(dilation)
    if padding in ("same", "valid") or isinstance(padding, str) or x.dim() != 4 or min(_pair(padding)) < 0:
        raise NotImplementedError("this kernel takes batches, and numbers for padding")
    if not all(type(number) is int for number in (*stride, *dilation, *_pair(padding), groups)):
        raise TypeError("stride, padding, dilation and groups are whole numbers")
    if bias is not None and (bias.shape != weight.shape[:1] or bias.dtype != x.dtype):
        raise ValueError("the bias does not fit the weight and the input")
    if groups < 1 or weight.shape[1] * groups != x.shape[1] or weight.shape[0] % groups:
        raise ValueError("channels do not fit groups")
    padding, kernel = _pair(padding), tuple(weight.shape[2:])
    oh, ow = (
        (i + 2 * p - d * (k - 1) - 1) // s + 1
        for i, p, d, k, s in zip(x.shape[2:], padding, dilation, kernel, stride, strict=True)
    )
    columns = torch.nn.functional.unfold(x, kernel, dilation, padding, stride)
    columns = columns.reshape(x.shape[0], groups, -1, oh * ow)
    filters = weight.reshape(groups, weight.shape[0] // groups, -1)
    out = (filters @ columns).reshape(x.shape[0], weight.shape[0], oh, ow)
    return out if bias is None else out + bias[:, None, None]


def _pair(value):
    return tuple(value) if isinstance(value, tuple | list) else (value, value)
