"""ncnn on the CPU: https://github.com/Tencent/ncnn/wiki/operators, Convolution and ConvolutionDepthWise.

A net takes one image, and its weight is part of it. It validates nothing. Options:
https://github.com/Tencent/ncnn/blob/master/src/option.h; all are on by default there, Winograd among them, with tiles
F(2, 3), F(4, 3) and F(6, 3). Storage in 16 bits is switched off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from tempfile import NamedTemporaryFile
from typing import Any

import ncnn
import numpy as np
from numpy.typing import NDArray

from convcheck import PROFILES, Backend, Extension, ScriptCall
from convcheck_backends.engines.built import Graphs, key_of
from convcheck_backends.engines.spelling import copied_batches, given, sides
from convcheck_reference import Conv2dParams

Array = NDArray[Any]

_OPTIONS = (
    "use_packing_layout", "use_winograd_convolution", "use_sgemm_convolution",
    "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage",
)  # fmt: skip
_SPLIT = "kernel_h == kernel_w == 3 and stride_h == stride_w == 1 and dilation_h == dilation_w and dilation_h > 1"
"""Layers that ncnn splits into undilated ones unless channels are packed, and computes these by Winograd's algorithm
(forwardDilation_x86 of https://github.com/Tencent/ncnn/blob/master/src/layer/x86/convolution_x86.cpp)."""


class Ncnn(Backend):
    """A layer of ncnn for each layer and weight, called once for each image.

    Args:
        threads: of a call.
        packing: several channels lie side by side.
        winograd: 3×3 layers may be computed by Winograd's algorithm.
        sgemm: layers may be computed as matrix products.
    """

    name = "ncnn"

    def __init__(self, threads: int = 1, packing: bool = True, winograd: bool = True, sgemm: bool = True) -> None:
        self._option = option = ncnn.Option()
        option.num_threads = threads
        option.use_packing_layout = packing
        option.use_winograd_convolution = winograd
        option.use_sgemm_convolution = sgemm
        option.use_fp16_packed = option.use_fp16_storage = option.use_fp16_arithmetic = False
        option.use_bf16_storage = False
        self._graphs = Graphs()
        self.capabilities = copied_batches(
            empty_batch=False,
            constant_weight=True,
            validates=False,
            extensions=(Extension.ASYMMETRIC_PADDING,),
            excludes=(_SPLIT,) if winograd and not packing else (),  # no profile bounds their errors
            profiles={"float32": PROFILES["winograd-f6"]} if winograd else {},
        )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The outputs of a layer that is built once for each weight."""
        fixed = given(x, weight, bias)[1:]
        net = self._graphs.of(key_of(params, baked=fixed), lambda: self._net(fixed, params))
        return np.stack([_called(net, np.ascontiguousarray(image)) for image in x])

    def versions(self) -> dict[str, str]:
        """The engine's, and its options."""
        return {"ncnn": ncnn.__version__} | {name: str(getattr(self._option, name)) for name in _OPTIONS[:3]}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same net, and a file with its weight."""
        params = call.params
        text = _text(math.prod(params.weight_shape), params, bias=call.bias)
        options = (*_OPTIONS, "num_threads")
        return (
            "import ncnn",
            "net = ncnn.Net()",
            *(f"net.opt.{name} = {getattr(self._option, name)}" for name in options),
            f"net.load_param_mem({text!r})",
            "with open('layer.bin', 'wb') as file:",
            f"    file.write(bytes(4) + weight.tobytes(){' + bias.tobytes()' if call.bias else ''})",
            "net.load_model('layer.bin')",
            "got = []",
            "for image in x:",
            "    extractor = net.create_extractor()",
            "    extractor.input('x', ncnn.Mat(image).clone())",
            "    got.append(np.array(extractor.extract('y')[1]))",
            "got = np.stack(got)",
        )

    def _net(self, fixed: tuple[Array, ...], params: Conv2dParams) -> Any:
        net = ncnn.Net()
        net.opt = self._option
        _done(net.load_param_mem(_text(fixed[0].size, params, bias=len(fixed) > 1)), "load_param_mem")
        with NamedTemporaryFile() as file:
            for flag, array in zip((bytes(4), b""), fixed, strict=False):  # four zero bytes say that floats follow
                file.write(flag + array.tobytes())
            file.flush()
            _done(net.load_model(file.name), "load_model")
        return net


def _text(size: int, params: Conv2dParams, *, bias: bool) -> str:
    """A net in ncnn's own text: layers with numbered parameters."""
    (kernel_h, kernel_w), (rows, columns), (dilation_h, dilation_w) = params.kernel_size, params.stride, params.dilation
    top, bottom, left, right = sides(params)
    numbers = {
        0: params.out_channels, 1: kernel_w, 11: kernel_h, 2: dilation_w, 12: dilation_h, 3: columns, 13: rows,
        4: left, 15: right, 14: top, 16: bottom, 5: int(bias), 6: size,
    }  # fmt: skip
    kind = "Convolution" if params.groups == 1 else "ConvolutionDepthWise"
    numbers |= {} if params.groups == 1 else {7: params.groups}
    said = " ".join(f"{name}={number}" for name, number in numbers.items())
    return f"7767517\n2 2\nInput in 0 1 x\n{kind} layer 1 1 x y {said}\n"


def _called(net: Any, image: Array) -> Array:
    extractor = net.create_extractor()
    # a copy has its channels where kernels expect them, at multiples of 16 bytes
    _done(extractor.input("x", ncnn.Mat(image).clone()), "input")
    status, output = extractor.extract("y")
    _done(status, "extract")
    return np.array(output)


def _done(status: int, what: str) -> None:
    if status:
        raise RuntimeError(f"{what} of ncnn returned {status}")
