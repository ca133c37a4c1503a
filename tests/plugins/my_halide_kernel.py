"""A kernel of one's own in Halide: the algorithm is the definition, and a schedule says in which order it is done.

Sizes are parameters, so that one compilation serves all layers. Halide may have an environment of its own:
`convcheck env add halide==21.0.0`, and then `convcheck run --backend my_halide_kernel.py:my_conv@halide@21.0.0`.
"""

import halide as hl
import numpy as np
from my_kernel import _check, _pair, _sides

from convcheck import capabilities

FLOAT = hl.Float(32)
IMAGE, TAPS, SHIFT = (hl.ImageParam(FLOAT, axes) for axes in (4, 4, 1))
SIZES = [hl.Param(hl.Int(32), name) for name in ("sh", "sw", "dh", "dw", "kh", "kw", "per_group", "filters")]


def _layer():
    """The function of column, row, filter and image: Halide has the innermost axis first."""
    sh, sw, dh, dw, kh, kw, per_group, filters = SIZES
    j, i, o, n = (hl.Var(name) for name in ("j", "i", "o", "n"))
    taps = hl.RDom([(0, kw), (0, kh), (0, per_group)])
    pixel = IMAGE[j * sw + taps.x * dw, i * sh + taps.y * dh, o // filters * per_group + taps.z, n]
    layer = hl.Func("layer")
    layer[j, i, o, n] = SHIFT[o]
    layer[j, i, o, n] += pixel * TAPS[taps.x, taps.y, taps.z, o]
    layer.vectorize(j, 8, hl.TailStrategy.GuardWithIf)
    layer.update().vectorize(j, 8, hl.TailStrategy.GuardWithIf)
    return layer


LAYER = _layer()


@capabilities(dtypes=("float32",), padding_modes=("zeros",), empty_batch=False, thread_safe=False)
def my_conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The signature of `torch.nn.functional.conv2d`, on NumPy arrays."""
    if x.ndim == 3:
        return my_conv(x[None], weight, bias, stride, padding, dilation, groups)[0]
    stride, dilation = _pair(stride), _pair(dilation)
    _check(x, weight, bias, stride, dilation, padding, groups)
    top, bottom, left, right = _sides(padding, weight.shape[2:], stride, dilation)
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    (filters, per_group, kh, kw) = weight.shape
    spans = (dilation[0] * (kh - 1), dilation[1] * (kw - 1))
    oh, ow = ((i - span - 1) // s + 1 for i, span, s in zip(x.shape[2:], spans, stride, strict=True))
    if min(oh, ow) < 1:
        raise ValueError("the kernel is larger than the padded input")
    given = [np.ascontiguousarray(array) for array in (x, weight, np.zeros(filters, x.dtype) if bias is None else bias)]
    for parameter, array in zip((IMAGE, TAPS, SHIFT), given, strict=True):
        parameter.set(hl.Buffer(array))  # which does not keep the array alive
    for parameter, size in zip(SIZES, (*stride, *dilation, kh, kw, per_group, filters // groups), strict=True):
        parameter.set(size)
    result = np.zeros((len(x), filters, oh, ow), x.dtype)
    LAYER.realize(hl.Buffer(result))
    return result
