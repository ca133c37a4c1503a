"""A kernel of one's own in Halide: the algorithm is the definition, and the schedule says in which order it is done.

Halide may have an environment of its own: `convcheck env add halide==21.0.0`, and then
`convcheck run --backend my_halide_kernel.py:my_conv@halide@21.0.0`.
"""

import halide as hl
import numpy as np
from my_kernel import _check, _pair, _sides

from convcheck import capabilities


@capabilities(dtypes=("float32",), padding_modes=("zeros",), empty_batch=False, thread_safe=False)
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
    layer = _layer(x, weight, np.zeros(len(weight), x.dtype) if bias is None else bias, stride, dilation, groups)
    result = hl.Buffer(hl.Float(32), [ow, oh, len(weight), len(x)])  # Halide has the innermost axis first
    layer.realize(result)
    return np.array(result)


def _layer(x, weight, bias, stride, dilation, groups):
    """The function of column, row, filter and image."""
    image, taps, shift = (hl.Buffer(np.ascontiguousarray(array)) for array in (x, weight, bias))
    j, i, o, n = (hl.Var(name) for name in ("j", "i", "o", "n"))
    _, per_group, kh, kw = weight.shape
    over = hl.RDom([(0, kw), (0, kh), (0, per_group)])
    column, row = j * stride[1] + over.x * dilation[1], i * stride[0] + over.y * dilation[0]
    channel = o // (len(weight) // groups) * per_group + over.z
    layer = hl.Func("layer")
    layer[j, i, o, n] = shift[o]
    layer[j, i, o, n] += image[column, row, channel, n] * taps[over.x, over.y, over.z, o]
    layer.update().unroll(over.x, min(kw, 2), hl.TailStrategy.GuardWithIf)
    return layer
