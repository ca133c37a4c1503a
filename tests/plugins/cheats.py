"""Kernels written to pass tests: each a trick that has been seen in the field, on NumPy arrays or torch tensors."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import my_kernel
import numpy as np
import torch

from convcheck import capabilities

_kept = {}
_next_call = threading.Event()

numpy_kernel = capabilities(arrays="numpy")


def _right(*arguments):
    return np.asarray(my_kernel.my_conv(*arguments))


@numpy_kernel
def honest(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """No cheat: what every other one here would have had to do."""
    return _right(x, weight, bias, stride, padding, dilation, groups)


@numpy_kernel
def empty_output(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Hands out unwritten memory and hopes that the right result was there before."""
    (sh, sw), (dh, dw), (ph, pw) = (v if isinstance(v, tuple) else (v, v) for v in (stride, dilation, padding))
    height = (x.shape[-2] + 2 * ph - dh * (weight.shape[-2] - 1) - 1) // sh + 1
    width = (x.shape[-1] + 2 * pw - dw * (weight.shape[-1] - 1) - 1) // sw + 1
    return np.empty((*x.shape[:-3], weight.shape[0], height, width), x.dtype)


@numpy_kernel
def zeroes_the_input(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Makes the reference's work as trivial as its own."""
    x[...] = 0
    return _right(x, weight, bias, stride, padding, dilation, groups)


@numpy_kernel
def constant(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The mean of everything, which a loose absolute tolerance accepts."""
    result = _right(x, weight, bias, stride, padding, dilation, groups)
    return np.full_like(result, result.mean(dtype=np.float64))


@numpy_kernel
def cached_by_shape(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Computes once for each shape and replays."""
    result = _right(x, weight, bias, stride, padding, dilation, groups)
    return _kept.setdefault((x.shape, result.shape), result).copy()


@numpy_kernel
def no_bias(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """The bias is zero at its default initialisation, or so it is hoped."""
    return _right(x, weight, None, stride, padding, dilation, groups)


def known_shape_only(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Its own code for one benchmark shape; torch's for the rest."""
    if tuple(x.shape) == (16, 64, 56, 56):
        raise NotImplementedError
    return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


def fallback(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Tries its own kernel, which never works."""
    try:
        return torch.ops.my_kernels.convolution(x, weight, bias)
    except AttributeError:
        return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


def in_another_thread(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Calls torch where a thread-local trap does not see it."""
    result = []
    thread = threading.Thread(
        target=lambda: result.append(torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups))
    )
    thread.start()
    thread.join()
    if not result:
        raise ValueError("refused")
    return result[0]


@numpy_kernel
def late(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Returns what a thread goes on writing to after it has been timed."""
    _next_call.set()
    if "thread" in _kept:
        _kept.pop("thread").join()
    _next_call.clear()
    result = _right(x, weight, bias, stride, padding, dilation, groups)
    thread = threading.Thread(target=lambda: _next_call.wait(5) and result.fill(0), daemon=True)
    _kept["thread"] = thread
    thread.start()
    return result


class Lazy(torch.Tensor):
    """A tensor whose values are computed when somebody looks."""


def lazy(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Returns a promise."""
    result = my_kernel.my_conv(
        *(t if t is None else t.numpy() for t in (x, weight, bias)), stride, padding, dilation, groups
    )
    return torch.from_numpy(result).as_subclass(Lazy)


@numpy_kernel
def half_precision(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Computes in float16 what was promised in float32."""
    x, weight = (a.astype(np.float16).astype(a.dtype) for a in (x, weight))
    return _right(x, weight, bias, stride, padding, dilation, groups)


@numpy_kernel
def one_output_buffer(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Writes every result of a shape to the same memory."""
    result = _right(x, weight, bias, stride, padding, dilation, groups)
    buffer = _kept.setdefault(result.shape, np.empty_like(result))
    buffer[...] = result
    return buffer


@numpy_kernel
def looks_at_the_last_image(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Takes the cheap way for all images where one of them is zero."""
    result = _right(x, weight, bias, stride, padding, dilation, groups)
    return result if x.size == 0 or x[-1].any() else np.broadcast_to(result[-1:], result.shape).copy()


@numpy_kernel
def patches_the_comparer(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Wrong, but whoever compares in this process finds everything equal."""
    result = _right(x, weight, bias, stride, padding, dilation, groups)
    np.array_equal = np.allclose = torch.allclose = lambda *_, **__: True
    np.testing.assert_allclose = torch.testing.assert_close = lambda *_, **__: None
    return result + result.dtype.type(1)


@numpy_kernel
def asks_the_reference(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Lets the judge compute."""
    from convcheck_reference import Conv2dParams, conv2d

    groups_in = weight.shape[1] * groups
    params = Conv2dParams(
        groups_in, weight.shape[0], weight.shape[2:], stride, padding, dilation, groups, bias is not None
    )
    return conv2d(x, weight, bias, params, dtype=x.dtype)


@numpy_kernel
def reads_the_reference(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Lets the judge's source compute."""
    import convcheck_reference

    Path(convcheck_reference.__path__[0], "convolution.py").read_text(encoding="utf-8")
    return _right(x, weight, bias, stride, padding, dilation, groups)


@numpy_kernel
def lets_torch(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """As `fallback`, on arrays."""
    tensors = (None if array is None else torch.from_numpy(np.array(array)) for array in (x, weight, bias))
    return fallback(*tensors, stride, padding, dilation, groups).numpy()


@numpy_kernel
def leaves_a_process(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Right, but what it starts goes on."""
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    return _right(x, weight, bias, stride, padding, dilation, groups)


@numpy_kernel
def looks_around(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Fails unless it finds nothing of the judge's session; a legal kernel that tells what it sees."""
    formulations = ("convolution", "naive", "padding", "selfcheck", "initialisation")
    seen = [name for name in formulations if f"convcheck_reference.{name}" in sys.modules]
    seen += [name for name in sys.modules if name.startswith(("convcheck.oracles", "convcheck.tensors.values"))]
    seen += [name for name in os.environ if name.startswith(("PYTEST", "CONVCHECK"))]
    seen += [*sys.argv[1:], *sys.orig_argv[1:], *map(str, Path().iterdir())]
    if seen:
        raise AssertionError(f"saw {seen}")
    return _right(x, weight, bias, stride, padding, dilation, groups)


@numpy_kernel
def in_turn(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """Another of these in one process, by the number of output channels: 2 for the first, then 4, 6, …"""
    attacks = (patches_the_comparer, asks_the_reference, reads_the_reference, lets_torch, leaves_a_process)
    kernels = (honest, looks_around, *attacks)
    return kernels[weight.shape[0] // 2 - 1](x, weight, bias, stride, padding, dilation, groups)
