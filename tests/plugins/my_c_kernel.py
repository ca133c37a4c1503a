"""A kernel of one's own, in C, with a build for AddressSanitizer beside the usual one.

cc -O2 -shared -fPIC my_c_kernel.c -o my_c_kernel.so
cc -O1 -g -fsanitize=address -shared -fPIC my_c_kernel.c -o my_c_kernel_address.so
"""

import ctypes
import os
from pathlib import Path

import numpy as np

import convcheck

_BUILD = "_address" if os.environ.get("CONVCHECK_SANITIZER") == "address" else ""
_LIBRARY = ctypes.CDLL(str(Path(__file__).with_name(f"my_c_kernel{_BUILD}.so")))


@convcheck.capabilities(dtypes=("float32",), validates=False)
def my_conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The signature of `torch.nn.functional.conv2d`, on NumPy arrays."""
    if x.ndim == 3:
        return my_conv(x[None], weight, bias, stride, padding, dilation, groups)[0]
    (sh, sw), (dh, dw), (kh, kw) = _pair(stride), _pair(dilation), weight.shape[2:]
    x = np.pad(x, ((0, 0), (0, 0), *_sides(padding, (dh * (kh - 1), dw * (kw - 1)))))
    batch, in_channels, height, width = x.shape
    oh, ow = (height - dh * (kh - 1) - 1) // sh + 1, (width - dw * (kw - 1) - 1) // sw + 1
    out = np.empty((batch, weight.shape[0], oh, ow), np.float32)
    sizes = (batch, in_channels, height, width, weight.shape[0], groups, kh, kw, sh, sw, dh, dw, oh, ow)
    arrays = [None if array is None else np.ascontiguousarray(array) for array in (x, weight, bias, out)]
    addresses = [None if array is None else ctypes.c_void_p(array.ctypes.data) for array in arrays]
    _LIBRARY.conv(*addresses, *map(ctypes.c_long, sizes))
    return out


def _sides(padding, reach):
    if padding == "same":
        return [(more // 2, more - more // 2) for more in reach]
    return [(side, side) for side in _pair(0 if padding == "valid" else padding)]


def _pair(value):
    return tuple(value) if isinstance(value, tuple | list) else (value, value)
