"""A wrong kernel in Triton: the right one, but for the tail of the reduction."""

from my_triton_kernel import BLOCK_K, INTERPRETED, convolve

from convcheck import capabilities


@capabilities(arrays="torch", device="cpu" if INTERPRETED else "cuda", gradients=False, thread_safe=not INTERPRETED)
def k_tail(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """What is left of a filter after the last whole block is not summed up."""
    whole_blocks = weight[:1].numel() // BLOCK_K * BLOCK_K
    return convolve(x, weight, bias, stride, padding, dilation, groups, reduction=whole_blocks)
