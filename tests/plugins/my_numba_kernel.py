"""A kernel of one's own in Numba, whose loops it compiles for each dtype.

Numba may have an environment of its own: `convcheck env add numba==0.68.1`, and then
`convcheck run --backend my_numba_kernel.py:my_conv@numba@0.68.1`.
"""

import numpy as np
from my_kernel import _check, _pair, _sides
from numba import njit

from convcheck import capabilities


@capabilities(dtypes=("float32", "float64"), padding_modes=("zeros",))
def my_conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The signature of `torch.nn.functional.conv2d`, on NumPy arrays."""
    if x.ndim == 3:
        return my_conv(x[None], weight, bias, stride, padding, dilation, groups)[0]
    stride, dilation = _pair(stride), _pair(dilation)
    _check(x, weight, bias, stride, dilation, padding, groups)
    top, bottom, left, right = _sides(padding, weight.shape[2:], stride, dilation)
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    spans = (d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True))
    oh, ow = ((i - span - 1) // s + 1 for i, span, s in zip(x.shape[2:], spans, stride, strict=True))
    if min(oh, ow) < 1:
        raise ValueError("the kernel is larger than the padded input")
    out = np.zeros((len(x), len(weight), oh, ow), x.dtype)
    _add_products(np.ascontiguousarray(x), np.ascontiguousarray(weight), out, stride, dilation, groups)
    return out if bias is None else out + bias[:, None, None]


@njit
def _add_products(x, weight, out, stride, dilation, groups):
    filters, (per_group, kh, kw) = len(weight) // groups, weight.shape[1:]
    for n, o, i, j in np.ndindex(out.shape):
        first = o // filters * per_group
        for c, u, v in np.ndindex((per_group, kh, kw)):
            pixel = x[n, first + c, i * stride[0] + u * dilation[0], j * stride[1] + v * dilation[1]]
            out[n, o, i, j] += pixel * weight[o, c, u, v]
