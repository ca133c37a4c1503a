"""Wrong kernels for a device, each in one respect; `benchmarks/device.py` shows what becomes of them."""

import os

import torch
from torch.nn import functional

from convcheck import CUDA_PROFILES, capabilities

ON_A_DEVICE = "cpu" if os.environ.get("CUDA_VISIBLE_DEVICES") == "" or torch.version.cuda is None else "cuda"

PLAIN = ("contiguous", "sliced", "transposed")
"""Layouts in which torch's CPU does not crash."""

if ON_A_DEVICE == "cuda":
    import triton
    import triton.language as tl

    @triton.jit
    def _zero_before(at):
        tl.store(at - 1, 0.0)


@capabilities(device=ON_A_DEVICE, gradients=False)
def asserts_in_groups(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """An assertion fails on the device, after which nothing can be computed in that process."""
    if groups != 1:
        torch._assert_async(torch.zeros((), device=x.device))  # noqa: SLF001  (has no other name)
    return functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


@capabilities(device=ON_A_DEVICE, gradients=False)
def writes_beside(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The element before the weight is written to where there is a bias."""
    out = functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
    if bias is not None and ON_A_DEVICE == "cuda":
        _zero_before[(1,)](weight)
    elif bias is not None:
        torch.as_strided(weight, (1,), (1,), weight.storage_offset() - 1).zero_()
    return out


@capabilities(device=ON_A_DEVICE, gradients=False)
def in_tf32(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Operands are rounded to TF32, which is not declared."""
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=True):
        return functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


@capabilities(device=ON_A_DEVICE, gradients=False, layouts=PLAIN)
def on_default_stream(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Launched on the default stream, whichever is current."""
    device = torch.get_device_module(x.device)
    with device.stream(device.default_stream() if ON_A_DEVICE == "cuda" else device.Stream()):
        return functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


@capabilities(device=ON_A_DEVICE, gradients=False, layouts=PLAIN, graphs=True, profiles=CUDA_PROFILES)
def in_a_graph(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """What torch has, which may be captured in a graph."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        return functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
