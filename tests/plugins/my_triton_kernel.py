"""A kernel of one's own in Triton: implicit GEMM in float32, on a GPU, or by Triton's interpreter on the CPU.

The interpreter is Triton's own switch: TRITON_INTERPRET=1 convcheck run --backend my_triton_kernel.py:my_conv
"""

import os

import torch
import triton
import triton.language as tl
from my_geometry import geometry

from convcheck import capabilities

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
BLOCK_M, BLOCK_N, BLOCK_K = (512, 64, 64) if INTERPRETED else (32, 16, 16)  # interpreting takes time by the block
SIZES = (
    *("N", "IC", "H", "W", "OC", "OH", "OW", "KH", "KW", "IG", "OG", "REDUCTION"),
    *("SH", "SW", "PH", "PW", "DH", "DW"),
)


@capabilities(
    device="cpu" if INTERPRETED else "cuda",
    gradients=False,  # autograd knows nothing of Triton
    thread_safe=not INTERPRETED,  # the interpreter patches triton.language while it runs
)
def my_conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The signature of `torch.nn.functional.conv2d`, on float32 tensors of the device."""
    return convolve(x, weight, bias, stride, padding, dilation, groups, reduction=weight[:1].numel())


def convolve(x, weight, bias, stride, padding, dilation, groups, reduction):
    """The sum over the first so many elements of each filter, the reduction."""
    if x.dim() == 3:
        return convolve(x[None], weight, bias, stride, padding, dilation, groups, reduction)[0]
    (oh, ow), (sh, sw), (ph, pw), (dh, dw) = geometry(x, weight, bias, stride, padding, dilation, groups)
    (n, ic, h, w), (oc, ig, kh, kw) = x.shape, weight.shape
    y = torch.empty((n, oc, oh, ow), device=x.device, dtype=x.dtype)
    if n:
        x, weight, bias = (t if t is None else t.contiguous() for t in (x, weight, bias))
        grid = (triton.cdiv(n * oh * ow, BLOCK_M), triton.cdiv(oc // groups, BLOCK_N), groups)
        sizes = (n, ic, h, w, oc, oh, ow, kh, kw, ig, oc // groups, reduction)
        _implicit_gemm[grid](
            x, weight, weight if bias is None else bias, y, *sizes, sh, sw, ph, pw, dh, dw,
            HAS_BIAS=bias is not None, BLOCK_M=BLOCK_M, BLOCK_N=BLOCK_N, BLOCK_K=BLOCK_K,
        )  # fmt: skip
    return y


@triton.jit(do_not_specialize=SIZES)  # one compilation serves all layers
def _implicit_gemm(
    x, weight, bias, y, N, IC, H, W, OC, OH, OW, KH, KW, IG, OG, REDUCTION, SH, SW, PH, PW, DH, DW,
    HAS_BIAS: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """One tile of pixels (M) and output channels (N) of a group; K runs over (channel, row, column) of a filter."""
    group = tl.program_id(2)
    m = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    n = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    image, row, column = m // (OH * OW), m // OW % OH, m % OW
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, REDUCTION, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        channel, kernel_row, kernel_column = k // (KH * KW), k // KW % KH, k % KW
        i = row[:, None] * SH - PH + kernel_row[None, :] * DH
        j = column[:, None] * SW - PW + kernel_column[None, :] * DW
        inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
        inside &= (m[:, None] < N * OH * OW) & (k[None, :] < REDUCTION)
        pixels = ((image[:, None] * IC + group * IG + channel[None, :]) * H + i) * W + j
        a = tl.load(x + pixels, mask=inside, other=0.0)
        filters = (group * OG + n[None, :]).to(tl.int64) * (IG * KH * KW) + k[:, None]
        b = tl.load(weight + filters, mask=(k[:, None] < REDUCTION) & (n[None, :] < OG), other=0.0)
        total += tl.dot(a, b, input_precision="ieee")  # not TF32, which is the default
    if HAS_BIAS:
        total += tl.load(bias + group * OG + n, mask=n < OG, other=0.0)[None, :]
    outputs = ((image[:, None] * OC + group * OG + n[None, :]) * OH + row[:, None]) * OW + column[:, None]
    tl.store(y + outputs, total, mask=(m[:, None] < N * OH * OW) & (n[None, :] < OG))
