"""The self-check: the two formulations of the reference agree on integers, bit for bit."""

from __future__ import annotations

from itertools import product

import numpy as np

from convcheck_reference.convolution import conv2d, conv2d_grad_bias, conv2d_grad_input, conv2d_grad_weight
from convcheck_reference.errors import SelfCheckError
from convcheck_reference.naive import naive_conv2d, naive_grad_bias, naive_grad_input, naive_grad_weight
from convcheck_reference.params import PADDING_MODES, Conv2dParams, Pair


def self_check() -> int:
    """Compare both formulations on small layers of every padding mode; the number of comparisons.

    Raises:
        SelfCheckError: they disagree; the message names the layer.
    """
    compared = 0
    shape = (2, 2, 4, 5)  # as small as two images, two groups and dilated kernels allow: the loops cost Python's time
    spellings: tuple[tuple[Pair, Pair | str, Pair], ...] = (
        ((2, 1), (1, 2), (1, 2)),
        ((1, 1), "same", (2, 1)),
        ((3, 2), (2, 0), (1, 1)),
    )
    for mode, groups, (stride, padding, dilation) in product(PADDING_MODES, (1, 2), spellings):
        params = Conv2dParams(2, 4, (2, 3), stride, padding, dilation, groups, padding_mode=mode)
        rng = np.random.default_rng(compared)
        x, weight, bias, grad = (
            rng.integers(-9, 10, size) for size in (shape, params.weight_shape, (4,), params.output_shape(shape))
        )
        pairs = (
            ("output", conv2d(x, weight, bias, params), naive_conv2d(x, weight, bias, params)),
            (
                "grad_input",
                conv2d_grad_input(grad, weight, params, shape),
                naive_grad_input(grad, weight, params, shape),
            ),
            ("grad_weight", conv2d_grad_weight(grad, x, params), naive_grad_weight(grad, x, params)),
            ("grad_bias", conv2d_grad_bias(grad), naive_grad_bias(grad)),
        )
        for quantity, fast, slow in pairs:
            if not np.array_equal(fast, slow):
                raise SelfCheckError(
                    f"the formulations disagree in the {quantity} of {params.arguments}: "
                    f"no verdict can be trusted here; check the installation of NumPy {np.__version__}"
                )
            compared += 1
    return compared
