"""SciPy: https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.correlate.html.

It correlates whole images. Padding, stride, dilation and groups are steps around that, which refuse nothing; those of
dilation are zeros between the taps, which meet what is not finite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.signal import correlate

from convcheck import PROFILES, Backend, ScriptCall
from convcheck_backends.engines.spelling import dilated, padded, sides, zero_padded_batches
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class Scipy(Backend):
    """A correlation for each image and filter.

    Args:
        method: sums of products, or by Fourier transforms.
    """

    name = "scipy"

    def __init__(self, method: Literal["direct", "fft"] = "direct") -> None:
        self._method = method
        profiles = {"float32": "fft"} if method == "fft" else {"float32": "fp32-strict", "float64": "fp64-strict"}
        self.capabilities = zero_padded_batches(
            dtypes=tuple(profiles),
            validates=False,
            profiles={dtype: replace(PROFILES[name], name="", spreads_nan=True) for dtype, name in profiles.items()},
        )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        image, taps = padded(x, params), dilated(weight, params)
        (rows, columns), channels = params.stride, weight.shape[1]
        wide = image.shape[2] - taps.shape[2] + 1, image.shape[3] - taps.shape[3] + 1
        output = np.empty((len(x), len(weight), *wide), x.dtype)
        for n, o in np.ndindex(output.shape[:2]):
            first = o // (len(weight) // params.groups) * channels
            output[n, o] = correlate(image[n, first : first + channels], taps[o], "valid", self._method)[0]
        strided = output[:, :, ::rows, ::columns]
        return strided.copy() if bias is None else strided + bias[:, None, None]

    def versions(self) -> dict[str, str]:
        """The library's."""
        return {"scipy": scipy.__version__, "method": self._method}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same steps."""
        (top, bottom, left, right), params = sides(call.params), call.params
        (rows, columns), (down, right_), groups = params.stride, params.dilation, params.groups
        return (
            "from scipy.signal import correlate",
            f"image = np.pad(x, ((0, 0), (0, 0), ({top}, {bottom}), ({left}, {right})))",
            f"taps = np.zeros((*weight.shape[:2], *{params.extent}), x.dtype)",
            f"taps[:, :, ::{down}, ::{right_}] = weight",
            f"first = [o // (len(weight) // {groups}) * weight.shape[1] for o in range(len(weight))]",
            "got = np.array([[",
            f"    correlate(each[f : f + weight.shape[1]], taps_, 'valid', {self._method!r})[0, ::{rows}, ::{columns}]",
            "    for f, taps_ in zip(first, taps)] for each in image])",
            *(["got += bias[:, None, None]"] if call.bias else []),
        )
