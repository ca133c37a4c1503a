"""A function of a shared library, with the signature in C that stands below, as a backend.

    #include <stdint.h>

    struct conv2d_sizes {
        int64_t batch, in_channels, height, width, out_channels, kernel_height, kernel_width;
        int64_t stride_height, stride_width, padding_top, padding_bottom, padding_left, padding_right;
        int64_t dilation_height, dilation_width, groups, out_height, out_width;
    };

    int conv2d(const float *x, const float *weight, const float *bias, float *out, const struct conv2d_sizes *sizes);

The tensors are contiguous: x in NCHW, weight as (out_channels, in_channels / groups, kernel_height, kernel_width), bias
NULL for a layer without one, out to be written. It returns 0, or any other number where it does not compute the layer.
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.capabilities import Capabilities, CapabilityError
from convcheck.plugin.backend import Backend
from convcheck.plugin.registry_errors import BackendFileError, BackendNameError
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import Conv2dParams

_DTYPES: Final = ("float32", "float64")
"""Those that C has as float and double."""

_MARGIN: Final = 4096
"""Bytes before and after a result that are looked at: a row or a channel too many lies in them."""

_AROUND, _ALIGNMENT = 0xFF, 64

_SIZES: Final = (
    *("batch", "in_channels", "height", "width", "out_channels", "kernel_height", "kernel_width"),
    *("stride_height", "stride_width", "padding_top", "padding_bottom", "padding_left", "padding_right"),
    *("dilation_height", "dilation_width", "groups", "out_height", "out_width"),
)


class Sizes(ctypes.Structure):
    """What a layer is to a function in C."""

    _fields_ = tuple((name, ctypes.c_int64) for name in _SIZES)


class CStatusError(ConvcheckError, RuntimeError):
    """A function in C has returned another status than 0."""


class CMemoryError(ConvcheckError, RuntimeError):
    """A function in C has written around its result."""


class CBackend(Backend):
    """Functions of a shared library, one for each dtype.

    Args:
        library: the file.
        symbols: of the function, by dtype.
        declared: fields of `Capabilities` that differ from those of such a function.

    Raises:
        BackendFileError: the file is missing, or is no library.
        BackendNameError: it has no such function.
        CapabilityError: a dtype is none of C's, or what is declared is wrong.
    """

    def __init__(self, library: Path, symbols: Mapping[str, str], declared: Mapping[str, Any]) -> None:
        if not symbols or not set(symbols) <= set(_DTYPES):
            raise CapabilityError(f"symbol={dict(symbols)!r}; expected one for 'float32', 'float64' or both")
        if "validates" in declared:
            raise CapabilityError("validates: a function in C is given legal sizes only; do not declare it")
        loaded = _loaded(library)
        self.name = next(iter(symbols.values()))
        self._library = library
        self._functions = {DTYPES[dtype]: _function(loaded, library, symbol) for dtype, symbol in symbols.items()}
        usual: dict[str, Any] = {"padding_modes": ("zeros",), "layouts": ("contiguous",), "validates": False}
        self.capabilities = Capabilities(dtypes=tuple(symbols), **{**usual, **declared})

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> NDArray[Any]:
        """Call the function for the dtype of x.

        Raises:
            CMemoryError: it writes outside of its result.
            CStatusError: it returns another status than 0.
        """
        function = self._functions[x.dtype]
        shape = params.output_shape(x.shape)
        whole, out = _output(shape, x.dtype)
        tensors = [None if t is None else np.ascontiguousarray(t, x.dtype) for t in (x, weight, bias)]
        addresses = [None if t is None else t.ctypes.data for t in (*tensors, out)]
        status = function(*addresses, ctypes.byref(_sizes(params, x.shape, out.shape)))
        if status:
            raise CStatusError(f"{function.__name__} returned status {status}")
        if strayed := _strayed(whole, out):
            raise CMemoryError(f"{function.__name__} wrote outside of out, of shape {shape}: {strayed}")
        return out

    def __call__(
        self,
        x: Any,
        weight: Any,
        bias: Any | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> NDArray[Any]:
        """As `torch.nn.functional.conv2d`, on arrays of NumPy's."""
        out_channels, per_group, *kernel = weight.shape
        shape = (per_group * groups, out_channels, kernel, stride, padding, dilation, groups)
        return self.conv2d(x, weight, bias, Conv2dParams(*shape, bias=bias is not None))

    def versions(self) -> dict[str, str]:
        """The library's file."""
        return {"library": self._library.name}


def c_backend(library: str | Path, symbol: str | Mapping[str, str], **declared: Any) -> CBackend:
    """A function of a shared library as a backend: put it at the top of a file, ``my_conv = convcheck.c_backend(…)``.

    Its signature is documented in `convcheck.plugin.c_backend`. It is given contiguous tensors and legal sizes.

    Args:
        library: the file; a relative path is looked for beside the file that calls this.
        symbol: the function's name, for float32; or a name for each dtype: ``{"float32": "conv", "float64": "dconv"}``.
        declared: fields of `Capabilities`: ``groups=False``, ``excludes=("kernel_h > 7",)``, …

    Raises:
        BackendFileError: the file is missing, or is no library.
        BackendNameError: it has no such function.
        CapabilityError: a dtype is none of C's, or what is declared is wrong.
    """
    beside = Path(str(sys._getframe(1).f_globals.get("__file__", ""))).parent  # noqa: SLF001  (inspect's is slower)
    symbols = {"float32": symbol} if isinstance(symbol, str) else symbol
    return CBackend((beside / library).resolve(), symbols, declared)


def _loaded(library: Path) -> ctypes.CDLL:
    if not library.is_file():
        raise BackendFileError(
            f"{library} does not exist; build it: cc -O2 -shared -fPIC {library.stem}.c -o {library.name}"
        )
    try:
        return ctypes.CDLL(str(library))
    except OSError as error:
        raise BackendFileError(f"{library} cannot be loaded: {error}") from error


def _function(loaded: ctypes.CDLL, library: Path, symbol: str) -> Any:
    try:
        function = getattr(loaded, symbol)
    except AttributeError as error:
        raise BackendNameError(
            f'{library} has no function {symbol!r}; it must not be static, and in C++ be declared extern "C"'
        ) from error
    function.argtypes = [*(ctypes.c_void_p,) * 4, ctypes.POINTER(Sizes)]
    function.restype = ctypes.c_int
    return function


def _output(shape: tuple[int, ...], dtype: Any) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Memory filled with one byte, and a result in the midst of it: NaN of either dtype where nothing is written."""
    size = math.prod(shape) * dtype.itemsize
    room = np.full(size + 2 * _MARGIN + _ALIGNMENT, _AROUND, np.uint8)
    whole = room[-room.ctypes.data % _ALIGNMENT :][: size + 2 * _MARGIN]
    return whole, whole[_MARGIN : _MARGIN + size].view(dtype).reshape(shape)


def _strayed(whole: NDArray[np.uint8], out: NDArray[Any]) -> str:
    """What was written around a result; empty for nothing."""
    before, after = (np.flatnonzero(part != _AROUND) for part in (whole[:_MARGIN], whole[_MARGIN + out.nbytes :]))
    said = [f"{_MARGIN - before[0]} bytes before it begins"] if before.size else []
    said += [f"up to {after[-1] + 1} bytes behind its end"] if after.size else []
    return " and ".join(said)


def _sizes(params: Conv2dParams, shape: tuple[int, ...], out: tuple[int, ...]) -> Sizes:
    batch = shape[0] if len(shape) == 4 else 1
    layer = (*params.kernel_size, *params.stride, *params.padding[0], *params.padding[1], *params.dilation)
    return Sizes(batch, *shape[-3:], params.out_channels, *layer, params.groups, *out[-2:])
