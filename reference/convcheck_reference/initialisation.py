"""How a Conv2d layer initialises itself.

Source: documentation of `torch.nn.Conv2d`, section Variables: weight and bias are drawn from
U(−√k, √k) with k = groups / (C_in · kh · kw), that is U(−1/√fan_in, 1/√fan_in).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convcheck_reference.params import Conv2dParams


def init_bound(params: Conv2dParams) -> float:
    """1/√fan_in: weight and bias lie within ± this figure."""
    return 1.0 / math.sqrt(params.fan_in)


def reset_parameters(
    params: Conv2dParams, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> tuple[NDArray[np.generic], NDArray[np.generic] | None]:
    """A fresh (weight, bias), uniform within ±`init_bound`; bias is None for a layer without one."""
    bound = init_bound(params)
    weight = rng.uniform(-bound, bound, params.weight_shape).astype(dtype)
    if params.bias_shape is None:
        return weight, None
    return weight, rng.uniform(-bound, bound, params.bias_shape).astype(dtype)
