"""What Conv2d is: parameters, shapes, validity, padding, forward, gradients, initialisation, clauses.

>>> from convcheck_reference import Conv2dParams
>>> layer = Conv2dParams(3, 10, kernel_size=5, stride=1, padding=2)
>>> layer.weight_shape, layer.activations((16, 3, 28, 28))
((10, 3, 5, 5), 125440)

Nothing that computes a convolution is imported before it is asked for: a process that runs a candidate has
no reference in it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from convcheck_reference.errors import ConvcheckError, InputError, ParameterError
from convcheck_reference.formats import DTYPES, FORMATS, Format
from convcheck_reference.params import PADDING_MODES, Arguments, Conv2dParams, PaddingMode

if TYPE_CHECKING:
    from convcheck_reference.convolution import (
        conv2d,
        conv2d_double_backward,
        conv2d_grad_bias,
        conv2d_grad_input,
        conv2d_grad_weight,
    )
    from convcheck_reference.initialisation import init_bound, reset_parameters
    from convcheck_reference.padding import pad, pad_adjoint

__all__ = [
    "DTYPES",
    "FORMATS",
    "PADDING_MODES",
    "Arguments",
    "Conv2dParams",
    "ConvcheckError",
    "Format",
    "InputError",
    "PaddingMode",
    "ParameterError",
    "conv2d",
    "conv2d_double_backward",
    "conv2d_grad_bias",
    "conv2d_grad_input",
    "conv2d_grad_weight",
    "init_bound",
    "pad",
    "pad_adjoint",
    "reset_parameters",
]

_MODULES = {
    "pad": "padding",
    "pad_adjoint": "padding",
    "init_bound": "initialisation",
    "reset_parameters": "initialisation",
}

if not TYPE_CHECKING:  # a type checker that saw it would take every name to be public

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'convolution')}"), name)


def __dir__() -> list[str]:
    return __all__
