"""SciPy: https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.correlate.html.

It correlates whole images. Padding, stride, dilation and groups are steps around that, which refuse nothing; those of
dilation are zeros between the taps, which meet what is not finite.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.signal import correlate

from convcheck import PROFILES, Backend, Capabilities
from convcheck_backends.engines.spelling import dilated, padded
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
        self.capabilities = Capabilities(
            dtypes=tuple(profiles),
            padding_modes=("zeros",),
            unbatched=False,
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
