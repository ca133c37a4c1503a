"""An adapter of PyTensor, which convolves two matrices: channels, groups, strides and padding are steps around that.

It has an environment of its own: `convcheck env add pytensor==3.0.7`, and then
`convcheck run --backend my_pytensor_backend.py:MyPyTensor@pytensor@3.0.7`.
"""

from dataclasses import replace

import numpy as np
import pytensor
from pytensor.tensor import matrix
from pytensor.tensor.signal import convolve2d

import convcheck


class MyPyTensor(convcheck.Backend):
    """`pytensor.tensor.signal.convolve2d` for each image, filter and channel."""

    name = "my-pytensor"
    capabilities = convcheck.Capabilities(
        padding_modes=("zeros",),
        layouts=("contiguous",),
        unbatched=False,
        validates=False,
        # zeros between the taps of a dilated filter meet what is not finite
        profiles={"float32": replace(convcheck.PROFILES["fp32-strict"], name="", spreads_nan=True)},
    )

    def __init__(self):
        image, taps = matrix("image", dtype="float32"), matrix("taps", dtype="float32")
        self._correlate = pytensor.function(
            [image, taps], convolve2d(image, taps[::-1, ::-1], mode="valid", method="direct")
        )

    def conv2d(self, x, weight, bias, params):
        image = np.pad(x, ((0, 0), (0, 0), *params.padding))
        (rows, columns), (down, right) = params.stride, params.dilation
        taps = np.zeros((*weight.shape[:2], *params.extent), weight.dtype)
        taps[:, :, ::down, ::right] = weight
        shape = (len(x), len(weight), *params.output_size(*x.shape[2:]))
        out, (filters, channels) = np.zeros(shape, x.dtype), weight.shape[:2]
        for n, o, c in np.ndindex(*shape[:2], channels):
            first = o // (filters // params.groups) * channels
            out[n, o] += self._correlate(image[n, first + c], taps[o, c])[::rows, ::columns]
        return out if bias is None else out + bias[:, None, None]

    def versions(self):
        return {"pytensor": pytensor.__version__}
