"""The kernel in CUDA C++, asked for less than it should be."""

from my_cuda_kernel import built
from my_geometry import geometry

from convcheck import capabilities


@capabilities(arrays="torch", device="cuda", gradients=False)
def undilated(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Dilation only counts for the size of the output."""
    if x.dim() == 3:
        return undilated(x[None], weight, bias, stride, padding, dilation, groups)[0]
    (oh, ow), (sh, sw), (ph, pw), _ = geometry(x, weight, bias, stride, padding, dilation, groups)
    x, weight, bias = (t if t is None else t.contiguous() for t in (x, weight, bias))
    return built.conv(x, weight, bias, [oh, ow, groups, sh, sw, ph, pw, 1, 1])
